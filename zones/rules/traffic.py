"""What the rules about vehicles share: kinds, subjects, where a vehicle is, and doubts."""

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import shapely

from zones.people import People, Subject
from zones.rules.base import RuleContext
from zones.vehicles import Traffic, Vehicle

VehicleKind = Literal["forklift", "amr"]
VehicleKinds = tuple[VehicleKind, ...]


def as_subjects(vehicles: Iterable[Vehicle]) -> Mapping[str, Subject]:
    """The vehicles as those who may break a rule, by name."""
    return {
        vehicle.name: Subject(
            name=vehicle.name, box=vehicle.box, born_at=vehicle.born_at, partner=vehicle.kind
        )
        for vehicle in vehicles
    }


def doubts_about(people: People, traffic: Traffic) -> frozenset[str]:
    """What cannot be told of vehicles now, and why.

    Returns:
        ``floor_unknown``: the camera is not calibrated; ``vehicle_lost``: a vehicle that should
        report where it is does not.
    """
    doubts = set() if people.floor_known else {"floor_unknown"}
    return frozenset(doubts | ({"vehicle_lost"} if traffic.lost else set()))


class VehicleArea:
    """The zone of a rule about vehicles; without one, everywhere in view."""

    def __init__(self, context: RuleContext) -> None:
        self._picture = None if context.zone_polygon is None else context.area
        self._floor = (
            None if context.zone_floor_m is None else shapely.Polygon(context.zone_floor_m)
        )
        if self._floor is not None:
            shapely.prepare(self._floor)
        self._bounds = (0.0, 0.0, 0.0, 0.0) if self._floor is None else self._floor.bounds

    def holds(self, vehicle: Vehicle) -> bool:
        """Whether some of the vehicle is inside, as far as its outline or box tells."""
        if self._picture is None:
            return True
        if self._floor is not None and vehicle.outline is not None:
            xs, ys = zip(*vehicle.outline, strict=True)
            left, low, right, high = self._bounds
            if min(xs) > right or max(xs) < left or min(ys) > high or max(ys) < low:
                return False
            return bool(shapely.intersects(self._floor, shapely.polygons(vehicle.outline)))
        if vehicle.box is None:
            return False
        left, _, right, bottom = (float(value) for value in vehicle.box)
        foot = np.array([[(left + right) / 2, min(bottom, 1.0)]])
        return bool(self._picture.contains(foot)[0])
