"""How pictures are fitted into the network's input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.perception.letterbox import PAD, Placement, fit, network_size, place


@pytest.mark.parametrize(
    ("width", "aspect", "size"),
    [
        (640, 16 / 9, (640, 384)),
        (960, 16 / 9, (960, 544)),
        (1280, 16 / 9, (1280, 736)),
        (640, 4 / 3, (640, 480)),
        (640, 5 / 4, (640, 512)),
        (640, 1.0, (640, 640)),
        (640, 9 / 16, (640, 1152)),
        (640, 2592 / 1944, (640, 480)),
        (640, 704 / 480, (640, 448)),
        (640, 1000.0, (640, 32)),
    ],
)
def test_network_size(width: int, aspect: float, size: tuple[int, int]) -> None:
    assert network_size(width, aspect) == size


@pytest.mark.parametrize(
    ("width", "aspect"), [(0, 1.0), (650, 1.0), (-32, 1.0), (640, 0.0), (640, float("nan"))]
)
def test_no_network_size(width: int, aspect: float) -> None:
    with pytest.raises(ValueError, match="no network size"):
        network_size(width, aspect)


@pytest.mark.parametrize(
    ("size", "placement"),
    [
        ((360, 640), Placement(left=0, top=12, width=640, height=360)),
        ((720, 1280), Placement(left=0, top=12, width=640, height=360)),
        ((384, 640), Placement(left=0, top=0, width=640, height=384)),
        ((384, 384), Placement(left=128, top=0, width=384, height=384)),
        ((361, 640), Placement(left=0, top=11, width=640, height=361)),
        ((1, 5000), Placement(left=0, top=191, width=640, height=1)),
    ],
)
def test_placement(size: tuple[int, int], placement: Placement) -> None:
    assert fit(np.zeros((*size, 3), np.uint8), (640, 384)) == placement


def test_a_picture_of_network_width_is_not_resampled() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (360, 640, 3), np.uint8)
    canvas = np.zeros((384, 640, 3), np.uint8)
    place(picture, canvas, fit(picture, (640, 384)))
    np.testing.assert_array_equal(canvas[12:372], picture)
    assert (canvas[:12] == PAD).all()
    assert (canvas[372:] == PAD).all()


def test_what_lay_in_the_canvas_before_is_gone() -> None:
    canvas = np.full((64, 64, 3), 7, np.uint8)
    tall = np.zeros((100, 50, 3), np.uint8)
    place(tall, canvas, fit(tall, (64, 64)))
    assert not (canvas == 7).any()


@given(
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    x=st.floats(0, 1),
    y=st.floats(0, 1),
)
def test_coordinates_come_back_out(width: int, height: int, x: float, y: float) -> None:
    picture = np.broadcast_to(np.uint8(0), (height, width, 3))
    at = fit(picture, (640, 384))
    inside = np.array([[at.left + x * at.width, at.top + y * at.height]], np.float32)
    assert at.normalised(inside)[0] == pytest.approx(
        [x, y], abs=1e-3 * 640 / min(at.width, at.height)
    )
    assert at.left >= 0
    assert at.left + at.width <= 640
    assert at.top >= 0
    assert at.top + at.height <= 384


@pytest.mark.parametrize("x", [-50.0, 700.0])
def test_coordinates_are_clipped_to_the_picture(x: float) -> None:
    at = Placement(left=0, top=12, width=640, height=360)
    assert at.normalised(np.array([[x, 200]], np.float32))[0, 0] in (0.0, 1.0)
