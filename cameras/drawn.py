"""Vehicles as they are drawn over a live picture."""

from cameras.analysis import Analysis
from cameras.messages import DrawnVehicle
from safety.types import FloatArray
from zones.calibration import FloorCalibration
from zones.feeds.vehicles import stopping_of
from zones.geometry import FloorPolygon, Polygon
from zones.protective_field import FieldSettings, field, field_of_seen
from zones.vehicles import Traffic, Vehicle


def drawn_vehicles(analysis: Analysis) -> tuple[DrawnVehicle, ...]:
    """Every vehicle in the picture, seen or reporting itself, with its protective field."""
    at = analysis.frame.captured_at
    traffic = Traffic(analysis.vehicles, analysis.plant, at)
    seen = {f"{each.kind}-{each.track_id}": each for each in analysis.vehicles}
    drawn = []
    for vehicle in traffic.vehicles:
        if vehicle.reported:
            pose = analysis.plant.vehicles[vehicle.name]
            floor_m = field(pose, at, stopping_of(pose))
        else:
            floor_m = field_of_seen(seen[vehicle.name], FieldSettings())
        polygon = _in_picture(floor_m, analysis.calibration)
        if vehicle.box is not None or polygon is not None:
            drawn.append(_drawn(vehicle, polygon))
    return tuple(drawn)


def _drawn(vehicle: Vehicle, polygon: Polygon | None) -> DrawnVehicle:
    speed = vehicle.speed_mps
    return DrawnVehicle(
        name=vehicle.name,
        kind=vehicle.kind,
        reported=vehicle.reported,
        box=_corners(vehicle.box),
        speed_mps=None if speed is None else round(speed, 2),
        field=polygon,
    )


def _in_picture(
    floor_m: FloorPolygon | None, calibration: FloorCalibration | None
) -> Polygon | None:
    if floor_m is None or calibration is None:
        return None
    polygon = calibration.picture_polygon(floor_m)
    return polygon and tuple((round(x, 4), round(y, 4)) for x, y in polygon)


def _corners(box: FloatArray | None) -> tuple[float, float, float, float] | None:
    if box is None:
        return None
    left, top, right, bottom = box.astype(float).round(4).tolist()
    return left, top, right, bottom
