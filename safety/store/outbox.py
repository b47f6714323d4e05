"""The outbox: what still has to be told to which channel, and what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from safety.store import audit
from safety.store.refusals import Conflict, NotFound
from safety.store.tables import Alert, Delivery
from safety.store.upsert import adopt, insert_new

PENDING, DELIVERED, DEAD = "pending", "delivered", "dead"

SUMMARISED = "summarised"
"""Told together with others by the delivery that ``summary_id`` names."""

LONGEST_WAIT = timedelta(minutes=15)
"""Nothing waits longer for its next attempt; a longer wait means the clock was set back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What one channel still has to be told.

    Attributes:
        waiting: Deliveries that are pending.
        oldest_at: When the oldest of them was put into the outbox.
        dead: Deliveries that were given up.
    """

    waiting: int = 0
    oldest_at: datetime | None = None
    dead: int = 0


def enqueue(
    session: Session,
    alert: Alert,
    event: str,
    channel_ids: Iterable[str],
    payload: Mapping[str, Any],
    now: datetime,
    deadline: datetime,
) -> list[Delivery]:
    """Put one event of an alert into the outbox, once per channel however often it is called.

    Args:
        session: The transaction that also changes the alert.
        alert: Whose event it is.
        event: ``raised``, ``acknowledged``, ``cleared`` …; with a number if it comes again.
        channel_ids: Channels to tell.
        payload: What to tell them, JSON types.
        now: UTC; it is due at once.
        deadline: UTC; given up after that.

    Returns:
        The deliveries that were not in the outbox before.
    """
    added = []
    for channel_id in channel_ids:
        row = Delivery(
            id=uuid4().hex,
            alert_id=alert.id,
            channel_id=channel_id,
            event=event,
            payload=dict(payload),
            state=PENDING,
            created_at=now,
            next_attempt_at=now,
            deadline_at=deadline,
        )
        if insert_new(session, row):
            adopt(session, row)
            added.append(row)
    return added


def due(
    session: Session, now: datetime, limit: int, *, channel_id: str | None = None
) -> Sequence[Delivery]:
    """Pending deliveries whose next attempt has come, longest due first.

    Args:
        session: A session.
        now: UTC.
        limit: How many at most.
        channel_id: Only this channel's. Ask per channel where a channel with many waiting
            deliveries must not hide those of the others.
    """
    query = select(Delivery).where(
        Delivery.state == PENDING,
        or_(
            col(Delivery.next_attempt_at) <= now,
            col(Delivery.next_attempt_at) > now + LONGEST_WAIT,
        ),
    )
    if channel_id is not None:
        query = query.where(Delivery.channel_id == channel_id)
    longest_due = col(Delivery.next_attempt_at), col(Delivery.created_at), col(Delivery.id)
    return session.exec(query.order_by(*longest_due).limit(limit)).all()


def fold(
    session: Session, deliveries: Sequence[Delivery], payload: Mapping[str, Any], now: datetime
) -> Delivery:
    """Tell several deliveries of one channel by one: they are summarised, none is lost.

    Args:
        session: The open transaction.
        deliveries: Pending ones; the summary goes under the alert of the first.
        payload: What the summary says, every one of them included.
        now: UTC; the summary is due at once.
    """
    first, summary_id = deliveries[0], uuid4().hex
    summary = Delivery(
        id=summary_id,
        alert_id=first.alert_id,
        channel_id=first.channel_id,
        event=f"summary:{summary_id[:12]}",
        payload=dict(payload),
        state=PENDING,
        created_at=now,
        next_attempt_at=now,
        deadline_at=max(each.deadline_at for each in deliveries),
    )
    session.add(summary)
    session.flush()
    ids = [each.id for each in deliveries]
    rows = select(Delivery).where(col(Delivery.id).in_(ids), Delivery.state == PENDING)
    for row in session.exec(rows.order_by(Delivery.id).with_for_update()):
        row.state, row.summary_id = SUMMARISED, summary_id
    session.flush()
    return summary


def summarised_by(session: Session, summary_ids: Iterable[str]) -> dict[str, Delivery]:
    """Summaries by their id."""
    query = select(Delivery).where(col(Delivery.id).in_(list(summary_ids)))
    return {row.id: row for row in session.exec(query)}


def delivered(session: Session, delivery_id: str, *, at: datetime) -> Delivery:
    """The channel confirmed it; repeating this changes nothing.

    Raises:
        NotFound: There is no such delivery.
    """
    row = _locked(session, delivery_id)
    if row.state != DELIVERED:
        row.state, row.delivered_at, row.last_error = DELIVERED, at, None
        row.attempts += 1
        session.flush()
    return row


def failed(session: Session, delivery_id: str, *, error: str, retry_at: datetime) -> Delivery:
    """An attempt failed; the next one is at ``retry_at``, at most ``LONGEST_WAIT`` from now.

    Raises:
        NotFound: There is no such delivery.
    """
    row = _locked(session, delivery_id)
    if row.state == PENDING:
        row.attempts += 1
        row.last_error, row.next_attempt_at = error, retry_at
        session.flush()
    return row


def dead(session: Session, delivery_id: str, *, error: str, attempted: bool = True) -> Delivery:
    """Give it up; it stays visible and can be retried by hand.

    Args:
        session: The open transaction.
        delivery_id: Which one.
        error: Why, for people; no secrets.
        attempted: Whether this follows an attempt, or only the deadline passed.

    Raises:
        NotFound: There is no such delivery.
    """
    row = _locked(session, delivery_id)
    if row.state == PENDING:
        row.state, row.last_error = DEAD, error
        row.attempts += int(attempted)
        session.flush()
    return row


def retry(
    session: Session, delivery_id: str, *, by: str, now: datetime, deadline: datetime
) -> Delivery:
    """Somebody asks for another try of a delivery that was given up.

    Raises:
        NotFound: There is no such delivery.
        Conflict: It was not given up.
    """
    row = _locked(session, delivery_id)
    if row.state != DEAD:
        raise Conflict(
            "delivery.not_dead",
            "only a delivery that was given up can be retried; this one is {state}",
            state=row.state,
        )
    row.state, row.next_attempt_at, row.deadline_at = PENDING, now, deadline
    session.flush()
    audit.record(session, actor=by, action="delivery.retry", subject=delivery_id, at=now)
    return row


def get(session: Session, delivery_id: str) -> Delivery:
    """One delivery.

    Raises:
        NotFound: There is none.
    """
    row = session.get(Delivery, delivery_id)
    if row is None:
        raise NotFound("delivery", delivery_id)
    return row


def of_alert(session: Session, alert_id: str) -> Sequence[Delivery]:
    """All deliveries of one alert, in the order they were made."""
    query = select(Delivery).where(Delivery.alert_id == alert_id)
    in_order = col(Delivery.created_at), col(Delivery.channel_id), col(Delivery.id)
    return session.exec(query.order_by(*in_order)).all()


def of_channel(
    session: Session, channel_id: str, *, state: str | None = None, limit: int = 20
) -> Sequence[Delivery]:
    """A channel's newest deliveries, newest first."""
    query = select(Delivery).where(Delivery.channel_id == channel_id)
    if state is not None:
        query = query.where(Delivery.state == state)
    newest_first = col(Delivery.created_at).desc(), col(Delivery.id).desc()
    return session.exec(query.order_by(*newest_first).limit(limit)).all()


def backlog(session: Session) -> dict[str, Backlog]:
    """What waits and what was given up, by channel id; channels without either are absent."""
    query = (
        select(Delivery.channel_id, Delivery.state, func.count(), func.min(Delivery.created_at))
        .where(col(Delivery.state).in_((PENDING, DEAD)))
        .group_by(Delivery.channel_id, Delivery.state)
    )
    found: dict[str, Backlog] = {}
    for channel_id, state, number, oldest_at in session.exec(query):
        known = found.get(channel_id, Backlog())
        found[channel_id] = (
            Backlog(waiting=number, oldest_at=oldest_at, dead=known.dead)
            if state == PENDING
            else Backlog(waiting=known.waiting, oldest_at=known.oldest_at, dead=number)
        )
    return found


def _locked(session: Session, delivery_id: str) -> Delivery:
    row = session.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("delivery", delivery_id)
    return row
