"""What protective equipment costs: one crop, and four cameras with people in them.

The cameras show a rendered hall with five workers, 960x540 at 10 frames/s over RTSP, once with
rules on zones only and once with a rule on equipment beside them; the two take turns. The
latency is that of the intrusion rules: what they lose is the price of the equipment rule.
Usage: ``python -m tests.bench ppe``.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from cameras.decoder import WholeFrame
from safety.clock import SystemClock
from safety.config import Settings
from safety.errors import ModelError
from safety.perception.ppe_binding import bind
from safety.perception.ppe_load import load_ppe_detector
from safety.types import PpeItem
from tests.bench.bench_latency import quantile
from tests.bench.films import SCENES, paced
from tests.bench.machine import Neighbours
from tests.bench.product import Product, pause, running, site
from tests.support.ppe import hat, standing, vest
from tests.support.rtsp import RtspServer

HALL = SCENES / "busy_quiet.mp4"
CAMERAS, FPS = 4, 10
WARM_UP_S, SECONDS, TURNS = 8.0, 30.0, 2
EVERYWHERE = {"hall": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]}
QUICK = {"hold_to_open_s": 0.0, "hold_to_close_s": 0.5, "cooldown_s": 0.0}
_REPORT = "anjeon_frame_to_report_seconds_bucket"
_CROPS = 'anjeon_shard_ppe_pictures{shard="shard-0"}'


def run() -> dict[str, object]:
    """Measure, print a table, and return its figures.

    Returns:
        ``ms_crop_1``, ``ms_crop_8``: network alone, per crop; ``ms_cut``: cutting one out of a
        1080p frame; ``ms_bind``: telling whose hats and vests they are, per person of eight. For
        ``without`` and ``with`` the rule: ``…_fps`` over all cameras, ``…_cpu`` (cores),
        ``…_p50_s`` and ``…_p99_s`` from frame to report, ``…_neighbours``; ``crops_per_s``.
    """
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures |= _per_crop(folder)
        sys.stdout.write(
            f"crop: network {figures['ms_crop_1']:.1f} ms alone, {figures['ms_crop_8']:.1f} ms in"
            f" a batch of 8; cut {figures['ms_cut']:.3f} ms; bind {figures['ms_bind']:.2f} ms\n"
        )
        with RtspServer({"hall": paced(HALL, FPS, folder)}) as server:
            figures |= _in_turns(server.url("hall"))
    _print_table(figures)
    return figures


def _per_crop(folder: Path) -> dict[str, object]:
    try:
        detector = load_ppe_detector(Settings(data_dir=folder))
    except ModelError as missing:
        pytest.skip(str(missing))
    with av.open(str(HALL)) as film:
        decoded = next(film.decode(video=0))
    frame = WholeFrame(decoded.reformat(width=1920, height=1080))
    persons = [standing(i, 0.1 + i / 10, 0.9, height=0.25) for i in range(8)]
    crop = frame.crop(600, 400, 700, 670)
    alone = _ms(lambda: detector.detect([crop]))
    eight = _ms(lambda: detector.detect([crop] * 8)) / 8
    things = [thing(person) for person in persons for thing in (hat, vest)]
    items = [PpeItem.HARDHAT, PpeItem.VEST]
    bound = _ms(lambda: bind(persons, things, items, aspect=16 / 9, height_px=1080)) / 8
    cut = _ms(lambda: frame.crop(600, 400, 700, 670))
    detector.close()
    return {"ms_crop_1": alone, "ms_crop_8": eight, "ms_cut": cut, "ms_bind": bound}


def _ms(work: Callable[[], object], times: int = 30) -> float:
    clock = SystemClock()
    spent = []
    for _ in range(times):
        begun = clock.now().monotonic
        work()
        spent.append(clock.now().monotonic - begun)
    return float(np.median(spent)) * 1000


def _in_turns(url: str) -> dict[str, object]:
    turns: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
    for number in range(TURNS):
        for name in list(turns)[:: 1 if number % 2 == 0 else -1]:
            turns[name].append(_measure(url, equipment=name == "with"))
    figures: dict[str, object] = {
        f"{name}_{key}": float(np.mean([one[key] for one in several]))
        for name, several in turns.items()
        for key in several[0]
        if key != "crops_per_s"
    }
    return figures | {"crops_per_s": np.mean([one["crops_per_s"] for one in turns["with"]])}


def _measure(url: str, *, equipment: bool) -> dict[str, float]:
    document = site([url] * CAMERAS, max_fps=FPS, polygons=EVERYWHERE, rule=QUICK)
    if equipment:
        document["rules"] += _equipment_rules(document["zones"])
    with running(document) as product:
        pause(WARM_UP_S)
        clock, neighbours = SystemClock(), Neighbours()
        begun, cpu_s, crops = clock.now().monotonic, product.cpu_s, _metric(product, _CROPS)
        before = _reports(product)
        fps = product.analysed_per_second(SECONDS)
        spent = clock.now().monotonic - begun
        reports = {bound: count - before[bound] for bound, count in _reports(product).items()}
        return {
            "fps": fps,
            "cpu": (product.cpu_s - cpu_s) / spent,
            "p50_s": quantile(reports, 0.5),
            "p99_s": quantile(reports, 0.99),
            "crops_per_s": (_metric(product, _CROPS) - crops) / spent,
            "neighbours": neighbours.cores(),
        }


def _equipment_rules(zones: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"id": f"{zone['id']}-ppe", "kind": "missing_ppe", "name": "Hat and vest",
         "zone_id": zone["id"]}
        for zone in zones
    ]  # fmt: skip


def _reports(product: Product) -> dict[float, float]:
    series = (line.rpartition(" ") for line in product.plant.get("/metrics")[1].splitlines())
    return {
        float(name.split('"')[1]): float(value)
        for name, _, value in series
        if name.startswith(_REPORT)
    }


def _metric(product: Product, name: str) -> float:
    lines = product.plant.get("/metrics")[1].splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0.0)


def _print_table(figures: dict[str, object]) -> None:
    value = {key: float(str(number)) for key, number in figures.items()}
    sys.stdout.write(
        f"{CAMERAS} cameras at {FPS} frames/s; {value['crops_per_s']:.1f} crops/s with the rule\n"
    )
    for name in ("without", "with"):
        sys.stdout.write(
            f"  {name:<8} {value[f'{name}_fps']:5.1f} frames/s   {value[f'{name}_cpu']:4.2f} cores"
            f"   frame to report p50 {1000 * value[f'{name}_p50_s']:4.0f} ms  "
            f"p99 {1000 * value[f'{name}_p99_s']:4.0f} ms   "
            f"neighbours {value[f'{name}_neighbours']:4.2f} cores\n"
        )


if __name__ == "__main__":
    run()
