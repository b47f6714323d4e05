"""What the plant says, as a shard knows it: the engine's newest word, and how long that holds."""

import threading

from cameras.messages import PlantUpdate, ReportedVehicle
from safety.clock import Clock, Instant
from safety.types import MachineState, PlantState, SharedZone, VehiclePose
from zones.feeds.port import POSE_LIFE_S
from zones.feeds.poses import extrapolated

STALE_S = 2.0
"""An engine that was silent for so long says nothing of the present: everything is armed."""


class PlantBoard:
    """Takes the engine's updates in one thread, and is read in another.

    Vehicles are where their velocity has brought them since they reported, for two seconds at
    most; then they are lost. When the engine is silent machines are unknown, nothing is muted,
    open rules and shifts are unknown, and whom other cameras see is.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._update: PlantUpdate | None = None
        self._taken = clock.now()
        self._poses: dict[str, VehiclePose] = {}

    def take(self, update: PlantUpdate) -> None:
        """The engine's newest word; its ages count from now."""
        now = self._clock.now()
        poses = {each.vehicle_id: pose_of(each, now) for each in update.vehicles}
        with self._lock:
            self._update, self._taken, self._poses = update, now, poses

    def state(self, now: Instant) -> PlantState:
        """What holds at ``now``."""
        with self._lock:
            update, taken, poses = self._update, self._taken, self._poses
        if update is None:
            return PlantState()
        fresh = {
            vehicle_id: extrapolated(pose, now)
            for vehicle_id, pose in poses.items()
            if now.monotonic - pose.at.monotonic <= POSE_LIFE_S
        }
        lost = frozenset({*update.lost_vehicles, *poses} - set(fresh))
        if now.monotonic - taken.monotonic > STALE_S:
            unknown = dict.fromkeys(update.machines, MachineState.UNKNOWN)
            return PlantState(
                machines=unknown,
                vehicles=fresh,
                lost_vehicles=lost,
                shared_zones={
                    zone_id: SharedZone(cameras=zone.cameras, unseen_by=zone.cameras)
                    for zone_id, zone in update.shared_zones.items()
                },
            )
        return PlantState(
            machines=update.machines,
            vehicles=fresh,
            lost_vehicles=lost,
            muted_zones=frozenset(update.muted_zones),
            open_rules=None if update.open_rules is None else frozenset(update.open_rules),
            active_shifts=None if update.active_shifts is None else frozenset(update.active_shifts),
            shared_zones=update.shared_zones,
        )


def pose_of(vehicle: ReportedVehicle, now: Instant) -> VehiclePose:
    """The pose in a message that came now."""
    return VehiclePose(
        vehicle_id=vehicle.vehicle_id,
        kind=vehicle.kind,
        at=now.shifted(-vehicle.age_s),
        x_m=vehicle.x_m,
        y_m=vehicle.y_m,
        heading_rad=vehicle.heading_rad,
        velocity_mps=vehicle.velocity_mps,
        yaw_rate_radps=vehicle.yaw_rate_radps,
        covariance_m2=vehicle.covariance_m2,
        footprint_m=vehicle.footprint_m,
        stopping=vehicle.stopping,
    )


def reported(pose: VehiclePose, now: Instant) -> ReportedVehicle:
    """A pose as a message that leaves now."""
    return ReportedVehicle(
        vehicle_id=pose.vehicle_id,
        kind=pose.kind,
        age_s=max(0.0, now.monotonic - pose.at.monotonic),
        x_m=pose.x_m,
        y_m=pose.y_m,
        heading_rad=pose.heading_rad,
        velocity_mps=pose.velocity_mps,
        yaw_rate_radps=pose.yaw_rate_radps,
        covariance_m2=pose.covariance_m2,
        footprint_m=pose.footprint_m,
        stopping=pose.stopping,
    )
