"""Draws on a picture why it is kept: zone, persons, skeletons, rule and time."""

from collections.abc import Sequence
from datetime import UTC, datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from safety.types import FloatArray, Picture, TrackedPerson, Violation
from zones.body_points import MIN_CONFIDENCE
from zones.geometry import Polygon

SKELETON: tuple[tuple[int, int], ...] = (
    (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12), (11, 12),
    (11, 13), (13, 15), (12, 14), (14, 16), (0, 5), (0, 6),
)  # fmt: skip
"""Pairs of COCO-17 keypoints that are joined by a line."""

DANGER = (220, 38, 38)
CALM = (37, 99, 235)
PAPER = (255, 255, 255)
INK = (17, 24, 39)

JPEG_QUALITY = 85


def draw_violation(
    picture: Picture,
    violation: Violation,
    *,
    zone: Polygon | None,
    persons: Sequence[TrackedPerson],
) -> Picture:
    """A copy of the picture with the violation explained.

    The caption has identifiers and UTC time only, since the built-in font has no Korean; the
    page that shows the picture has the names beside it.

    Args:
        picture: (height, width, 3) RGB.
        zone: The violated zone, normalised; None if the rule has none.
        persons: Everybody seen in this picture; the violation's subject is drawn in red.
    """
    canvas = picture.copy()
    scale = np.array([canvas.shape[1], canvas.shape[0]], np.float64)
    width = max(1, round(canvas.shape[1] / 640))
    if zone is not None:
        _draw_zone(canvas, np.asarray(zone) * scale, width)
    for person in persons:
        subject = f"person-{person.track_id}" in violation.subject.split("+")
        _draw_person(canvas, person, scale, DANGER if subject else CALM, width)
    _draw_caption(canvas, caption(violation))
    return canvas


def caption(violation: Violation) -> str:
    """What, where, when, in ASCII."""
    at = datetime.fromtimestamp(violation.captured_at.wall, UTC)
    where = f"zone {violation.zone_id}" if violation.zone_id else f"camera {violation.camera_id}"
    time = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 100_000} UTC"
    what = f"{violation.severity.upper()}  {violation.rule_id} ({violation.rule_kind})"
    missing = violation.details.get("missing")
    if isinstance(missing, list):
        what += f"  no {', '.join(missing)}"
    return f"{what}  {where}  {time}"


def jpeg(picture: Picture) -> bytes:
    """The RGB picture as a JPEG file."""
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    return data.tobytes()


def _draw_zone(canvas: Picture, corners_px: NDArray[np.float64], width: int) -> None:
    corners = corners_px.round().astype(np.int32)
    tint = canvas.copy()
    cv2.fillPoly(tint, [corners], DANGER)
    cv2.addWeighted(tint, 0.2, canvas, 0.8, 0, dst=canvas)
    cv2.polylines(canvas, [corners], True, DANGER, 2 * width, cv2.LINE_AA)


def _draw_person(
    canvas: Picture,
    person: TrackedPerson,
    scale: NDArray[np.float64],
    colour: tuple[int, int, int],
    width: int,
) -> None:
    left, top, right, bottom = _pixels(person.box.reshape(2, 2), scale).ravel().tolist()
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, 2 * width, cv2.LINE_AA)
    points = _pixels(person.keypoints[:, :2], scale).tolist()
    sure = person.keypoints[:, 2] >= MIN_CONFIDENCE
    for first, second in SKELETON:
        if sure[first] and sure[second]:
            cv2.line(canvas, points[first], points[second], colour, width, cv2.LINE_AA)
    for index in np.flatnonzero(sure):
        cv2.circle(canvas, points[index], 2 * width, PAPER, -1, cv2.LINE_AA)


def _draw_caption(canvas: Picture, text: str) -> None:
    font = cv2.FONT_HERSHEY_SIMPLEX
    (length, _), _ = cv2.getTextSize(text, font, 1.0, 1)
    size = min(0.8, 0.97 * canvas.shape[1] / length)
    thickness = 2 if size > 0.6 else 1
    (_, height), baseline = cv2.getTextSize(text, font, size, thickness)
    cv2.rectangle(canvas, (0, 0), (canvas.shape[1], height + 3 * baseline), INK, -1)
    cv2.putText(
        canvas, text, (baseline, height + baseline), font, size, PAPER, thickness, cv2.LINE_AA
    )


def _pixels(points: FloatArray, scale: NDArray[np.float64]) -> NDArray[np.int32]:
    return (points * scale).round().astype(np.int32)
