"""Rule kind ``proximity``: a person is too near to a robot, a forklift or a machine.

Distances are metres on the floor between the nearer foot and the outline, with their
standard deviation. A vehicle's own driver is no pedestrian. Unknown input never turns the rule
off: where the floor is unknown the distance is estimated from how tall the person looks, and the
violation says so; a vehicle of unknown speed counts as moving; a vehicle that should report its
place and does not is said to be lost (``vehicle_lost`` among the rule's doubts) while the camera
goes on looking for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from shapely import Polygon

from safety.clock import Instant
from safety.types import PlantState, Severity, Violation
from zones.distances import Approach, FixedDistance, StopDistance
from zones.gaps import Array, Gaps, Piece, pieces_of
from zones.people import People, Subject
from zones.rules.base import CameraRuleBase, EndReason, RuleContext
from zones.rules.details import Later
from zones.rules.episode import Details, Episodes
from zones.rules.traffic import VehicleKinds, doubts_about
from zones.rules.where import Where
from zones.vehicles import Vehicle

_FAR = (np.inf, 0.0)

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
        self._where = Where(context)
        self._machine = pieces_of(Polygon(context.zone_floor_m)) if context.zone_floor_m else ()
        self._doubts: frozenset[str] = frozenset()
        self._levels = [_Level("warning", spec.warning, _warning_only(spec), context)]
        if spec.stop is not None:
            self._levels.append(_Level("stop", spec.stop, spec, context))

    @property
    def doubts(self) -> frozenset[str]:
        """What it cannot tell now."""
        return self._doubts

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        if self._spec.to == "machine":
            pairs = _machine_pairs(people, self._machine, self._spec.zone_id or "")
        else:
            self._doubts = doubts_about(people, people.traffic(plant))
            pairs = self._vehicle_pairs(people, plant)
        return [report for level in self._levels for report in level.update(people, pairs)]

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        """Close every open violation, with this reason."""
        return [report for level in self._levels for report in level.episodes.end(reason, now)]

    def exchange(self, one: int, other: int) -> None:
        """Two persons have exchanged their track ids."""
        for level in self._levels:
            level.exchange(one, other)

    @property
    def open_violations(self) -> tuple[Violation, ...]:
        """The violations that are open, as last reported but with newest box and details."""
        return tuple(v for level in self._levels for v in level.episodes.open_violations)

    def _vehicle_pairs(self, people: People, plant: PlantState) -> "_Pairs":
        vehicles = people.traffic(plant).vehicles
        columns = [
            column
            for column, vehicle in enumerate(vehicles)
            if vehicle.kind in self._spec.vehicles and (self._spec.standing or not vehicle.stands)
        ]
        if not columns or not people.pedestrians:
            return _NOBODY
        gaps = people.vehicle_gaps(plant)
        here = self._where.inside(people, "feet")
        metres = gaps.metres[:, columns]
        if here is not None:
            absent = [p.track_id not in here for p in people.pedestrians]
            metres = np.where(np.array(absent)[:, None], np.nan, metres)
        limit_s = self._spec.time_to_contact_s
        return _Pairs(
            others=[_Other.of(vehicles[column]) for column in columns],
            metres=metres,
            gaps=gaps,
            columns=columns,
            contact_s=None if limit_s is None else gaps.contact_s[:, columns],
            limit_s=limit_s or 0.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    """The other one of a pair: its name, its speed, and what a violation says of it."""

    name: str
    speed_mps: float | None
    details: Details

    @classmethod
    def of(cls, vehicle: Vehicle) -> "_Other":
        speed = vehicle.speed_mps
        told = {} if speed is None else {"vehicle_mps": round(speed, 2)}
        return cls(
            name=vehicle.name,
            speed_mps=speed,
            details={"vehicle": vehicle.kind, "reported": vehicle.reported, **told},
        )


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """Every pedestrian with every other.

    Attributes:
        others: V of them.
        metres: (N, V) as in ``Gaps``; NaN: no pair.
        gaps: Everything else about them.
        columns: Where the others are in ``gaps``, one for all persons or (N, 1) one for each.
        contact_s: (N, V) as in ``Gaps``; None: nobody asks.
        limit_s: Contact sooner than this is too near.
    """

    others: list[_Other]
    metres: Array
    gaps: Gaps | None
    columns: Sequence[int] | NDArray[np.int64]
    contact_s: Array | None = None
    limit_s: float = 0.0

    @cached_property
    def sigma_m(self) -> Array:
        """(N, V) as in ``Gaps``."""
        assert self.gaps is not None, "asked of pairs only"
        sigma_m = self.gaps.sigma_m
        if isinstance(self.columns, np.ndarray):
            return np.take_along_axis(sigma_m, self.columns, axis=1)
        return sigma_m[:, self.columns]

    def estimated(self, row: int, column: int) -> bool:
        """Whether the distance was estimated by the picture; a machine's never is."""
        if self.gaps is None or isinstance(self.columns, np.ndarray):
            return False
        return bool(self.gaps.by_picture[row, self.columns[column]])


_NOBODY = _Pairs(others=[], metres=np.zeros((0, 0)), gaps=None, columns=())


def _machine_pairs(people: People, machine: Sequence[Piece], name: str) -> _Pairs:
    if not people.pedestrians:
        return _NOBODY
    gaps = Gaps(people.pedestrians, machine, people.aspect, people.floors)
    nearest = np.nan_to_num(gaps.metres, nan=np.inf).argmin(axis=1)[:, None]
    return _Pairs(
        others=[_Other(name=name, speed_mps=0.0, details={})],
        metres=np.take_along_axis(gaps.metres, nearest, axis=1),
        gaps=gaps,
        columns=nearest,
    )


class _Level:
    """Warnings, or stops: a distance and the violations of those who are nearer."""

    def __init__(
        self, name: str, distance: StopDistance, spec: ProximitySpec, context: RuleContext
    ) -> None:
        self._name = name
        self._distance = distance
        self._hold_to_close_s = spec.hold_to_close_s
        self._nearest: dict[Pair, tuple[float, float]] = {}
        self.episodes: Episodes[Pair] = Episodes(
            spec,
            context,
            kind=spec.kind,
            hold_to_open_s=spec.hold_to_open_s,
            duration="near_s",
        )

    def update(self, people: People, pairs: _Pairs) -> list[Violation]:
        """Take one frame."""
        near = self._near(people, pairs)
        if not near and self.episodes.idle:
            return []
        return self.episodes.update(people.at, _Visible(people, pairs), near, aspect=people.aspect)

    def exchange(self, one: int, other: int) -> None:
        """Two persons have exchanged their track ids."""
        for name in {name for track_id, name in self._nearest if track_id in {one, other}}:
            self.episodes.exchange((one, name), (other, name))

    def _near(self, people: People, pairs: _Pairs) -> dict[Pair, Details]:
        """Who is too near to what, and the nearest that they were in the whole approach."""
        now = people.at.monotonic
        if self._nearest:
            self._nearest = {
                pair: (metres, at)
                for pair, (metres, at) in self._nearest.items()
                if now - at <= self._hold_to_close_s
            }
        if not pairs.others:
            return {}
        limits = self._limits(people, pairs)
        close = pairs.metres < limits
        if pairs.contact_s is not None and self._name == "warning":
            close |= ~np.isnan(pairs.metres) & (pairs.contact_s <= pairs.limit_s)
        near: dict[Pair, Details] = {}
        columns, rows = close.T.nonzero()
        distances = pairs.metres[rows, columns].tolist()
        ids = people.stack.ids
        for row, column, distance in zip(rows.tolist(), columns.tolist(), distances, strict=True):
            pair = (ids[row], pairs.others[column].name)
            nearest = min(distance, self._nearest.get(pair, _FAR)[0])
            self._nearest[pair] = (nearest, now)
            near[pair] = Later(partial(self._details, pairs, row, column, limits, nearest))
        return near

    def _limits(self, people: People, pairs: _Pairs) -> Array | float:
        """How near is too near: one for all, or (N, V)."""
        if isinstance(self._distance, FixedDistance):
            return self._distance.distance_m
        latency_s = people.latency_s
        limits = [
            self._distance.metres(
                Approach(latency_s=latency_s, vehicle_mps=other.speed_mps, sigma_m=sigma_m)
            )
            for other, sigma_m in zip(pairs.others, pairs.sigma_m.T, strict=True)
        ]
        return np.array(limits).T

    def _details(
        self, pairs: _Pairs, row: int, column: int, limits: float | Array, nearest_m: float
    ) -> Details:
        limit_m = float(limits[row, column]) if isinstance(limits, np.ndarray) else limits
        details: dict[str, object] = {
            "level": self._name,
            "distance_m": round(float(pairs.metres[row, column]), 2),
            "limit_m": round(limit_m, 2),
            **pairs.others[column].details,
        }
        if pairs.estimated(row, column):
            details["estimated"] = True
        else:
            details["uncertainty_m"] = round(float(pairs.sigma_m[row, column]), 2)
        if pairs.contact_s is not None and np.isfinite(pairs.contact_s[row, column]):
            details["contact_s"] = round(float(pairs.contact_s[row, column]), 1)
        details["nearest_m"] = round(nearest_m, 2)
        return details


class _Visible(Mapping[Pair, Subject]):
    """Every pair that the frame shows, made to subjects only when asked for."""

    def __init__(self, people: People, pairs: _Pairs) -> None:
        self._people = people
        self._columns = {other.name: column for column, other in enumerate(pairs.others)}
        self._shown = (~np.isnan(pairs.metres)).tolist()
        self._alone = people.subjects

    def __getitem__(self, pair: Pair) -> Subject:
        found = self._subject(pair)
        if found is None:
            raise KeyError(pair)
        return found

    def get(self, pair: object, default: Any = None) -> Any:
        """As of every mapping, without an exception for each that is not there."""
        return default if (found := self._subject(pair)) is None else found

    def _subject(self, pair: Any) -> Subject | None:
        track_id, other = pair
        alone = self._alone.get(track_id)
        column = self._columns.get(other)
        if alone is None or column is None or not self._shown[self._people.rows[track_id]][column]:
            return None
        return Subject(f"{alone.name}+{other}", alone.box, alone.born_at, other)

    def __iter__(self) -> Iterator[Pair]:
        for track_id, row in self._people.rows.items():
            for name, column in self._columns.items():
                if self._shown[row][column]:
                    yield track_id, name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, pair: object) -> bool:
        return self._subject(pair) is not None


def _warning_only(spec: ProximitySpec) -> ProximitySpec:
    """The rule as far as warnings go: milder than danger if there is a stop beyond them."""
    if spec.stop is None or spec.severity is not Severity.DANGER:
        return spec
    return spec.model_copy(update={"severity": Severity.WARNING})
