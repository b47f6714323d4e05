"""Adds up where people are on the floor: person-seconds and violations by square metre and day.

Kept are sums. Who it was, when within the day, and which way anybody went is forgotten here.
"""

import asyncio
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from safety.clock import Clock
from safety.engine.merging import Merged
from safety.errors import StoreUnavailable
from safety.store import exposure
from safety.store.database import Database
from safety.store.exposure import LEAST_PEOPLE, Amount, Cell
from safety.store.times import utc
from safety.types import Phase, Violation

log = structlog.get_logger(__name__)

SAMPLE_S: Final = 1.0
FLUSH_S: Final = 60.0

LONGEST_S: Final = 3.0
"""A look that comes later than this after the last one counts as no more than this."""

MOST_CELLS: Final = 20_000
"""Cells that wait while the record cannot be reached; a hall of 140 by 140 metres."""

SURE_S: Final = 10.0
"""Somebody on the plan counts as a person of their own from this age on: two cameras that have
not found out yet that they see the same person make two for moments."""

_PERSON = re.compile(r"person-(\d+)")


@dataclass(slots=True)
class _Sum:
    seconds: float = 0.0
    violations: int = 0
    people: int = 0
    seen: set[int] = field(default_factory=set)
    """Who was there on that day, by id on the plan; nobody any more once they are enough."""


class ExposureDesk:
    """Looks at the plan once a second, and writes once a minute.

    Args:
        people: Everybody on the plan now.
        person_of: Camera and track id → who that is on the plan.
        timezone: Of the site; asked anew every time.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        database: Database,
        people: Callable[[], Sequence[Merged]],
        person_of: Callable[[str, int], int | None],
        timezone: Callable[[], str],
    ) -> None:
        self._clock = clock
        self._database = database
        self._people = people
        self._person_of = person_of
        self._timezone = timezone
        self._days: dict[str, dict[Cell, _Sum]] = {}
        self._present: dict[int, tuple[float, float]] = {}
        self._looked: float | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        flushed = self._clock.now().monotonic
        while True:
            self.look()
            now = self._clock.now().monotonic
            if now - flushed >= FLUSH_S:
                flushed = now
                await self.flush()
            await self._clock.sleep_async(SAMPLE_S)

    def look(self) -> None:
        """Count everybody who is on the plan for the time since the last look."""
        now = self._clock.now()
        since = self._looked if self._looked is not None else now.monotonic - SAMPLE_S
        self._looked = now.monotonic
        seconds = min(max(now.monotonic - since, 0.0), LONGEST_S)
        for person in self._people():
            first, _ = self._present.get(person.id, (now.monotonic, 0.0))
            self._present[person.id] = first, now.monotonic
            self._count(person, seconds=seconds, violations=0)

    def violation(self, violation: Violation) -> None:
        """Count a violation where its person stands, if the plan knows; once, when it opens."""
        found = _PERSON.fullmatch(violation.subject)
        if violation.phase is not Phase.OPENED or violation.shadow or found is None:
            return
        person_id = self._person_of(violation.camera_id, int(found[1]))
        person = next((each for each in self._people() if each.id == person_id), None)
        if person is not None:
            self._count(person, seconds=0.0, violations=1)

    async def flush(self) -> None:
        """Write what was added up; what the record does not take waits."""
        waiting = {day: self._taken(cells) for day, cells in self._days.items()}
        try:
            await asyncio.to_thread(self._write, waiting)
        except StoreUnavailable as error:
            log.warning("exposure_waits_for_store", why=str(error))
            self._put_back(waiting)
        except Exception:
            log.exception("exposure_not_written")
        newest = max(self._days, default="")
        # Who was there is remembered as long as the day lasts, to tell people apart.
        self._days = {
            day: cells
            for day, cells in self._days.items()
            if day == newest or any(each.seconds or each.violations for each in cells.values())
        }
        known = {
            who for cells in self._days.values() for each in cells.values() for who in each.seen
        }
        self._present = {
            who: (since, until)
            for who, (since, until) in self._present.items()
            if who in known or until == self._looked
        }

    def _count(self, person: Merged, *, seconds: float, violations: int) -> None:
        today = utc(self._clock.now()).astimezone(ZoneInfo(self._timezone())).date().isoformat()
        cells = self._days.setdefault(today, {})
        cell = math.floor(person.x_m), math.floor(person.y_m)
        if cell not in cells and len(cells) >= MOST_CELLS:
            return
        total = cells.setdefault(cell, _Sum())
        total.seconds += seconds
        total.violations += violations
        if total.people < LEAST_PEOPLE:
            total.seen.add(person.id)

    def _taken(self, cells: dict[Cell, _Sum]) -> dict[Cell, Amount]:
        touched = {cell: each for cell, each in cells.items() if each.seconds or each.violations}
        taken: dict[Cell, Amount] = {}
        for cell, each in touched.items():
            self._tell_apart(each)
            taken[cell] = Amount(
                person_seconds=each.seconds, people=each.people, violations=each.violations
            )
            each.seconds, each.violations = 0.0, 0
        return taken

    def _tell_apart(self, cell: _Sum) -> None:
        """How many of those who were in a cell that day are surely not the same person.

        A track that breaks makes a new one, but never one at the same time: people who were on
        the plan at the same moment, wherever, are different ones.
        """
        if cell.people >= LEAST_PEOPLE:
            return
        present = (self._present[who] for who in cell.seen if who in self._present)
        cell.people = min(most_at_once(present), LEAST_PEOPLE)
        if cell.people >= LEAST_PEOPLE:
            cell.seen.clear()

    def _put_back(self, waiting: dict[str, dict[Cell, Amount]]) -> None:
        for day, amounts in waiting.items():
            for cell, amount in amounts.items():
                total = self._days[day][cell]
                total.seconds += amount.person_seconds
                total.violations += amount.violations

    def _write(self, waiting: dict[str, dict[Cell, Amount]]) -> None:
        if not any(waiting.values()):
            return
        with self._database.transaction() as session:
            for day, amounts in waiting.items():
                exposure.add(session, day, amounts)


def most_at_once(present: Iterable[tuple[float, float]]) -> int:
    """How many were on the plan at the same moment at the most.

    Args:
        present: Since when and until when each was, monotonic seconds.
    """
    moves = [
        (at, step)
        for since, until in present
        if until - since > SURE_S
        for at, step in ((since + SURE_S, 1), (until, -1))
    ]
    most = now = 0
    for _, step in sorted(moves):
        now += step
        most = max(most, now)
    return most
