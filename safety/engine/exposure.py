"""Adds up where people are on the floor: person-seconds and violations by square metre and day.

Kept are sums. Who it was, when within the day, and which way anybody went is forgotten here.
"""

import asyncio
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from safety.clock import Clock
from safety.engine.merging import Merged
from safety.errors import StoreUnavailable
from safety.store import exposure
from safety.store.database import Database
from safety.store.exposure import Amount, Cell
from safety.store.times import utc
from safety.types import Phase, Violation

log = structlog.get_logger(__name__)

SAMPLE_S: Final = 1.0
FLUSH_S: Final = 60.0

LONGEST_S: Final = 3.0
"""A look that comes later than this after the last one counts as no more than this."""

MOST_CELLS: Final = 20_000
"""Cells that wait while the record cannot be reached; a hall of 140 by 140 metres."""

_PERSON = re.compile(r"person-(\d+)")


@dataclass(slots=True)
class _Sum:
    seconds: float = 0.0
    new: int = 0
    violations: int = 0
    seen: set[int] = field(default_factory=set)


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
        # Who was there is remembered as long as the day lasts, so that nobody counts twice.
        self._days = {
            day: cells
            for day, cells in self._days.items()
            if day == newest or any(each.seconds or each.violations for each in cells.values())
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
        if person.id not in total.seen:
            total.seen.add(person.id)
            total.new += 1

    def _taken(self, cells: dict[Cell, _Sum]) -> dict[Cell, Amount]:
        taken = {
            cell: Amount(person_seconds=each.seconds, tracks=each.new, violations=each.violations)
            for cell, each in cells.items()
            if each.seconds or each.violations
        }
        for each in cells.values():
            each.seconds, each.new, each.violations = 0.0, 0, 0
        return taken

    def _put_back(self, waiting: dict[str, dict[Cell, Amount]]) -> None:
        for day, amounts in waiting.items():
            for cell, amount in amounts.items():
                total = self._days[day][cell]
                total.seconds += amount.person_seconds
                total.new += amount.tracks
                total.violations += amount.violations

    def _write(self, waiting: dict[str, dict[Cell, Amount]]) -> None:
        if not any(waiting.values()):
            return
        with self._database.transaction() as session:
            for day, amounts in waiting.items():
                exposure.add(session, day, amounts)
