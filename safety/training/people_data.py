"""The pictures that the people network learns from, and those it is judged by.

Sources lie below one data folder: ``forklift``, ``ppe-construction``, ``ppe-syook``,
``rendered``; films beside it in ``clips``. Those that are not there are left out, as long as
any is. Augmented copies of a photograph share the stem before the last ``-``: one copy per
stem is taken, so that no photograph is on both sides.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from safety.training.dataset import Faults, Sample, read_folder, read_picture, write_list
from safety.training.needs import TrainingError
from safety.training.people_pseudo import Labeller, completed, to_corners
from safety.training.recipe import Recipe
from safety.types import KEYPOINTS, FloatArray

TRAINING_FILMS = {"worker-zone.mp4": 0.5}
"""Films to learn from, and how many seconds lie between two frames."""

VALIDATION_FILMS = {"store-aisle.mp4": 0.5, "one-by-one.mp4": 2.5}
"""Films set aside: four seconds full of people, and two minutes with one at a time."""

_FACE = slice(0, 5)

_SHOULDERS = (5, 6)
_HIPS = (11, 12)

_UP_THE_TORSO = 0.13
"""Where photographs' labels have shoulders and faces, above the mesh's, in torso lengths.

Least squares over 566 rendered persons that the base network finds at 1280 pixels.
"""

_NEARER_NECK = 0.15
"""How much nearer to the neck faces are then, as a share of the mesh's distance."""

_TOWARDS_NECK = 0.1
"""And how much narrower their shoulders are, as a share of the mesh's width."""

_TEN_CLASSES = 10
"""Classes of the two PPE data sets."""

Part = Literal["train", "val"]


def prepare(recipe: Recipe, data: Path, out: Path) -> tuple[Path, Path, str]:
    """Write the lists of training and validation samples, unless they are there already.

    Returns:
        The training list, the validation list, and the SHA-256 of the training list.

    Raises:
        TrainingError: A data set is faulty, or none is there.
    """
    training = prepare_part(recipe, data, out, "train")
    validation = prepare_part(recipe, data, out, "val")
    return training, validation, hashlib.sha256(training.read_bytes()).hexdigest()


def prepare_part(recipe: Recipe, data: Path, out: Path, part: Part) -> Path:
    """Write the list of one part, unless it is there already.

    Raises:
        TrainingError: As ``prepare``.
    """
    path = out / f"{part}.jsonl"
    if not path.is_file():
        samples = _gather(recipe, data, out, part)
        if not samples:
            raise TrainingError(
                "training.no_data",
                "{data} holds none of the data sets forklift, ppe-construction, ppe-syook,"
                " rendered; pass the folder that has them with --data",
                data=str(data),
            )
        write_list(path, samples, data)
    return path


def _gather(recipe: Recipe, data: Path, out: Path, part: Part) -> list[Sample]:
    rules = recipe.data
    exact = _rendered(data, part)
    photographs = [*_forklift(data, part), *_construction(data, part)]
    films = VALIDATION_FILMS
    # At its own width the base network would be judged by its own answers.
    widths = [int(rules["pseudo_width_px"])]
    if part == "train":
        widths.append(int(rules["pseudo_low_width_px"]))
        exact = exact * int(rules["rendered_repeats"])
        photographs += _syook(data)
        films = TRAINING_FILMS
    frames = list(_film_frames(data.parent / "clips", films, out / "frames"))
    base = data.parent / recipe.base
    cache = out / "cache"
    return [
        *exact,
        *_labelled(photographs, base, widths, 1.0, cache, rules),
        *_labelled(frames, base, widths, 16 / 9, cache, rules),
    ]


def with_repeats(samples: Sequence[Sample], repeats: int) -> list[Sample]:
    """Renderings with a vehicle several times: the only ones with AMRs, and in halls."""
    return [
        sample
        for sample in samples
        for _ in range(repeats if sample.source == "rendered" and sample.classes.any() else 1)
    ]


def _labelled(
    samples: Sequence[Sample],
    base: Path,
    widths: Sequence[int],
    aspect: float,
    cache: Path,
    rules: Mapping[str, float],
) -> Iterator[Sample]:
    """Samples with what the base network sees in them; loads it only if there are any."""
    if not samples:
        return
    labeller = Labeller(base, widths, aspect, cache)
    for sample in samples:
        picture = read_picture(sample.picture)
        if picture is not None:
            yield completed(sample, labeller.find(picture), rules)
    labeller.close()


def one_per_stem(pictures: Iterable[Path]) -> list[Path]:
    """The first copy of every photograph."""
    chosen: dict[str, Path] = {}
    for path in sorted(pictures):
        chosen.setdefault(path.stem.rsplit("-", 1)[0], path)
    return list(chosen.values())


def _yolo(folder: Path, part: str, classes: int, source: str) -> list[Sample]:
    pictures = one_per_stem((folder / "images" / part).glob("*.*"))
    labels = [folder / "labels" / part / f"{path.stem}.txt" for path in pictures]
    return read_folder(pictures, labels, classes, source) if pictures else []


def _forklift(data: Path, part: str) -> list[Sample]:
    """Their classes are forklift, person; ours person, forklift."""
    samples = _yolo(data / "forklift", part, 2, "forklift")
    return [
        _kept(sample, np.ones(len(sample.classes), bool), 1 - sample.classes) for sample in samples
    ]


def _construction(data: Path, part: str) -> list[Sample]:
    """Persons only. Their vehicles are excavators, lorries and the like: not forklifts."""
    samples = _yolo(data / "ppe-construction", part, _TEN_CLASSES, "ppe-construction")
    return [
        _kept(sample, sample.classes == 5, np.zeros(len(sample.classes), np.float32))
        for sample in samples
    ]


def _syook(data: Path) -> list[Sample]:
    samples = _yolo(data / "ppe-syook", "", _TEN_CLASSES, "ppe-syook")
    return [_kept(sample, sample.classes == 0, sample.classes) for sample in samples]


def _kept(sample: Sample, rows: np.ndarray, classes: FloatArray) -> Sample:
    return Sample(
        picture=sample.picture,
        source=sample.source,
        classes=classes[rows].astype(np.float32),
        boxes=sample.boxes[rows],
        keypoints=sample.keypoints[rows],
    )


def _rendered(data: Path, part: str) -> list[Sample]:
    folder = data / "rendered"
    if not folder.is_dir():
        return []
    pictures = [folder / name for name in (folder / f"{part}.txt").read_text().split()]
    labels = [folder / "labels_pose" / f"{path.stem}.txt" for path in pictures]
    return [as_seen(sample) for sample in read_folder(pictures, labels, 3, "rendered")]


def as_seen(sample: Sample) -> Sample:
    """Renderings label every joint; people who label photographs leave out what they cannot see.

    Hidden features of the face and joints hidden outside the visible box become "not there".
    Without this a back view would claim a nose, and binding of a hat to a face would trust it.
    Shoulders and faces move to where labels of photographs have them.
    """
    keypoints = _as_labelled_by_people(sample.keypoints)
    hidden = keypoints[..., 2] == 1
    corners = to_corners(sample.boxes)
    margin = 0.1 * sample.boxes[:, 2:]
    low, high = corners[:, :2] - margin, corners[:, 2:] + margin
    places = keypoints[..., :2]
    outside = ((places < low[:, None]) | (places > high[:, None])).any(axis=2)
    gone = hidden & outside
    gone[:, _FACE] |= hidden[:, _FACE]
    keypoints[gone] = 0
    return Sample(
        picture=sample.picture,
        source=sample.source,
        classes=sample.classes,
        boxes=sample.boxes,
        keypoints=keypoints,
    )


def _as_labelled_by_people(keypoints: FloatArray) -> FloatArray:
    """Joints of a mesh, (N, 17, 3), as people mark them in photographs."""
    moved = keypoints.copy()
    neck = keypoints[:, _SHOULDERS, :2].mean(axis=1)
    up = neck - keypoints[:, _HIPS, :2].mean(axis=1)
    for joint in (*range(5), *_SHOULDERS):
        moved[:, joint, :2] += _UP_THE_TORSO * up
    for joint in range(5):
        moved[:, joint, :2] -= _NEARER_NECK * (keypoints[:, joint, :2] - neck)
    for joint in _SHOULDERS:
        moved[:, joint, :2] += 2 * _TOWARDS_NECK * (neck - keypoints[:, joint, :2])
    return moved


def _film_frames(films: Path, names: Mapping[str, float], out: Path) -> Iterator[Sample]:
    """Frames of films as pictures without labels."""
    faults = Faults()
    for name, every_s in names.items():
        if not (films / name).is_file():
            continue
        film = cv2.VideoCapture(str(films / name))
        step = max(round(film.get(cv2.CAP_PROP_FPS) * every_s), 1)
        number = 0
        while film.grab():
            if number % step == 0:
                path = out / f"{Path(name).stem}-{number:05d}.jpg"
                _keep_frame(film, path, faults)
                yield Sample(
                    picture=path,
                    source=f"film-{Path(name).stem}",
                    classes=np.zeros(0, np.float32),
                    boxes=np.zeros((0, 4), np.float32),
                    keypoints=np.zeros((0, len(KEYPOINTS), 3), np.float32),
                )
            number += 1
        film.release()
    faults.check()


def _keep_frame(film: cv2.VideoCapture, path: Path, faults: Faults) -> None:
    there, pixels = film.retrieve()
    if not there:
        faults.add(path, "the film's frame cannot be decoded")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
