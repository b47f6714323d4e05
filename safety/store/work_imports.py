"""Files of hours worked: compared with the record first, taken over when somebody has seen it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session

from safety.errors import AnjeonError
from safety.incidents.hours_files import HoursFile, HoursLine, HoursProblem
from safety.months import checked_month
from safety.store import work_months
from safety.store.kpi_tables import WorkMonth

Fate = Literal["new", "same", "differs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One usable line of a file beside the record.

    Attributes:
        known: What is on record for this month and group.
    """

    line: HoursLine
    known: WorkMonth | None

    @property
    def fate(self) -> Fate:
        """``new``, ``same`` as on record, or ``differs`` from it."""
        if self.known is None:
            return "new"
        said = (self.line.hours, self.line.headcount)
        return "same" if said == (self.known.hours, self.known.headcount) else "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A whole file beside the record."""

    lines: Sequence[Compared]
    problems: Sequence[HoursProblem]

    def count(self, fate: Fate) -> int:
        """How many lines are so."""
        return sum(each.fate == fate for each in self.lines)


def compare(session: Session, found: HoursFile, *, at: datetime) -> Comparison:
    """What taking over a file would do; nothing is written.

    Args:
        session: A session.
        found: What is in the file.
        at: Now; a month that has not begun is refused.
    """
    known = {(row.month, row.worker_group): row for row in work_months.list_months(session)}
    lines: list[Compared] = []
    problems = list(found.problems)
    for line in found.lines:
        try:
            checked_month(line.month)
            work_months.check(line.month, line.group, line.hours, line.headcount, at)
        except AnjeonError as error:
            problems.append(HoursProblem(line=line.number, column="", error=error))
        else:
            lines.append(Compared(line=line, known=known.get((line.month, line.group))))
    return Comparison(lines=lines, problems=sorted(problems, key=lambda each: each.line))


def apply(session: Session, compared: Comparison, *, replace: bool, by: str, at: datetime) -> int:
    """Enter what is new, and with ``replace`` also what differs; returns how many months changed.

    Raises:
        Conflict: A month was changed since it was compared.
    """
    wanted = {"new", "differs"} if replace else {"new"}
    chosen = [each for each in compared.lines if each.fate in wanted]
    for each in chosen:
        work_months.put(
            session,
            month=each.line.month,
            group=each.line.group,
            hours=each.line.hours,
            headcount=each.line.headcount,
            source="import",
            by=by,
            at=at,
            expected_version=0 if each.known is None else each.known.version,
        )
    return len(chosen)
