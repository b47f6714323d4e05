"""Rule kind ``line_crossing``: a person crosses a line."""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, Self

import numpy as np
from pydantic import field_validator, model_validator
from pydantic_core import PydanticCustomError

from safety.clock import Instant
from safety.types import PlantState, Violation
from zones.lines import Barrier, Line, Place, checked_floor_line, checked_line
from zones.people import People
from zones.rules.base import CameraRuleBase, EndReason, RuleContext
from zones.rules.episode import EpisodeMachine, Episodes
from zones.rules.memory import Memory

Direction = Literal["both", "a_to_b", "b_to_a"]

UNSEEN_S = 3.0
"""Somebody who is hidden for no longer, and comes out near by, has come from where he was."""

DOUBT = 0.05
"""Body heights from a line in the picture within which nobody knows on which side feet are."""

MOST_DOUBT_M = 0.25
"""On the floor it is one standard deviation of the place, but no more than this."""

_TOLERANCE_S = 1e-3


class LineCrossingSpec(CameraRuleBase):
    """A person crosses the line.

    Side a is on the left of somebody who goes along the line from its first point to its last,
    side b on the right. Whoever is first seen on the line itself comes from neither side. A line on
    the floor cannot be watched by a camera that is not calibrated, and nobody crosses it whose
    place is not known.
    """

    kind: Literal["line_crossing"] = "line_crossing"
    line: Line | None = None
    """Points as [x, y], 0-1 of the picture of the one camera in camera_ids."""
    line_m: Line | None = None
    """Points as [x, y], metres on the floor plan."""
    direction: Direction = "both"
    """Which crossings break the rule."""

    @field_validator("line")
    @classmethod
    def _line_in_picture(cls, line: Line | None) -> Line | None:
        return None if line is None else checked_line(line)

    @field_validator("line_m")
    @classmethod
    def _line_on_floor(cls, line: Line | None) -> Line | None:
        return None if line is None else checked_floor_line(line)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        in_picture = self.line is not None and len(self.camera_ids or ()) == 1
        if in_picture == (self.line_m is not None):
            raise PydanticCustomError(
                "line.place",
                "a line needs either line and the one camera in camera_ids in whose picture it is"
                " drawn, or line_m (on the floor plan); give one of the two",
            )
        return self

    def machine(self, context: RuleContext) -> "LineCrossingMachine":
        return LineCrossingMachine(self, context)

    def can_judge(self, context: RuleContext) -> bool:
        return self.line_m is None or context.calibration is not None


class _Trail(NamedTuple):
    """Where somebody was surely on one side, and the crossing not yet reported."""

    place: tuple[float, float]
    crossed_at: float | None = None
    direction: str = ""


class LineCrossingMachine(EpisodeMachine[int]):
    """On which side of the line everybody was."""

    def __init__(self, spec: LineCrossingSpec, context: RuleContext) -> None:
        super().__init__(
            Episodes(
                spec,
                context,
                kind=spec.kind,
                hold_to_open_s=spec.hold_to_open_s,
                duration="beyond_s",
            )
        )
        self._spec = spec
        self._trails: Memory[_Trail] = Memory(UNSEEN_S)
        self._barrier: Barrier | None = None
        if spec.line_m is not None:
            self._barrier = Barrier(spec.line_m)

    def exchange(self, one: int, other: int) -> None:
        self._trails.exchange(one, other)
        super().exchange(one, other)

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        self._trails.clear()
        return super().end(reason, now)

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        self._trails.meet(people)
        subjects, now = people.subjects, people.at.monotonic
        breaking: dict[int, dict[str, object]] = {}
        for track_id, place, doubt in self._places(people):
            trail = self._follow(track_id, place, doubt, now)
            if trail is None:
                continue
            if trail.crossed_at is not None:
                breaking[track_id] = {"direction": trail.direction}
                if now - trail.crossed_at >= self._hold_s - _TOLERANCE_S:
                    trail = _Trail(trail.place)
            self._trails.put(track_id, trail, subjects[track_id], now)
        return self._episodes.update(people.at, subjects, breaking, aspect=people.aspect)

    @property
    def _hold_s(self) -> float:
        return self._spec.hold_to_open_s

    def _follow(self, track_id: int, place: Place, doubt: float, now: float) -> _Trail | None:
        """The trail of somebody who is now at a place; None before a side is known.

        Args:
            doubt: How far from the line it has to be for its side to be sure.
        """
        trail, barrier = self._trails.get(track_id), self._barrier
        if barrier is None:
            return trail
        if trail is not None and barrier.clears(trail.place, place, doubt):
            return trail._replace(place=place)
        if barrier.distance(*place) < doubt:
            return trail
        if trail is None:
            return _Trail(place)
        crossed = barrier.crossings(trail.place, place)
        if not crossed:
            return trail._replace(place=place)
        to_b = (crossed > 0) == (self._spec.line is not None)
        direction = "a_to_b" if to_b else "b_to_a"
        if self._spec.direction in {"both", direction}:
            return _Trail(place, now, direction)
        return _Trail(place)

    def _places(self, people: People) -> Iterable[tuple[int, Place, float]]:
        """Where everybody is, in the line's unit, and the doubt about that place."""
        if self._spec.line_m is not None:
            return _on_floor(people)
        return self._in_picture(people)

    def _in_picture(self, people: People) -> Iterator[tuple[int, Place, float]]:
        if not people.pedestrians:
            return
        if self._barrier is None:
            line = self._spec.line or ()
            self._barrier = Barrier(tuple((x * people.aspect, y) for x, y in line))
        boxes = people.stack.boxes
        heights = (boxes[:, 3] - boxes[:, 1]).tolist()
        places = people.feet.tolist()
        for track_id, (x, y), height in zip(people.stack.ids, places, heights, strict=True):
            yield track_id, (x * people.aspect, y), DOUBT * height


def _on_floor(people: People) -> Iterator[tuple[int, Place, float]]:
    floors = people.floors
    doubts = np.minimum(np.sqrt((floors[:, 2] + floors[:, 4]) / 2), MOST_DOUBT_M).tolist()
    places = floors[:, :2].tolist()
    for track_id, (x, y), doubt in zip(people.stack.ids, places, doubts, strict=True):
        if doubt == doubt:  # NaN: no place
            yield track_id, (x, y), doubt
