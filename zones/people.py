"""The persons of one observation as arrays, computed once for all the rules of a camera."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from safety.clock import Instant
from safety.types import (
    FloatArray,
    Observation,
    PlantState,
    PpeItem,
    PpeState,
    SeenVehicle,
)
from zones.areas import ZoneArea
from zones.body_points import Body, BodyPoints
from zones.calibration import FloorCalibration
from zones.feet import FloorFeet, Standing
from zones.floor_area import FloorAreas
from zones.gaps import ASSUMED_HEIGHT_M, Gaps, floors_of
from zones.posture import Bodies, Lying, bodies
from zones.stack import Stack
from zones.vehicles import Traffic


class Subject(NamedTuple):
    """Who or what may break a rule; a tuple because many are made in every frame.

    Attributes:
        name: What a violation calls it, e.g. ``"person-12"``, ``"person-12+amr-1"``.
        box: (4,) left, top, right, bottom, normalised; None if it has no place.
        born_at: Monotonic seconds at which it was first seen.
        partner: The other one of a pair, e.g. ``"amr-1"``: who continues a pair keeps it.
    """

    name: str
    box: FloatArray | None
    born_at: float
    partner: str = ""


class People:
    """The persons of one observation; those who drive a vehicle are no pedestrians.

    Attributes:
        at: When the frame was captured.
        aspect: Width / height of the picture.
        pedestrians: Everybody but the drivers; all other questions are about them.
        drivers: Who drives one of the vehicles.
        vehicles: The vehicles in the picture.
        latency_s: Seconds from capture to report, measured; None: nobody measured.
    """

    def __init__(
        self,
        observation: Observation,
        *,
        driving: Collection[int] = frozenset(),
        unreal: Collection[int] = frozenset(),
        calibration: FloorCalibration | None = None,
        stack: Stack | None = None,
        watch_lying: Callable[["People"], Mapping[int, Lying]] | None = None,
        areas: FloorAreas | None = None,
    ) -> None:
        """Take an observation.

        Args:
            observation: What the frame shows.
            driving: Track ids of the persons who drive a vehicle.
            unreal: Track ids of what is no person at all.
            calibration: How the camera sees the floor, if that is known.
            stack: The pedestrians, if somebody has stacked them already.
            watch_lying: Says who lies, if anybody asks.
            areas: The zones on the floor that the camera's rules have asked about before.
        """
        self._watch_lying = watch_lying
        self._observation = observation
        self.at: Instant = observation.at
        self.aspect = observation.aspect
        self.latency_s = observation.latency_s
        self.vehicles: tuple[SeenVehicle, ...] = observation.vehicles
        self.drivers = tuple(p for p in observation.persons if p.track_id in driving)
        self.pedestrians = observation.persons
        if driving or unreal:
            others = {*driving, *unreal}
            self.pedestrians = tuple(p for p in observation.persons if p.track_id not in others)
        self._unreal = unreal
        self._stacked = stack
        self._calibration = calibration
        self._traffic: Traffic | None = None
        self._vehicle_gaps: Gaps | None = None
        self._areas = FloorAreas() if areas is None else areas
        self._inside: dict[tuple[ZoneArea, Body], dict[int, list[str]]] = {}
        self._standing: dict[ZoneArea, dict[int, Standing]] = {}

    @cached_property
    def stack(self) -> Stack:
        """The pedestrians as arrays."""
        return self._stacked or Stack.of(self.pedestrians)

    @cached_property
    def subjects(self) -> dict[int, Subject]:
        """The pedestrians by track id."""
        now = self.at.monotonic
        return {
            person.track_id: Subject(f"person-{person.track_id}", person.box, now - person.age_s)
            for person in self.pedestrians
        }

    @cached_property
    def rows(self) -> dict[int, int]:
        """Where each of ``pedestrians`` is, by track id."""
        return {person.track_id: row for row, person in enumerate(self.pedestrians)}

    @property
    def floor_known(self) -> bool:
        """Whether the camera is calibrated."""
        return self._calibration is not None

    @cached_property
    def floors(self) -> NDArray[np.float64]:
        """(N, 5) x, y and the covariance (xx, xy, yy) of the pedestrians; NaN without a place."""
        return floors_of(self.pedestrians)

    @cached_property
    def feet(self) -> NDArray[np.float64]:
        """(N, 2) the pedestrians' feet: middle of the ankles seen, else of the box's bottom."""
        return self._body_points.feet

    @cached_property
    def bodies(self) -> Bodies:
        """The pedestrians' bodies, in the order of ``pedestrians``; only if there are any."""
        if self._calibration is None:
            standing = np.full(len(self.pedestrians), np.nan)
        else:
            standing = self._calibration.heights(self.floors[:, :2], ASSUMED_HEIGHT_M)
        return bodies(self.stack, self.aspect, standing)

    @cached_property
    def lying(self) -> Mapping[int, Lying]:
        """Who lies or falls, by track id."""
        return {} if self._watch_lying is None else self._watch_lying(self)

    def traffic(self, plant: PlantState) -> Traffic:
        """The vehicles of this frame, seen or reporting themselves; found once."""
        if self._traffic is None:
            self._traffic = Traffic(self.vehicles, plant, self.at)
        return self._traffic

    def vehicle_gaps(self, plant: PlantState) -> Gaps:
        """The pedestrians' gaps to the vehicles of ``traffic``, if there are any of both."""
        if self._vehicle_gaps is None:
            vehicles = self.traffic(plant).vehicles
            self._vehicle_gaps = Gaps(self.pedestrians, vehicles, self.aspect, self.floors)
        return self._vehicle_gaps

    @cached_property
    def with_drivers(self) -> "People":
        """The same with the drivers among the pedestrians, for those who count heads."""
        if not self.drivers:
            return self
        return People(
            self._observation,
            unreal=self._unreal,
            calibration=self._calibration,
            areas=self._areas,
        )

    def ppe(self, track_id: int) -> Mapping[PpeItem, PpeState]:
        """What somebody wears; empty where nobody looked."""
        return self._ppe.get(track_id, {})

    @cached_property
    def _ppe(self) -> dict[int, Mapping[PpeItem, PpeState]]:
        return {person.track_id: person.ppe for person in self.pedestrians}

    def missing_since(self, track_id: int) -> Mapping[PpeItem, float]:
        """When the first look was that saw an item missing, monotonic seconds."""
        return self._missing_since.get(track_id, {})

    @cached_property
    def _missing_since(self) -> dict[int, Mapping[PpeItem, float]]:
        return {person.track_id: person.missing_since for person in self.pedestrians}

    def inside(self, area: ZoneArea, body: Body) -> dict[int, list[str]]:
        """Who has body points in the zone.

        Feet in a zone on the floor are decided in metres where the place is known; everything
        else by the zone in the picture.

        Returns:
            Track id → names of the body points inside: COCO keypoints,
            ``"box_bottom"`` for a person whose ankles are not seen, or ``"floor"``.
        """
        if not self.pedestrians:
            return {}
        known = self._inside.get((area, body))
        if known is None:
            known = self._inside[area, body] = self._find_inside(area, body)
        return known

    def _find_inside(self, area: ZoneArea, body: Body) -> dict[int, list[str]]:
        if area.floor is None or body != "feet":
            return self._body_points.inside(area, body)
        found = {track_id: standing.points for track_id, standing in self.standing(area).items()}
        placed = self._floor_feet.placed
        if not placed.all():
            seen = self._body_points.inside(area, body)
            found |= {key: names for key, names in seen.items() if not placed[self.rows[key]]}
        return found

    def standing(self, area: ZoneArea) -> dict[int, Standing]:
        """Who stands in a zone on the floor by metres; nobody in other zones."""
        if area.floor is None:
            return {}
        known = self._standing.get(area)
        if known is None:
            known = self._standing[area] = self._floor_feet.inside(area.floor)
        return known

    def farther(self, area: ZoneArea, limit_m: float, among: Iterable[int]) -> frozenset[int]:
        """Who of these surely is farther from a zone on the floor; nobody without a known place."""
        if area.floor is None:
            return frozenset()
        return self._floor_feet.farther(area.floor, limit_m, among)

    @cached_property
    def _floor_feet(self) -> FloorFeet:
        return FloorFeet(self.pedestrians, self.stack, self.floors, self._calibration, self._areas)

    @cached_property
    def _body_points(self) -> BodyPoints:
        return BodyPoints(self.stack)
