"""The floor that a moving vehicle needs: its footprint, grown by the way until it stands.

The field is drawn and computed, never a protective function of the vehicle: that is the
vehicle's own scanner's.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field
from shapely import Polygon

from safety.clock import Instant
from safety.config import Spec
from safety.types import SeenVehicle, VehiclePose
from zones.geometry import FloorPolygon

LONGEST_S = 2.0
"""A pose older than this is no pose: where the vehicle is now is unknown."""

_STEPS = 6
"""Pieces into which the way is cut; a turning vehicle's is bent."""

_STRAIGHT_RADPS = 1e-3

Array = NDArray[np.float64]


class FieldSettings(Spec):
    """How a vehicle stops, and how much room it is given."""

    reaction_s: float = Field(default=1.0, ge=0, le=30)
    """Seconds until it begins to brake."""
    braking_mps2: float = Field(default=1.0, gt=0, le=10)
    """Braking, metres per second squared."""
    margin_m: float = Field(default=0.3, ge=0, le=5)
    """Room on every side, metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a vehicle is and how it moves."""

    x_m: float
    y_m: float
    heading_rad: float
    velocity_mps: tuple[float, float]


def stopping_distance(speed_mps: float, settings: FieldSettings) -> float:
    """The way until it stands, metres: v T + v² / 2a."""
    return speed_mps * settings.reaction_s + speed_mps**2 / (2 * settings.braking_mps2)


def place(pose: VehiclePose, at: float) -> Place:
    """The pose moved on to ``at`` monotonic seconds: constant speed and yaw rate."""
    seconds = at - pose.at.monotonic
    return _driven(pose, seconds)


def footprint_at(pose: VehiclePose, at: float) -> FloorPolygon:
    """Its outline on the plan at ``at`` monotonic seconds."""
    return outline_at(pose.footprint_m, place(pose, at))


def field(pose: VehiclePose, at: Instant, settings: FieldSettings) -> FloorPolygon | None:
    """The protective field of a vehicle that reports its pose.

    Args:
        pose: As last reported.
        at: Now; the pose is moved on to it.
        settings: How it stops.

    Returns:
        Corners on the plan, metres; None if the pose is older than ``LONGEST_S``.
    """
    seconds = at.monotonic - pose.at.monotonic
    if abs(seconds) > LONGEST_S:
        return None
    speed = math.hypot(*pose.velocity_mps)
    way_s = stopping_distance(speed, settings) / speed if speed > 1e-6 else 0.0
    outlines = [
        outline_at(pose.footprint_m, _driven(pose, seconds + way_s * step / _STEPS))
        for step in range(_STEPS + 1 if way_s else 1)
    ]
    return _swept(outlines, settings.margin_m)


def field_of_seen(vehicle: SeenVehicle, settings: FieldSettings) -> FloorPolygon | None:
    """The same of a vehicle that only a camera sees; None where it does not know the floor.

    One whose velocity is not known yet gets its outline and the margin.
    """
    if vehicle.footprint_m is None:
        return None
    x, y = vehicle.velocity_mps or (0.0, 0.0)
    speed = math.hypot(x, y)
    share = stopping_distance(speed, settings) / speed if speed > 1e-6 else 0.0
    ahead = tuple((a + x * share, b + y * share) for a, b in vehicle.footprint_m)
    return _swept([vehicle.footprint_m, ahead], settings.margin_m)


def _driven(pose: VehiclePose, seconds: float) -> Place:
    x, y = pose.velocity_mps
    turn = pose.yaw_rate_radps * seconds
    if abs(pose.yaw_rate_radps) < _STRAIGHT_RADPS:
        dx, dy = x * seconds, y * seconds
    else:
        # The integral of the velocity while it turns with the vehicle.
        along, aside = math.sin(turn), 1 - math.cos(turn)
        dx = (x * along - y * aside) / pose.yaw_rate_radps
        dy = (x * aside + y * along) / pose.yaw_rate_radps
    cosine, sine = math.cos(turn), math.sin(turn)
    return Place(
        x_m=pose.x_m + dx,
        y_m=pose.y_m + dy,
        heading_rad=pose.heading_rad + turn,
        velocity_mps=(x * cosine - y * sine, x * sine + y * cosine),
    )


def outline_at(footprint_m: FloorPolygon, at: Place) -> FloorPolygon:
    """An outline of the vehicle's own frame, on the plan."""
    cosine, sine = math.cos(at.heading_rad), math.sin(at.heading_rad)
    return tuple(
        (at.x_m + x * cosine - y * sine, at.y_m + x * sine + y * cosine) for x, y in footprint_m
    )


def _swept(outlines: Sequence[FloorPolygon], margin_m: float) -> FloorPolygon:
    """Everything that the outlines cover one after the other, and the margin."""
    hulls = [
        shapely.MultiPoint([*one, *following]).convex_hull
        for one, following in itertools.pairwise(outlines)
    ] or [Polygon(outlines[0])]
    grown = shapely.union_all(hulls).buffer(margin_m, quad_segs=2)
    assert isinstance(grown, Polygon), "each piece touches the next"
    return tuple((float(x), float(y)) for x, y in grown.exterior.coords[:-1])
