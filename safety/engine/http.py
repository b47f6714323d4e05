"""The engine's own small web server: ``/metrics``, ``/healthz`` and ``/readyz``."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Readiness = Callable[[], dict[str, str]]
"""Part → ``"ok"`` or what is wrong with it."""


def create_metrics_app(registry: CollectorRegistry, readiness: Readiness) -> Starlette:
    """The application.

    ``/healthz`` answers as long as the process turns; ``/readyz`` is 200 only while every
    part is well, and names those that are not.
    """

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        parts = readiness()
        well = all(state == "ok" for state in parts.values())
        return JSONResponse(parts, status_code=200 if well else 503)

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ]
    )


@contextlib.asynccontextmanager
async def serving(app: Starlette, sock: socket.socket) -> AsyncIterator[None]:
    """Serve ``app`` on a listening socket inside the running event loop; closes it."""
    config = uvicorn.Config(app, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    # The engine handles signals itself; uvicorn must not.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        sock.close()
