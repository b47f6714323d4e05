"""Sirens and messengers: do they work, and a button to find out; adding and changing them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import APIRouter
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from alerts.open import AnyChannelSpec, carries_notices, is_messenger, is_siren, open_channel
from alerts.ping import ping_channel, try_siren
from alerts.telling import DELIVERY_DEADLINE
from dashboard import forms
from dashboard.access import ManagerOnlyVisit, ViewerVisit
from dashboard.channel_fields import CHANNEL_KINDS, SIREN_KINDS, fields_of
from dashboard.channel_forms import CHANNEL, filled_channel
from dashboard.etags import check_match, spec_etag
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.spec_fields import values_of
from dashboard.spec_forms import FormWords
from dashboard.visit import Visit
from dashboard.zone_forms import Filled, new_id
from safety.errors import AnjeonError, ConfigError
from safety.i18n import explain
from safety.site import edit
from safety.store import audit, configuration, outbox, siren_tests
from safety.store.refusals import NotFound
from safety.store.siren_tables import SirenTest
from safety.store.tables import Channel, Delivery

_LOG = structlog.get_logger(__name__)

router = APIRouter(prefix="/channels", include_in_schema=False)

_SHOWN = 20
"""Deliveries on a channel's page."""

_RETRIED = 200
"""Deliveries that one press of the button tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """One channel and how it does.

    Attributes:
        health: ``ok``, ``unknown``, ``failing`` or ``open`` (breaker), as the engine says.
        last: The newest delivery; sirens have none.
        told: It carries notices.
        self_test: Of a siren: how its last weekly self-test went.
    """

    spec: dict[str, Any]
    disabled_reason: str | None
    health: str
    last: Delivery | None
    waiting: int
    dead: int
    told: bool
    self_test: SirenTest | None


@router.get("")
def channels_page(visit: ViewerVisit) -> Response:
    return _page(visit)


@router.get("/new")
def new_channel_page(visit: ManagerOnlyVisit, kind: str) -> Response:
    fields = fields_of(_known(kind))
    name = visit.translate(f"channels.kind.{kind}")
    return _form(visit, kind, values={**values_of(fields, {}), "name": name, "enabled": True})


@router.post("")
def create_channel(visit: ManagerOnlyVisit, form: Form) -> Response:
    kind = _known(forms.text(form, "kind"))
    filled = filled_channel(form, visit.translate, kind=kind, channel_id=new_id("channel"))
    filled = _saved(visit, filled)
    if filled.spec is None:
        return _form(visit, kind, values=filled.values, problems=filled.problems)
    return redirect(f"/channels/{filled.spec.id}?done=created")


@router.get("/{channel_id}")
def channel_page(visit: ManagerOnlyVisit, channel_id: str) -> Response:
    spec = _spec(visit, channel_id)
    values = values_of(fields_of(spec.kind), spec.model_dump(mode="json"))
    values |= {"name": spec.name, "enabled": spec.enabled}
    return _form(visit, spec.kind, values=values, channel_id=channel_id, etag=spec_etag(spec))


@router.post("/{channel_id}")
def change_channel(visit: ManagerOnlyVisit, channel_id: str, form: Form) -> Response:
    kind = _spec(visit, channel_id).kind
    etag = forms.text(form, "etag")
    filled = filled_channel(form, visit.translate, kind=kind, channel_id=channel_id)
    filled = _saved(visit, filled, etag=etag)
    if filled.spec is None:
        return _form(
            visit,
            kind,
            values=filled.values,
            problems=filled.problems,
            channel_id=channel_id,
            etag=etag,
        )
    return redirect(f"/channels/{channel_id}?done=saved")


@router.post("/{channel_id}/delete")
def delete_channel(visit: ManagerOnlyVisit, channel_id: str) -> Response:
    with visit.database.transaction() as session:
        edit.remove(session, "channels", channel_id, by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    return redirect("/channels?done=deleted")


@router.post("/{channel_id}/retry")
def retry_deliveries(visit: ManagerOnlyVisit, channel_id: str) -> Response:
    """Try again what was given up: the newest first, so many at a time."""
    deadline = visit.now + DELIVERY_DEADLINE
    with visit.database.transaction() as session:
        dead = outbox.of_channel(session, channel_id, state=outbox.DEAD, limit=_RETRIED)
        for row in dead:
            outbox.retry(session, row.id, by=visit.actor, now=visit.now, deadline=deadline)
    visit.hub.nudge("alerts")
    return redirect(f"/channels/{channel_id}?done=saved")


@router.post("/{channel_id}/test")
async def test_channel(visit: ManagerOnlyVisit, channel_id: str) -> Response:
    """Let a siren sound for two seconds, send a messenger a test notice; say how it went."""
    spec = await run_in_threadpool(_spec, visit, channel_id)
    data_dir = visit.services.settings.data_dir
    error: AnjeonError | None = None
    try:
        channel = open_channel(
            spec, clock=visit.services.clock, data_dir=data_dir, database=visit.database
        )
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
        kinds={
            "sirens": SIREN_KINDS,
            "messengers": [kind for kind in CHANNEL_KINDS if kind not in SIREN_KINDS],
        },
    )


def _form(
    visit: Visit,
    kind: str,
    *,
    values: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
    channel_id: str = "",
    etag: str = "",
) -> Response:
    fields = fields_of(kind)
    seldom = [field for field in fields if field.seldom]
    with visit.database.reading() as session:
        deliveries = outbox.of_channel(session, channel_id, limit=_SHOWN) if channel_id else []
        waiting = outbox.backlog(session).get(channel_id, outbox.Backlog())
        tested = siren_tests.list_tests(session, channel_id=channel_id, limit=_SHOWN)
    return render(
        visit,
        "channel.html",
        status=422 if problems else 200,
        kind=kind,
        fields=[field for field in fields if not field.seldom],
        seldom=seldom,
        unfold=any(field.name in (problems or {}) for field in seldom),
        values=values,
        problems=dict(problems or {}),
        channel_id=channel_id,
        etag=etag,
        words=FormWords(translate=visit.translate, names={}),
        deliveries=deliveries,
        backlog=waiting,
        self_tests=tested,
    )


def _saved(visit: Visit, filled: Filled[AnyChannelSpec], etag: str = "") -> Filled[AnyChannelSpec]:
    """The form, saved; or with what is wrong in it after all."""
    if filled.spec is None:
        return filled
    try:
        with visit.database.transaction() as session:
            if etag:
                check_match(etag, spec_etag(_row(session, filled.spec.id)))
            edit.put(session, filled.spec, by=visit.actor, at=visit.now)
    except ConfigError as error:
        return Filled(values=filled.values, problems={"form": explain(error, visit.language)})
    visit.hub.nudge("config")
    return filled


def _views(session: Session, health: dict[str, str]) -> list[ChannelView]:
    found = configuration.load(session)
    waiting = outbox.backlog(session)
    tested = siren_tests.newest(session)
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
                told=carries_notices(CHANNEL.validate_python(spec)),
                self_test=tested.get(channel_id),
            )
        )
    return views


def _known(kind: str) -> str:
    if kind not in CHANNEL_KINDS:
        raise NotFound("channel kind", kind[:40])
    return kind


def _spec(visit: Visit, channel_id: str) -> AnyChannelSpec:
    with visit.database.reading() as session:
        return _row(session, channel_id)


def _row(session: Session, channel_id: str) -> AnyChannelSpec:
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
