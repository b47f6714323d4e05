"""Conversations: what people have been told of a situation, and what is still to be told.

Who locks, locks the leading alert first and its conversation after it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, func, or_, update
from sqlalchemy import select as select_columns
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from safety.store import audit
from safety.store.policy_tables import Conversation
from safety.store.refusals import Conflict, Invalid
from safety.store.tables import Alert
from safety.store.upsert import table_of

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""``next_at`` of a conversation that has to be looked at now, whatever the clock says."""

LONGEST_SNOOZE = timedelta(hours=1)

_LOCKED = "anjeon_locked_conversations"

_ALERT = table_of(Alert)
_TABLE = table_of(Conversation)

# Asked for every violation: making a statement takes longer than carrying it out.
_NEWEST = (
    select_columns(_TABLE.c.alert_id)
    .where(_TABLE.c.key == bindparam("key"))
    .order_by(_TABLE.c.started_at.desc())
    .limit(1)
)
_JOINING = (
    update(_ALERT)
    .where(_ALERT.c.id == bindparam("key"))
    .values(lead_id=bindparam("lead"), leads=False)
)
_OF_LEAD = or_(_ALERT.c.id == bindparam("lead"), _ALERT.c.lead_id == bindparam("lead"))
_LASTS = select_columns(_ALERT.c.id).where(_OF_LEAD, _ALERT.c.cleared_at.is_(None)).limit(1)
_LOCKING = (
    select(Alert, Conversation)
    .join(Conversation, _TABLE.c.alert_id == _ALERT.c.id)
    .where(_ALERT.c.id == bindparam("lead"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_WAITING = (
    select_columns(_TABLE.c.alert_id, _TABLE.c.started_at, _TABLE.c.next_at, _TABLE.c.snoozed_until)
    .where(_TABLE.c.next_at.is_not(None))
    .order_by(_TABLE.c.next_at)
    .limit(bindparam("most"))
)
_UNANSWERED = select_columns(func.count(), func.min(_ALERT.c.raised_at)).where(
    _ALERT.c.state == "raised", _ALERT.c.leads.is_(True)
)
_REPEATS = (
    select_columns(_ALERT.c.id)
    .where(
        _OF_LEAD,
        _ALERT.c.rule_id == bindparam("rule"),
        _ALERT.c.subject == bindparam("subject"),
        func.coalesce(_ALERT.c.cleared_at, _ALERT.c.raised_at) >= bindparam("since"),
    )
    .limit(1)
)


def new(lead: Alert, *, key: str, at: datetime) -> Conversation:
    """A conversation that this alert leads; ``save`` it once its first step is taken."""
    return Conversation(
        alert_id=lead.id,
        key=key,
        severity=lead.severity,
        started_at=at,
        last_at=lead.raised_at,
        told_at=at,
    )


def save(session: Session, row: Conversation) -> None:
    """Put a new conversation on record."""
    session.add(row)
    session.flush()


def newest(session: Session, key: str) -> str | None:
    """Who leads the newest conversation about the same place and kind, over or not."""
    return session.connection().execute(_NEWEST, {"key": key}).scalar()


def locked(session: Session, lead_id: str) -> tuple[Alert, Conversation] | None:
    """A leading alert and its conversation, kept from others until the transaction ends.

    Asking again in the same transaction gives the same two: nobody else can have changed them.
    What is changed in them is written when the transaction ends, however often it is changed.
    """
    known: dict[str, tuple[Alert, Conversation]] = session.info.setdefault(_LOCKED, {})
    if lead_id not in known:
        with session.no_autoflush:
            found = session.exec(_LOCKING, params={"lead": lead_id}).first()
        if found is None:
            return None
        known[lead_id] = found[0], found[1]
    return known[lead_id]


def join(session: Session, row: Conversation, alert: Alert) -> None:
    """One more alert of the same situation, of which people have to hear with the next update."""
    session.connection().execute(_JOINING, {"key": alert.id, "lead": row.alert_id})
    set_committed_value(alert, "lead_id", row.alert_id)
    set_committed_value(alert, "leads", False)
    row.members += 1
    row.last_at = max(row.last_at, alert.raised_at)
    if alert.cleared_at is None:
        row.over_at, row.over_told = None, True
    row.untold = [*row.untold, alert.id]


def resume(session: Session, row: Conversation) -> None:
    """An alert of this conversation lasts again; what ended with the situation goes on."""
    row.over_at, row.over_told = None, True
    if row.end_reason == "over":
        row.ended_at = row.end_reason = None
    session.flush()


def is_over(session: Session, lead_id: str) -> bool:
    """Whether no alert of this conversation lasts."""
    return session.connection().execute(_LASTS, {"lead": lead_id}).first() is None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has to be known of a conversation to tell when it is due."""

    alert_id: str
    started_at: datetime
    next_at: datetime
    snoozed_until: datetime | None


def waiting(session: Session, *, limit: int = 2000) -> Sequence[Waiting]:
    """Conversations that will have to be looked at some time, soonest first."""
    rows = session.connection().execute(_WAITING, {"most": limit})
    return [Waiting(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """How many alerts that lead a conversation wait for people, and since when the first does."""

    number: int = 0
    oldest_at: datetime | None = None


def count_unanswered(session: Session) -> Unanswered:
    """What nobody has acknowledged or judged."""
    return Unanswered(*session.connection().execute(_UNANSWERED).one())


def look_at_once(session: Session, lead_ids: Collection[str]) -> None:
    """Somebody has answered these alerts: whoever carries out the policy has to know."""
    query = select(Conversation).where(col(Conversation.alert_id).in_(lead_ids))
    for row in session.exec(query.with_for_update().execution_options(populate_existing=True)):
        row.next_at = AT_ONCE
    session.flush()


def of_alerts(session: Session, lead_ids: Collection[str]) -> Mapping[str, Conversation]:
    """Conversations by the id of the alert that leads them."""
    query = select(Conversation).where(col(Conversation.alert_id).in_(lead_ids))
    return {row.alert_id: row for row in session.exec(query)}


def followers(session: Session, lead_id: str, *, limit: int = 100) -> Sequence[Alert]:
    """Alerts that joined this conversation, oldest first."""
    query = select(Alert).where(Alert.lead_id == lead_id)
    return session.exec(query.order_by(col(Alert.raised_at), col(Alert.id)).limit(limit)).all()


def unanswered(session: Session, *, limit: int = 20) -> Sequence[Alert]:
    """Alerts of which everybody was told and which nobody has answered, newest first."""
    query = (
        select(Alert)
        .join(Conversation, col(Conversation.alert_id) == Alert.id)
        .where(Alert.state == "raised", Conversation.end_reason == "exhausted")
    )
    return session.exec(query.order_by(col(Alert.raised_at).desc()).limit(limit)).all()


def repeats(session: Session, alert: Alert, lead_id: str, *, since: datetime) -> bool:
    """Whether an alert of this conversation, over no earlier than ``since``, had the same subject.

    The same rule and the same subject, that is: one person at two machines is two dangers.
    """
    if alert.rule_id is None or alert.subject is None:
        return False
    values = {"lead": lead_id, "rule": alert.rule_id, "subject": alert.subject, "since": since}
    return session.connection().execute(_REPEATS, values).first() is not None


def snooze(session: Session, lead_id: str, *, minutes: int, by: str, at: datetime) -> Conversation:
    """Take no further step of this ladder for some minutes; sirens and new alerts go on.

    Raises:
        Invalid: Not between a minute and ``LONGEST_SNOOZE``.
        Conflict: The ladder has ended.
    """
    if not timedelta(minutes=1) <= timedelta(minutes=minutes) <= LONGEST_SNOOZE:
        raise Invalid("alert.snooze_length", "reminders can wait 1 to 60 minutes, not longer")
    found = locked(session, lead_id)
    goes_on = found is not None and found[0].state == "raised" and found[1].ended_at is None
    if found is None or not goes_on or found[1].next_at is None:
        raise Conflict("alert.no_ladder", "nobody else would be told of this alert anyway")
    row = found[1]
    row.snoozed_until, row.snoozed_by = at + timedelta(minutes=minutes), by
    row.next_at = AT_ONCE
    session.flush()
    detail = {"minutes": minutes}
    audit.record(session, actor=by, action="alert.snooze", subject=lead_id, at=at, detail=detail)
    return row
