"""How long it takes until a dead camera is called blind.

Five cameras, each with an RTSP server of its own; one server after the other is killed, and
later one after the other stopped where it stands (SIGSTOP: its connections stay open and
nothing comes). Timed until the engine's ``/readyz`` says so. Usage:
``python -m tests.bench blind``.
"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from safety.clock import SystemClock
from tests.bench.films import CELL, paced
from tests.bench.product import pause, running, site
from tests.support.plant import Plant
from tests.support.rtsp import RtspServer

SERVERS = 5
FPS = 15
POLL_S = 0.02
LIMIT_S = 20.0
UNEVEN_S = 0.37
"""Between two servers, so that they do not fall in step with ticks of a second."""

SEEING_AGAIN_S = 60.0
BUDGET_S = 3.0


def run() -> dict[str, object]:
    """Measure, print a table, and return its figures.

    Returns:
        ``killed_s`` and ``stopped_s``: every time measured, in seconds.
    """
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        film = paced(CELL, FPS, Path(name))
        servers = [stack.enter_context(RtspServer({"cell": film})) for _ in range(SERVERS)]
        urls = [server.url("cell") for server in servers]
        plant = stack.enter_context(running(site(urls, max_fps=5.0))).plant
        figures["killed_s"] = _times(plant, [server.kill for server in servers])
        for server in servers:
            server.start()
        plant.wait_live(*_cameras(), limit_s=SEEING_AGAIN_S)
        figures["stopped_s"] = _times(plant, [server.pause for server in servers])
        for server in servers:
            server.resume()
    for what, seconds in figures.items():
        assert isinstance(seconds, list)
        sys.stdout.write(
            f"server {what.removesuffix('_s'):<8} blind after "
            f"{', '.join(f'{s:.2f}' for s in seconds)} s   most {max(seconds):.2f} s   "
            f"budget {BUDGET_S:.0f} s\n"
        )
    return figures


def _cameras() -> list[str]:
    return [f"camera-{number}" for number in range(SERVERS)]


def _times(plant: Plant, silence: list[Callable[[], None]]) -> list[float]:
    """Silence one server after the other; seconds until its camera is not ok."""
    clock, seconds = SystemClock(), []
    for camera, act in zip(_cameras(), silence, strict=True):
        pause(UNEVEN_S)
        plant.wait_live(camera)
        begun = clock.now().monotonic
        act()
        while plant.readiness().get(f"camera {camera}", "ok") == "ok":
            assert clock.now().monotonic - begun < LIMIT_S, f"{camera} is not called blind"
            pause(POLL_S)
        seconds.append(clock.now().monotonic - begun)
    return seconds


if __name__ == "__main__":
    run()
