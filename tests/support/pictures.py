"""Pictures to look at: from the shared folder, from films, and drawn."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from safety.config import Settings
from safety.perception.models import find_pose_model
from safety.types import Picture
from tests.support.third_party import shared_folder

POSE_MODEL = "models/yolo11n-pose.pt"
"""The base pose weights, relative to the shared folder."""


class WholePicture:
    """The full-resolution side of a frame, made from a picture."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def rgb(self) -> Picture:
        return self._picture

    def crop(self, left: int, top: int, right: int, bottom: int) -> Picture:
        return np.ascontiguousarray(self._picture[top:bottom, left:right])


def people_network() -> Path:
    """The network for people that the product ships."""
    return find_pose_model(Settings(pose_model=None))


def read_picture(path: Path) -> Picture:
    """An image file as RGB."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert pixels is not None, f"{path} is no picture"
    return np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8)


def write_picture(path: Path, picture: Picture) -> None:
    """Without loss."""
    assert cv2.imwrite(str(path), np.ascontiguousarray(picture[..., ::-1]))


def film_frames(path: Path, at_s: Sequence[float]) -> list[Picture]:
    """The frames of a film at these moments; moments after its end are left out."""
    film = cv2.VideoCapture(str(path))
    frames = []
    for moment in at_s:
        film.set(cv2.CAP_PROP_POS_MSEC, moment * 1000)
        there, pixels = film.read()
        if there:
            frames.append(np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8))
    film.release()
    return frames


def shared_pictures(per_source: int) -> dict[str, Picture]:
    """A spread over everything in the shared folder: photographs, renderings, films.

    Args:
        per_source: Pictures from each data set; from each film, frames two seconds apart.
    """
    shared = shared_folder()
    if not shared.is_dir():
        pytest.skip(f"{shared} is not there (set ANJEON_SHARED)")
    pictures: dict[str, Picture] = {}
    for name in ("data/ppe-construction/images/val", "data/forklift/images/val"):
        files = sorted((shared / name).iterdir())
        for path in files[:: max(len(files) // per_source, 1)][:per_source]:
            pictures[f"{name}/{path.name}"] = read_picture(path)
    rendered = (shared / "data/rendered/val.txt").read_text().split()
    for name in rendered[:: max(len(rendered) // per_source, 1)][:per_source]:
        pictures[name] = read_picture(shared / "data/rendered" / name)
    films = sorted([*shared.glob("scenes/*/video.mp4"), *shared.glob("clips/*.mp4")])
    for film in films:
        moments = [2.0 * (i + 1) for i in range(max(per_source // 3, 1))]
        for moment, frame in zip(moments, film_frames(film, moments), strict=False):
            pictures[f"{film.relative_to(shared)}@{moment}"] = frame
    return pictures
