"""Pictures of persons of whom it is known what they wear."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from safety.training.people_scenes import EVERY, LEAST_VISIBLE, scene_names
from safety.training.ppe_crops import NAMES, Items, areas
from safety.training.ppe_sources import CONSTRUCTION, RENDERED, Labelled, labelled_pictures
from safety.types import FloatArray, Picture, PpeItem

_INSIDE = 0.8
"""An item belongs to the one person whose box holds this share of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruePerson:
    """Somebody in a picture.

    Attributes:
        number: Of the person, the same in all frames of a scene.
        box_px: (4,) left, top, right, bottom of the visible part.
        wears: Whether each item is worn; items of which that is not known are absent.
    """

    number: int
    box_px: FloatArray
    wears: Mapping[PpeItem, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One picture.

    Attributes:
        group: Which figures it goes into: a data set, or ``scenes``.
        film: Name of the scene; frames of one scene follow one another. Empty for a still.
        at_s: Seconds since the scene began.
    """

    group: str
    picture: Picture
    persons: Sequence[TruePerson]
    film: str = ""
    at_s: float = 0.0


def stills(data: Path) -> Iterator[Truth]:
    """The validation pictures of the data sets."""
    for labelled in labelled_pictures(data, CONSTRUCTION, "val"):
        yield Truth(group="photographs", picture=labelled.picture, persons=_owners(labelled))
    yield from _rendered(data / "rendered", labelled_pictures(data, RENDERED, "val"))


def _owners(labelled: Labelled) -> list[TruePerson]:
    """Labels say what is in the picture, not whose it is: kept where only one person can be."""
    items = labelled.items
    owners = np.array([_holds(box, items) for box in labelled.persons], np.bool_)
    owners = owners.reshape(len(labelled.persons), len(items))
    clear = owners.sum(axis=0) == 1
    persons = []
    for number, box in enumerate(labelled.persons):
        kinds = {NAMES[kind] for kind in items.classes[owners[number] & clear]}
        disputed = {NAMES[kind] for kind in items.classes[owners[number] & ~clear]}
        wears = {
            item: item.value in kinds
            for item in (PpeItem.HARDHAT, PpeItem.VEST)
            if (item.value in kinds) != (f"no-{item.value}" in kinds)
            and not disputed & {item.value, f"no-{item.value}"}
        }
        persons.append(TruePerson(number=number, box_px=box, wears=wears))
    return persons


def _holds(box: FloatArray, items: Items) -> list[bool]:
    low, high = np.maximum(items.boxes[:, :2], box[:2]), np.minimum(items.boxes[:, 2:], box[2:])
    inside = areas(np.concatenate([low, high], axis=1)) / areas(items.boxes).clip(min=1e-6)
    return [bool(share >= _INSIDE) for share in inside]


def _rendered(folder: Path, pictures: Iterator[Labelled]) -> Iterator[Truth]:
    """The stills' own list of people knows what everybody wears, seen or not."""
    lines = (folder / "meta.jsonl").read_text(encoding="utf-8").splitlines()
    people = {row["name"]: row["people"] for row in map(json.loads, lines)}
    for labelled in pictures:
        persons = [
            TruePerson(number=number, box_px=_box(person), wears=_worn(person))
            for number, person in enumerate(people[labelled.name])
            if _visible(person)
        ]
        yield Truth(group="rendered", picture=labelled.picture, persons=persons)


def scenes(folder: Path) -> Iterator[Truth]:
    """Every fifth frame of all rendered scenes, half a second apart.

    Raises:
        TrainingError: There is none.
    """
    for name in scene_names(folder):
        yield from _scene(folder / name)


def _scene(folder: Path) -> Iterator[Truth]:
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    wears = {person["id"]: _worn(person) for person in truth["people"]}
    numbers = {person["id"]: number for number, person in enumerate(truth["people"])}
    film = cv2.VideoCapture(str(folder / "video.mp4"))
    for index, frame in enumerate(truth["frames"]):
        there, pixels = film.read()
        if not there:
            break
        if index % EVERY:
            continue
        persons = [
            TruePerson(number=numbers[p["id"]], box_px=_box(p), wears=wears[p["id"]])
            for p in frame["people"]
            if _visible(p)
        ]
        picture = np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8)
        yield Truth(
            group="scenes", picture=picture, persons=persons, film=folder.name, at_s=frame["t"]
        )
    film.release()


def _visible(person: Mapping[str, Any]) -> bool:
    return person["box_px"] is not None and person["visible_fraction"] >= LEAST_VISIBLE


def _box(person: Mapping[str, Any]) -> FloatArray:
    return np.array(person["box_px"], np.float32)


def _worn(person: Mapping[str, Any]) -> dict[PpeItem, bool]:
    return {PpeItem.HARDHAT: bool(person["hat"]), PpeItem.VEST: bool(person["vest"])}
