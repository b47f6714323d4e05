"""Presentation times go on evenly although the camera's clock does not."""

import pytest

from cameras.timeline import Timeline
from tests.support.packets import instant

WRAP_S = 2**32 / 90_000


def placed(*steps: tuple[float, float]) -> list[float]:
    """Where timestamps are placed, given as (camera's seconds, arrival in seconds)."""
    timeline = Timeline()
    return [timeline.place(pts_s, instant(at_s)) for pts_s, at_s in steps]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(700.0, 0.0), (700.1, 0.1), (700.2, 0.2)], [0.0, 0.1, 0.2]),
        # the camera's own pace counts, not the network's
        ([(0.0, 0.0), (0.1, 0.4), (0.2, 0.41)], [0.0, 0.1, 0.2]),
        # B-frames: decoding order is not the order of display
        ([(0.0, 0.0), (0.4, 0.1), (0.1, 0.2), (0.2, 0.3)], [0.0, 0.4, 0.1, 0.2]),
        # the camera's clock is set forwards and backwards
        ([(0.0, 0.0), (3600.0, 0.1), (3600.1, 0.2)], [0.0, 0.1, 0.2]),
        ([(9000.0, 0.0), (10.0, 0.1), (10.1, 0.2)], [0.0, 0.1, 0.2]),
        # RTP's counter starts again
        ([(WRAP_S - 0.1, 0.0), (0.0, 0.1), (0.1, 0.2)], [0.0, 0.1, 0.2]),
        # what was held up by the network for some seconds keeps its times
        ([(0.0, 0.0), (0.1, 4.0), (0.2, 4.0)], [0.0, 0.1, 0.2]),
    ],
)
def test_placed_times(steps: list[tuple[float, float]], expected: list[float]) -> None:
    assert placed(*steps) == pytest.approx(expected, abs=1e-6)
