"""Close-ups of a picture: what the network gets, and how their results become one."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameras.regions import WHOLE, Region, cut, merged
from safety.clock import ManualClock
from safety.types import Detections, Frame, ObjectClass, Picture
from tests.support.pictures import WholePicture

LEFT_HALF = Region(left=0.0, top=0.25, right=0.5, bottom=0.75)
MIDDLE = Region(left=0.25, top=0.25, right=0.75, bottom=0.75)
Box = tuple[float, float, float, float]
PERSON = 0
AMR = list(ObjectClass).index(ObjectClass.AMR)


def frame_of(picture: Picture, network_width: int) -> Frame:
    height_px, width_px = picture.shape[:2]
    size = (network_width, round(height_px * network_width / width_px))
    return Frame(
        camera_id="cam-1",
        sequence=1,
        captured_at=ManualClock().now(),
        width_px=width_px,
        height_px=height_px,
        picture=cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8),
        full=WholePicture(picture),
    )


def found(*boxes: Box, score: float = 0.9, kind: int = PERSON) -> Detections:
    keypoints = np.zeros((len(boxes), 17, 3), np.float32)
    for row, (left, top, right, bottom) in enumerate(boxes):
        keypoints[row, :, :2] = (left + right) / 2, (top + bottom) / 2
    return Detections(
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.full(len(boxes), score, np.float32),
        classes=np.full(len(boxes), kind, np.int64),
        keypoints=keypoints,
    )


def boxes_of(detections: Detections) -> list[Box]:
    return [(float(a), float(b), float(c), float(d)) for a, b, c, d in detections.boxes.round(3)]


@pytest.fixture(scope="module")
def picture() -> Picture:
    noise = np.random.default_rng(1).integers(0, 255, (45, 80, 3), np.uint8)
    return cv2.resize(noise, (1280, 720)).astype(np.uint8)


@pytest.mark.parametrize(
    ("region", "width", "size"),
    [
        (WHOLE, 640, (360, 640)),
        (WHOLE, 960, (540, 960)),
        (MIDDLE, 640, (360, 640)),
        (LEFT_HALF, 320, (180, 320)),
    ],
)
def test_the_network_gets_its_width_in_the_pictures_aspect(
    picture: Picture, region: Region, width: int, size: tuple[int, int]
) -> None:
    assert cut(frame_of(picture, 640), region, width).shape == (*size, 3)


def test_a_close_up_shows_the_cameras_own_pixels(picture: Picture) -> None:
    close_up = cut(frame_of(picture, 640), MIDDLE, 640)
    assert np.array_equal(close_up, picture[180:540, 320:960])


def test_a_whole_picture_that_is_there_is_not_made_again(picture: Picture) -> None:
    frame = frame_of(picture, 640)
    assert cut(frame, WHOLE, 640) is frame.picture


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        # Seen in both: the close-up's box stays.
        (
            [(WHOLE, [(0.40, 0.40, 0.50, 0.70)]), (MIDDLE, [(0.31, 0.31, 0.50, 0.90)])],
            [(0.405, 0.405, 0.5, 0.7)],
        ),
        # Two persons side by side are two.
        (
            [(WHOLE, [(0.40, 0.40, 0.45, 0.60)]), (MIDDLE, [(0.50, 0.30, 0.60, 0.70)])],
            [(0.5, 0.4, 0.55, 0.6), (0.4, 0.4, 0.45, 0.6)],
        ),
        # Cut at the close-up's side: the whole picture shows the person.
        (
            [(WHOLE, [(0.20, 0.40, 0.30, 0.60)]), (MIDDLE, [(0.0, 0.30, 0.10, 0.70)])],
            [(0.2, 0.4, 0.3, 0.6)],
        ),
        # Cut there, and no look at the whole picture: it is waited for.
        ([(MIDDLE, [(0.0, 0.30, 0.10, 0.70)])], []),
        ([(MIDDLE, [(0.3, 0.30, 0.40, 1.00)])], []),
        # The picture's own edge cuts nothing off.
        ([(LEFT_HALF, [(0.0, 0.30, 0.10, 0.70)])], [(0.0, 0.4, 0.05, 0.6)]),
        # Without head, but with feet: seen, unless the whole picture shows more.
        ([(MIDDLE, [(0.30, 0.0, 0.40, 0.50)])], [(0.4, 0.25, 0.45, 0.5)]),
        (
            [(WHOLE, [(0.40, 0.10, 0.45, 0.50)]), (MIDDLE, [(0.30, 0.0, 0.40, 0.50)])],
            [(0.4, 0.1, 0.45, 0.5)],
        ),
        # Two close-ups that overlap.
        (
            [(LEFT_HALF, [(0.70, 0.20, 0.80, 0.60)]), (MIDDLE, [(0.20, 0.20, 0.30, 0.60)])],
            [(0.35, 0.35, 0.4, 0.55)],
        ),
        ([(WHOLE, []), (MIDDLE, [])], []),
    ],
)
def test_looks_become_one(looks: list[tuple[Region, list[Box]]], expected: list[Box]) -> None:
    parts = [(region, found(*boxes)) for region, boxes in looks]
    assert boxes_of(merged(parts)) == [pytest.approx(box, abs=2e-3) for box in expected]


def test_a_vehicle_that_is_cut_anywhere_waits_for_the_whole_picture() -> None:
    cut_off = found((0.3, 0.0, 0.4, 0.5), kind=AMR)
    assert len(merged([(MIDDLE, cut_off)])) == 0


def test_a_person_on_a_vehicle_hides_neither() -> None:
    parts = [
        (WHOLE, found((0.4, 0.4, 0.5, 0.6), kind=AMR)),
        (MIDDLE, found((0.3, 0.3, 0.5, 0.7))),
    ]
    assert sorted(merged(parts).classes.tolist()) == [PERSON, AMR]


def test_the_surest_come_first() -> None:
    parts = [
        (MIDDLE, found((0.3, 0.3, 0.4, 0.5), score=0.4)),
        (WHOLE, found((0.1, 0.1, 0.2, 0.2), score=0.8)),
    ]
    assert merged(parts).scores.tolist() == pytest.approx([0.8, 0.4])


places = st.floats(0.05, 0.55).flatmap(
    lambda x: st.tuples(st.just(x), st.floats(0.05, 0.55), st.floats(0.02, 0.4))
)


@given(boxes=st.lists(places, max_size=6), left=st.floats(0, 0.5), top=st.floats(0, 0.5))
def test_what_a_close_up_shows_lies_where_it_was_cut(
    boxes: list[tuple[float, float, float]], left: float, top: float
) -> None:
    region = Region(left=left, top=top, right=left + 0.5, bottom=top + 0.5)
    inside = found(*((x, y, x + size, y + size) for x, y, size in boxes))
    result = merged([(region, inside)])
    assert len(result) == len(boxes)
    for box, points in zip(result.boxes, result.keypoints, strict=True):
        assert left <= box[0] <= box[2] <= left + 0.5
        assert points[0, :2] == pytest.approx((box[:2] + box[2:]) / 2, abs=1e-5)
