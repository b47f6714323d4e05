"""What a report counts, added up by the database: a month may hold a million violations."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, extract, func, select
from sqlmodel import Session, col

from safety.store.alerts import AlertState
from safety.store.outbox import DEAD, DELIVERED
from safety.store.tables import Alert, Delivery, ViolationRow
from safety.store.violations import SAME_AS

LATE_S = 60.0
"""A notice that arrives later than this after it was put into the outbox came late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationCount:
    """Violations of one rule that began within the same ten minutes.

    Attributes:
        from_at: Beginning of the ten minutes, UTC.
        shadow: The rule was being tried out and alerted nobody.
    """

    rule_id: str
    rule_kind: str
    zone_id: str | None
    shadow: bool
    from_at: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCounts:
    """What became of the alerts that were raised in a window.

    Attributes:
        acknowledged_s: Seconds until somebody answered, ascending, one for each that was.
    """

    states: Mapping[AlertState, int]
    acknowledged_s: Sequence[float]

    @property
    def raised(self) -> int:
        """All of them."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCounts:
    """What became of the notices of a window; ``late`` are among the ``delivered``."""

    all: int
    delivered: int
    late: int
    given_up: int


def violation_counts(
    session: Session, *, since: datetime, until: datetime
) -> Sequence[ViolationCount]:
    """Violations that began in a window; what two cameras saw of one situation counts once."""
    shadow = ViolationRow.details["shadow"].as_boolean()
    same_as = ViolationRow.details[SAME_AS].as_string()
    bucket = _ten_minutes(session, col(ViolationRow.opened_at))
    columns = col(ViolationRow.rule_id), col(ViolationRow.rule_kind), col(ViolationRow.zone_id)
    query = (
        select(*columns, shadow.label("shadow"), bucket.label("bucket"), func.count())
        .where(
            col(ViolationRow.opened_at) >= since,
            col(ViolationRow.opened_at) < until,
            same_as.is_(None),
        )
        .group_by(*columns, "shadow", "bucket")
    )
    return [
        ViolationCount(
            rule_id=rule_id,
            rule_kind=kind,
            zone_id=zone_id,
            shadow=bool(tried),
            from_at=datetime.strptime(f"{text}0", "%Y-%m-%d %H:%M").replace(tzinfo=UTC),
            count=count,
        )
        for rule_id, kind, zone_id, tried, text, count in session.execute(query)
    ]


def alert_counts(session: Session, *, since: datetime, until: datetime) -> AlertCounts:
    """Alerts of violations that were raised in a window."""
    inside = (
        col(Alert.kind) == "violation",
        col(Alert.raised_at) >= since,
        col(Alert.raised_at) < until,
    )
    state = col(Alert.state)
    states = session.execute(select(state, func.count()).where(*inside).group_by(state))
    waited = _seconds(session, col(Alert.raised_at), col(Alert.acknowledged_at))
    answered = select(waited).where(*inside, col(Alert.acknowledged_at).is_not(None))
    return AlertCounts(
        states={AlertState(name): count for name, count in states},
        acknowledged_s=sorted(max(0.0, float(seconds)) for (seconds,) in session.execute(answered)),
    )


def delivery_counts(session: Session, *, since: datetime, until: datetime) -> DeliveryCounts:
    """Notices that were put into the outbox in a window."""
    inside = col(Delivery.created_at) >= since, col(Delivery.created_at) < until
    waited = _seconds(session, col(Delivery.created_at), col(Delivery.delivered_at))
    state = col(Delivery.state)
    states = session.execute(select(state, func.count()).where(*inside).group_by(state))
    by_state = Counter({row[0]: row[1] for row in states})
    late = select(func.count()).where(*inside, state == DELIVERED, waited > LATE_S)
    return DeliveryCounts(
        all=by_state.total(),
        delivered=by_state[DELIVERED],
        late=session.scalars(late).one(),
        given_up=by_state[DEAD],
    )


def _ten_minutes(session: Session, at: Any) -> ColumnElement[str]:
    """A moment's ``YYYY-MM-DD HH:M``, UTC."""
    if _is_sqlite(session):
        return func.substr(func.strftime("%Y-%m-%d %H:%M", at), 1, 15)
    return func.substr(func.to_char(func.timezone("UTC", at), "YYYY-MM-DD HH24:MI"), 1, 15)


def _seconds(session: Session, start: Any, end: Any) -> ColumnElement[Any]:
    """From one moment to another."""
    if _is_sqlite(session):
        return (func.julianday(end) - func.julianday(start)) * 86_400.0
    return extract("epoch", end - start)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
