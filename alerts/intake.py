"""From events to the record: violation, alert and outbox in one transaction each.

Everything here may be called again with the same event, late, or in another order, and
leaves the same record. All functions block; call them in a thread.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from alerts.notices import SiteContext, notice_payload
from safety.clock import Instant
from safety.errors import AnjeonError
from safety.i18n import explain, translator
from safety.store import alerts, outbox
from safety.store.database import Database
from safety.store.tables import Alert
from safety.store.times import utc
from safety.store.violations import SAME_AS, is_open, on_record, save_violation
from safety.types import Phase, Severity, Violation

DELIVERY_DEADLINE = timedelta(hours=24)
"""A notice that could not be delivered for so long is given up (and stays visible)."""


def record_violation(
    database: Database,
    violation: Violation,
    *,
    rule_channels: tuple[str, ...] | None,
    site: SiteContext,
    siren_latency_s: float | None,
    now: Instant,
    same_as: str | None = None,
) -> None:
    """Record one report: the violation, its alert, and what messengers are to be told.

    A violation of a rule in shadow is put on record and raises no alert.

    Args:
        database: The record.
        violation: The report; the first one seen raises the alert, whatever its phase.
        rule_channels: Channels of the rule; None: all.
        site: Names, language and messengers.
        siren_latency_s: Frame captured → siren command sent, if known by now.
        now: The present, for the outbox.
        same_as: The violation that another camera reported of the same situation before; its
            alert stands for both, and is cleared when the last of them is over.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    told = site.told(rule_channels)
    with database.transaction() as session:
        first = _followed(session, violation, same_as)
        if first is not None:
            violation = replace(violation, details={**violation.details, SAME_AS: first})
        save_violation(session, violation, siren_latency_s=siren_latency_s)
        if violation.shadow:
            return
        facts = _violation_facts(violation, site)
        if first is not None:
            _clear_if_over(session, violation, first, told, site, facts, now)
            return
        raised = alerts.raise_alert(
            session,
            kind="violation",
            dedupe_key=violation.id,
            severity=violation.severity,
            message_key=f"alert.{violation.rule_kind}",
            params=_violation_params(violation, site),
            raised_at=utc(violation.opened_at),
            violation_id=violation.id,
            camera_id=violation.camera_id,
        )
        if raised is not None:
            _tell(session, raised, "raised", raised.raised_at, told, site, facts, now)
        _clear_if_over(session, violation, violation.id, told, site, facts, now)


def _followed(session: Session, violation: Violation, same_as: str | None) -> str | None:
    """The violation whose alert stands for this one; what is on record counts most.

    A violation that was to follow one without an alert raises its own: better two than none.
    """
    if violation.shadow:
        return same_as
    decided = on_record(session, violation.id)
    first = decided.details.get(SAME_AS) if decided is not None else same_as
    return first if first is not None and alerts.has_alert(session, first) else None


def _clear_if_over(
    session: Session,
    violation: Violation,
    first: str,
    told: tuple[str, ...],
    site: SiteContext,
    facts: dict[str, Any],
    now: Instant,
) -> None:
    """Clear the alert of ``first`` once it and all that follow it are closed."""
    if violation.phase is not Phase.CLOSED or is_open(session, first):
        return
    over_at = utc(violation.closed_at or violation.captured_at)
    cleared = alerts.clear(session, first, at=over_at)
    if cleared is not None:
        _tell(session, cleared, "cleared", over_at, told, site, facts, now)


def raise_camera_blind(
    database: Database,
    *,
    camera_id: str,
    reason: str,
    since: Instant,
    site: SiteContext,
    now: Instant,
) -> None:
    """A camera has seen nothing for too long; no second alert while one is not cleared.

    Args:
        database: The record.
        camera_id: Which camera.
        reason: Why, as in ``CameraStatus.reason``.
        since: When it went blind.
        site: Names, language and messengers.
        now: The present, for the outbox.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    with database.transaction() as session:
        if _lasting(session, "camera_blind", "camera_id", camera_id):
            return
        key = f"reason.{reason}"
        why = translator(site.language)(key)
        raised = alerts.raise_alert(
            session,
            kind="camera_blind",
            dedupe_key=f"blind:{camera_id}:{since.wall:.3f}",
            severity=Severity.WARNING,
            message_key="alert.camera_blind",
            params={
                "camera": site.cameras.get(camera_id, camera_id),
                "camera_id": camera_id,
                "reason": reason if why == key else why,
                "time": site.local(utc(since)),
            },
            raised_at=utc(now),
            camera_id=camera_id,
        )
        if raised is not None:
            facts = {"reason": reason, "since": utc(since).isoformat()}
            _tell(session, raised, "raised", utc(now), site.messengers, site, facts, now)


def clear_camera_blind(
    database: Database, *, camera_id: str, site: SiteContext, now: Instant
) -> None:
    """The camera sees again.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    with database.transaction() as session:
        for alert in _lasting(session, "camera_blind", "camera_id", camera_id):
            _clear(session, alert, site.messengers, site, now)


def raise_channel_failed(
    database: Database,
    *,
    channel_id: str,
    error: AnjeonError,
    site: SiteContext,
    now: Instant,
) -> None:
    """A channel does not work; the other ones are told. No second alert while one lasts.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    with database.transaction() as session:
        if _lasting(session, "channel_failed", "channel_id", channel_id):
            return
        raised = alerts.raise_alert(
            session,
            kind="channel_failed",
            dedupe_key=f"channel:{channel_id}:{now.wall:.3f}",
            severity=Severity.WARNING,
            message_key="alert.channel_failed",
            params={
                "channel": site.channels.get(channel_id, channel_id),
                "channel_id": channel_id,
                "problem": explain(error, site.language),
                "time": site.local(utc(now)),
            },
            raised_at=utc(now),
        )
        if raised is not None:
            facts = {"channel_id": channel_id, "problem": str(error)}
            told = _others(site, channel_id)
            _tell(session, raised, "raised", utc(now), told, site, facts, now)


def clear_channel_failed(
    database: Database, *, channel_id: str, site: SiteContext, now: Instant
) -> None:
    """The channel works again.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    with database.transaction() as session:
        for alert in _lasting(session, "channel_failed", "channel_id", channel_id):
            _clear(session, alert, _others(site, channel_id), site, now)


def raise_not_paused(
    database: Database, *, vehicle: str, violation: Violation, site: SiteContext, now: Instant
) -> None:
    """A vehicle was asked to pause because somebody is near it, and has not confirmed it.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    with database.transaction() as session:
        raised = alerts.raise_alert(
            session,
            kind="not_paused",
            dedupe_key=f"not_paused:{violation.id}",
            severity=Severity.DANGER,
            message_key="alert.not_paused",
            params={
                "vehicle": vehicle,
                "camera": site.cameras.get(violation.camera_id, violation.camera_id),
                "time": site.local(utc(now)),
            },
            raised_at=utc(now),
            camera_id=violation.camera_id,
        )
        if raised is not None:
            facts = {"vehicle": vehicle, "violation_id": violation.id}
            _tell(session, raised, "raised", utc(now), site.messengers, site, facts, now)
            # It happened; it is not a situation that lasts.
            alerts.clear(session, raised.dedupe_key, at=utc(now))


def _tell(
    session: Session,
    alert: Alert,
    event: str,
    at: datetime,
    channel_ids: tuple[str, ...],
    site: SiteContext,
    facts: dict[str, Any],
    now: Instant,
) -> None:
    payload = notice_payload(alert, event, site=site, at=at, facts=facts)
    due_at = utc(now)
    outbox.enqueue(session, alert, event, channel_ids, payload, due_at, due_at + DELIVERY_DEADLINE)


def _clear(
    session: Session, alert: Alert, told: tuple[str, ...], site: SiteContext, now: Instant
) -> None:
    cleared = alerts.clear(session, alert.dedupe_key, at=utc(now))
    if cleared is not None:
        _tell(session, cleared, "cleared", utc(now), told, site, {}, now)


def _lasting(session: Session, kind: str, param: str, value: str) -> list[Alert]:
    """Alerts of this kind about this thing whose situation lasts, by the record."""
    return [a for a in alerts.uncleared(session, kind=kind) if a.params.get(param) == value]


def _others(site: SiteContext, channel_id: str) -> tuple[str, ...]:
    return tuple(key for key in site.messengers if key != channel_id)


def _violation_params(violation: Violation, site: SiteContext) -> dict[str, Any]:
    """What the alert's sentence may speak of: names, ``place`` (zone or camera), measurements."""
    names = _names(violation, site)
    missing = violation.details.get("missing")
    measured = {k: v for k, v in violation.details.items() if isinstance(v, str | int | float)}
    return {
        **measured,
        **({"missing": [f"ppe.{item}" for item in missing]} if isinstance(missing, list) else {}),
        **names,
        "place": names["zone"] or names["camera"],
    }


def _names(violation: Violation, site: SiteContext) -> dict[str, str]:
    zone_id = violation.zone_id or ""
    return {
        "camera": site.cameras.get(violation.camera_id, violation.camera_id),
        "zone": site.zones.get(zone_id, zone_id),
        "rule": site.rules.get(violation.rule_id, violation.rule_id),
        "time": site.local(utc(violation.opened_at)),
    }


def _violation_facts(violation: Violation, site: SiteContext) -> dict[str, Any]:
    closed_at = violation.closed_at
    return {
        **{name: value for name, value in _names(violation, site).items() if value},
        "violation_id": violation.id,
        "rule_id": violation.rule_id,
        "rule_kind": violation.rule_kind,
        "rule_revision": violation.rule_revision,
        "zone_id": violation.zone_id,
        "subject": violation.subject,
        "opened_at": utc(violation.opened_at).isoformat(),
        "closed_at": utc(closed_at).isoformat() if closed_at else None,
        "end_reason": violation.end_reason,
        "details": dict(violation.details),
    }
