"""From events to the record: violation, alert and outbox in one transaction each.

Everything here may be called again with the same event, late, or in another order, and
leaves the same record. All functions block; call them in a thread.
"""

from dataclasses import replace
from typing import Any

from sqlmodel import Session

from alerts import escalation
from alerts.notices import SiteContext
from alerts.telling import facts_of
from safety.clock import Instant
from safety.errors import AnjeonError
from safety.i18n import explain, translator
from safety.store import alerts, violations
from safety.store.database import Database
from safety.store.tables import Alert
from safety.store.times import utc
from safety.store.violations import SAME_AS, is_open, on_record, save_violation
from safety.types import Phase, Severity, Violation


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
    with database.transaction() as session:
        first = _followed(session, violation, same_as)
        if first is not None:
            violation = replace(violation, details={**violation.details, SAME_AS: first})
        save_violation(session, violation, siren_latency_s=siren_latency_s)
        if violation.shadow:
            return
        facts = _violation_facts(violation, site)
        if first is not None:
            _clear_if_over(session, violation, first, site, facts, now)
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
            zone_id=violation.zone_id,
            rule_id=violation.rule_id,
            rule_kind=violation.rule_kind,
            subject=violation.subject,
        )
        if raised is not None:
            known = replace(facts_of(raised, site), rule_channels=rule_channels)
            escalation.begin(session, raised, facts=known, known=facts, site=site, now=utc(now))
        _clear_if_over(session, violation, violation.id, site, facts, now)


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
        escalation.cleared(session, cleared, at=over_at, known=facts, site=site, now=utc(now))


def close_lost(database: Database, violation_id: str, *, site: SiteContext, now: Instant) -> None:
    """No more reports of this violation can come: close it, and clear its alert.

    Nobody has seen it end, so nobody is told that it has.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    with database.transaction() as session:
        violations.close_lost(session, violation_id, reason="shard_lost")
        row = violations.get(session, violation_id)
        first = str(row.details.get(SAME_AS, violation_id))
        if is_open(session, first):
            return
        at = utc(now)
        cleared = alerts.clear(session, first, at=at)
        if cleared is not None:
            escalation.cleared(session, cleared, at=at, known={}, site=site, now=at, silent=True)


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
            _begin(session, raised, site, facts, now)


def clear_camera_blind(
    database: Database, *, camera_id: str, site: SiteContext, now: Instant
) -> None:
    """The camera sees again.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    with database.transaction() as session:
        for alert in _lasting(session, "camera_blind", "camera_id", camera_id):
            _clear(session, alert, site, now)


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
            _begin(session, raised, site, facts, now)


def clear_channel_failed(
    database: Database, *, channel_id: str, site: SiteContext, now: Instant
) -> None:
    """The channel works again.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    with database.transaction() as session:
        for alert in _lasting(session, "channel_failed", "channel_id", channel_id):
            _clear(session, alert, site, now)


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
            zone_id=violation.zone_id,
        )
        if raised is not None:
            facts = {"vehicle": vehicle, "violation_id": violation.id}
            _begin(session, raised, site, facts, now)
            # It happened; it is not a situation that lasts.
            _clear(session, raised, site, now, silent=True)


def _begin(
    session: Session, alert: Alert, site: SiteContext, known: dict[str, Any], now: Instant
) -> None:
    facts = facts_of(alert, site)
    escalation.begin(session, alert, facts=facts, known=known, site=site, now=utc(now))


def _clear(
    session: Session, alert: Alert, site: SiteContext, now: Instant, *, silent: bool = False
) -> None:
    at = utc(now)
    cleared = alerts.clear(session, alert.dedupe_key, at=at)
    if cleared is not None:
        escalation.cleared(session, cleared, at=at, known={}, site=site, now=at, silent=silent)


def _lasting(session: Session, kind: str, param: str, value: str) -> list[Alert]:
    """Alerts of this kind about this thing whose situation lasts, by the record."""
    return [a for a in alerts.uncleared(session, kind=kind) if a.params.get(param) == value]


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
