"""The parts of VDA 5050 messages that are read here, 2.0, 2.1 and 3.0, and what they must hold.

Schemas are our own and ask only for what is used: a vehicle that leaves out the rest, or says
more, is heard all the same.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from zones.feeds.payload import Refused, parse_json, unix_time

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Topic = Literal["state", "visualization", "connection", "factsheet", "instantActions"]

MOST_METRES = 10_000.0
MOST_MPS = 15.0
MOST_RADPS = 12.0

_NUMBER = {"type": "number"}
_TEXT = {"type": "string", "maxLength": 1000}
_HEADER: dict[str, Any] = {
    "headerId": {"type": "integer", "minimum": 0},
    "timestamp": _TEXT,
    "version": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+"},
    "manufacturer": _TEXT,
    "serialNumber": _TEXT,
}
_POSITION: dict[str, Any] = {
    "type": "object",
    "required": ["x", "y", "theta", "mapId"],
    "anyOf": [{"required": ["positionInitialized"]}, {"required": ["localized"]}],
    "properties": {
        "x": _NUMBER,
        "y": _NUMBER,
        "theta": _NUMBER,
        "mapId": _TEXT,
        "positionInitialized": {"type": "boolean"},
        "localized": {"type": "boolean"},
        "deviationRange": {"type": "number", "minimum": 0},
    },
}
_VELOCITY: dict[str, Any] = {
    "type": "object",
    "properties": {"vx": _NUMBER, "vy": _NUMBER, "omega": _NUMBER},
}
_ACTIONS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["actionId", "actionStatus"],
        "properties": {"actionId": _TEXT, "actionStatus": _TEXT},
    },
}
_MOVING: dict[str, Any] = {
    "agvPosition": _POSITION,
    "mobileRobotPosition": _POSITION,
    "velocity": _VELOCITY,
}
_OUTLINE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "envelopes2d": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "polygonPoints": {
                        "type": "array",
                        "maxItems": 500,
                        "items": {
                            "type": "object",
                            "required": ["x", "y"],
                            "properties": {"x": _NUMBER, "y": _NUMBER},
                        },
                    }
                },
            },
        }
    },
}

_SCHEMAS: Mapping[Topic, dict[str, Any]] = {
    "state": {
        "type": "object",
        "required": list(_HEADER),
        "properties": _HEADER
        | _MOVING
        | {
            "driving": {"type": "boolean"},
            "paused": {"type": "boolean"},
            "actionStates": _ACTIONS,
            "instantActionStates": _ACTIONS,
        },
    },
    # Every field of this message may be left out.
    "visualization": {"type": "object", "properties": _HEADER | _MOVING},
    "connection": {
        "type": "object",
        "required": [*_HEADER, "connectionState"],
        "properties": _HEADER | {"connectionState": _TEXT},
    },
    "factsheet": {
        "type": "object",
        "properties": _HEADER
        | {
            "physicalParameters": {
                "type": "object",
                "properties": {"length": _NUMBER, "width": _NUMBER},
            },
            "agvGeometry": _OUTLINE,
            "vehicleGeometry": _OUTLINE,
            "mobileRobotGeometry": _OUTLINE,
        },
    },
    "instantActions": {
        "type": "object",
        "required": ["headerId"],
        "properties": {"headerId": {"type": "integer", "minimum": 0}},
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a vehicle says it is, on its own map.

    Attributes:
        x_m, y_m, theta_rad: Of the map; theta between -π and π, anticlockwise.
        localised: Whether the vehicle believes itself.
        deviation_m: How far off it may be; 0 if it does not say.
    """

    map_id: str
    x_m: float
    y_m: float
    theta_rad: float
    localised: bool
    deviation_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VdaMessage:
    """One message.

    Attributes:
        sent_at: Unix seconds by the vehicle's clock; None if it does not say.
        velocity: vx, vy in the vehicle's own frame (m/s) and omega (rad/s).
        paused: None if it does not say.
        actions: Status by action id.
        footprint_m: From a factsheet: outline in the vehicle's frame.
    """

    topic: Topic
    header_id: int | None = None
    sent_at: float | None = None
    position: Position | None = None
    velocity: tuple[float, float, float] | None = None
    paused: bool | None = None
    actions: Mapping[str, str] = field(default_factory=dict)
    connection: str = ""
    footprint_m: tuple[tuple[float, float], ...] | None = None


def read_message(topic: Topic, payload: bytes, *, manufacturer: str, serial: str) -> VdaMessage:
    """One message of a vehicle.

    Args:
        topic: The last level of its topic.
        payload: Its bytes.
        manufacturer, serial: Whose topic it came on.

    Raises:
        Refused: It is no JSON, lacks what is needed, has numbers that cannot be, or is another
            vehicle's.
    """
    body = parse_json(payload)
    errors = sorted(_validator(topic).iter_errors(body), key=lambda error: len(error.path))
    if errors:
        where = "/".join(str(step) for step in errors[0].absolute_path) or "the message"
        raise Refused("schema", f"{where}: {errors[0].message}"[:200])
    _check_sender(body, manufacturer, serial)
    position = body.get("mobileRobotPosition") or body.get("agvPosition")
    sent = body.get("timestamp")
    return VdaMessage(
        topic=topic,
        header_id=body.get("headerId"),
        sent_at=unix_time(sent) if sent is not None else None,
        position=None if position is None else _position(position),
        velocity=_velocity(body["velocity"]) if "velocity" in body else None,
        paused=body.get("paused"),
        actions={
            each["actionId"]: each["actionStatus"]
            for name in ("actionStates", "instantActionStates")
            for each in body.get(name, ())
        },
        connection=str(body.get("connectionState", "")).replace("_", "").upper(),
        footprint_m=_footprint(body) if topic == "factsheet" else None,
    )


def _check_sender(body: Mapping[str, Any], manufacturer: str, serial: str) -> None:
    version = str(body.get("version", "2.0"))
    if version.split(".")[0] not in {"2", "3"}:
        raise Refused("schema", f"version {version[:20]}; 2 and 3 are read")
    sender = body.get("manufacturer", manufacturer), body.get("serialNumber", serial)
    if sender != (manufacturer, serial):
        raise Refused("unknown_vehicle", f"a message of {sender[0][:60]}/{sender[1][:60]}")


def _position(body: Mapping[str, Any]) -> Position:
    x, y, theta = _finite(body["x"]), _finite(body["y"]), _finite(body["theta"])
    deviation = _finite(body.get("deviationRange", 0.0))
    if max(abs(x), abs(y), deviation) > MOST_METRES or abs(theta) > 2 * math.pi:
        raise Refused("absurd", f"position x {x:g}, y {y:g}, theta {theta:g}")
    return Position(
        map_id=body["mapId"],
        x_m=x,
        y_m=y,
        theta_rad=theta,
        localised=bool(body.get("localized", body.get("positionInitialized"))),
        deviation_m=deviation,
    )


def _velocity(body: Mapping[str, Any]) -> tuple[float, float, float]:
    vx, vy, omega = (_finite(body.get(name, 0.0)) for name in ("vx", "vy", "omega"))
    if math.hypot(vx, vy) > MOST_MPS or abs(omega) > MOST_RADPS:
        raise Refused("absurd", f"velocity {vx:g}, {vy:g} m/s, {omega:g} rad/s")
    return vx, vy, omega


def _footprint(body: Mapping[str, Any]) -> tuple[tuple[float, float], ...] | None:
    """The hull of all outlines, else the rectangle of its length and width; None if neither."""
    corners = [
        (_finite(point["x"]), _finite(point["y"]))
        for name in ("agvGeometry", "vehicleGeometry", "mobileRobotGeometry")
        for envelope in body.get(name, {}).get("envelopes2d", ())
        for point in envelope.get("polygonPoints", ())
    ]
    size = body.get("physicalParameters", {})
    if not corners and size.get("length") and size.get("width"):
        half_x, half_y = _finite(size["length"]) / 2, _finite(size["width"]) / 2
        corners = [(half_x, half_y), (-half_x, half_y), (-half_x, -half_y), (half_x, -half_y)]
    if any(abs(value) > 50 for corner in corners for value in corner):
        raise Refused("absurd", "an outline larger than 50 m")
    return _hull(corners)


def _hull(corners: list[tuple[float, float]]) -> tuple[tuple[float, float], ...] | None:
    from shapely import MultiPoint, Polygon

    hull = MultiPoint(corners).convex_hull
    if not isinstance(hull, Polygon):
        return None
    return tuple((float(x), float(y)) for x, y in hull.exterior.coords[:-1])


def _finite(value: float) -> float:
    number = float(value) if abs(value) < 1e300 else math.inf
    if not math.isfinite(number):
        raise Refused("absurd", f"{value} is no number to reckon with")
    return number


@cache
def _validator(topic: Topic) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    return Draft202012Validator(_SCHEMAS[topic])
