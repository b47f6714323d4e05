"""Where a vehicle is some moments after it said where it was."""

import math
from dataclasses import replace

from safety.clock import Instant
from safety.types import VehiclePose

BACK_S = 1.0
"""How far back a pose is taken for an older picture."""

ACCELERATION_MPS2 = 1.0
"""How quickly a vehicle is assumed to change its velocity; the position's uncertainty grows so."""


def extrapolated(pose: VehiclePose, now: Instant) -> VehiclePose:
    """The pose at ``now``, on the arc of its velocity and yaw rate.

    A picture may be a little older than the newest pose: up to ``BACK_S`` it goes back too. The
    covariance grows by (a t² / 2)² along both axes, with ``ACCELERATION_MPS2``.
    """
    dt = max(-BACK_S, now.monotonic - pose.at.monotonic)
    if dt == 0.0:
        return pose
    turned = pose.yaw_rate_radps * dt
    dx, dy = _travelled(pose.velocity_mps, pose.yaw_rate_radps, dt)
    vx, vy = pose.velocity_mps
    cos, sin = math.cos(turned), math.sin(turned)
    spread = (ACCELERATION_MPS2 * dt * dt / 2) ** 2
    xx, xy, yy = pose.covariance_m2
    return replace(
        pose,
        at=now,
        x_m=pose.x_m + dx,
        y_m=pose.y_m + dy,
        heading_rad=wrapped(pose.heading_rad + turned),
        velocity_mps=(vx * cos - vy * sin, vx * sin + vy * cos),
        covariance_m2=(xx + spread, xy, yy + spread),
    )


def wrapped(angle_rad: float) -> float:
    """The same direction between -π and π."""
    return math.atan2(math.sin(angle_rad), math.cos(angle_rad))


def _travelled(velocity: tuple[float, float], yaw_rate: float, dt: float) -> tuple[float, float]:
    vx, vy = velocity
    turned = yaw_rate * dt
    if abs(turned) < 1e-6:
        return vx * dt, vy * dt
    # The velocity turns with the vehicle: integrate the rotating vector.
    along, across = math.sin(turned) / yaw_rate, (1 - math.cos(turned)) / yaw_rate
    return vx * along - vy * across, vx * across + vy * along
