"""Two common ways to raise alarms from detections, written as they are described, to compare with.

Both say what they can from the same detections; what a way has no notion of is missed by it. Both
are granted one alarm per hazard and subject instead of one per camera.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safety.perception.detector import Objects
from safety.scoring.events import Alarm
from safety.scoring.scene import Scene, TrueFrame
from safety.types import Detections, ObjectClass
from zones.areas import ZoneArea

SURE = 0.5
"""Detections from this score on count: the usual setting of such pipelines."""

GONE_S = 1.0
"""A condition that is gone for longer is a new one when it comes back."""

VEHICLE_SHARE = 0.10
"""A person whose box has more than this share of a vehicle's is taken for not near it."""

_SAME = 0.3
_KINDS = list(ObjectClass)
_PERSON = _KINDS.index(ObjectClass.PERSON)

Boxes = NDArray[np.float64]
Key = tuple[str, str]
"""Kind of rule and what tells its subjects apart."""
Look = Mapping[int, Sequence[tuple[Objects, tuple[str, ...]]]]
"""What the network for equipment found in the persons' crops, by number of the frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """What one frame shows to be wrong; ``box`` is None if it is nobody's in particular."""

    box: Boxes | None = None
    item: str | None = None


Judge = Callable[[int, Detections], dict[Key, Hazard]]
"""Takes a frame's number and detections."""


def pixel_heuristics(scene: Scene, looks: Look) -> Judge:
    """Boxes that overlap, shares of areas, equipment counted per frame; zones by the box's foot."""
    zones = _restricted(scene)
    worn_at_all: dict[str, bool] = {}

    def judge(number: int, found: Detections) -> dict[Key, Hazard]:
        people, vehicles = _boxes(found, person=True), _boxes(found, person=False)
        hazards: dict[Key, Hazard] = {}
        for row, box in enumerate(people):
            if any(zone.contains(_foot(box)) for zone in zones):
                hazards["intrusion", f"{row}"] = Hazard(box=box)
            if any(_near(box, vehicle) for vehicle in vehicles):
                hazards["proximity", f"{row}"] = Hazard(box=box)
        for item in ("hardhat", "vest"):
            if number in looks:
                worn_at_all[item] = not _seen_missing(looks[number], item)
            if not worn_at_all.get(item, True):
                hazards["missing_ppe", item] = Hazard(item=item)
        return hazards

    return judge


def zones_and_tracks(scene: Scene) -> Judge:
    """supervision's ``PolygonZone`` on roboflow's ``ByteTrackTracker``; heads by counting."""
    import supervision
    from trackers import ByteTrackTracker

    size = np.array([scene.width_px, scene.height_px])
    tracker = ByteTrackTracker(frame_rate=scene.fps)
    zones = [
        (rule, supervision.PolygonZone(polygon=(np.array(zone.image) * size).astype(int)))
        for zone in scene.zones.values()
        for kind, rule in (("restricted", "intrusion"), ("reach", "reach_in"))
        if zone.kind == kind
    ]

    def judge(number: int, found: Detections) -> dict[Key, Hazard]:
        rows = found.classes == _PERSON
        theirs: Any = tracker.update(
            supervision.Detections(
                xyxy=(found.boxes[rows] * np.tile(size, 2)).astype(np.float32),
                confidence=found.scores[rows],
                class_id=found.classes[rows],
            ),
            timestamp=number / scene.fps,
        )
        theirs = theirs[theirs.tracker_id >= 0]
        hazards: dict[Key, Hazard] = {}
        for rule, zone in zones:
            for row in np.flatnonzero(zone.trigger(detections=theirs)).tolist():
                box = theirs.xyxy[row] / np.tile(size, 2)
                hazards[rule, str(theirs.tracker_id[row])] = Hazard(box=box)
        if len(theirs) == 1:
            hazards["occupancy", "alone"] = Hazard()
        return hazards

    return judge


def alarms_of(scene: Scene, found: Iterable[Detections], judge: Judge) -> list[Alarm]:
    """What this judge says about a scene: one alarm for as long as a hazard lasts."""
    wanted = _scored_kinds(scene)
    begun: dict[Key, Alarm] = {}
    seen_s: dict[Key, float] = {}
    over: list[Alarm] = []
    for number, (truth, detections) in enumerate(zip(scene.frames, found, strict=False)):
        hazards = judge(number, detections)
        for key in [key for key, at_s in seen_s.items() if truth.at_s - at_s > GONE_S]:
            over.append(replace(begun.pop(key), closed_s=seen_s.pop(key)))
        for key, hazard in hazards.items():
            if key[0] in wanted:
                begun.setdefault(key, _alarm(scene, truth, key[0], hazard))
                seen_s[key] = truth.at_s
    return [*over, *begun.values()]


def _scored_kinds(scene: Scene) -> frozenset[str]:
    kinds = {"zone": "intrusion", "reach": "reach_in", "ppe": "missing_ppe",
             "proximity": "proximity", "lone": "occupancy"}  # fmt: skip
    return frozenset(kind for rule, kind in kinds.items() if rule in scene.rules)


def _alarm(scene: Scene, truth: TrueFrame, kind: str, hazard: Hazard) -> Alarm:
    person = None
    if hazard.box is not None and len(truth.boxes):
        overlaps = [_overlap(hazard.box, box) for box in truth.boxes.astype(float)]
        best = int(np.argmax(overlaps))
        person = scene.people[truth.people[best]] if overlaps[best] >= _SAME else None
    return Alarm(
        kind=kind, person=person, about_person=hazard.box is not None, opened_s=truth.at_s,
        closed_s=None, items=frozenset({hazard.item} if hazard.item else ()),
    )  # fmt: skip


def _restricted(scene: Scene) -> list[ZoneArea]:
    return [
        ZoneArea(tuple((float(x), float(y)) for x, y in zone.image))
        for zone in scene.zones.values()
        if zone.kind == "restricted"
    ]


def _boxes(found: Detections, *, person: bool) -> Boxes:
    rows = (found.scores >= SURE) & ((found.classes == _PERSON) == person)
    boxes: Boxes = found.boxes[rows].astype(np.float64)
    return boxes


def _foot(box: Boxes) -> Boxes:
    return np.array([(box[0] + box[2]) / 2, box[3]])


def _near(person: Boxes, vehicle: Boxes) -> bool:
    """Small against the vehicle, and less than the person's own width away from it."""
    small = _area(person) <= VEHICLE_SHARE * _area(vehicle)
    width = person[2] - person[0]
    return small and _overlap(person + np.array([-width, 0, width, 0]), vehicle) > 0


def _overlap(one: Boxes, other: Boxes) -> float:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.clip(high - low, 0, None)))
    return shared / max(_area(one) + _area(other) - shared, 1e-12)


def _area(box: Boxes) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _seen_missing(look: Sequence[tuple[Objects, tuple[str, ...]]], item: str) -> bool:
    return any(
        names[kind] == f"no-{item}" and score >= SURE
        for objects, names in look
        for kind, score in zip(objects.classes.tolist(), objects.scores.tolist(), strict=True)
    )
