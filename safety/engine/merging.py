"""One person seen by several cameras is one person on the plan: merged by place and time alone.

Sightings carry a covariance, so that "the same place" means as much as the cameras know of it.
Assignment is optimal per camera and frame (H. Kuhn, 1955); who is who changes only after some
time, so that people who pass each other keep their numbers. No faces, no clothes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

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

FRESH_S = 2.0
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


Spot = tuple[float, float, float, float, float]
"""x and y in metres; xx, xy and yy of the covariance. Plain numbers: arrays of two are slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """A track when it was last seen.

    Attributes:
        owner: Whose it is, an id of the plan.
        at: Monotonic seconds.
        first_seen_at: When any camera first saw its owner.
    """

    owner: int
    spot: Spot
    at: float
    first_seen_at: float


@dataclass(slots=True, eq=False)
class _Seen:
    """A track: where it was last seen, and whose it is."""

    key: Track
    spot: Spot
    at: float
    velocity: tuple[float, float] = (0.0, 0.0)
    owner: int | None = None
    courted: int | None = None
    since: float = 0.0
    strange_since: float | None = None

    def take(self, spot: Spot, at: float) -> None:
        passed = at - self.at
        if passed > 0:
            share = 1 - math.exp(-passed / SMOOTH_S)
            vx, vy = (spot[0] - self.spot[0]) / passed, (spot[1] - self.spot[1]) / passed
            slower = min(1.0, FASTEST_MPS / max(math.hypot(vx, vy), 1e-9))
            old_x, old_y = self.velocity
            self.velocity = (
                old_x + share * (vx * slower - old_x),
                old_y + share * (vy * slower - old_y),
            )
        self.spot, self.at = spot, at

    def predicted(self, at: float) -> Spot:
        ahead = min(max(at - self.at, 0.0), FRESH_S)
        x, y, xx, xy, yy = self.spot
        wander = (WANDER_MPS * ahead) ** 2
        vx, vy = self.velocity
        return x + ahead * vx, y + ahead * vy, xx + wander, xy, yy + wander


class Merger:
    """The things of one sort (people, or vehicles) that all cameras of a site see."""

    def __init__(self) -> None:
        self._tracks: dict[Track, _Seen] = {}
        self._owned: dict[int, list[_Seen]] = {}
        self._newest_id = 0
        self._first_seen: dict[int, float] = {}

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
        found = (self._merged(owner, at) for owner in sorted(self._owned))
        return tuple(each for each in found if each is not None)

    def owner_of(self, camera_id: str, track_id: int) -> int | None:
        """Whose track that is: an id of the plan; the likeliest one while it is not settled."""
        track = self._tracks.get((camera_id, track_id))
        if track is None:
            return None
        return track.owner if track.owner is not None else track.courted

    def last_seen(self, camera_id: str, track_id: int) -> "LastSeen | None":
        """Where a track was last seen, and whose it is; None if that is not known."""
        track = self._tracks.get((camera_id, track_id))
        owner = self.owner_of(camera_id, track_id)
        if track is None or owner is None or owner not in self._first_seen:
            return None
        return LastSeen(
            owner=owner, spot=track.spot, at=track.at, first_seen_at=self._first_seen[owner]
        )

    def _take(self, camera_id: str, sighting: Sighting, at: float) -> _Seen:
        key = (camera_id, sighting.track_id)
        spot = (sighting.x_m, sighting.y_m, *sighting.covariance_m2)
        track = self._tracks.get(key)
        if track is None:
            track = self._tracks[key] = _Seen(key, spot, at)
        else:
            track.take(spot, at)
        return track

    def _forget(self, at: float) -> None:
        for key in [key for key, track in self._tracks.items() if at - track.at > KEPT_S]:
            self._give(self._tracks.pop(key), None)

    def _give(self, track: _Seen, owner: int | None) -> None:
        """Make a track somebody's, or nobody's."""
        if track.owner is not None:
            theirs = self._owned[track.owner]
            theirs.remove(track)
            if not theirs:
                del self._owned[track.owner]
                del self._first_seen[track.owner]
        if owner is not None:
            self._owned.setdefault(owner, []).append(track)
        track.owner, track.courted, track.strange_since = owner, None, None

    def _part(self, track: _Seen, at: float) -> None:
        """Notice that a track is not the person it was taken for."""
        theirs = self._owned[track.owner] if track.owner is not None else []
        fresh = [t for t in theirs if t.key[0] != track.key[0] and at - t.at <= FRESH_S]
        if not fresh or _distance2(_fused(fresh, at), track.predicted(at)) < APART:
            track.strange_since = None
        elif track.strange_since is None:
            track.strange_since = at
        elif at - track.strange_since >= PART_S:
            self._give(track, None)

    def _seeks(self, track: _Seen) -> bool:
        """Whether it may yet turn out to be somebody whom another camera sees."""
        return track.owner is None or len(self._owned[track.owner]) == 1

    def _settle(
        self, camera_id: str, seeking: list[_Seen], now_seen: set[Track], at: float
    ) -> None:
        """Give tracks to the people they are, and make people of those that are nobody's."""
        known = sorted(self._owned)
        costs = np.full((len(seeking), len(known)), np.inf)
        for column, owner in enumerate(known):
            theirs = self._owned[owner]
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
                self._first_seen[self._newest_id] = at
                self._give(track, self._newest_id)
            return
        if track.courted != match:
            track.courted, track.since = match, at
        # A broken track of the same camera goes on at once: nobody else was seen vanishing there.
        broken = all(t.key[0] == camera_id for t in self._owned[match])
        wait = 0.0 if broken and track.owner is None else JOIN_S
        if track.owner is not None:
            wait = UNITE_S
        if at - track.since >= wait:
            self._give(track, match)

    def _merged(self, owner: int, at: float) -> Merged | None:
        fresh = [track for track in self._owned[owner] if at - track.at <= FRESH_S]
        if not fresh:
            return None
        x, y, xx, xy, yy = _fused(fresh, at)
        return Merged(
            id=owner,
            x_m=x,
            y_m=y,
            covariance_m2=(xx, xy, yy),
            velocity_mps=(
                sum(track.velocity[0] for track in fresh) / len(fresh),
                sum(track.velocity[1] for track in fresh) / len(fresh),
            ),
            tracks=tuple(sorted(track.key for track in fresh)),
        )


def _is_sane(sighting: Sighting) -> bool:
    xx, xy, yy = sighting.covariance_m2
    values = (sighting.x_m, sighting.y_m, xx, xy, yy)
    return all(map(math.isfinite, values)) and xx > 0 and yy > 0 and xx * yy > xy * xy


def _fused(tracks: Sequence[_Seen], at: float) -> Spot:
    """Place and covariance from all of them, weighted by how sure each is."""
    wxx = wxy = wyy = jx = jy = 0.0
    for track in tracks:
        x, y, xx, xy, yy = track.predicted(at)
        size = xx * yy - xy * xy
        axx, axy, ayy = yy / size, -xy / size, xx / size
        wxx, wxy, wyy = wxx + axx, wxy + axy, wyy + ayy
        jx, jy = jx + axx * x + axy * y, jy + axy * x + ayy * y
    size = wxx * wyy - wxy * wxy
    xx, xy, yy = wyy / size, -wxy / size, wxx / size
    return xx * jx + xy * jy, xy * jx + yy * jy, xx, xy, yy


def _distance2(one: Spot, other: Spot) -> float:
    """Squared Mahalanobis distance."""
    dx, dy = one[0] - other[0], one[1] - other[1]
    xx, xy, yy = one[2] + other[2], one[3] + other[3], one[4] + other[4]
    return (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)


def _cost(one: Spot, other: Spot) -> float:
    if math.hypot(one[0] - other[0], one[1] - other[1]) > FARTHEST_M:
        return math.inf
    distance2 = _distance2(one, other)
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
