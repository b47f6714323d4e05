"""What the persons of one camera wear: whom to look at next, and what the looks have told."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from safety.clock import Instant
from safety.perception.ppe import Crop, crop_of
from safety.perception.ppe_binding import Evidence
from safety.perception.ppe_body import judgeable
from safety.perception.ppe_vote import VALID_S, Vote
from safety.types import Frame, Picture, PpeItem, PpeState, TrackedPerson

LOOK_EVERY_S = 0.5
"""Seconds between two looks at the same person."""

CROPS_PER_S = 20.0
"""Crops cut out at the most: ten persons get all their looks, however many frames that takes.
With more of them, each is looked at less often, who waited longest first."""

MOST_CROPS = 8
"""Crops cut out of one frame at the most, however long ago the last look was."""

_ROUNDING = 1e-3

_JITTER_S = 0.02
"""So much earlier a look may come: frames do not come at round times."""

_LONGEST_STEP_S = 1.0
"""A camera that was blind for longer did not see anybody meanwhile."""

Wanted = Mapping[int, frozenset[PpeItem]]
"""Whom the rules want looked at, by track id, and for what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at some persons in one frame: all that the network's thread needs.

    Attributes:
        at: When the frame was captured, monotonic seconds.
        width_px, height_px: Size of the picture that is looked at or that the crops are of.
        persons: Everybody in the frame.
        looked_at: Track ids of those whom the look is about.
        items: What is looked for.
        pictures: What the network is given.
        crops: Where each picture lies in the whole; None: there is one, and it is the whole.
    """

    at: float
    width_px: int
    height_px: int
    persons: tuple[TrackedPerson, ...]
    looked_at: frozenset[int]
    items: frozenset[PpeItem]
    pictures: tuple[Picture, ...]
    crops: tuple[Crop, ...] | None


Answer = Mapping[int, Mapping[PpeItem, Evidence]]
"""What a look told, by track id and item."""


@dataclass(slots=True)
class _Known:
    """What is known of one person; times in monotonic seconds."""

    seen_at: float
    looked_at: float = float("-inf")
    votes: dict[PpeItem, Vote] = field(default_factory=dict)


class PpeWatch:
    """The looks at one camera's persons. The inference thread alone uses it, but for ``answer``.

    Attributes:
        unavailable: Rules ask for equipment and nobody can look for it.
        busy: A look is under way; there is one at a time.
        seconds: For how long persons were in each state, by item: their sum over persons.
    """

    def __init__(self) -> None:
        self.unavailable = False
        self.busy = False
        self.seconds = {item: dict.fromkeys(PpeState, 0.0) for item in PpeItem}
        self._known: dict[int, _Known] = {}
        self._answers: deque[tuple[Look, Answer]] = deque()
        self._worn_at: float | None = None
        self._filled_at = float("-inf")
        self._crops_left = 0.0

    def answer(self, look: Look, answer: Answer) -> None:
        """A look is done; nothing in the answer if it failed. From any thread."""
        self._answers.append((look, answer))
        self.busy = False

    def wear(
        self,
        persons: tuple[TrackedPerson, ...],
        wanted: Wanted,
        at: Instant,
    ) -> tuple[TrackedPerson, ...]:
        """The persons of a frame with what is known of their equipment."""
        now = at.monotonic
        self._take_answers()
        for person in persons:
            if person.track_id in wanted:
                self._meet(person, now)
        self._forget(now)
        if not self._known:
            self._worn_at = now
            return persons
        dressed = tuple(self._dressed(person, wanted, now) for person in persons)
        self._count(dressed, wanted, now)
        return dressed

    def look(
        self, frame: Frame, persons: tuple[TrackedPerson, ...], wanted: Wanted, *, whole: bool
    ) -> Look | None:
        """The next look, if somebody is due and none is under way.

        Args:
            frame: The newest frame.
            persons: Everybody in it.
            wanted: Whom the rules want looked at.
            whole: Look at the whole picture as scaled for the analysis instead of at crops.
        """
        if self.busy or not wanted:
            return None
        height_px, width_px = (
            frame.picture.shape[:2] if whole else (frame.height_px, frame.width_px)
        )
        aspect = width_px / height_px
        now = frame.captured_at.monotonic
        due = [
            (known.looked_at, person)
            for person in persons
            if person.track_id in wanted
            and now - (known := self._meet(person, now)).looked_at >= LOOK_EVERY_S - _JITTER_S
            and judgeable(person, wanted[person.track_id], aspect=aspect, height_px=height_px)
        ]
        if not due:
            return None
        due.sort(key=lambda entry: entry[0])
        chosen = [person for _, person in (due if whole else due[: self._allowance(now)])]
        if not chosen:
            return None
        self._crops_left -= len(chosen)
        for person in chosen:
            self._known[person.track_id].looked_at = now
        crops = None if whole else _crops(frame, chosen)
        look = Look(
            at=now,
            width_px=width_px,
            height_px=height_px,
            persons=persons,
            looked_at=frozenset(person.track_id for person in chosen),
            items=frozenset[PpeItem]().union(*(wanted[p.track_id] for p in chosen)),
            pictures=(frame.picture,) if crops is None else _cut(frame, crops),
            crops=crops,
        )
        self.busy = True
        return look

    def _meet(self, person: TrackedPerson, now: float) -> _Known:
        known = self._known.setdefault(person.track_id, _Known(now))
        known.seen_at = now
        return known

    def _allowance(self, now: float) -> int:
        """How many crops may be cut now: few out of many frames, more out of few."""
        more = CROPS_PER_S * (now - self._filled_at)
        self._crops_left = min(max(self._crops_left, 0) + more, MOST_CROPS)
        self._filled_at = now
        return int(self._crops_left + _ROUNDING)

    def _take_answers(self) -> None:
        while self._answers:
            look, answer = self._answers.popleft()
            for track_id in look.looked_at & answer.keys() & self._known.keys():
                votes = self._known[track_id].votes
                for item, evidence in answer[track_id].items():
                    votes.setdefault(item, Vote()).add(evidence, look.at)

    def _forget(self, now: float) -> None:
        gone = [key for key, known in self._known.items() if now - known.seen_at > VALID_S]
        for key in gone:
            del self._known[key]

    def _dressed(self, person: TrackedPerson, wanted: Wanted, now: float) -> TrackedPerson:
        known = self._known.get(person.track_id)
        if known is None:
            return person
        items = wanted.get(person.track_id, frozenset()) | known.votes.keys()
        ppe = {
            item: known.votes[item].state(now) if item in known.votes else PpeState.UNKNOWN
            for item in PpeItem
            if item in items
        }
        missing = {
            item: since
            for item, state in ppe.items()
            if state is PpeState.MISSING and math.isfinite(since := known.votes[item].missing_since)
        }
        return replace(person, ppe=ppe, missing_since=missing)

    def _count(self, persons: Sequence[TrackedPerson], wanted: Wanted, now: float) -> None:
        step = min(now - (self._worn_at if self._worn_at is not None else now), _LONGEST_STEP_S)
        self._worn_at = now
        for person in persons:
            for item in wanted.get(person.track_id, ()):
                self.seconds[item][person.ppe.get(item, PpeState.UNKNOWN)] += step


def _crops(frame: Frame, persons: Sequence[TrackedPerson]) -> tuple[Crop, ...]:
    return tuple(crop_of(person.box, frame.width_px, frame.height_px) for person in persons)


def _cut(frame: Frame, crops: Sequence[Crop]) -> tuple[Picture, ...]:
    return tuple(frame.full.crop(crop.left, crop.top, crop.right, crop.bottom) for crop in crops)
