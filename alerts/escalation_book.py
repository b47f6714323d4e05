"""Which conversations are due, however the clock on the wall is set meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from safety.clock import Instant
from safety.store.conversations import AT_ONCE, Waiting
from safety.store.times import utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A conversation to be looked at.

    Attributes:
        logical: The time by which its ladder counts.
        snoozed: Whether the ladder is to wait.
    """

    lead_id: str
    logical: datetime
    snoozed: bool = False


@dataclass(slots=True)
class _Seen:
    offset_s: float
    snoozed_until: datetime | None = None
    snooze_ends: float = 0.0


class EscalationBook:
    """Keeps every waiting conversation's own time.

    When a conversation is first seen, its time is the wall clock's; from then on it goes on with
    the monotonic clock. So a clock that is set forwards wakes nobody early, one that is set back
    delays nobody, and after a restart everything is due that became due meanwhile.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def due(self, waiting: Iterable[Waiting], now: Instant) -> list[Due]:
        """Those that are due now; what is not among ``waiting`` is forgotten."""
        rows = list(waiting)
        self._seen = {row.alert_id: self._entry(row, now) for row in rows}
        found = []
        for row in rows:
            seen = self._seen[row.alert_id]
            logical = now.monotonic - seen.offset_s
            if row.next_at == AT_ONCE or row.next_at.timestamp() <= logical:
                snoozed = self._is_snoozed(row, seen, now)
                found.append(Due(lead_id=row.alert_id, logical=utc(logical), snoozed=snoozed))
        return found

    def _entry(self, row: Waiting, now: Instant) -> _Seen:
        known = self._seen.get(row.alert_id)
        if known is not None:
            return known
        # A conversation that begins in the future was begun before the clock was set back.
        wall = max(now.wall, row.started_at.timestamp())
        return _Seen(offset_s=now.monotonic - wall)

    def _is_snoozed(self, row: Waiting, seen: _Seen, now: Instant) -> bool:
        """Until its time by the wall clock, or as many seconds as it had left when first seen."""
        if row.snoozed_until is None:
            return False
        until = row.snoozed_until.timestamp()
        if seen.snoozed_until != row.snoozed_until:
            seen.snoozed_until = row.snoozed_until
            seen.snooze_ends = now.monotonic + until - now.wall
        return now.wall < until and now.monotonic < seen.snooze_ends
