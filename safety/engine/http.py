"""The engine's own small web server: ``/metrics``, ``/healthz``, ``/readyz`` and ``/feeds/ID``."""

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

from zones.feeds.http_push import MAX_PUSH_BYTES, HttpPushFeed
from zones.feeds.payload import Refused

Readiness = Callable[[], dict[str, str]]
"""Part → ``"ok"`` or what is wrong with it."""

Pushers = Callable[[str], HttpPushFeed | None]
"""Feed id → the feed that takes what is posted there, if there is one."""

_STATUS = {"unauthorized": 401, "too_large": 413, "not_json": 400}


def create_metrics_app(
    registry: CollectorRegistry, readiness: Readiness, pusher: Pushers = lambda _: None
) -> Starlette:
    """The application.

    ``POST /feeds/ID`` takes machine states, with that feed's token. ``/healthz`` answers as long
    as the process turns; ``/readyz`` is 200 only while every part is well, and names those that
    are not.
    """

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        parts = readiness()
        well = all(state == "ok" for state in parts.values())
        return JSONResponse(parts, status_code=200 if well else 503)

    async def push(request: Request) -> Response:
        feed = pusher(request.path_params["feed_id"])
        if feed is None:
            return JSONResponse({"error": "there is no such feed"}, status_code=404)
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        try:
            told = feed.push(token, await _bounded_body(request))
        except Refused as refusal:
            status = _STATUS.get(refusal.reason, 422)
            return JSONResponse({"error": refusal.detail}, status_code=status)
        return JSONResponse({"machines": told})

    return Starlette(
        routes=[
            Route("/feeds/{feed_id}", push, methods=["POST"]),
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ]
    )


async def _bounded_body(request: Request) -> bytes:
    """What was posted.

    Raises:
        Refused: It is larger than ``MAX_PUSH_BYTES``.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_PUSH_BYTES:
            raise Refused("too_large", f"more than {MAX_PUSH_BYTES} bytes")
    return bytes(body)


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
