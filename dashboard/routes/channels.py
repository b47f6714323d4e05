"""Sirens and messengers: do they work, and a button to find out."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import APIRouter
from pydantic import TypeAdapter
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from alerts.open import AnyChannelSpec, is_messenger, is_siren, open_channel
from alerts.ping import ping_channel, try_siren
from alerts.specs import ChannelSpec
from dashboard.access import ManagerOnlyVisit, ViewerVisit
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.errors import AnjeonError
from safety.i18n import explain
from safety.store import audit, configuration, outbox
from safety.store.refusals import NotFound
from safety.store.tables import Channel, Delivery

_LOG = structlog.get_logger(__name__)

router = APIRouter(prefix="/channels", include_in_schema=False)

CHANNEL: TypeAdapter[AnyChannelSpec] = TypeAdapter(ChannelSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """One channel and how it does.

    Attributes:
        health: ``ok``, ``unknown``, ``failing`` or ``open`` (breaker), as the engine says.
        last: The newest delivery; sirens have none.
    """

    spec: dict[str, Any]
    disabled_reason: str | None
    health: str
    last: Delivery | None
    waiting: int
    dead: int


@router.get("")
def channels_page(visit: ViewerVisit) -> Response:
    return _page(visit)


@router.post("/{channel_id}/test")
async def test_channel(visit: ManagerOnlyVisit, channel_id: str) -> Response:
    """Let a siren sound for two seconds, send a messenger a test notice; say how it went."""
    spec = await run_in_threadpool(_spec, visit, channel_id)
    data_dir = visit.services.settings.data_dir
    error: AnjeonError | None = None
    try:
        channel = open_channel(spec, clock=visit.services.clock, data_dir=data_dir)
        try:
            if is_siren(channel):
                await try_siren(channel)
            if is_messenger(channel):
                text = visit.translate("channels.test_text", site=visit.site.name)
                await ping_channel(channel, clock=visit.services.clock, text=text)
        finally:
            await channel.close()
    except AnjeonError as caught:
        _LOG.warning("channel_test_failed", channel=channel_id, error=str(caught))
        error = caught
    await run_in_threadpool(_audit_test, visit, channel_id, error)
    if error is None:
        return redirect("/channels?done=test_sent")
    problem = explain(error, visit.language)
    return await run_in_threadpool(_page, visit, failed=channel_id, problem=problem)


@router.post("/{channel_id}/enable")
def enable_channel(visit: ManagerOnlyVisit, channel_id: str) -> Response:
    with visit.database.transaction() as session:
        configuration.enable_channel(session, channel_id, by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    return redirect("/channels?done=saved")


def _page(visit: Visit, *, failed: str = "", problem: str = "") -> Response:
    engine = visit.hub.engine_status()
    health = engine.channels if engine else {}
    with visit.database.reading() as session:
        views = _views(session, health)
    return render(
        visit,
        "channels.html",
        status=502 if failed else 200,
        channels=views,
        failed=failed,
        problem=problem,
        engine_silent=engine is None,
    )


def _views(session: Session, health: dict[str, str]) -> list[ChannelView]:
    found = configuration.load(session)
    waiting = outbox.backlog(session)
    views = []
    for spec in found.channels:
        channel_id = spec["id"]
        backlog = waiting.get(channel_id, outbox.Backlog())
        newest = outbox.of_channel(session, channel_id, limit=1)
        views.append(
            ChannelView(
                spec=dict(spec),
                disabled_reason=found.disabled_channels.get(channel_id),
                health=health.get(channel_id, "unknown"),
                last=newest[0] if newest else None,
                waiting=backlog.waiting,
                dead=backlog.dead,
            )
        )
    return views


def _spec(visit: Visit, channel_id: str) -> AnyChannelSpec:
    with visit.database.reading() as session:
        row = session.get(Channel, channel_id)
        if row is None:
            raise NotFound("channel", channel_id)
        return CHANNEL.validate_python(row.spec)


def _audit_test(visit: Visit, channel_id: str, error: AnjeonError | None) -> None:
    # A test must be possible while the record cannot be written: sirens do not need it.
    with suppress(AnjeonError), visit.database.transaction() as session:
        audit.record(
            session,
            actor=visit.actor,
            action="channel.test",
            subject=channel_id,
            at=visit.now,
            detail={"error": error.key if error else None},
        )
