"""The persons of one observation as arrays, computed once for all the rules of a camera."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from safety.clock import Instant
from safety.types import (
    KEYPOINTS,
    FloatArray,
    Observation,
    PlantState,
    PpeItem,
    PpeState,
    SeenVehicle,
)
from zones.areas import ZoneArea
from zones.calibration import FloorCalibration
from zones.feet import FloorFeet, Standing
from zones.gaps import ASSUMED_HEIGHT_M, Gaps
from zones.posture import Bodies, Lying, bodies
from zones.stack import Stack
from zones.vehicles import Traffic

Body = Literal["feet", "hands", "arms", "any"]
"""Which body points count: feet (ankles, else the box's bottom), hands (wrists), arms (wrists, and
elbows whose wrist is not seen), any."""

MIN_CONFIDENCE = 0.5
"""A keypoint counts from this confidence on."""

_ANKLES = [KEYPOINTS.index("left_ankle"), KEYPOINTS.index("right_ankle")]
_WRISTS = [KEYPOINTS.index("left_wrist"), KEYPOINTS.index("right_wrist")]
_ELBOWS = [KEYPOINTS.index("left_elbow"), KEYPOINTS.index("right_elbow")]
_POINTS = (*KEYPOINTS, "box_bottom")
_COLUMNS: dict[Body, list[int]] = {
    "feet": [*_ANKLES, len(KEYPOINTS)],
    "hands": _WRISTS,
    "arms": [*_WRISTS, *_ELBOWS],
    "any": list(range(len(_POINTS))),
}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _BodyPoints:
    """The known body points of everybody; entry i of each is one point.

    Attributes:
        places: (P, 2) x and y, normalised.
        rows: (P,) whose, in the order of the pedestrians.
        points: (P,) which, in the order of ``_POINTS``.
    """

    places: NDArray[np.float64]
    rows: NDArray[np.int64]
    points: NDArray[np.int64]


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
    ) -> None:
        """Take an observation.

        Args:
            observation: What the frame shows.
            driving: Track ids of the persons who drive a vehicle.
            unreal: Track ids of what is no person at all.
            calibration: How the camera sees the floor, if that is known.
            stack: The pedestrians, if somebody has stacked them already.
            watch_lying: Says who lies, if anybody asks.
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
        self._body_points: dict[Body, _BodyPoints] = {}
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
    def bodies(self) -> Bodies:
        """The pedestrians' bodies, in the order of ``pedestrians``; only if there are any."""
        standing = np.full(len(self.pedestrians), np.nan)
        rows = [row for row, person in enumerate(self.pedestrians) if person.floor is not None]
        if self._calibration is not None and rows:
            floors = [floor for p in self.pedestrians if (floor := p.floor) is not None]
            places = np.array([(floor.x_m, floor.y_m) for floor in floors])
            standing[rows] = self._calibration.heights(places, ASSUMED_HEIGHT_M)
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
            self._vehicle_gaps = Gaps(self.pedestrians, vehicles, self.aspect)
        return self._vehicle_gaps

    @cached_property
    def with_drivers(self) -> "People":
        """The same with the drivers among the pedestrians, for those who count heads."""
        if not self.drivers:
            return self
        return People(self._observation, unreal=self._unreal, calibration=self._calibration)

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
        if area.floor is None or body != "feet":
            return self._inside_picture(area, body)
        found = {track_id: standing.points for track_id, standing in self.standing(area).items()}
        placed = self._floor_feet.places
        if len(placed) < len(self.pedestrians):
            seen = self._inside_picture(area, body)
            found |= {key: names for key, names in seen.items() if key not in placed}
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
        return FloorFeet(self.pedestrians, self.stack, self._calibration)

    def _inside_picture(self, area: ZoneArea, body: Body) -> dict[int, list[str]]:
        points = self._body_points.get(body)
        if points is None:
            points = self._body_points[body] = self._known(body)
        found: dict[int, list[str]] = {}
        inside = area.contains(points.places)
        if inside.any():
            chosen = zip(points.rows[inside].tolist(), points.points[inside].tolist(), strict=True)
            for row, point in chosen:
                found.setdefault(self.pedestrians[row].track_id, []).append(_POINTS[point])
        return found

    @cached_property
    def feet(self) -> NDArray[np.float64]:
        """(N, 2) the pedestrians' feet: middle of the ankles seen, else of the box's bottom."""
        places, known = self._all_points
        columns = _COLUMNS["feet"]
        weights = known[:, columns, None].astype(float)
        middle: NDArray[np.float64] = (places[:, columns] * weights).sum(axis=1) / weights.sum(
            axis=1
        )
        return middle

    def _known(self, body: Body) -> _BodyPoints:
        places, known = self._all_points
        columns = np.array(_COLUMNS[body])
        if body == "arms":
            known = known.copy()
            known[:, _ELBOWS] &= ~known[:, _WRISTS]
        rows, chosen = known[:, columns].nonzero()
        points = columns[chosen]
        return _BodyPoints(places=places[rows, points], rows=rows, points=points)

    @cached_property
    def _all_points(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Every body point, (N, 18, 2), and whether it is known, (N, 18)."""
        keypoints, boxes = self.stack.keypoints, self.stack.boxes
        points = np.empty((len(boxes), len(_POINTS), 2))
        # A foot guessed to be just below the picture is in a zone that reaches its edge.
        points[:, :-1] = keypoints[:, :, :2].clip(0, 1)
        points[:, -1, 0] = (boxes[:, 0] + boxes[:, 2]) / 2
        points[:, -1, 1] = boxes[:, 3]
        known = np.empty(points.shape[:2], bool)
        known[:, :-1] = keypoints[:, :, 2] >= MIN_CONFIDENCE
        known[:, -1] = ~known[:, _ANKLES].any(axis=1)
        return points, known
