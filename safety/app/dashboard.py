"""``anjeon dashboard``."""

import asyncio

import structlog
import uvicorn

from dashboard.app import create_app
from dashboard.hub import Hub
from safety.clock import SystemClock
from safety.config import Settings
from safety.ports import listen
from safety.store.database import Database

log = structlog.get_logger(__name__)


async def run_dashboard(settings: Settings) -> None:
    """Serve the pages and the API until told to stop.

    Raises:
        ConfigError: The database is of a newer version, or the port cannot be used.
        StoreUnavailable: The database is not there yet; the caller starts us again.
    """
    clock = SystemClock()
    settings.make_data_dir()
    database = Database(settings.database)
    await asyncio.to_thread(database.migrate)
    app = create_app(settings, database, Hub(settings, clock), clock=clock)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        timeout_graceful_shutdown=3,
    )
    with listen(settings.host, settings.port, setting="ANJEON_PORT") as sock:
        log.info("dashboard_started", host=settings.host, port=sock.getsockname()[1])
        await uvicorn.Server(config).serve(sockets=[sock])
    database.dispose()
