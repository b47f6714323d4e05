"""``anjeon engine``."""

import asyncio
import fcntl
import os
from typing import IO

import structlog
from prometheus_client import CollectorRegistry

from cameras.runners import LocalRunner
from safety.app.processes import stop_signal
from safety.clock import SystemClock
from safety.config import Settings
from safety.engine.http import create_metrics_app, serving
from safety.engine.process import Engine
from safety.errors import ConfigError, StoreUnavailable
from safety.ports import listen
from safety.store.database import BUSY_TIMEOUT_S, Database

log = structlog.get_logger(__name__)


async def run_engine(settings: Settings) -> None:
    """Run the engine until told to stop.

    Raises:
        ConfigError: Another engine has this data directory, or the database is of a newer
            version, or the directory or the port cannot be used.
    """
    settings.make_data_dir()
    settings.run_dir.mkdir(exist_ok=True, mode=0o700)
    with (
        _only_engine(settings),
        listen(settings.host, settings.metrics_port, setting="ANJEON_METRICS_PORT") as sock,
    ):
        clock = SystemClock()
        database = Database(settings.database)
        try:
            await asyncio.to_thread(database.migrate, wait_s=BUSY_TIMEOUT_S)
        except StoreUnavailable as error:
            # Watching does not wait for the record; the engine tries again by itself.
            log.warning("store_unavailable", why=str(error))
        registry = CollectorRegistry()
        engine = Engine(
            settings, database, clock=clock, runner=LocalRunner(settings), registry=registry
        )
        app = create_metrics_app(registry, engine.readiness, engine.pusher)
        async with engine.running(), serving(app, sock):
            port = sock.getsockname()[1]
            log.info("engine_started", metrics_port=port, database=database.description)
            await stop_signal()
            log.info("engine_stopping")
        database.dispose()


def _only_engine(settings: Settings) -> IO[str]:
    """The lock of this data directory, held while the file is open.

    Raises:
        ConfigError: Another engine has it.
    """
    lock = (settings.run_dir / "engine.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        pid = lock.read().strip() or "unknown"
        lock.close()
        raise ConfigError(
            "engine.already_runs",
            "another engine (process {pid}) already uses {directory}; stop it, or give this "
            "one another ANJEON_DATA_DIR",
            pid=pid,
            directory=str(settings.data_dir.resolve()),
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
