"""Throughput and latency while every camera is looked at through a close-up.

Four cameras at 720p, calibrated from the scene's truth, watch two zones far away, in which people
are too small for the whole picture at 640. First the machine's limit with whole pictures; then
the rate at which the close-ups, and the whole picture twice a second beside them, take 80 % of
it: once with ``analysis: full_frame``, for comparison, and once with ``auto``. Latencies are
those of ``bench_latency``. Usage: ``python -m tests.bench close_ups``.
"""

import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cameras.region_notes import read_notes
from safety.replay.sight import Film, plan_of
from safety.scoring.scene import Scene, read_scene
from safety.scoring.site import pairs_of
from safety.site.apply import export_site
from tests.bench.bench_latency import BUDGET_S, LOAD, RULE, aware, latencies, quantile, reports_by
from tests.bench.films import CELL, paced
from tests.bench.machine import Neighbours
from tests.bench.product import Product, pause, running
from tests.support.mosquitto import Mosquitto
from tests.support.plant import SirenLog, mqtt_siren
from tests.support.requirements import need
from tests.support.rtsp import RtspServer
from tests.support.third_party import third_party

CAMERAS = 4
FPS = 15
WARM_UP_S = 10.0
"""The planner looks every two seconds, and the network has to be loaded first."""

LIMIT_S = 12.0
SECONDS = 70.0
CONTEXT_PER_S = 2.0
"""Whole pictures per second beside a close-up."""

APART_M = 200.0
"""Every camera looks at a hall of its own, or their people would be taken for the same."""

ZONES_M = {"far": (2.8, 16.3), "left": (1.0, 13.0)}
"""Middles of zones of 3 by 3 m that people walk into."""


def run() -> dict[str, object]:
    """Measure, print a table, and return its figures.

    Returns:
        ``limit_fps`` (whole pictures), ``offered_fps``, and for ``full_frame`` and ``auto`` each
        ``<way>_fps`` analysed, ``<way>_pictures`` given to the network per second,
        ``<way>_close_ups`` per frame, ``<way>_siren_p50_s``, ``_siren_p99_s``, ``_siren_max_s``,
        ``_report_p99_s``, ``_violations``, ``_unsounded``, ``_neighbours``.
    """
    need("mosquitto")
    scene = read_scene(third_party("scenes/cell_intrusion"))
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Mosquitto(folder)
        broker.start()
        siren = SirenLog(broker, folder / "siren.jsonl")
        try:
            with RtspServer({"cell": paced(CELL, FPS, folder)}) as server:
                document = _site(scene, server.url("cell"), broker)
                figures |= _measure(document)
        finally:
            siren.stop()
            broker.stop()
    _print_table(figures)
    return figures


def _measure(document: Mapping[str, Any]) -> dict[str, object]:
    with running(_with(document, analysis="full_frame", max_fps=float(FPS))) as product:
        pause(WARM_UP_S)
        limit_fps = product.analysed_per_second(LIMIT_S)
    max_fps = round(max(1.0, LOAD * limit_fps / CAMERAS - CONTEXT_PER_S), 2)
    figures: dict[str, object] = {"limit_fps": limit_fps, "offered_fps": CAMERAS * max_fps}
    for way in ("full_frame", "auto"):
        with running(_with(document, analysis=way, max_fps=max_fps)) as product:
            pause(WARM_UP_S)
            figures |= {f"{way}_{key}": value for key, value in _figures(product).items()}
    return figures


def _figures(product: Product) -> dict[str, object]:
    begun, before, neighbours = datetime.now(UTC), reports_by(product), Neighbours()
    fps = product.analysed_per_second(SECONDS)
    rows = [row for row in product.plant.violations() if aware(row.opened_at) > begun]
    reports = {bound: count - before[bound] for bound, count in reports_by(product).items()}
    close_ups, per_frame, beside = _looks(product)
    return latencies(rows) | {
        "fps": fps,
        "close_ups": close_ups,
        "pictures": fps * per_frame + beside,
        "report_p99_s": quantile(reports, 0.99),
        "neighbours": neighbours.cores(),
    }


def _looks(product: Product) -> tuple[float, float, float]:
    """Close-ups and all pictures per frame, and whole pictures per second that are not."""
    site = export_site(product.plant.database)
    [note] = read_notes(product.plant.settings.looks_dir)
    plans = [
        plan_of(
            site,
            site.rules,
            Film(path=Path(), camera_id=key, width_px=seen.width_px, height_px=seen.height_px),
            note,
        )
        for key, seen in note.cameras.items()
    ]
    beside = sum(1 / plan.context_s for plan in plans if plan.context_s)
    close_ups = sum(len(plan.regions) for plan in plans) / len(plans)
    always = sum(not plan.context_s for plan in plans) / len(plans)
    return close_ups, close_ups + always, beside


def _with(document: Mapping[str, Any], **fields: object) -> dict[str, Any]:
    return {**document, "cameras": [camera | fields for camera in document["cameras"]]}


def _site(scene: Scene, url: str, broker: Mosquitto) -> dict[str, Any]:
    pairs = [(pair.picture, pair.plan_m) for pair in pairs_of(scene)]
    cameras, zones = [], []
    for number in range(CAMERAS):
        aside = APART_M * number
        cameras.append(
            {
                "id": f"camera-{number}",
                "name": f"Camera {number}",
                "source": {"kind": "rtsp", "url": url},
                "min_fps": 0.2,
                "calibration": {
                    "aspect": scene.aspect,
                    "pairs": [
                        {"picture": list(picture), "plan_m": [x + aside, y]}
                        for picture, (x, y) in pairs
                    ],
                },
            }
        )
        for name, (x, y) in ZONES_M.items():
            corners = [(-1.5, -1.5), (1.5, -1.5), (1.5, 1.5), (-1.5, 1.5)]
            zones.append(
                {
                    "id": f"{name}-{number}",
                    "name": name,
                    "floor_m": [[x + aside + dx, y + dy] for dx, dy in corners],
                }
            )
    return {
        "version": 1,
        "name": "Close-ups",
        "timezone": "Asia/Seoul",
        "language": "en",
        "cameras": cameras,
        "zones": zones,
        "rules": [
            {"id": zone["id"], "kind": "intrusion", "name": "Nobody inside", "zone_id": zone["id"]}
            | dict(RULE)
            for zone in zones
        ],
        "channels": [mqtt_siren(broker)],
    }


def _print_table(figures: Mapping[str, object]) -> None:
    value = {key: float(str(number)) for key, number in figures.items()}
    sys.stdout.write(
        f"{CAMERAS} cameras, limit {value['limit_fps']:.1f} whole pictures/s, "
        f"offered {value['offered_fps']:.1f} frames/s\n"
    )
    for way in ("full_frame", "auto"):
        ms = {
            key: 1000 * value[f"{way}_{key}_s"]
            for key in ("siren_p50", "siren_p99", "siren_max", "report_p99")
        }
        sys.stdout.write(
            f"  {way:<10} {value[f'{way}_fps']:5.1f} frames/s analysed, "
            f"{value[f'{way}_pictures']:5.1f} pictures/s "
            f"({value[f'{way}_close_ups']:.1f} close-ups a frame), load "
            f"{value[f'{way}_pictures'] / value['limit_fps']:.0%}; siren p50 {ms['siren_p50']:.0f} "
            f"p99 {ms['siren_p99']:.0f} most {ms['siren_max']:.0f} ms "
            f"(budget p99 {1000 * BUDGET_S:.0f}), report p99 {ms['report_p99']:.0f} ms, "
            f"{value[f'{way}_violations']:.0f} violations, "
            f"{value[f'{way}_unsounded']:.0f} without; "
            f"neighbours {value[f'{way}_neighbours']:.2f} cores\n"
        )


if __name__ == "__main__":
    run()
