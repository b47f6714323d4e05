"""Vehicles as they are drawn over a live picture."""

import math

from cameras.messages import SeenVehicleBox
from safety.types import SeenVehicle
from zones.calibration import FloorCalibration
from zones.protective_field import FieldSettings, field_of_seen


def drawn_vehicle(vehicle: SeenVehicle, calibration: FloorCalibration | None) -> SeenVehicleBox:
    """The vehicle's box, and its protective field where the camera knows the floor."""
    left, top, right, bottom = vehicle.box.astype(float).round(4).tolist()
    floor_m = field_of_seen(vehicle, FieldSettings())
    polygon = calibration.picture_polygon(floor_m) if calibration and floor_m else None
    speed = None if vehicle.velocity_mps is None else round(math.hypot(*vehicle.velocity_mps), 2)
    return SeenVehicleBox(
        track_id=vehicle.track_id,
        kind=vehicle.kind,
        box=(left, top, right, bottom),
        speed_mps=speed,
        field=polygon and tuple((round(x, 4), round(y, 4)) for x, y in polygon),
    )
