"""What happened with an alert, in order: who was told of what, when, and what came of it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from alerts.notices import plain_event
from dashboard.inbox import AlertView
from safety.i18n import Translate
from safety.store import audit, conversations, outbox
from safety.store.tables import Alert, Channel, Delivery

SHOWN_JOINED = 20
"""Alerts that joined and are named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened: a translation key with its values.

    Attributes:
        people: Names of the persons who were told, where some were named.
        href: A page that says more; empty if there is none.
    """

    at: datetime
    key: str
    params: dict[str, object]
    is_danger: bool = False
    people: str = ""
    href: str = ""


def timeline(session: Session, translate: Translate, view: AlertView) -> list[TimelineEntry]:
    """Everything, oldest first."""
    rows = session.exec(select(Channel))
    names = {row.id: str(row.spec.get("name", row.id)) for row in rows}
    deliveries = outbox.of_alert(session, view.alert.id)
    ids = [row.summary_id for row in deliveries if row.summary_id]
    summaries = outbox.summarised_by(session, ids)
    entries = [
        *_machine_entries(view),
        *_joined_entries(session, view),
        *_conversation_entries(session, view),
        *_human_entries(view.alert),
        *(_delivery_entry(each, summaries, names, translate) for each in deliveries),
    ]
    return sorted(entries, key=lambda entry: entry.at)


def entries_seen(entries: Sequence[TimelineEntry]) -> str:
    """Changes whenever the timeline has to be drawn anew."""
    said = "|".join(f"{each.key}{each.at.timestamp()}" for each in entries)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _machine_entries(view: AlertView) -> Iterator[TimelineEntry]:
    alert, violation = view.alert, view.violation
    started = violation.opened_at if violation else alert.raised_at
    key = "timeline.opened" if violation else "timeline.raised"
    yield TimelineEntry(at=started, key=key, params={}, is_danger=True)
    if violation is not None and violation.siren_latency_s is not None:
        milliseconds = round(violation.siren_latency_s * 1000)
        yield TimelineEntry(
            at=violation.opened_at, key="timeline.siren", params={"milliseconds": milliseconds}
        )
    if alert.cleared_at is not None:
        reason = violation.end_reason if violation else None
        ended = f"timeline.ended.{reason}" if reason else "timeline.ended"
        yield TimelineEntry(at=alert.cleared_at, key=ended, params={})


def _joined_entries(session: Session, view: AlertView) -> Iterator[TimelineEntry]:
    """Alerts of the same situation; or the alert whose conversation this one joined."""
    lead_id = view.alert.lead_id
    if lead_id is not None:
        href = f"/alerts/{lead_id}"
        yield TimelineEntry(at=view.alert.raised_at, key="timeline.joins", params={}, href=href)
    for each in conversations.followers(session, view.alert.id, limit=SHOWN_JOINED):
        yield TimelineEntry(
            at=each.raised_at,
            key="timeline.joined",
            params={},
            is_danger=True,
            href=f"/alerts/{each.id}",
        )


def _conversation_entries(session: Session, view: AlertView) -> Iterator[TimelineEntry]:
    for entry in audit.list_entries(session, subject=view.alert.id, limit=50):
        if entry.action == "alert.snooze":
            params = {"by": entry.actor, "minutes": entry.detail.get("minutes", "")}
            yield TimelineEntry(at=entry.at, key="timeline.snoozed", params=params)
    talk = view.talk
    if talk is not None and talk.end_reason == "exhausted" and talk.ended_at is not None:
        yield TimelineEntry(at=talk.ended_at, key="timeline.exhausted", params={}, is_danger=True)


def _human_entries(alert: Alert) -> Iterator[TimelineEntry]:
    if alert.acknowledged_at is not None:
        by = alert.acknowledged_by or ""
        yield TimelineEntry(
            at=alert.acknowledged_at, key="timeline.acknowledged", params={"by": by}
        )
    if alert.decided_at is not None:
        by = alert.decided_by or ""
        yield TimelineEntry(at=alert.decided_at, key=f"timeline.{alert.state}", params={"by": by})


def _delivery_entry(
    delivery: Delivery,
    summaries: Mapping[str, Delivery],
    names: Mapping[str, str],
    translate: Translate,
) -> TimelineEntry:
    summary = summaries.get(delivery.summary_id or "")
    carrier = summary or delivery
    people = [str(each.get("name", "")) for each in delivery.payload.get("recipients", ())]
    state = f"summarised.{carrier.state}" if summary is not None else delivery.state
    return TimelineEntry(
        at=carrier.delivered_at or delivery.created_at,
        key=f"timeline.delivery.{state}",
        params={
            "channel": names.get(delivery.channel_id, delivery.channel_id),
            "attempts": carrier.attempts,
            "notice": translate(f"timeline.notice.{plain_event(delivery.event)}"),
        },
        people=", ".join(people),
    )
