"""What was seen in one frame, packed for the canvas over the picture.

Compact JSON: ``t`` ticks of 1/90000 s on the camera's own time line, ``p`` persons as
``[track id, [left, top, right, bottom], [x, y, confidence, ... 17 times]]`` in thousandths
of the picture, and where somebody looked for protective equipment a fourth entry
``{"hardhat": "worn" | "missing" | "unknown", ...}``; ``z`` violated zones, ``s`` violating
subjects.
"""

import json
from functools import cached_property

from cameras.messages import Metadata, SeenPerson

TICKS = 90_000
"""RTP clock of video, per second (RFC 6184, section 5.1)."""


class Overlay:
    """One analysed frame; packed once, however many viewers it goes to."""

    def __init__(self, seen: Metadata) -> None:
        self.seen = seen

    @cached_property
    def packed(self) -> str:
        """The frame as compact JSON, ASCII only."""
        seen = self.seen
        fields = {
            "t": None if seen.pts_s is None else round(seen.pts_s * TICKS),
            "p": [_person(person) for person in seen.persons],
            "z": seen.violated_zones,
            "s": seen.violating_subjects,
        }
        return json.dumps(fields, separators=(",", ":"))

    def for_viewer(self, base: int | None) -> str:
        """The same with ``b``: what to add to ``t`` to get the viewer's RTP timestamp."""
        return f'{{"b":{json.dumps(base)},{self.packed[1:]}'


def _person(person: SeenPerson) -> list[object]:
    joints = [value for keypoint in person.keypoints for value in keypoint]
    packed: list[object] = [person.track_id, _thousandths(person.box), _thousandths(joints)]
    if person.ppe:
        packed.append({item.value: state.value for item, state in person.ppe.items()})
    return packed


def _thousandths(values: tuple[float, ...] | list[float]) -> list[int]:
    return [round(value * 1000) for value in values]
