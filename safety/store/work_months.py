"""Hours worked and headcount by month: every rate's denominator."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from sqlmodel import Session, col, select

from safety.months import checked_month
from safety.store import audit
from safety.store.kpi_tables import WorkMonth
from safety.store.refusals import Conflict, Invalid

Group = Literal["own", "contractor"]
GROUPS: tuple[Group, ...] = get_args(Group)

MOST_HOURS_EACH = 744
"""Hours of the longest month: nobody works more."""

_MOST_PEOPLE = 1_000_000


def put(
    session: Session,
    *,
    month: str,
    group: str,
    hours: float,
    headcount: int,
    source: str,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> WorkMonth:
    """Enter a month, or correct it; what it was before stays in the audit trail.

    Raises:
        MonthFault: No month.
        Invalid: Hours or headcount cannot be right.
        Conflict: Somebody else has corrected it in the meantime.
    """
    month = checked_month(month)
    check(month, group, hours, headcount, at)
    row = session.get(WorkMonth, (month, group), with_for_update=True, populate_existing=True)
    before = None if row is None else _facts(row)
    if row is None:
        row = WorkMonth(
            month=month,
            worker_group=group,
            hours=hours,
            headcount=headcount,
            source=source,
            changed_at=at,
            changed_by=by,
        )
    else:
        if expected_version not in {None, row.version}:
            raise Conflict(
                "work_month.changed",
                "the hours of {month} were changed in the meantime (by {by}); look at them again",
                month=month,
                by=row.changed_by,
            )
        if (row.hours, row.headcount) == (hours, headcount):
            return row
        row.hours, row.headcount, row.source = hours, headcount, source
        row.changed_at, row.changed_by = at, by
        row.version += 1
    session.add(row)
    session.flush()
    detail = {"before": before, "after": _facts(row)}
    subject = f"{month} {group}"
    audit.record(session, actor=by, action="work_month.put", subject=subject, at=at, detail=detail)
    return row


def list_months(
    session: Session, *, first: str | None = None, last: str | None = None
) -> Sequence[WorkMonth]:
    """Entered months, oldest first; both ends included."""
    query = select(WorkMonth)
    if first is not None:
        query = query.where(WorkMonth.month >= first)
    if last is not None:
        query = query.where(WorkMonth.month <= last)
    return session.exec(query.order_by(col(WorkMonth.month), col(WorkMonth.worker_group))).all()


def check(month: str, group: str, hours: float, headcount: int, at: datetime) -> None:
    """Refuse what cannot be right.

    Raises:
        Invalid: Hours, headcount or group cannot be, or the month has not begun.
    """
    if group not in GROUPS:
        raise Invalid("work_month.group", "the group must be own or contractor")
    if not 0 <= headcount <= _MOST_PEOPLE:
        raise Invalid(
            "work_month.headcount",
            "the headcount of {month} must be between 0 and 1,000,000",
            month=month,
        )
    if not math.isfinite(hours) or hours < 0:
        raise Invalid(
            "work_month.hours", "the hours of {month} must be a number, 0 or more", month=month
        )
    if hours > headcount * MOST_HOURS_EACH:
        raise Invalid(
            "work_month.too_many",
            "{hours} hours in {month} are more than {people} people can work in a month; check"
            " both numbers",
            hours=f"{hours:g}",
            month=month,
            people=str(headcount),
        )
    if month > f"{at.year:04d}-{at.month:02d}":
        raise Invalid("work_month.future", "{month} has not begun yet", month=month)


def _facts(row: WorkMonth) -> dict[str, Any]:
    return {"hours": row.hours, "headcount": row.headcount, "source": row.source}
