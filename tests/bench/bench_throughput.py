"""Analysed frames per second over 1, 2, 4 and 8 cameras: ours, the limit, and Ultralytics.

All get the same streams, 720p at 15 frames/s from the same RTSP server, which runs on the
same cores in every case. The limit is what ``tests.bench.bare`` reaches: bare decoding and
the bare network. Contenders take turns, in another order for every number of cameras.
Usage: ``python -m tests.bench throughput``.
"""

import json
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from safety.clock import SystemClock
from safety.perception.convert import converted
from tests.bench.films import CELL, kbit_per_s, paced
from tests.bench.machine import Neighbours
from tests.bench.peer import Peer
from tests.bench.product import pause, running, site
from tests.support.pictures import POSE_MODEL
from tests.support.rtsp import RtspServer
from tests.support.third_party import third_party

CAMERAS = (1, 2, 4, 8)
FPS = 15
WARM_UP_S = 5.0
SECONDS = 16.0
BUDGET = 0.85

Contender = Callable[[int], dict[str, float]]
"""Given a number of cameras: ``fps`` over all of them, ``cpu`` in cores."""


def run() -> dict[str, object]:
    """Measure, print a table, and return its figures.

    Returns:
        ``<contender>_<n>_fps`` and ``<contender>_<n>_cpu`` (cores used) for every number of
        cameras; contenders: ``ours``, ``bare``, ``ultralytics`` (ByteTrack, OpenVINO's own
        choice of precision) and, for the most cameras only, ``ultralytics_default`` (BoT-SORT)
        and ``ultralytics_f32``. ``share_<n>``: ours over bare; ``gain_<n>``: ours over
        ``ultralytics``. ``<contender>_<n>_neighbours``: cores that others used meanwhile.
    """
    weights = third_party(POSE_MODEL)
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = paced(CELL, FPS, folder)
        figures["kbit_per_s"] = kbit_per_s(film)
        sys.stdout.write(
            f"720p at {FPS} frames/s, {kbit_per_s(film):.0f} kbit/s per camera, H.264 over RTSP\n"
        )
        with RtspServer({"cell": film}) as server:
            url = server.url("cell")
            contenders: dict[str, Contender] = {
                "ours": lambda cameras: _ours(url, cameras),
                "bare": lambda cameras: _bare(url, cameras, converted(weights, folder)),
            }
            further: dict[str, Contender] = {}
            try:
                peer = Peer(weights, folder)
            except pytest.skip.Exception as missing:
                sys.stdout.write(f"without Ultralytics: {missing}\n")
            else:
                contenders["ultralytics"] = lambda n: _peer(peer, url, n)
                further = {
                    "ultralytics_default": lambda n: _peer(peer, url, n, tracker="botsort.yaml"),
                    "ultralytics_f32": lambda n: _peer(peer, url, n, precision="f32"),
                }
            for turn, cameras in enumerate(CAMERAS):
                names = deque(contenders)
                names.rotate(turn)
                for contender in names:
                    figures |= _figures(contender, cameras, contenders[contender])
                _compare(figures, cameras, [*contenders])
            for contender, measure in further.items():
                figures |= _figures(contender, CAMERAS[-1], measure)
                _print_row(figures, CAMERAS[-1], contender)
    return figures


def _ours(url: str, cameras: int) -> dict[str, float]:
    with running(site([url] * cameras, max_fps=FPS)) as product:
        pause(WARM_UP_S)
        begun, before = SystemClock().now().monotonic, product.cpu_s
        fps = product.analysed_per_second(SECONDS)
        spent = SystemClock().now().monotonic - begun
        return {"fps": fps, "cpu": (product.cpu_s - before) / spent}


def _bare(url: str, cameras: int, model: Path) -> dict[str, float]:
    job = {
        "url": url,
        "cameras": cameras,
        "model": str(model),
        "warm_up_s": WARM_UP_S,
        "seconds": SECONDS,
    }
    command = [sys.executable, "-m", "tests.bench.bare", json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _peer(
    peer: Peer,
    url: str,
    streams: int,
    *,
    tracker: str = "bytetrack.yaml",
    precision: str | None = None,
) -> dict[str, float]:
    return peer.track(
        url,
        streams,
        warm_up_s=WARM_UP_S,
        seconds=SECONDS,
        tracker=tracker,
        precision=precision,
    )


def _figures(contender: str, cameras: int, measure: Contender) -> dict[str, object]:
    neighbours = Neighbours()
    measured = measure(cameras) | {"neighbours": neighbours.cores()}
    return {f"{contender}_{cameras}_{key}": value for key, value in measured.items()}


def _compare(figures: dict[str, object], cameras: int, contenders: list[str]) -> None:
    """Add the ratios and print what is known about so many cameras."""
    fps = {name: float(str(figures[f"{name}_{cameras}_fps"])) for name in contenders}
    share = figures[f"share_{cameras}"] = fps["ours"] / fps["bare"]
    sys.stdout.write(
        f"{cameras} cameras: {share:.2f} of the limit (budget {BUDGET})"
        + (f", {fps['ours'] / fps['ultralytics']:.2f} x Ultralytics" * ("ultralytics" in fps))
        + "\n"
    )
    if "ultralytics" in fps:
        figures[f"gain_{cameras}"] = fps["ours"] / fps["ultralytics"]
    for name in contenders:
        _print_row(figures, cameras, name)


def _print_row(figures: dict[str, object], cameras: int, contender: str) -> None:
    fps, cpu, others = (
        figures[f"{contender}_{cameras}_{key}"] for key in ("fps", "cpu", "neighbours")
    )
    sys.stdout.write(
        f"  {contender:<20} {fps:6.1f} frames/s   {cpu:4.2f} cores   neighbours {others:4.2f}\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    run()
