"""Observations as text: one JSON line a frame, small enough to keep for days.

Pictures are not kept. Coordinates are kept to 1/10,000 of the picture, scores to 1/100, metres to
millimetres: finer than any of them is known.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from safety.clock import Instant
from safety.errors import AnjeonError
from safety.types import (
    FloatArray,
    FloorPosition,
    ObjectClass,
    Observation,
    PlantState,
    PpeItem,
    PpeState,
    SeenVehicle,
    TrackedPerson,
)

_PLANT = TypeAdapter(PlantState)


class ObservationError(AnjeonError):
    """A line is no observation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One analysed frame: what it showed and what the plant said then."""

    observation: Observation
    plant: PlantState


def encode(observation: Observation, plant: PlantState) -> bytes:
    """One line, without its end."""
    line: dict[str, Any] = {
        "camera": observation.camera_id,
        "wall": round(observation.at.wall, 3),
        "mono": round(observation.at.monotonic, 3),
        "seq": observation.sequence,
        "aspect": round(observation.aspect, 6),
        "persons": [_person(person) for person in observation.persons],
        "plant": _PLANT.dump_python(plant, mode="json", exclude_defaults=True),
    }
    if observation.vehicles:
        line["vehicles"] = [_vehicle(vehicle) for vehicle in observation.vehicles]
    if observation.latency_s is not None:
        line["latency"] = round(observation.latency_s, 4)
    return json.dumps(line, separators=(",", ":")).encode()


def decode(line: bytes) -> Recorded:
    """The frame in one line.

    Raises:
        ObservationError: It is torn or none.
    """
    try:
        data = json.loads(line)
        return Recorded(
            observation=Observation(
                camera_id=str(data["camera"]),
                at=Instant(wall=float(data["wall"]), monotonic=float(data["mono"])),
                sequence=int(data["seq"]),
                aspect=float(data["aspect"]),
                persons=tuple(_read_person(person) for person in data["persons"]),
                vehicles=tuple(_read_vehicle(each) for each in data.get("vehicles", ())),
                latency_s=data.get("latency"),
            ),
            plant=_PLANT.validate_python(data["plant"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ObservationError(
            "replay.line",
            "a line of recorded observations cannot be read ({why}); it is left out",
            why=f"{type(error).__name__}: {error}"[:200],
        ) from error


def _person(person: TrackedPerson) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": person.track_id,
        "box": _shares(person.box),
        "score": round(float(person.score), 2),
        "age": round(person.age_s, 2),
        "xy": _shares(person.keypoints[:, :2]),
        "conf": [round(100 * float(value)) for value in person.keypoints[:, 2]],
    }
    if person.ppe:
        plain["ppe"] = {item.value: state.value for item, state in person.ppe.items()}
    if person.missing_since:
        plain["missing"] = {item.value: round(at, 3) for item, at in person.missing_since.items()}
    return plain | _motion(person.floor, person.velocity_mps)


def _read_person(data: Mapping[str, Any]) -> TrackedPerson:
    keypoints = np.zeros((17, 3), np.float32)
    keypoints[:, :2] = _read_shares(data["xy"]).reshape(17, 2)
    keypoints[:, 2] = np.array(data["conf"], np.float32) / 100
    return TrackedPerson(
        track_id=int(data["id"]),
        box=_read_shares(data["box"]).reshape(4),
        score=float(data["score"]),
        keypoints=keypoints,
        age_s=float(data["age"]),
        ppe={PpeItem(item): PpeState(state) for item, state in data.get("ppe", {}).items()},
        missing_since={PpeItem(item): float(at) for item, at in data.get("missing", {}).items()},
        floor=_read_floor(data),
        velocity_mps=_pair(data.get("v")),
    )


def _vehicle(vehicle: SeenVehicle) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": vehicle.track_id,
        "kind": vehicle.kind.value,
        "box": _shares(vehicle.box),
        "score": round(float(vehicle.score), 2),
        "age": round(vehicle.age_s, 2),
    }
    if not vehicle.moved:
        plain["moved"] = False
    if vehicle.footprint_m is not None:
        plain["outline"] = [[round(x, 3), round(y, 3)] for x, y in vehicle.footprint_m]
    return plain | _motion(vehicle.floor, vehicle.velocity_mps)


def _read_vehicle(data: Mapping[str, Any]) -> SeenVehicle:
    outline = data.get("outline")
    return SeenVehicle(
        track_id=int(data["id"]),
        kind=ObjectClass(data["kind"]),
        box=_read_shares(data["box"]).reshape(4),
        score=float(data["score"]),
        age_s=float(data["age"]),
        floor=_read_floor(data),
        velocity_mps=_pair(data.get("v")),
        footprint_m=None if outline is None else tuple((float(x), float(y)) for x, y in outline),
        moved=bool(data.get("moved", True)),
    )


def _motion(
    floor: FloorPosition | None, velocity: tuple[float, float] | None
) -> dict[str, list[Any]]:
    plain: dict[str, list[Any]] = {}
    if floor is not None:
        spread = [float(f"{value:.4g}") for value in floor.covariance_m2]
        plain["floor"] = [round(floor.x_m, 3), round(floor.y_m, 3), *spread, floor.source]
    if velocity is not None:
        plain["v"] = [round(velocity[0], 3), round(velocity[1], 3)]
    return plain


def _read_floor(data: Mapping[str, Any]) -> FloorPosition | None:
    if "floor" not in data:
        return None
    x, y, xx, xy, yy, source = data["floor"]
    return FloorPosition(
        x_m=float(x),
        y_m=float(y),
        covariance_m2=(float(xx), float(xy), float(yy)),
        source=source,
    )


def _pair(value: Any) -> tuple[float, float] | None:
    return None if value is None else (float(value[0]), float(value[1]))


def _shares(values: FloatArray) -> list[int]:
    """Normalised coordinates as ten-thousandths."""
    return [round(10_000 * float(value)) for value in values.ravel()]


def _read_shares(values: Any) -> FloatArray:
    return np.array(values, np.float32) / np.float32(10_000)
