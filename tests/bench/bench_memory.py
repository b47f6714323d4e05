"""What one further camera costs a shard in memory.

Cameras are added to one running shard: 720p at 15 frames/s, 2 Mbit/s with sensor noise, as
factory cameras are set. Every figure is taken when the packet rings are full. PSS counts a
shared page once over all processes that map it. Usage: ``python -m tests.bench memory``.
"""

import sys
import tempfile
from pathlib import Path

from tests.bench.bench_viewers import busy_film
from tests.bench.films import kbit_per_s
from tests.bench.product import Product, pause, running, site
from tests.support.rtsp import RtspServer

CAMERAS = (1, 2, 4, 8)
RING_FULL_S = 30.0
BUDGET_MB = 60.0


def run() -> dict[str, object]:
    """Measure, print a table, and return its figures.

    Returns:
        ``pss_mb_<n>`` and ``rss_mb_<n>`` of the shard, in 10^6 bytes; ``threads_<n>``;
        ``mb_per_camera``, from one camera to the most; ``engine_pss_mb``; ``kbit_per_s``.
    """
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        film = busy_film(Path(name))
        figures["kbit_per_s"] = kbit_per_s(film)
        with RtspServer({"busy": film}) as server:
            url = server.url("busy")
            with running(site([url] * CAMERAS[0])) as product:
                for cameras in CAMERAS:
                    product.plant.apply(site([url] * cameras))
                    product.plant.wait_live(*(f"camera-{n}" for n in range(cameras)))
                    pause(RING_FULL_S)
                    figures |= _shard(product, cameras)
                figures["engine_pss_mb"] = product.engine.memory_full_info().pss / 1e6
    first, last = (float(str(figures[f"pss_mb_{n}"])) for n in (CAMERAS[0], CAMERAS[-1]))
    each = figures["mb_per_camera"] = (last - first) / (CAMERAS[-1] - CAMERAS[0])
    sys.stdout.write(
        f"each further camera {each:.1f} MB (budget {BUDGET_MB:.0f} MB) at "
        f"{figures['kbit_per_s']:.0f} kbit/s; engine {figures['engine_pss_mb']:.0f} MB\n"
    )
    return figures


def _shard(product: Product, cameras: int) -> dict[str, object]:
    memory, threads = product.shard.memory_full_info(), product.shard.num_threads()
    sys.stdout.write(
        f"{cameras} cameras: shard PSS {memory.pss / 1e6:.0f} MB, RSS {memory.rss / 1e6:.0f} MB, "
        f"{threads} threads\n"
    )
    sys.stdout.flush()
    return {
        f"pss_mb_{cameras}": memory.pss / 1e6,
        f"rss_mb_{cameras}": memory.rss / 1e6,
        f"threads_{cameras}": threads,
    }


if __name__ == "__main__":
    run()
