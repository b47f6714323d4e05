"""From reports to the record: violation, alert and outbox in one transaction.

Everything here may be called again with the same report, late, or in another order, and
leaves the same record. All functions block; call them in a thread.
"""

from dataclasses import replace
from typing import Any

from sqlmodel import Session

from alerts import escalation
from alerts.notices import SiteContext
from alerts.telling import facts_of
from safety.clock import Instant
from safety.store import alerts, violations
from safety.store.times import utc
from safety.store.violations import SAME_AS, followed, is_open, save_violation
from safety.types import Phase, Violation


def record_violation(
    session: Session,
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
        session: The open transaction.
        violation: The report; the first one seen raises the alert, whatever its phase.
        rule_channels: Channels of the rule; None: all.
        site: Names, language and messengers.
        siren_latency_s: Frame captured → siren command sent, if known by now.
        now: The present, for the outbox.
        same_as: The violation that another camera reported of the same situation before; its
            alert stands for both, lasts again if it was over, and is cleared when the last of
            them is over.
    """
    first = _followed(session, violation, same_as)
    if first is not None:
        violation = replace(violation, details={**violation.details, SAME_AS: first})
    save_violation(session, violation, siren_latency_s=siren_latency_s)
    if violation.shadow:
        return
    facts = _violation_facts(violation, site)
    if first is not None:
        _resume_if_open(session, first, site)
        _clear_if_over(session, violation, first, site, facts, now)
        return
    if violation.phase is Phase.OPENED or not alerts.has_alert(session, violation.id):
        _raise(session, violation, facts, rule_channels=rule_channels, site=site, now=now)
    _clear_if_over(session, violation, violation.id, site, facts, now)


def _raise(
    session: Session,
    violation: Violation,
    facts: dict[str, Any],
    *,
    rule_channels: tuple[str, ...] | None,
    site: SiteContext,
    now: Instant,
) -> None:
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


def _followed(session: Session, violation: Violation, same_as: str | None) -> str | None:
    """The violation whose alert stands for this one; what is on record counts most.

    A violation that was to follow one without an alert raises its own: better two than none.
    """
    if violation.shadow:
        return same_as
    known, decided = followed(session, violation.id)
    first = decided if known else same_as
    return first if first is not None and alerts.has_alert(session, first) else None


def _resume_if_open(session: Session, first: str, site: SiteContext) -> None:
    """The alert of ``first`` lasts as long as one that follows it, though it may be cleared."""
    resumed = alerts.resume(session, first) if is_open(session, first) else None
    if resumed is not None:
        escalation.resumed(session, resumed, site=site)


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


def close_lost(session: Session, violation_id: str, *, site: SiteContext, now: Instant) -> None:
    """No more reports of this violation can come: close it, and clear its alert.

    Nobody has seen it end, so nobody is told that it has.
    """
    violations.close_lost(session, violation_id, reason="shard_lost")
    row = violations.get(session, violation_id)
    first = str(row.details.get(SAME_AS, violation_id))
    if is_open(session, first):
        return
    at = utc(now)
    cleared = alerts.clear(session, first, at=at)
    if cleared is not None:
        escalation.cleared(session, cleared, at=at, known={}, site=site, now=at, silent=True)


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
