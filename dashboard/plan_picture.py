"""The picture under the floor plan: looked at before it is decoded, and always encoded anew."""

import hashlib
import struct
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from dashboard.errors import Unprocessable

MOST_PIXELS: Final = 24_000_000
"""Of an uploaded picture; it is not decoded if it has more."""

LONGEST_PX: Final = 3000
"""Side of the stored picture."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
_FRAMES: Final = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC)})
"""JPEG markers of frame headers, which say how large the picture is."""


def keep_picture(data: bytes, folder: Path) -> str:
    """Store an uploaded plan.

    Args:
        data: PNG or JPEG, as it was sent.
        folder: Where plans are; made if it is not there.

    Returns:
        The checksum by which it is known; its file is called by it.

    Raises:
        Unprocessable: It is no such picture, or too large.
    """
    size = _size(data)
    if size is None:
        raise _refused("plan.not_a_picture", "this is no PNG or JPEG picture; save it as one")
    if size[0] * size[1] > MOST_PIXELS or min(size) < 1:
        raise _refused(
            "plan.too_many_pixels",
            "the picture has more than 24 million pixels; make it smaller",
        )
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise _refused("plan.not_a_picture", "this is no PNG or JPEG picture; save it as one")
    scale = LONGEST_PX / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    checksum = hashlib.sha256(encoded).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = picture_path(folder, checksum)
    part = path.with_suffix(".part")
    part.write_bytes(encoded)
    part.replace(path)
    return checksum


def picture_path(folder: Path, checksum: str) -> Path:
    """Where a plan is, by the checksum in the configuration."""
    return folder / f"{checksum}.jpg"


def _refused(key: str, message: str) -> Unprocessable:
    return Unprocessable(key, message)


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height by the file's header; None if it is neither PNG nor JPEG."""
    try:
        if data.startswith(_PNG):
            width, height = struct.unpack(">II", data[16:24])
            return width, height
        return _jpeg_size(data) if data.startswith(_JPEG) else None
    except (struct.error, IndexError):
        return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None
