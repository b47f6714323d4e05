"""The live wall and what its pictures are made of."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboard.access import ViewerVisit
from dashboard.api_description import files
from dashboard.errors import NotFound, WebError
from dashboard.muting import read_muted
from dashboard.pages import render
from dashboard.stills import Stills
from dashboard.unanswered import read_unanswered
from dashboard.visit import Visit, services_of
from dashboard.wall import open_text, read_wall, reason_text, sentence, since_text, wall_json
from dashboard.webrtc import Viewers
from safety.store.tables import Camera

MAX_SDP_CHARACTERS = 64 * 1024
OVERLAY_HEADER = "x-anjeon-overlay"
"""Carries what was seen in a still picture, as the data channel does for video."""


class NoPicture(WebError):
    """There is no picture of the camera now."""

    status = 503


class SessionDescription(BaseModel):
    """A WebRTC session description, as ``RTCPeerConnection`` makes and takes it."""

    type: str = Field(pattern="^(offer|answer)$")
    sdp: str = Field(max_length=MAX_SDP_CHARACTERS)


@asynccontextmanager
async def _live(app: FastAPI) -> AsyncIterator[None]:
    services = app.state.services
    async with AsyncExitStack() as stack:
        app.state.viewers = Viewers(services.hub, services.clock)
        stack.push_async_callback(app.state.viewers.stop)
        app.state.stills = Stills(services.hub, services.clock)
        stack.push_async_callback(app.state.stills.stop)
        yield


router = APIRouter(lifespan=_live)


@router.get("/", include_in_schema=False)
def wall_page(visit: ViewerVisit) -> Response:
    """The wall: is everything being watched, and what does it look like now?"""
    wall = read_wall(visit)
    return render(
        visit,
        "wall.html",
        wall=wall,
        muted=read_muted(visit),
        unanswered=read_unanswered(visit),
        wall_sentence=sentence(wall, visit.translate),
        reason_text=lambda tile: reason_text(tile, visit.translate),
        since_text=lambda tile: since_text(tile, visit),
        open_text=lambda tile: open_text(tile, visit.translate),
    )


@router.get("/api/v1/live/status")
def live_status(visit: ViewerVisit) -> dict[str, Any]:
    """Every camera's state, its zones and the newest open alert, in the reader's language."""
    return wall_json(read_wall(visit), visit)


@router.post("/api/v1/live/{camera_id}/offer")
async def live_offer(
    camera_id: str, offer: SessionDescription, visit: ViewerVisit, request: Request
) -> SessionDescription:
    """Answer a browser that wants to watch a camera (WebRTC, H.264 as it comes)."""
    await run_in_threadpool(_require_camera, visit, camera_id)
    viewers: Viewers = request.app.state.viewers
    address = request.client.host if request.client else None
    answer = await viewers.answer(camera_id, offer.sdp, browser_address=address)
    return SessionDescription(type="answer", sdp=answer)


@router.get(
    "/api/v1/live/{camera_id}/snapshot.jpg",
    response_class=Response,
    responses=files("image/jpeg"),
)
async def live_snapshot(
    camera_id: str,
    visit: ViewerVisit,
    request: Request,
    width: Annotated[int, Query(ge=64, le=1920)] = 960,
) -> Response:
    """The newest picture as JPEG, for browsers and cameras without live video."""
    await run_in_threadpool(_require_camera, visit, camera_id)
    stills: Stills = request.app.state.stills
    still = await stills.newest(camera_id, width)
    if still.jpeg is None:
        raise NoPicture(
            "live.no_picture", "there is no picture now ({reason})", reason=still.reason
        )
    headers = {"cache-control": "no-store"}
    if still.overlay is not None:
        headers[OVERLAY_HEADER] = still.overlay
    return Response(still.jpeg, media_type="image/jpeg", headers=headers)


def _require_camera(visit: Visit, camera_id: str) -> None:
    with services_of(visit.request).database.reading() as session:
        if session.get(Camera, camera_id) is None:
            raise NotFound
