"""From what happens to cameras, channels and vehicles to the record: alerts that no rule raises.

As with violations, everything may be called again with the same event and leaves the same
record; all functions block.
"""

from typing import Any, Literal

from sqlmodel import Session

from alerts import escalation
from alerts.notices import SiteContext
from alerts.telling import facts_of
from safety.clock import Instant
from safety.errors import AnjeonError
from safety.i18n import explain, translator
from safety.store import alerts
from safety.store.tables import Alert
from safety.store.times import utc
from safety.types import Severity, Violation

Keeping = Literal["disk_low", "disk_full", "record_broken"]
"""What can be wrong with what is kept: hardly any room or none for evidence, or a record that is
not what was written."""


def raise_camera_blind(
    session: Session,
    *,
    camera_id: str,
    reason: str,
    since: Instant,
    site: SiteContext,
    now: Instant,
) -> None:
    """A camera has seen nothing for too long; no second alert while one is not cleared.

    Args:
        session: The open transaction.
        camera_id: Which camera.
        reason: Why, as in ``CameraStatus.reason``.
        since: When it went blind.
        site: Names, language and messengers.
        now: The present, for the outbox.
    """
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
    session: Session, *, camera_id: str, site: SiteContext, now: Instant
) -> None:
    """The camera sees again."""
    for alert in _lasting(session, "camera_blind", "camera_id", camera_id):
        _clear(session, alert, site, now)


def raise_channel_failed(
    session: Session,
    *,
    channel_id: str,
    error: AnjeonError,
    site: SiteContext,
    now: Instant,
) -> None:
    """A channel does not work; the other ones are told. No second alert while one lasts."""
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
    session: Session, *, channel_id: str, site: SiteContext, now: Instant
) -> None:
    """The channel works again."""
    for alert in _lasting(session, "channel_failed", "channel_id", channel_id):
        _clear(session, alert, site, now)


def raise_not_paused(
    session: Session, *, vehicle: str, violation: Violation, site: SiteContext, now: Instant
) -> None:
    """A vehicle was asked to pause because somebody is near it, and has not confirmed it."""
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


def raise_keeping(
    session: Session, kind: Keeping, params: dict[str, Any], *, site: SiteContext, now: Instant
) -> None:
    """Something is wrong with what is kept; no second alert while one is not cleared."""
    if alerts.uncleared(session, kind=kind):
        return
    raised = alerts.raise_alert(
        session,
        kind=kind,
        dedupe_key=f"{kind}:{now.wall:.3f}",
        severity=Severity.WARNING,
        message_key=f"alert.{kind}",
        params={**params, "about": kind, "time": site.local(utc(now))},
        raised_at=utc(now),
    )
    if raised is not None:
        _begin(session, raised, site, params, now)


def clear_keeping(session: Session, kind: Keeping, *, site: SiteContext, now: Instant) -> None:
    """All is well again with it."""
    for alert in alerts.uncleared(session, kind=kind):
        _clear(session, alert, site, now)


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
