"""From the picture to the siren while the machine is 80 % busy with analysis.

Eight cameras at 720p first run as fast as the machine can, which is its limit; then their
rate is lowered to 80 % of that. Rules have no hold. The siren is the twin behind a real
Mosquitto; a latency runs from the moment the frame's last packet arrived to the broker's
acknowledgement (QoS 1) of the siren's command, as the engine records it with every violation.
Usage: ``python -m tests.bench latency``.
"""

import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from safety.store.tables import ViolationRow
from tests.bench.films import CELL, paced
from tests.bench.machine import Neighbours
from tests.bench.product import Product, pause, running, site
from tests.support.mosquitto import Mosquitto
from tests.support.plant import CELL_POLYGON, SirenLog, mqtt_siren
from tests.support.requirements import need
from tests.support.rtsp import RtspServer

CAMERAS = 8
FPS = 15
LOAD = 0.8
WARM_UP_S = 8.0
LIMIT_S = 12.0
SECONDS = 75.0
BUDGET_S = 0.2

POLYGONS: Mapping[str, list[list[float]]] = {
    "cell": CELL_POLYGON,
    "aisle": [[0.30, 0.30], [0.60, 0.30], [0.60, 0.98], [0.30, 0.98]],
}
RULE = {"hold_to_open_s": 0.0, "hold_to_close_s": 0.5, "cooldown_s": 0.0}
_REPORT = "anjeon_frame_to_report_seconds_bucket"


def run() -> dict[str, object]:
    """Measure, print a table, and return its figures.

    Returns:
        ``siren_p50_s``, ``siren_p99_s``, ``siren_max_s``, ``report_p50_s``, ``report_p99_s``
        (interpolated in a histogram), ``violations``, ``limit_fps``, ``analysed_fps``,
        ``load`` (the one over the other), ``unsounded``: violations without a latency, and
        ``neighbours``: cores that others used meanwhile.
    """
    need("mosquitto")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Mosquitto(folder)
        broker.start()
        siren = SirenLog(broker, folder / "siren.jsonl")
        try:
            with RtspServer({"cell": paced(CELL, FPS, folder)}) as server:
                figures = _measure(server.url("cell"), broker)
            figures["siren_changes"] = len(siren.changes())
        finally:
            siren.stop()
            broker.stop()
    _print_table(figures)
    return figures


def _measure(url: str, broker: Mosquitto) -> dict[str, object]:
    document = site(
        [url] * CAMERAS,
        max_fps=FPS,
        channels=[mqtt_siren(broker)],
        polygons=POLYGONS,
        rule=RULE,
    )
    with running(document) as product:
        pause(WARM_UP_S)
        limit_fps = product.analysed_per_second(LIMIT_S)
        wanted_fps = LOAD * limit_fps / CAMERAS
        slower = [camera | {"max_fps": round(wanted_fps, 2)} for camera in document["cameras"]]
        product.plant.apply(document | {"cameras": slower})
        pause(WARM_UP_S)
        begun, reports = datetime.now(UTC), reports_by(product)
        neighbours = Neighbours()
        analysed_fps = product.analysed_per_second(SECONDS)
        rows = [row for row in product.plant.violations() if aware(row.opened_at) > begun]
        reports = {bound: count - reports[bound] for bound, count in reports_by(product).items()}
    return latencies(rows) | {
        "report_p50_s": quantile(reports, 0.5),
        "report_p99_s": quantile(reports, 0.99),
        "limit_fps": limit_fps,
        "analysed_fps": analysed_fps,
        "load": analysed_fps / limit_fps,
        "neighbours": neighbours.cores(),
    }


def latencies(rows: list[ViolationRow]) -> dict[str, object]:
    """Frame captured to siren confirmed, over violations."""
    seconds = [row.siren_latency_s for row in rows if row.siren_latency_s is not None]
    p50, p99, most = np.percentile(seconds, [50, 99, 100]).tolist()
    return {
        "siren_p50_s": p50,
        "siren_p99_s": p99,
        "siren_max_s": most,
        "violations": len(seconds),
        "unsounded": len(rows) - len(seconds),
    }


def reports_by(product: Product) -> dict[float, float]:
    """How many reports took at most so many seconds, by the histogram's bounds."""
    counts = {}
    for line in product.plant.get("/metrics")[1].splitlines():
        series, _, count = line.rpartition(" ")
        if series.startswith(_REPORT):
            counts[float(series.split('"')[1])] = float(count)
    return counts


def quantile(counts: Mapping[float, float], share: float) -> float:
    """The quantile of a cumulative histogram, interpolated as Prometheus does.

    Args:
        counts: Events at or below every bound; the highest bound is infinite.
    """
    bounds = sorted(counts)
    rank = share * counts[bounds[-1]]
    below_bound, below = 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= rank:
            if bound == float("inf") or counts[bound] == below:
                return below_bound
            part = (rank - below) / (counts[bound] - below)
            return below_bound + (bound - below_bound) * part
        below_bound, below = bound, counts[bound]
    return below_bound


def aware(moment: datetime) -> datetime:
    """With its zone, which SQLite does not keep."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _print_table(figures: Mapping[str, object]) -> None:
    value = {key: float(str(number)) for key, number in figures.items()}
    sys.stdout.write(
        f"{CAMERAS} cameras, {value['analysed_fps']:.1f} of {value['limit_fps']:.1f} frames/s "
        f"analysed: load {value['load']:.0%}\n"
        f"frame to siren  p50 {1000 * value['siren_p50_s']:5.0f} ms   "
        f"p99 {1000 * value['siren_p99_s']:5.0f} ms   most {1000 * value['siren_max_s']:5.0f} ms   "
        f"budget p99 {1000 * BUDGET_S:.0f} ms   {value['violations']:.0f} violations, "
        f"{value['unsounded']:.0f} without\n"
        f"frame to report p50 {1000 * value['report_p50_s']:5.0f} ms   "
        f"p99 {1000 * value['report_p99_s']:5.0f} ms   neighbours {value['neighbours']:.2f} cores\n"
    )


if __name__ == "__main__":
    run()
