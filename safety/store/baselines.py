"""The baseline of the 20 % target: registered once, changed only in the open."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from safety.months import checked_month, months_from, shifted
from safety.store import audit
from safety.store.kpi_tables import Baseline
from safety.store.refusals import Invalid

LEAST_MONTHS = 12
"""A shorter window would compare summers with winters."""

MOST_MONTHS = 60
_SHORTEST_REASON = 10


def register(
    session: Session,
    *,
    first_month: str,
    last_month: str,
    programme_start: str,
    groups: str,
    by: str,
    at: datetime,
    reason: str = "",
) -> Baseline:
    """Register the baseline, or change it; a change needs a reason and is printed on reports.

    Raises:
        MonthFault: No month.
        Invalid: The window is too short, too long, overlaps the programme or lies ahead, or a
            change has no reason.
    """
    first, last = checked_month(first_month), checked_month(last_month)
    start = checked_month(programme_start)
    _check_window(first, last, start, f"{at.year:04d}-{at.month:02d}")
    if groups not in {"own", "all"}:
        raise Invalid("baseline.groups", "count own workers, or all of them")
    known, reason = newest(session), reason.strip()
    if known is not None and _same(known, first, last, start, groups):
        return known
    if known is not None and len(reason) < _SHORTEST_REASON:
        raise Invalid(
            "baseline.reason",
            "say in at least {least} characters why the registered baseline is changed; every"
            " report will print it",
            least=str(_SHORTEST_REASON),
        )
    row = Baseline(
        first_month=first,
        last_month=last,
        programme_start=start,
        groups=groups,
        reason=reason if known is not None else "",
        registered_at=at,
        registered_by=by,
    )
    session.add(row)
    session.flush()
    detail = {"first": first, "last": last, "start": start, "groups": groups, "reason": reason}
    action = "baseline.register" if known is None else "baseline.change"
    audit.record(session, actor=by, action=action, subject=str(row.id), at=at, detail=detail)
    return row


def newest(session: Session) -> Baseline | None:
    """The one that counts; None: not registered yet."""
    return session.exec(select(Baseline).order_by(col(Baseline.id).desc()).limit(1)).first()


def history(session: Session) -> Sequence[Baseline]:
    """All that were ever registered, oldest first."""
    return session.exec(select(Baseline).order_by(col(Baseline.id))).all()


def _check_window(first: str, last: str, start: str, present: str) -> None:
    months = len(months_from(first, last))
    if not LEAST_MONTHS <= months <= MOST_MONTHS:
        raise Invalid(
            "baseline.length",
            "the baseline from {first} to {last} has {months} months; it must have {least} to"
            " {most}",
            first=first,
            last=last,
            months=str(months),
            least=str(LEAST_MONTHS),
            most=str(MOST_MONTHS),
        )
    if start <= last:
        raise Invalid(
            "baseline.overlap",
            "the programme starts in {start}, inside the baseline; it can start in {next} at the"
            " earliest",
            start=start,
            next=shifted(last, 1),
        )
    if last >= present:
        raise Invalid("baseline.future", "the baseline must be over; {last} is not", last=last)


def _same(known: Baseline, first: str, last: str, start: str, groups: str) -> bool:
    return (known.first_month, known.last_month, known.programme_start, known.groups) == (
        first,
        last,
        start,
        groups,
    )
