"""Follows forklifts and mobile robots through one camera's pictures.

There are few of them, they are large, and they move smoothly: overlap with where each was
expected is enough, nearest first. Written without arrays: for a handful of boxes these take
longer to call than to compute.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from safety.clock import Instant
from safety.perception.tracking import (
    FORGET_AFTER_S,
    FORGET_UNCONFIRMED_AFTER_S,
    LEAST_SCORE,
    NEW_TRACK_SCORE,
    SURE_SCORE,
)
from safety.types import Detections, ObjectClass, SeenVehicle

VEHICLES = (ObjectClass.FORKLIFT, ObjectClass.AMR)

LEAST_OVERLAP = 0.1
"""Overlap, as intersection over union of grown boxes, needed to continue a track."""

SLACK_PER_S = 0.5
"""Boxes are grown by this share of their size on each side, for each second not seen."""

DOUBLE = 0.6
"""A detection that overlaps a followed or surer one more than this begins no track."""

MOVED_BY = 0.35
"""A vehicle has moved once its box is so far, as a share of its longer side, from where it was
first seen, or so much larger or smaller."""

SMOOTHING_S = 0.3
"""Time constant with which the velocity in the picture follows what is seen."""

_CLASSES = list(ObjectClass)
_VEHICLE_ROWS = [_CLASSES.index(kind) for kind in VEHICLES]

Box = tuple[float, float, float, float]


@dataclass(slots=True, kw_only=True)
class _Track:
    """One vehicle.

    Attributes:
        box: As last seen, left, top, right, bottom, normalised.
        velocity: Of the box's middle, per second.
        votes: Scores that the network gave each kind.
        first: Where it was first seen.
        moved: It has moved since.
    """

    track_id: int
    box: Box
    born_at: float
    seen_at: float
    confirmed: bool
    velocity: tuple[float, float] = (0.0, 0.0)
    votes: Counter[ObjectClass] = field(default_factory=Counter)
    first: Box = (0.0, 0.0, 0.0, 0.0)
    moved: bool = False

    def expected(self, now: float) -> Box:
        seconds = now - self.seen_at
        x, y = self.velocity[0] * seconds, self.velocity[1] * seconds
        left, top, right, bottom = self.box
        return _grown((left + x, top + y, right + x, bottom + y), SLACK_PER_S * seconds)

    def see(self, box: Box, kind: ObjectClass, score: float, now: float) -> None:
        seconds = now - self.seen_at
        if seconds > 0:
            share = seconds / (seconds + SMOOTHING_S)
            moved = (
                (box[0] + box[2] - self.box[0] - self.box[2]) / 2 / seconds,
                (box[1] + box[3] - self.box[1] - self.box[3]) / 2 / seconds,
            )
            self.velocity = (
                self.velocity[0] + share * (moved[0] - self.velocity[0]),
                self.velocity[1] + share * (moved[1] - self.velocity[1]),
            )
            self.confirmed = True
        self.box, self.seen_at = box, now
        if score >= NEW_TRACK_SCORE:  # boxes of less jump to and fro
            self.moved = self.moved or _moved(self.first, box)
        self.votes[kind] += round(1000 * score)


class VehicleTracker:
    """Position and velocity in the picture, and a vote on what kind each vehicle is.

    A forklift that the network takes for a robot in single frames stays the same vehicle and
    stays a forklift.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._ids = itertools.count(1)

    def update(self, detections: Detections, at: Instant) -> tuple[SeenVehicle, ...]:
        """Take one frame's detections, captured at ``at``; return the vehicles seen in it."""
        now = at.monotonic
        rows = np.flatnonzero(np.isin(detections.classes, _VEHICLE_ROWS)).tolist()
        self._tracks = [track for track in self._tracks if now - track.seen_at <= _patience(track)]
        if not rows:
            return ()
        boxes: list[Box] = [tuple(box) for box in detections.boxes[rows].tolist()]
        scores: list[float] = detections.scores[rows].tolist()
        kinds = [_CLASSES[number] for number in detections.classes[rows].tolist()]
        track_of = self._associate(boxes, scores, now)
        for number, track in track_of.items():
            track.see(boxes[number], kinds[number], scores[number], now)
        for number in _newcomers(boxes, scores, track_of):
            track_of[number] = self._begin(boxes[number], kinds[number], scores[number], now)
        return tuple(
            SeenVehicle(
                track_id=track.track_id,
                kind=track.votes.most_common(1)[0][0],
                box=detections.boxes[rows[number]],
                score=scores[number],
                age_s=now - track.born_at,
                moved=track.moved,
            )
            for number, track in sorted(track_of.items())
            if track.confirmed
        )

    def _associate(
        self, boxes: Sequence[Box], scores: Sequence[float], now: float
    ) -> dict[int, _Track]:
        """The track of every detection that continues one; sure detections come first."""
        expected = [track.expected(now) for track in self._tracks]
        pairs = [
            (score >= SURE_SCORE, shared, number, row)
            for number, (box, score) in enumerate(zip(boxes, scores, strict=True))
            if score >= LEAST_SCORE
            for row, place in enumerate(expected)
            if (shared := _overlap(box, place)) >= LEAST_OVERLAP
        ]
        track_of: dict[int, _Track] = {}
        taken: set[int] = set()
        for _, _, number, row in sorted(pairs, reverse=True):
            if number not in track_of and row not in taken:
                track_of[number] = self._tracks[row]
                taken.add(row)
        return track_of

    def _begin(self, box: Box, kind: ObjectClass, score: float, now: float) -> _Track:
        track = _Track(
            track_id=next(self._ids),
            box=box,
            born_at=now,
            seen_at=now,
            confirmed=score >= SURE_SCORE,
            first=box,
        )
        track.see(box, kind, score, now)
        self._tracks.append(track)
        return track


def _newcomers(
    boxes: Sequence[Box], scores: Sequence[float], track_of: dict[int, _Track]
) -> list[int]:
    """Which detections begin a track: no doubles of followed or surer ones."""
    kept = list(track_of)
    new = []
    for number in sorted(range(len(boxes)), key=lambda n: -scores[n]):
        if number in track_of or scores[number] < NEW_TRACK_SCORE:
            continue
        if all(_overlap(boxes[number], boxes[other]) <= DOUBLE for other in kept):
            new.append(number)
            kept.append(number)
    return new


def _moved(first: Box, now: Box) -> bool:
    """Whether the box went somewhere else, or came nearer or went away."""
    side = max(first[2] - first[0], first[3] - first[1])
    limit = MOVED_BY * side
    across = abs(now[0] + now[2] - first[0] - first[2]) / 2
    down = abs(now[1] + now[3] - first[1] - first[3]) / 2
    grown = abs(max(now[2] - now[0], now[3] - now[1]) - side)
    return max(across, down, grown) > limit


def _patience(track: _Track) -> float:
    return FORGET_AFTER_S if track.confirmed else FORGET_UNCONFIRMED_AFTER_S


def _grown(box: Box, share: float) -> Box:
    left, top, right, bottom = box
    x, y = share * (right - left), share * (bottom - top)
    return left - x, top - y, right + x, bottom + y


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / max(areas - shared, 1e-12)
