"""Which zones are muted now, as the record says and for as long as it said at most."""

from collections.abc import Iterable
from dataclasses import dataclass

from safety.clock import Instant
from safety.store.tables import Mute


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    zone_id: str
    ends_wall: float
    ends_monotonic: float


class MuteBook:
    """Keeps mutes between two looks at the record.

    A mute ends at its time by the wall clock or after as many seconds as it had left when it was
    first seen, whichever comes first: a clock that is set back lengthens none. While the record
    cannot be read, those that are known run out, and none is added.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def read(self, mutes: Iterable[Mute], now: Instant) -> None:
        """Take what the record says now; what it does not name is over."""
        self._known = {mute.id: self._entry(mute, now) for mute in mutes}

    def zones(self, now: Instant) -> frozenset[str]:
        """Zones that are muted at ``now``."""
        return frozenset(
            each.zone_id
            for each in self._known.values()
            if now.wall < each.ends_wall and now.monotonic < each.ends_monotonic
        )

    def _entry(self, mute: Mute, now: Instant) -> _Known:
        ends_wall = mute.ends_at.timestamp()
        ends_monotonic = now.monotonic + ends_wall - now.wall
        known = self._known.get(mute.id)
        if known is not None:
            ends_monotonic = min(ends_monotonic, known.ends_monotonic)
        return _Known(zone_id=mute.zone_id, ends_wall=ends_wall, ends_monotonic=ends_monotonic)
