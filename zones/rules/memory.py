"""What a rule remembers of each person, across broken tracks."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from safety.types import FloatArray
from zones.people import People, Subject
from zones.rules.continuity import Lost, find_successors

T = TypeVar("T")


@dataclass(slots=True)
class _Kept(Generic[T]):
    value: T
    seen_at: float
    box: FloatArray


class Memory(Generic[T]):
    """Something about everybody; who continues a broken track inherits it.

    Args:
        keep_s: Seconds for which it is kept of somebody who is not seen.
    """

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._kept: dict[int, _Kept[T]] = {}

    def meet(self, people: People) -> None:
        """Take a frame, before anything is asked: successors inherit, the rest is forgotten."""
        now, subjects = people.at.monotonic, people.subjects
        for key in [k for k, kept in self._kept.items() if now - kept.seen_at > self._keep_s]:
            del self._kept[key]
        if self._kept.keys() <= subjects.keys():
            return
        lost = {
            key: Lost(seen_at=kept.seen_at, box=kept.box, partner="")
            for key, kept in self._kept.items()
            if key not in subjects
        }
        new = {key: each for key, each in subjects.items() if key not in self._kept}
        for old, heir in find_successors(lost, new, now=now, aspect=people.aspect):
            self._kept[heir] = self._kept.pop(old)

    def get(self, track_id: int) -> T | None:
        """What is remembered of somebody."""
        kept = self._kept.get(track_id)
        return None if kept is None else kept.value

    def see(self, track_id: int, subject: Subject, now: float) -> T | None:
        """What is remembered of somebody whom the frame at ``now`` shows, and still will be."""
        kept = self._kept.get(track_id)
        if kept is None:
            return None
        assert subject.box is not None, "persons have boxes"
        kept.seen_at, kept.box = now, subject.box
        return kept.value

    def exchange(self, one: int, other: int) -> None:
        """Two persons have exchanged their track ids."""
        values = {key: self._kept.pop(key) for key in (one, other) if key in self._kept}
        self._kept |= {other if key == one else one: kept for key, kept in values.items()}

    def put(self, track_id: int, value: T, subject: Subject, now: float) -> None:
        """Remember this of somebody whom the frame at ``now`` shows."""
        assert subject.box is not None, "persons have boxes"
        kept = self._kept.get(track_id)
        if kept is None:
            self._kept[track_id] = _Kept(value, now, subject.box)
        else:
            kept.value, kept.seen_at, kept.box = value, now, subject.box

    def drop(self, track_id: int) -> None:
        """Forget somebody, if anything is remembered of them."""
        self._kept.pop(track_id, None)

    def items(self) -> list[tuple[int, T]]:
        """What is remembered of everybody, those who are not seen too, with their track ids."""
        return [(track_id, kept.value) for track_id, kept in self._kept.items()]

    def clear(self) -> None:
        """Forget everybody."""
        self._kept.clear()
