"""The product under measurement: its own processes, asked through its own ``/metrics``."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from safety.clock import SystemClock
from tests.support.plant import CELL_POLYGON, RECORDING, Plant

POLL_S = 0.04
ANALYSED = {"ok", "cannot_resolve"}
"""What is said of a camera whose pictures are analysed, whether its zones are near or far."""

_ANALYSED = "anjeon_camera_frames_analysed{"


def site(
    urls: Sequence[str],
    *,
    max_fps: float = 15.0,
    channels: Sequence[Mapping[str, Any]] = (RECORDING,),
    polygons: Mapping[str, Sequence[Sequence[float]]] | None = None,
    rule: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A site of equal cameras, each with one intrusion rule on each of the polygons.

    Args:
        urls: RTSP address of every camera; may be the same, for each opens its own connection.
        polygons: Zones by name; the robot cell if not given.
        rule: Further fields of every rule.
    """
    ids = [f"camera-{number}" for number in range(len(urls))]
    zones = [
        {
            "id": f"{camera}-{name}",
            "name": name,
            "camera_id": camera,
            # Copied: a site document knows no aliases.
            "polygon": [list(corner) for corner in polygon],
        }
        for camera in ids
        for name, polygon in (polygons or {"cell": CELL_POLYGON}).items()
    ]
    return {
        "version": 1,
        "name": "Benchmark",
        "timezone": "Asia/Seoul",
        "language": "en",
        "cameras": [
            {
                "id": camera,
                "name": camera,
                "source": {"kind": "rtsp", "url": url},
                "max_fps": max_fps,
                "min_fps": 1.0,
            }
            for camera, url in zip(ids, urls, strict=True)
        ],
        "zones": zones,
        "rules": [
            {"id": zone["id"], "kind": "intrusion", "name": "Nobody inside", "zone_id": zone["id"]}
            | dict(rule or {})
            for zone in zones
        ],
        "channels": [dict(channel) for channel in channels],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A running installation.

    Attributes:
        engine: Its engine; the shards are this process's children.
    """

    plant: Plant
    engine: psutil.Process

    @property
    def shard(self) -> psutil.Process:
        """The only shard."""
        (shard,) = self.plant.shards()
        return shard

    @property
    def cpu_s(self) -> float:
        """Processor time that all its processes have used so far."""
        return cpu_seconds(self.engine)

    def analysed_per_second(self, seconds: float) -> float:
        """Analysed frames per second over all cameras, for at least so many seconds.

        Shards report once a second, so the counters are read at the moments at which they
        change.
        """
        begin = self._edges()
        pause(seconds)
        end = self._edges()
        return sum(
            (end[camera][1] - count) / (end[camera][0] - at)
            for camera, (at, count) in begin.items()
        )

    def _edges(self) -> dict[str, tuple[float, float]]:
        """By camera: when its count of analysed frames changed next, and to what."""
        clock = SystemClock()
        before = self._analysed()
        edges: dict[str, tuple[float, float]] = {}
        while len(edges) < len(before):
            pause(POLL_S)
            counts, now = self._analysed(), clock.now().monotonic
            for camera, count in counts.items():
                if camera not in edges and count != before[camera]:
                    edges[camera] = now, count
        return edges

    def _analysed(self) -> dict[str, float]:
        lines = self.plant.get("/metrics")[1].splitlines()
        series = (line.rpartition(" ") for line in lines if line.startswith(_ANALYSED))
        return {name.split('"')[1]: float(value) for name, _, value in series}


@contextmanager
def running(document: Mapping[str, Any]) -> Iterator[Product]:
    """Engine and shards on a site, all cameras live, in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="anjeon-", ignore_cleanup_errors=True) as folder:
        plant = Plant(Path(folder), document, environment={"ANJEON_LOG_LEVEL": "WARNING"})
        try:
            engine = psutil.Process(plant.start("engine").pid)
            names = [f"camera {camera['id']}" for camera in document["cameras"]]
            plant.wait_for(
                lambda: all(plant.readiness().get(name) in ANALYSED for name in names),
                limit_s=120,
                why="cameras analysed",
            )
            yield Product(plant=plant, engine=engine)
        finally:
            plant.stop()


def pause(seconds: float) -> None:
    """Let others work."""
    SystemClock().sleep(seconds)


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time that a process and all that it started have used so far."""
    members = [process, *process.children(recursive=True)]
    times = [member.cpu_times() for member in members]
    return float(sum(spent.user + spent.system for spent in times))
