"""The floor plan as the engine knows it: who and what is where, whichever camera sees it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cameras.messages import FloorSighting, PlanThing, PlanUpdate
from safety.clock import Clock
from safety.engine.merging import Merged, Merger, Sighting
from zones.areas import ZoneArea
from zones.geometry import FloorPolygon

UPDATE_S = 0.2
"""How often dashboards are told."""

LATE_S = 2.0
"""A sighting that comes later than this says nothing of the present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where somebody was last seen by one camera.

    Attributes:
        person: Who that is on the plan.
        sigma_m: Standard deviation of the place, per axis.
        at: When, monotonic seconds.
        first_seen_at: When any camera first saw that person.
    """

    person: int
    x_m: float
    y_m: float
    sigma_m: float
    at: float
    first_seen_at: float


class PlanDesk:
    """Merges what the shards' cameras see on the floor.

    Args:
        tell: Sends a message to every dashboard.
    """

    def __init__(self, *, clock: Clock, tell: Callable[[PlanUpdate], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._people = Merger()
        self._vehicles = Merger()
        self._told_of_somebody = False

    def sight(self, message: FloorSighting) -> None:
        """Take one camera's word; what is late is passed over."""
        if not 0 <= message.age_s <= LATE_S:
            return
        at = self._clock.now().monotonic - message.age_s
        self._people.sight(message.camera_id, _sightings(message.people), at)
        self._vehicles.sight(message.camera_id, _sightings(message.vehicles), at)

    def person_of(self, camera_id: str, track_id: int) -> int | None:
        """Who on the plan a camera's track is; None if that is not known."""
        return self._people.owner_of(camera_id, track_id)

    def place_of(self, camera_id: str, track_id: int) -> tuple[float, float] | None:
        """Where on the plan a camera's track is, metres; None if that is not known."""
        track = (camera_id, track_id)
        return next(((p.x_m, p.y_m) for p in self.people() if track in p.tracks), None)

    def spot_of(self, camera_id: str, track_id: int) -> Spot | None:
        """Where a camera's track was last seen; None if that is not known, or no more."""
        seen = self._people.last_seen(camera_id, track_id)
        if seen is None:
            return None
        x, y, xx, _, yy = seen.spot
        return Spot(
            person=seen.owner,
            x_m=x,
            y_m=y,
            sigma_m=math.sqrt((xx + yy) / 2),
            at=seen.at,
            first_seen_at=seen.first_seen_at,
        )

    def is_seen(self, person: int) -> bool:
        """Whether somebody on the plan is seen by any camera now."""
        return any(each.id == person for each in self.people())

    def people(self) -> tuple[Merged, ...]:
        """Everybody on the plan now."""
        return self._people.people(self._clock.now().monotonic)

    def people_in(self, zone_m: FloorPolygon) -> tuple[int, ...]:
        """Who is in a zone on the floor now, each person once, by id on the plan."""
        people = self.people()
        if not people:
            return ()
        inside = ZoneArea(zone_m).contains(np.array([(each.x_m, each.y_m) for each in people]))
        return tuple(each.id for each, there in zip(people, inside.tolist(), strict=True) if there)

    async def run(self) -> None:
        """Tell dashboards while there is something to tell; cancel to stop."""
        while True:
            await self._clock.sleep_async(UPDATE_S)
            update = self._update()
            somebody = bool(update.people or update.vehicles)
            if somebody or self._told_of_somebody:
                self._tell(update)
            self._told_of_somebody = somebody

    def _update(self) -> PlanUpdate:
        now = self._clock.now()
        return PlanUpdate(
            at=now,
            people=tuple(map(_thing, self._people.people(now.monotonic))),
            vehicles=tuple(map(_thing, self._vehicles.people(now.monotonic))),
        )


def _sightings(places: tuple[tuple[int, float, float, float, float, float], ...]) -> list[Sighting]:
    return [
        Sighting(track_id=track_id, x_m=x, y_m=y, covariance_m2=(xx, xy, yy))
        for track_id, x, y, xx, xy, yy in places
    ]


def _thing(merged: Merged) -> PlanThing:
    return PlanThing(
        id=merged.id,
        x_m=merged.x_m,
        y_m=merged.y_m,
        covariance_m2=merged.covariance_m2,
        velocity_mps=merged.velocity_mps,
        cameras=tuple(sorted({camera_id for camera_id, _ in merged.tracks})),
    )
