"""``anjeon demo``: the whole system on a fictional plant, in one command."""

import asyncio
import contextlib
import json
import os
import socket
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import typer

from alerts.channels.base import SirenLevel
from cameras.specs import CameraSpec, FileSpec
from dashboard.onetime import create_one_time_login
from safety.app.processes import anjeon_command, keep_running, stop_signal
from safety.clock import Clock, SystemClock
from safety.config import Settings, read_settings
from safety.demo import SITE
from safety.demo.history import load_history
from safety.logs import configure_logging
from safety.perception.models import find_pose_model
from safety.site.apply import apply_site
from safety.site.document import read_site
from safety.site.spec import SiteSpec
from safety.store import report_revisions
from safety.store.database import Database
from safety.store.times import utc
from zones.feeds.simulated import SimulatedSpec

SIREN = "siren"
FILMS_AFTER_S = 3.0
"""The films' beginning is due so long after the start: when the cameras are ready, and before the
worker on the first one enters the cell."""
POLL_S = 0.05


def demo_spec(begins_at: float | None = None) -> SiteSpec:
    """The demo site, its films found wherever the package is installed.

    Args:
        begins_at: Unix time at which all films and the made-up plant begin, to keep in step.
    """
    site = read_site(SITE, check_secrets=False)
    feeds = tuple(
        feed.model_copy(update={"begins_at": begins_at})
        if isinstance(feed, SimulatedSpec)
        else feed
        for feed in site.plant.feeds
    )
    return site.model_copy(
        update={
            "cameras": tuple(_located(camera, begins_at) for camera in site.cameras),
            "plant": site.plant.model_copy(update={"feeds": feeds}),
        }
    )


async def run_demo(
    *, seconds: float | None, headless: bool, data_dir: Path | None, history: bool = False
) -> bool:
    """Run until the time is up or somebody ends it.

    Args:
        seconds: How long; None: until Ctrl-C.
        headless: Open no browser.
        data_dir: Where the data stays; None: a directory that is deleted at the end.
        history: Begin with two made-up years on record.

    Returns:
        Whether an alert reached the siren.

    Raises:
        ModelError: There is no pose network.
        HistoryRefused: The data directory holds something real.
    """
    clock = SystemClock()
    started = clock.now().monotonic
    with contextlib.ExitStack() as stack:
        directory = data_dir or Path(stack.enter_context(_temporary_directory()))
        settings = _settings(directory)
        configure_logging(level="WARNING", log_format="console", process="demo")
        os.environ.update(_environment(settings))
        database = Database(settings.database)
        database.migrate()
        if history:
            apply_site(database, demo_spec(), by="demo", now=utc(clock.now()))
            _make_up_history(database, clock)
        begins_at = clock.now().wall + FILMS_AFTER_S
        apply_site(database, demo_spec(begins_at), by="demo", now=utc(clock.now()))
        login = create_one_time_login(database, clock)
        _introduce(settings, login, headless=headless)
        tasks = [
            asyncio.create_task(keep_running(anjeon_command(name), name=name, clock=clock))
            for name in ("engine", "dashboard")
        ]
        siren = asyncio.create_task(_first_alarm(directory, clock))
        siren.add_done_callback(lambda task: _announce(task, clock, started))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop_signal()
        heard = siren.done()
        # The dashboard first, or it would complain of the engine's end.
        for task in (*reversed(tasks), siren):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        database.dispose()
    if not heard:
        typer.secho("no alert reached the siren", fg=typer.colors.RED, err=True)
    return heard


def _make_up_history(database: Database, clock: Clock) -> None:
    with database.transaction() as session:
        if report_revisions.identity(session).fictional:
            return  # made up when this directory was used before
        made = load_history(session, demo_spec(), now=utc(clock.now()))
    typer.echo(
        f"made-up history: {made.violations} violations, {made.incidents} incidents,"
        f" {made.accidents} accidents from {made.first_month} on"
    )


def _settings(directory: Path) -> Settings:
    settings = read_settings()
    find_pose_model(settings)
    update: dict[str, object] = {
        "data_dir": directory.resolve(),
        "database_url": "",
        "port": _free_port(settings.port),
        "metrics_port": _free_port(settings.metrics_port),
        "log_level": "WARNING",
    }
    return settings.model_copy(update=update)


def _environment(settings: Settings) -> dict[str, str]:
    values = settings.model_dump(mode="json", exclude_none=True)
    return {f"ANJEON_{name.upper()}": str(value) for name, value in values.items()}


def _located(camera: CameraSpec, begins_at: float | None) -> CameraSpec:
    if not isinstance(camera.source, FileSpec):
        return camera
    path = SITE.parent / camera.source.path
    source = camera.source.model_copy(update={"path": path, "begins_at": begins_at})
    return camera.model_copy(update={"source": source})


def _free_port(wanted: int) -> int:
    """The wanted port if nobody has it, else any other."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _introduce(settings: Settings, login: str, *, headless: bool) -> None:
    address = f"http://{settings.host}:{settings.port}"
    typer.echo(f"Anjeon demo: {address}")
    typer.echo(f"sign in once with: {address}{login}")
    typer.echo("Supplementary awareness tool; not a safety component. Ctrl-C ends it.")
    if not headless and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(f"{address}{login}")


async def _first_alarm(directory: Path, clock: Clock) -> None:
    """Return when the recording siren was first commanded to sound."""
    path = directory / f"recording-{SIREN}.jsonl"
    while True:
        if any(line.get("level") == SirenLevel.DANGER for line in _lines(path)):
            return
        await clock.sleep_async(POLL_S)


def _lines(path: Path) -> Iterator[dict[str, object]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def _announce(task: asyncio.Task[None], clock: Clock, started: float) -> None:
    if not task.cancelled() and task.exception() is None:
        after = clock.now().monotonic - started
        typer.secho(f"first alert reached the siren after {after:.1f} s", fg=typer.colors.GREEN)


def _temporary_directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="anjeon-demo-", ignore_cleanup_errors=True)
