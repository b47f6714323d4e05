"""What the running product would say about persons of whom it is known what they wear."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from safety.perception.detector import Detector, ObjectDetector
from safety.perception.letterbox import network_size
from safety.perception.load import load_object_detector, load_pose_detector
from safety.perception.ppe import CROP_PX, LEAST_CONFIDENCE, findings_in_picture, look
from safety.perception.ppe_binding import Evidence, bind
from safety.perception.ppe_vote import Vote
from safety.training.people_pseudo import overlaps
from safety.training.ppe_truth import TruePerson, Truth
from safety.types import Picture, PpeItem, PpeState, TrackedPerson

ITEMS = (PpeItem.HARDHAT, PpeItem.VEST)

FULL_FRAME_PX = 640
"""Width of the network when it looks at whole pictures."""

Mode = Literal["crops", "full frame"]
MODES: tuple[Mode, ...] = ("crops", "full frame")
"""Whether the network looks at crops of persons or at whole pictures."""

_SAME_PERSON_IOU = 0.5
_NOBODY = 1_000
"""Track ids from here on are those of persons that the truth does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was said about one item of one person in one picture.

    Attributes:
        length_px: Longer side of the person's box in the original picture.
        worn: The truth.
        said: After one look.
        voted: After the looks so far; None for a still.
    """

    group: str
    mode: Mode
    item: PpeItem
    length_px: float
    worn: bool
    said: PpeState
    voted: PpeState | None


@dataclass(slots=True)
class Judge:
    """Runs the product's networks and its decision on pictures.

    Args:
        people: Network that finds persons; runs at the pictures' own width, so that the figures
            are about equipment and not about finding people.
        items: The network to judge.
        cache: For converted networks.

    Attributes:
        asked, found: Persons known to be there, and how many of them were found.
    """

    people: Path
    items: Path
    cache: Path
    asked: int = 0
    found: int = 0
    _pose: dict[tuple[int, int], Detector] = field(default_factory=dict)
    _objects: dict[tuple[int, int], ObjectDetector] = field(default_factory=dict)
    _votes: dict[tuple[str, Mode, int, PpeItem], Vote] = field(default_factory=dict)

    def judge(self, truth: Truth) -> Iterator[Judgement]:
        """What is said about everybody in a picture who was found, in both modes."""
        persons = self._persons(truth)
        known = {person.track_id for person in persons}
        self.asked += len(truth.persons)
        self.found += sum(person.number in known for person in truth.persons)
        for mode in MODES:
            evidence = self._evidence(truth.picture, persons, mode)
            for person in truth.persons:
                if person.number in known:
                    yield from self._about(truth, person, evidence[person.number], mode)

    def _about(
        self, truth: Truth, person: TruePerson, evidence: Mapping[PpeItem, Evidence], mode: Mode
    ) -> Iterator[Judgement]:
        for item, worn in person.wears.items():
            voted: PpeState | None = None
            if truth.film:
                vote = self._votes.setdefault((truth.film, mode, person.number, item), Vote())
                vote.add(evidence[item], truth.at_s)
                voted = vote.state(truth.at_s)
            yield Judgement(
                group=truth.group,
                mode=mode,
                item=item,
                length_px=float((person.box_px[2:] - person.box_px[:2]).max()),
                worn=worn,
                said=evidence[item].state,
                voted=voted,
            )

    def _persons(self, truth: Truth) -> list[TrackedPerson]:
        """Everybody found; those that the truth knows carry its number."""
        height, width = truth.picture.shape[:2]
        found = self._pose_detector(width, height).detect([truth.picture])[0]
        boxes = found.boxes * np.array([width, height] * 2, np.float32)
        numbers = matched_numbers(truth.persons, boxes)
        return [
            TrackedPerson(
                track_id=number,
                box=found.boxes[row],
                score=float(found.scores[row]),
                keypoints=found.keypoints[row],
                age_s=0.0,
            )
            for row, number in enumerate(numbers)
            if found.classes[row] == 0
        ]

    def _evidence(
        self, picture: Picture, persons: Sequence[TrackedPerson], mode: Mode
    ) -> dict[int, dict[PpeItem, Evidence]]:
        height, width = picture.shape[:2]
        if mode == "crops":
            return look(self._object_detector(CROP_PX, CROP_PX), picture, persons, ITEMS)
        detector = self._object_detector(*network_size(FULL_FRAME_PX, width / height))
        findings = findings_in_picture(detector.detect([picture])[0], detector.names)
        return bind(persons, findings, ITEMS, aspect=width / height, height_px=height)

    def _pose_detector(self, width: int, height: int) -> Detector:
        if (width, height) not in self._pose:
            self._pose[width, height] = load_pose_detector(
                self.people, width=width // 32 * 32, aspect=width / height, cache_dir=self.cache
            )
        return self._pose[width, height]

    def _object_detector(self, width: int, height: int) -> ObjectDetector:
        if (width, height) not in self._objects:
            self._objects[width, height] = load_object_detector(
                self.items,
                width=width,
                height=height,
                cache_dir=self.cache,
                confidence=LEAST_CONFIDENCE,
            )
        return self._objects[width, height]


def matched_numbers(persons: Sequence[TruePerson], boxes: np.ndarray) -> list[int]:
    """For every found box the number of the person it shows; each person once, best first."""
    numbers = [_NOBODY + row for row in range(len(boxes))]
    if not persons or not len(boxes):
        return numbers
    iou = overlaps(np.stack([person.box_px for person in persons]), boxes)
    while iou.max() >= _SAME_PERSON_IOU:
        person, row = np.unravel_index(int(iou.argmax()), iou.shape)
        numbers[int(row)] = persons[int(person)].number
        iou[person, :] = 0
        iou[:, row] = 0
    return numbers
