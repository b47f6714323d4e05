"""How near is too near: fixed distances and those of ISO 13855 and ISO/TS 15066.

Metres and seconds throughout; the standards give millimetres. A distance computed here is a
warning distance of a supplementary monitor, never that of a certified protective device.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from safety.config import Spec

Metres = float | NDArray[np.float64]
"""One distance, or those of many persons at once."""

WALKING_MPS = 1.6
"""Approach speed K of a walking person (ISO 13855)."""

HAND_MPS = 2.0
"""Approach speed K of a hand, for distances up to 0.5 m (ISO 13855)."""

LEAST_REACH_M = 0.85
"""Smallest C of a field parallel to the floor (ISO 13855): the reach of an arm."""

UNMEASURED_LATENCY_S = 0.5
"""Taken for the time from capture to report where nobody has measured it."""

SIGMAS = 2.0
"""Standard deviations of a distance that are added as Z: 97.7 % on the side that matters."""


def minimum_distance(speed_mps: float, stopping_s: float, reach_m: float) -> float:
    """ISO 13855:2010: S = K T + C.

    Args:
        speed_mps: K, how fast a person or hand comes nearer.
        stopping_s: T, from the moment of detection until the danger has ended.
        reach_m: C, how much nearer somebody can be before being detected.
    """
    return speed_mps * stopping_s + reach_m


def minimum_distance_2024(
    speed_mps: float, stopping_s: float, reach_m: float, uncertainty_m: Metres
) -> Metres:
    """ISO 13855:2024: S = K T + D_DS + Z.

    Args:
        speed_mps: K, as before.
        stopping_s: T, as before.
        reach_m: D_DS, the reach that goes with the detection; C of the older edition.
        uncertainty_m: Z, the supplement for what the measurement does not know.
    """
    return minimum_distance(speed_mps, stopping_s, reach_m) + uncertainty_m


def parallel_reach(height_m: float) -> float:
    """C of a detection field parallel to the floor at this height: 1.2 - 0.4 H, at least 0.85."""
    return max(1.2 - 0.4 * height_m, LEAST_REACH_M)


def separation(
    *,
    human_mps: float,
    vehicle_mps: float,
    reaction_s: float,
    stopping_s: float,
    stopping_m: float,
    reach_m: float,
    human_uncertainty_m: Metres,
    vehicle_uncertainty_m: float,
) -> Metres:
    """Speed and separation monitoring, ISO/TS 15066: Sp = Sh + Sr + Ss + C + Zd + Zr.

    Args:
        human_mps: The person's speed towards the vehicle, all the time until it stands.
        vehicle_mps: The vehicle's speed towards the person until it begins to brake.
        reaction_s: From detection until it begins to brake.
        stopping_s, stopping_m: Time and way of braking.
        reach_m: C, the reach of an arm.
        human_uncertainty_m, vehicle_uncertainty_m: Zd and Zr, of both positions.
    """
    human = human_mps * (reaction_s + stopping_s)
    return (
        human
        + vehicle_mps * reaction_s
        + stopping_m
        + reach_m
        + human_uncertainty_m
        + vehicle_uncertainty_m
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """What a computed distance depends on, besides its specification.

    Attributes:
        latency_s: From capture to report, measured; None if nobody has measured it.
        vehicle_mps: Speed of the vehicle; None while it is unknown.
        sigma_m: Standard deviation of the distance, or of many.
    """

    latency_s: float | None = None
    vehicle_mps: float | None = 0.0
    sigma_m: Metres = 0.0

    @property
    def system_s(self) -> float:
        """Seconds that this system takes, measured or else assumed."""
        return UNMEASURED_LATENCY_S if self.latency_s is None else self.latency_s


class FixedDistance(Spec):
    """The same distance always."""

    kind: Literal["fixed"] = "fixed"
    distance_m: float = Field(gt=0, le=50)
    """Metres."""

    def metres(self, approach: Approach) -> Metres:
        """The distance in this situation."""
        return self.distance_m


class Iso13855Distance(Spec):
    """S = K T + D_DS + Z of ISO 13855, T with this system's own measured latency."""

    kind: Literal["iso_13855"] = "iso_13855"
    speed_mps: float = Field(default=WALKING_MPS, gt=0, le=5)
    """K: how fast a person comes nearer, metres per second."""
    reaction_s: float = Field(default=1.0, ge=0, le=30)
    """Seconds from the alarm until somebody or something acts: siren, person, control."""
    stopping_s: float = Field(default=0.5, ge=0, le=60)
    """Seconds from then until the danger has ended."""
    height_m: float = Field(default=0.0, ge=0, le=1)
    """H: height at which a person is located; 0 for feet on the floor."""

    def metres(self, approach: Approach) -> Metres:
        """The distance in this situation."""
        return minimum_distance_2024(
            self.speed_mps,
            approach.system_s + self.reaction_s + self.stopping_s,
            parallel_reach(self.height_m),
            SIGMAS * approach.sigma_m,
        )


class SeparationDistance(Spec):
    """Speed and separation of ISO/TS 15066, with the vehicle's speed of this moment."""

    kind: Literal["separation"] = "separation"
    human_mps: float = Field(default=WALKING_MPS, ge=0, le=5)
    """How fast a person comes nearer, metres per second."""
    reaction_s: float = Field(default=1.0, ge=0, le=30)
    """Seconds from the alarm until the vehicle begins to brake."""
    braking_mps2: float = Field(default=1.0, gt=0, le=10)
    """Braking, metres per second squared."""
    unknown_speed_mps: float = Field(default=2.0, ge=0, le=15)
    """Taken while the vehicle's speed is unknown, metres per second."""
    reach_m: float = Field(default=LEAST_REACH_M, ge=0, le=3)
    """C: the reach of an arm, metres."""

    def metres(self, approach: Approach) -> Metres:
        """The distance in this situation."""
        speed = self.unknown_speed_mps if approach.vehicle_mps is None else approach.vehicle_mps
        return separation(
            human_mps=self.human_mps,
            vehicle_mps=speed,
            reaction_s=approach.system_s + self.reaction_s,
            stopping_s=speed / self.braking_mps2,
            stopping_m=speed**2 / (2 * self.braking_mps2),
            reach_m=self.reach_m,
            human_uncertainty_m=SIGMAS * approach.sigma_m,
            vehicle_uncertainty_m=0.0,  # sigma_m is of the distance: both positions
        )


StopDistance = Annotated[
    FixedDistance | Iso13855Distance | SeparationDistance, Field(discriminator="kind")
]
"""How near is too near."""
