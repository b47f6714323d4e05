"""Who drives a forklift: a driver is no pedestrian, to his own vehicle or to any zone.

Only what was seen to ride is a driver. Somebody in front of a forklift or behind it has a box
inside the forklift's box too, and stays a pedestrian; so does, until it moves, the driver of a
forklift that stood still from the beginning.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from safety.types import FloatArray, ObjectClass, Observation, SeenVehicle, TrackedPerson

SHARE_INSIDE = 0.8
"""A driver's box lies with at least this share inside the vehicle's box,"""

LEAST_FOOTROOM = 0.05
"""and ends by this share of the vehicle's height above the vehicle's lower edge."""

LARGEST_DRIFT = 0.15
"""A driver keeps the same place in the vehicle's box, within this share of its size,"""

LEAST_TRAVEL = 0.5
"""while the vehicle moves by this share of its size, or grows by as much,"""

LEAST_RIDE_S = 0.5
"""for at least so many seconds."""

UNSEEN_S = 1.0
"""A driver whose vehicle is not seen for longer is a pedestrian again."""


@dataclass(slots=True, kw_only=True)
class _Ride:
    """A person in a vehicle's box.

    Attributes:
        place: Middle of the person in shares of the vehicle's box, when the ride began.
        box: The vehicle's box when the ride began.
        since, seen_at: Monotonic seconds: when it began, when it was last seen.
        proven: It moved together for long enough.
    """

    vehicle_id: int
    place: tuple[float, float]
    box: FloatArray
    since: float
    seen_at: float
    proven: bool


class Drivers:
    """Keeps who drives, frame by frame."""

    def __init__(self) -> None:
        self._rides: dict[int, _Ride] = {}

    def update(self, observation: Observation) -> frozenset[int]:
        """Take one observation; return the track ids of those who drive."""
        trucks = [v for v in observation.vehicles if v.kind is ObjectClass.FORKLIFT]
        if not trucks and not self._rides:
            return frozenset()
        now = observation.at.monotonic
        for person in observation.persons:
            self._follow(person, trucks, observation.aspect, now)
        over = [key for key, ride in self._rides.items() if now - ride.seen_at > UNSEEN_S]
        for track_id in over:
            del self._rides[track_id]
        return frozenset(key for key, ride in self._rides.items() if ride.proven)

    def _follow(
        self, person: TrackedPerson, trucks: list[SeenVehicle], aspect: float, now: float
    ) -> None:
        ride = self._rides.get(person.track_id)
        truck = _truck_around(person.box, trucks)
        if truck is None:
            seen = ride is not None and any(t.track_id == ride.vehicle_id for t in trucks)
            if ride is not None and (seen or not ride.proven):
                del self._rides[person.track_id]
            return
        place = _place_in(truck.box, person.box)
        if ride is None or _drifted(ride, place) or _other_truck(ride, truck):
            self._rides[person.track_id] = _Ride(
                vehicle_id=truck.track_id, place=place, box=truck.box,
                since=now, seen_at=now, proven=False,
            )  # fmt: skip
            return
        ride.vehicle_id, ride.seen_at = truck.track_id, now
        if (
            now - ride.since >= LEAST_RIDE_S
            and _travel(ride.box, truck.box, aspect) >= LEAST_TRAVEL
        ):
            # From here on anew: a vehicle that turns shows its driver at another place.
            ride.proven, ride.place, ride.box, ride.since = True, place, truck.box, now


def _truck_around(box: FloatArray, trucks: Iterable[SeenVehicle]) -> SeenVehicle | None:
    return next((truck for truck in trucks if _holds(truck.box, box)), None)


def _holds(truck: FloatArray, box: FloatArray) -> bool:
    left, top, right, bottom = (float(value) for value in box)
    outer = [float(value) for value in truck]
    if bottom > outer[3] - LEAST_FOOTROOM * (outer[3] - outer[1]):
        return False
    across = min(right, outer[2]) - max(left, outer[0])
    down = min(bottom, outer[3]) - max(top, outer[1])
    if across <= 0 or down <= 0:
        return False
    return across * down >= SHARE_INSIDE * (right - left) * (bottom - top)


def _place_in(truck: FloatArray, box: FloatArray) -> tuple[float, float]:
    width, height = max(float(truck[2] - truck[0]), 1e-6), max(float(truck[3] - truck[1]), 1e-6)
    return (
        (float(box[0] + box[2]) / 2 - float(truck[0])) / width,
        (float(box[1] + box[3]) / 2 - float(truck[1])) / height,
    )


def _drifted(ride: _Ride, place: tuple[float, float]) -> bool:
    return math.dist(ride.place, place) > LARGEST_DRIFT


def _other_truck(ride: _Ride, truck: SeenVehicle) -> bool:
    """A proven driver keeps the place when the vehicle's track breaks."""
    return not ride.proven and ride.vehicle_id != truck.track_id


def _travel(before: FloatArray, after: FloatArray, aspect: float) -> float:
    """How far a box went or grew, in shares of its larger side."""
    width, height = float(before[2] - before[0]) * aspect, float(before[3] - before[1])
    across = float(after[0] + after[2] - before[0] - before[2]) / 2 * aspect
    down = float(after[1] + after[3] - before[1] - before[3]) / 2
    grown = abs(float(after[3] - after[1]) - height) / max(height, 1e-6)
    return max(math.hypot(across, down) / max(width, height, 1e-6), grown)
