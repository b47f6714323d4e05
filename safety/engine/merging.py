"""One person seen by several cameras is one person on the plan: merged by place and time alone.

Sightings carry a covariance, so that "the same place" means as much as the cameras know of it.
Assignment is optimal per camera and frame (H. Kuhn, 1955); who is who changes only after some
time, so that people who pass each other keep their numbers. No faces, no clothes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.float64]

SAME = 9.21
"""Squared Mahalanobis distance up to which two sightings may be one person: 99 % of them are."""

FARTHEST_M = 3.0
"""Nobody is merged over more than this, however vague the sightings are."""

APART = 25.0
"""Squared Mahalanobis distance from which two sightings cannot be one person."""

JOIN_S = 0.4
"""A new track has to agree with somebody known for so long before it is taken for them."""

UNITE_S = 1.0
"""Two who are known already have to agree for so long before they become one."""

PART_S = 1.0
"""A track has to contradict its person for so long before it is somebody else."""

KEPT_S = 3.0
"""Somebody not seen for so long is forgotten."""

FRESH_S = 1.0
"""Older sightings say nothing of where somebody is now."""

SMOOTH_S = 0.8
"""Time constant of velocities."""

WANDER_MPS = 0.8
"""How fast people leave their predicted way, standard deviation."""

FASTEST_MPS = 12.0

Track = tuple[str, int]
"""Camera and track id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One thing that a camera sees on the floor; see ``FloorPosition``."""

    track_id: int
    x_m: float
    y_m: float
    covariance_m2: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """One thing on the plan.

    Attributes:
        id: Stays the same while it is seen, through cameras and broken tracks.
        x_m, y_m, covariance_m2: As in ``FloorPosition``.
        velocity_mps: In the plan.
        tracks: Who sees it now.
    """

    id: int
    x_m: float
    y_m: float
    covariance_m2: tuple[float, float, float]
    velocity_mps: tuple[float, float]
    tracks: tuple[Track, ...]


@dataclass(slots=True)
class _Seen:
    """A track: where it was last seen, and whose it is."""

    key: Track
    place: Array
    covariance: Array
    at: float
    velocity: Array = field(default_factory=lambda: np.zeros(2))
    owner: int | None = None
    courted: int | None = None
    since: float = 0.0
    strange_since: float | None = None

    def take(self, place: Array, covariance: Array, at: float) -> None:
        passed = at - self.at
        if passed > 0:
            share = 1 - math.exp(-passed / SMOOTH_S)
            step = (place - self.place) / passed
            speed = float(np.hypot(*step))
            if speed > FASTEST_MPS:
                step *= FASTEST_MPS / speed
            self.velocity = self.velocity + share * (step - self.velocity)
        self.place, self.covariance, self.at = place, covariance, at

    def predicted(self, at: float) -> tuple[Array, Array]:
        ahead = min(max(at - self.at, 0.0), FRESH_S)
        return self.place + ahead * self.velocity, self.covariance + (
            WANDER_MPS * ahead
        ) ** 2 * np.eye(2)


class Merger:
    """The things of one sort (people, or vehicles) that all cameras of a site see."""

    def __init__(self) -> None:
        self._tracks: dict[Track, _Seen] = {}
        self._newest_id = 0

    def sight(self, camera_id: str, sightings: Sequence[Sighting], at: float) -> None:
        """Take what one camera sees.

        Args:
            camera_id: The camera; tracks that it does not name are not seen by it any more.
            sightings: What it sees; positions that are not finite are passed over.
            at: When, monotonic seconds.
        """
        now_seen = [self._take(camera_id, each, at) for each in sightings if _is_sane(each)]
        self._forget(at)
        for track in now_seen:
            self._part(track, at)
        seeking = [track for track in now_seen if self._seeks(track)]
        if seeking:
            self._settle(camera_id, seeking, {track.key for track in now_seen}, at)

    def people(self, at: float) -> tuple[Merged, ...]:
        """Everything that somebody has seen lately, by id."""
        owners = sorted({t.owner for t in self._tracks.values() if t.owner is not None})
        found = (self._merged(owner, at) for owner in owners)
        return tuple(each for each in found if each is not None)

    def owner_of(self, camera_id: str, track_id: int) -> int | None:
        """Whose track that is: an id of the plan; the likeliest one while it is not settled."""
        track = self._tracks.get((camera_id, track_id))
        if track is None:
            return None
        return track.owner if track.owner is not None else track.courted

    def _take(self, camera_id: str, sighting: Sighting, at: float) -> _Seen:
        key = (camera_id, sighting.track_id)
        xx, xy, yy = sighting.covariance_m2
        place = np.array([sighting.x_m, sighting.y_m])
        covariance = np.array([[xx, xy], [xy, yy]])
        track = self._tracks.get(key)
        if track is None:
            track = self._tracks[key] = _Seen(key, place, covariance, at)
        else:
            track.take(place, covariance, at)
        return track

    def _forget(self, at: float) -> None:
        for key in [key for key, track in self._tracks.items() if at - track.at > KEPT_S]:
            del self._tracks[key]

    def _of(self, owner: int) -> list[_Seen]:
        return [track for track in self._tracks.values() if track.owner == owner]

    def _part(self, track: _Seen, at: float) -> None:
        """Notice that a track is not the person it was taken for."""
        others = [] if track.owner is None else [t for t in self._of(track.owner) if t is not track]
        fresh = [t for t in others if at - t.at <= FRESH_S and t.key[0] != track.key[0]]
        if not fresh or _distance2(*_fused(fresh, at), *track.predicted(at)) < APART:
            track.strange_since = None
        elif track.strange_since is None:
            track.strange_since = at
        elif at - track.strange_since >= PART_S:
            track.owner = track.courted = track.strange_since = None

    def _seeks(self, track: _Seen) -> bool:
        """Whether it may yet turn out to be somebody whom another camera sees."""
        return track.owner is None or len(self._of(track.owner)) == 1

    def _settle(
        self, camera_id: str, seeking: list[_Seen], now_seen: set[Track], at: float
    ) -> None:
        """Give tracks to the people they are, and make people of those that are nobody's."""
        known = sorted({t.owner for t in self._tracks.values() if t.owner is not None})
        costs = np.full((len(seeking), len(known)), np.inf)
        for column, owner in enumerate(known):
            theirs = self._of(owner)
            if any(t.key in now_seen for t in theirs):
                continue  # this camera sees them already
            where = _fused(theirs, at)
            for row, track in enumerate(seeking):
                if track.owner is None or owner < track.owner:
                    costs[row, column] = _cost(where, track.predicted(at))
        matches = _assigned(costs)
        for row, track in enumerate(seeking):
            column_of = matches.get(row)
            self._court(track, None if column_of is None else known[column_of], camera_id, at)

    def _court(self, track: _Seen, match: int | None, camera_id: str, at: float) -> None:
        if match is None:
            track.courted = None
            if track.owner is None:
                self._newest_id += 1
                track.owner = self._newest_id
            return
        if track.courted != match:
            track.courted, track.since = match, at
        # A broken track of the same camera goes on at once: nobody else was seen vanishing there.
        broken = all(t.key[0] == camera_id for t in self._of(match))
        wait = 0.0 if broken and track.owner is None else JOIN_S
        if track.owner is not None:
            wait = UNITE_S
        if at - track.since >= wait:
            track.owner, track.courted = match, None

    def _merged(self, owner: int, at: float) -> Merged | None:
        fresh = [track for track in self._of(owner) if at - track.at <= FRESH_S]
        if not fresh:
            return None
        place, covariance = _fused(fresh, at)
        velocity = np.mean([track.velocity for track in fresh], axis=0)
        return Merged(
            id=owner,
            x_m=float(place[0]),
            y_m=float(place[1]),
            covariance_m2=(
                float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])
            ),
            velocity_mps=(float(velocity[0]), float(velocity[1])),
            tracks=tuple(sorted(track.key for track in fresh)),
        )  # fmt: skip


def _is_sane(sighting: Sighting) -> bool:
    xx, xy, yy = sighting.covariance_m2
    values = (sighting.x_m, sighting.y_m, xx, xy, yy)
    return all(map(math.isfinite, values)) and xx > 0 and yy > 0 and xx * yy > xy * xy


def _fused(tracks: Sequence[_Seen], at: float) -> tuple[Array, Array]:
    """Place and covariance from all of them, weighted by how sure each is."""
    weights, joint = np.zeros((2, 2)), np.zeros(2)
    for track in tracks:
        place, covariance = track.predicted(at)
        weight = np.linalg.inv(covariance)
        weights += weight
        joint += weight @ place
    covariance = np.asarray(np.linalg.inv(weights), np.float64)
    return covariance @ joint, covariance


def _distance2(place: Array, covariance: Array, other: Array, others: Array) -> float:
    off = place - other
    return float(off @ np.linalg.solve(covariance + others, off))


def _cost(one: tuple[Array, Array], other: tuple[Array, Array]) -> float:
    if np.hypot(*(one[0] - other[0])) > FARTHEST_M:
        return math.inf
    distance2 = _distance2(*one, *other)
    return distance2 if distance2 <= SAME else math.inf


def _assigned(costs: Array) -> dict[int, int]:
    """The cheapest assignment; rows that fit nobody have none."""
    if not costs.size or not np.isfinite(costs).any():
        return {}
    bounded = np.where(np.isfinite(costs), costs, 10 * SAME)
    rows, columns = linear_sum_assignment(bounded)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if np.isfinite(costs[row, column])
    }
