"""The web application, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dashboard import problems
from dashboard.api_description import DescribedApp
from dashboard.hub import Hub
from dashboard.pages import STATIC_DIR
from dashboard.routes import PAGES
from dashboard.security import BodyLimit, SaneHost, SecurityHeaders
from dashboard.visit import Services
from safety import __version__
from safety.clock import Clock
from safety.config import Settings
from safety.evidence.copies import Copies, detector_maker
from safety.store.database import Database


def create_app(settings: Settings, database: Database, hub: Hub, *, clock: Clock) -> FastAPI:
    """The dashboard of one site.

    Args:
        settings: Of this process.
        database: Migrated already.
        hub: Started and stopped with the application.
        clock: Where the time comes from.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await hub.start()
        try:
            yield
        finally:
            await hub.stop()
            app.state.copies.close()

    app = DescribedApp(
        title="Anjeon",
        version=__version__,
        lifespan=lifespan,
        # The viewers that come with FastAPI load scripts from elsewhere; the policy forbids it.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[Middleware(SecurityHeaders), Middleware(SaneHost), Middleware(BodyLimit)],
    )
    app.state.services = Services(settings=settings, database=database, hub=hub, clock=clock)
    app.state.copies = Copies(settings.evidence_dir, detector_maker(settings))
    problems.install(app)
    for router in PAGES:
        app.include_router(router)
    app.mount("/static", CachedStatic(directory=STATIC_DIR), name="static")
    return app


class CachedStatic(StaticFiles):
    """Static files; an address that names its content's version may be kept for ever.

    Modules import each other without one: kept for a while, an old one could meet a new one.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = scope["query_string"].startswith(b"v=")
        otherwise = "no-cache" if path.endswith(".js") else "public, max-age=3600"
        keep = "public, max-age=31536000, immutable" if versioned else otherwise
        response.headers.setdefault("cache-control", keep)
        return response
