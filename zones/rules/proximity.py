"""Rule kind ``proximity``: a person is too near to a robot, a forklift or a machine.

Distances are metres on the floor between the nearer foot and the outline, with their
standard deviation. A vehicle's own driver is no pedestrian. Unknown input never turns the rule
off: where the floor is unknown the distance is estimated from how tall the person looks, and the
violation says so; a vehicle of unknown speed counts as moving; a vehicle that should report its
place and does not is said to be lost (``vehicle_lost`` among the rule's doubts) while the camera
goes on looking for it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, Self

import shapely
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from safety.clock import Instant
from safety.types import PlantState, Severity, TrackedPerson, Violation
from zones.distances import Approach, FixedDistance, StopDistance
from zones.people import People, Subject
from zones.rules.base import CameraRuleBase, EndReason, RuleContext
from zones.rules.episode import Details, Episodes
from zones.rules.traffic import VehicleKinds, doubts_about
from zones.rules.where import Where
from zones.vehicles import Gap, Vehicle, gap_on_floor

Pair = tuple[int, str]
"""A person's track id and the name of a vehicle or machine."""


class ProximitySpec(CameraRuleBase):
    """A person is too near to a vehicle, or to a machine that a floor zone outlines."""

    kind: Literal["proximity"] = "proximity"
    to: Literal["vehicle", "machine"] = "vehicle"
    """What the distance is to: vehicles, or the machine whose outline the zone is."""
    vehicles: VehicleKinds = ("forklift", "amr")
    """Kinds of vehicles that count."""
    warning: StopDistance = FixedDistance(distance_m=2.0)
    """Nearer than this is a violation."""
    stop: StopDistance | None = None
    """Nearer than this is a violation of its own, of the rule's severity; the warning is then no
    more than a warning."""
    time_to_contact_s: float | None = Field(default=None, gt=0, le=10)
    """Also a violation if person and vehicle will touch within so many seconds as they move."""
    standing: bool = True
    """Vehicles that stand still count too."""

    @model_validator(mode="after")
    def _machine_has_outline(self) -> Self:
        if self.to == "machine" and self.zone_id is None:
            raise PydanticCustomError(
                "proximity.no_machine",
                "a distance to a machine needs zone_id: the zone that is the machine's outline"
                " on the floor plan",
            )
        return self

    def can_judge(self, context: RuleContext) -> bool:
        return self.to == "vehicle" or (
            context.calibration is not None and context.zone_floor_m is not None
        )

    def machine(self, context: RuleContext) -> "ProximityMachine":
        return ProximityMachine(self, context)


class ProximityMachine:
    """Who is near what now: warnings and stops, each with violations of its own."""

    def __init__(self, spec: ProximitySpec, context: RuleContext) -> None:
        self._spec = spec
        self._where = Where(context) if spec.to == "vehicle" else None
        self._outline = shapely.Polygon(context.zone_floor_m or ())
        self._doubts: frozenset[str] = frozenset()
        self._levels = [_Level("warning", spec.warning, _warning_only(spec), context)]
        if spec.stop is not None:
            self._levels.append(_Level("stop", spec.stop, spec, context))

    @property
    def doubts(self) -> frozenset[str]:
        """What it cannot tell now."""
        return self._doubts

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        pairs = dict(self._pairs(people, plant))
        visible = {pair: subject for pair, (subject, _, _) in pairs.items()}
        return [
            report
            for level in self._levels
            for report in level.update(people, visible, self._near(level, pairs, people))
        ]

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        """Close every open violation, with this reason."""
        return [report for level in self._levels for report in level.episodes.end(reason, now)]

    @property
    def open_violations(self) -> tuple[Violation, ...]:
        """The violations that are open, as last reported but with newest box and details."""
        return tuple(v for level in self._levels for v in level.episodes.open_violations)

    def _pairs(
        self, people: People, plant: PlantState
    ) -> Iterator[tuple[Pair, tuple[Subject, Gap, Vehicle | None]]]:
        """Every person with every vehicle or the machine, as far as a gap can be told."""
        if self._spec.to == "machine":
            yield from self._to_machine(people)
            return
        traffic = people.traffic(plant)
        self._doubts = doubts_about(people, traffic)
        vehicles = [
            vehicle
            for vehicle in traffic.of(self._spec.vehicles)
            if self._spec.standing or not vehicle.stands
        ]
        here = self._where.inside(people, "feet") if self._where and vehicles else None
        for person in people.pedestrians:
            if here is not None and person.track_id not in here:
                continue
            for vehicle in vehicles:
                gap = traffic.gap(person, vehicle)
                if gap is not None:
                    subject = _subject(people, person, vehicle.name)
                    yield (person.track_id, vehicle.name), (subject, gap, vehicle)

    def _to_machine(
        self, people: People
    ) -> Iterator[tuple[Pair, tuple[Subject, Gap, Vehicle | None]]]:
        zone_id = self._spec.zone_id or ""
        for person in people.pedestrians:
            if person.floor is None:
                continue
            gap = gap_on_floor(
                person.floor, person.velocity_mps, self._outline, (0.0, 0.0), (0.0, 0.0, 0.0)
            )
            yield (person.track_id, zone_id), (_subject(people, person, zone_id), gap, None)

    def _near(
        self,
        level: "_Level",
        pairs: dict[Pair, tuple[Subject, Gap, Vehicle | None]],
        people: People,
    ) -> dict[Pair, Details]:
        near: dict[Pair, Details] = {}
        for pair, (_, gap, vehicle) in pairs.items():
            approach = Approach(
                latency_s=people.latency_s,
                vehicle_mps=0.0 if vehicle is None else vehicle.speed_mps,
                sigma_m=gap.sigma_m,
            )
            limit_m = level.distance.metres(approach)
            soon = level.name == "warning" and _touch_within(gap, self._spec.time_to_contact_s)
            if gap.metres < limit_m or soon:
                near[pair] = _details(level.name, gap, limit_m, vehicle)
        return near


class _Level:
    """Warnings, or stops: a distance and the violations of those who are nearer."""

    def __init__(
        self, name: str, distance: StopDistance, spec: ProximitySpec, context: RuleContext
    ) -> None:
        self.name = name
        self.distance = distance
        self._hold_to_close_s = spec.hold_to_close_s
        self._nearest: dict[Pair, tuple[float, float]] = {}
        self.episodes: Episodes[Pair] = Episodes(
            spec,
            context,
            kind=spec.kind,
            hold_to_open_s=spec.hold_to_open_s,
            duration="near_s",
        )

    def update(
        self, people: People, visible: dict[Pair, Subject], near: dict[Pair, Details]
    ) -> list[Violation]:
        """Take one frame."""
        now = people.at.monotonic
        self._nearest = {
            pair: (metres, at)
            for pair, (metres, at) in self._nearest.items()
            if now - at <= self._hold_to_close_s
        }
        breaking: dict[Pair, Details] = {}
        for pair, details in near.items():
            metres = float(str(details["distance_m"]))
            nearest = min(metres, self._nearest.get(pair, (metres, now))[0])
            self._nearest[pair] = (nearest, now)
            breaking[pair] = {**details, "nearest_m": nearest}
        return self.episodes.update(people.at, visible, breaking, aspect=people.aspect)


def _touch_within(gap: Gap, limit_s: float | None) -> bool:
    return limit_s is not None and gap.contact_s is not None and gap.contact_s <= limit_s


def _warning_only(spec: ProximitySpec) -> ProximitySpec:
    """The rule as far as warnings go: milder than danger if there is a stop beyond them."""
    if spec.stop is None or spec.severity is not Severity.DANGER:
        return spec
    return spec.model_copy(update={"severity": Severity.WARNING})


def _subject(people: People, person: TrackedPerson, other: str) -> Subject:
    alone = people.subjects[person.track_id]
    return replace(alone, name=f"{alone.name}+{other}", partner=other)


def _details(level: str, gap: Gap, limit_m: float, vehicle: Vehicle | None) -> Details:
    details: dict[str, object] = {
        "level": level,
        "distance_m": round(gap.metres, 2),
        "limit_m": round(limit_m, 2),
    }
    if gap.by_picture:
        details["estimated"] = True
    else:
        details["uncertainty_m"] = round(gap.sigma_m, 2)
    if gap.contact_s is not None:
        details["contact_s"] = round(gap.contact_s, 1)
    if vehicle is not None:
        details["vehicle"] = vehicle.kind
        details["reported"] = vehicle.reported
        if vehicle.speed_mps is not None:
            details["vehicle_mps"] = round(vehicle.speed_mps, 2)
    return details
