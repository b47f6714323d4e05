"""Alerts as people see them: with names, picture, clip and what happened when."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from safety.i18n import Translate
from safety.store import alerts, evidence, outbox
from safety.store.alerts import OPEN_STATES, AlertState
from safety.store.tables import (
    Alert,
    Camera,
    Channel,
    Delivery,
    Evidence,
    RuleRevision,
    ViolationRow,
)

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """One alert with everything that belongs to it.

    Attributes:
        title: Its sentence, in the reader's language.
        camera_name, zone_name, rule_name: Names as of the violation; empty if none.
        picture, clip: Evidence; None if there is none (yet).
    """

    alert: Alert
    title: str
    violation: ViolationRow | None
    camera_name: str
    zone_name: str
    rule_name: str
    picture: Evidence | None
    clip: Evidence | None

    @property
    def lasts(self) -> bool:
        """Whether the situation has not ended."""
        return self.alert.cleared_at is None

    @property
    def is_raised(self) -> bool:
        return self.alert.state == AlertState.RAISED

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to judge it."""
        return self.alert.state in OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """One page of the inbox.

    Attributes:
        next_before: Where the next page starts; None if this is the last one.
    """

    items: Sequence[AlertView]
    next_before: str | None

    @property
    def fingerprint(self) -> str:
        """Changes whenever the list has to be drawn anew."""
        state = ",".join(f"{v.alert.id}:{v.alert.version}:{v.picture is None}" for v in self.items)
        return hashlib.sha256(state.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened: a translation key with its values."""

    at: datetime
    key: str
    params: dict[str, object]
    is_danger: bool = False


def inbox_page(
    session: Session,
    translate: Translate,
    *,
    only_open: bool,
    camera: str | None,
    before: str | None = None,
    limit: int = PAGE_SIZE,
) -> InboxPage:
    """Alerts, newest first.

    Raises:
        NotFound: ``before`` names no alert.
    """
    rows = alerts.list_alerts(
        session,
        state=[s.value for s in OPEN_STATES] if only_open else None,
        camera=camera,
        before=before,
        limit=limit + 1,
    )
    shown = rows[:limit]
    more = len(rows) > limit
    return InboxPage(
        items=alert_views(session, translate, shown), next_before=shown[-1].id if more else None
    )


def alert_views(session: Session, translate: Translate, rows: Sequence[Alert]) -> list[AlertView]:
    """The alerts with their names and evidence, in a fixed number of queries."""
    violation_ids = [row.violation_id for row in rows if row.violation_id]
    violations = _by_id(session, violation_ids)
    pictures = evidence.of_violations(session, violation_ids, kind="picture")
    clips = evidence.of_violations(session, violation_ids, kind="clip")
    cameras = _camera_names(session, {row.camera_id for row in rows if row.camera_id})
    rules = _rule_names(session, list(violations.values()))
    views = []
    for row in rows:
        violation = violations.get(row.violation_id or "")
        rule_name, zone_name = rules.get(violation.id, ("", "")) if violation else ("", "")
        views.append(
            AlertView(
                alert=row,
                title=_title(row, translate),
                violation=violation,
                camera_name=cameras.get(row.camera_id or "", row.camera_id or ""),
                zone_name=zone_name,
                rule_name=rule_name,
                picture=pictures.get(row.violation_id or ""),
                clip=clips.get(row.violation_id or ""),
            )
        )
    return views


def _title(row: Alert, translate: Translate) -> str:
    """The short sentence for a list, where time and place stand beside it."""
    key = row.message_key.replace("alert.", "alert.title.", 1)
    title = translate(key, **row.params)
    return title if title != key else translate(row.message_key, **row.params)


def alert_view(session: Session, translate: Translate, alert_id: str) -> AlertView:
    """One alert.

    Raises:
        NotFound: There is none.
    """
    return alert_views(session, translate, [alerts.get(session, alert_id)])[0]


def failed_evidence(session: Session, view: AlertView) -> Sequence[Evidence]:
    """Evidence of this alert that could not be made."""
    if view.violation is None:
        return []
    rows = evidence.of_violation(session, view.violation.id)
    return [row for row in rows if row.state == evidence.FAILED]


def timeline(session: Session, translate: Translate, view: AlertView) -> list[TimelineEntry]:
    """What happened, in order."""
    names = _channel_names(session)
    deliveries = outbox.of_alert(session, view.alert.id)
    entries = [
        *_machine_entries(view),
        *_human_entries(view.alert),
        *(_delivery_entry(delivery, names, translate) for delivery in deliveries),
    ]
    return sorted(entries, key=lambda entry: entry.at)


def _machine_entries(view: AlertView) -> list[TimelineEntry]:
    alert, violation = view.alert, view.violation
    started = violation.opened_at if violation else alert.raised_at
    key = "timeline.opened" if violation else "timeline.raised"
    entries = [TimelineEntry(at=started, key=key, params={}, is_danger=True)]
    if violation is not None and violation.siren_latency_s is not None:
        milliseconds = round(violation.siren_latency_s * 1000)
        entries.append(
            TimelineEntry(
                at=violation.opened_at, key="timeline.siren", params={"milliseconds": milliseconds}
            )
        )
    if alert.cleared_at is not None:
        reason = violation.end_reason if violation else None
        ended = f"timeline.ended.{reason}" if reason else "timeline.ended"
        entries.append(TimelineEntry(at=alert.cleared_at, key=ended, params={}))
    return entries


def _human_entries(alert: Alert) -> list[TimelineEntry]:
    entries = []
    if alert.acknowledged_at is not None:
        by = alert.acknowledged_by or ""
        entries.append(
            TimelineEntry(at=alert.acknowledged_at, key="timeline.acknowledged", params={"by": by})
        )
    if alert.decided_at is not None:
        by = alert.decided_by or ""
        entries.append(
            TimelineEntry(at=alert.decided_at, key=f"timeline.{alert.state}", params={"by": by})
        )
    return entries


def _delivery_entry(
    delivery: Delivery, names: dict[str, str], translate: Translate
) -> TimelineEntry:
    channel = names.get(delivery.channel_id, delivery.channel_id)
    return TimelineEntry(
        at=delivery.delivered_at or delivery.created_at,
        key=f"timeline.delivery.{delivery.state}",
        params={
            "channel": channel,
            "attempts": delivery.attempts,
            "notice": translate(f"timeline.notice.{delivery.event}"),
        },
    )


def _by_id(session: Session, ids: Collection[str]) -> dict[str, ViolationRow]:
    rows = session.exec(select(ViolationRow).where(col(ViolationRow.id).in_(ids)))
    return {row.id: row for row in rows}


def _camera_names(session: Session, ids: Collection[str]) -> dict[str, str]:
    rows = session.exec(select(Camera).where(col(Camera.id).in_(ids)))
    return {row.id: str(row.spec.get("name", row.id)) for row in rows}


def _channel_names(session: Session) -> dict[str, str]:
    return {row.id: str(row.spec.get("name", row.id)) for row in session.exec(select(Channel))}


def _rule_names(session: Session, violations: Sequence[ViolationRow]) -> dict[str, tuple[str, str]]:
    """Names of rule and zone as they were when each violation opened, by violation id."""
    wanted = {row.rule_id for row in violations}
    rows = session.exec(select(RuleRevision).where(col(RuleRevision.rule_id).in_(wanted)))
    names = {
        (row.rule_id, row.revision): (
            str(row.spec.get("name", row.rule_id)),
            str(row.zone_spec.get("name", "")),
        )
        for row in rows
    }
    return {
        row.id: names.get((row.rule_id, row.rule_revision), (row.rule_id, row.zone_id or ""))
        for row in violations
    }
