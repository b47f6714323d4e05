"""Thresholds and non-maximum suppression."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from safety.perception.letterbox import Placement
from safety.perception.postprocess import MAX_DETECTIONS, PoseDecoder, suppress
from safety.types import FloatArray, ObjectClass
from tests.support.networks import person

WHOLE = Placement(left=0, top=0, width=640, height=384)
UNIT = [0.0, 0.0, 10.0, 10.0]


@pytest.mark.parametrize(
    ("boxes", "scores", "kept"),
    [
        ([], [], []),
        ([UNIT], [0.5], [0]),
        ([UNIT, UNIT], [0.5, 0.9], [1]),
        ([UNIT, UNIT], [0.5, 0.5], [0]),
        ([UNIT, [20, 0, 30, 10]], [0.5, 0.9], [1, 0]),
        # Overlaps 8/12 = 0.667: stays.
        ([UNIT, [2, 0, 12, 10]], [0.9, 0.8], [0, 1]),
        # Overlaps 9/11 = 0.818: goes.
        ([UNIT, [1, 0, 11, 10]], [0.9, 0.8], [0]),
        # Overlaps exactly 0.7: stays, as in Ultralytics.
        ([[0, 0, 10, 1], [0, 0, 7, 1]], [0.9, 0.8], [0, 1]),
        # The second falls to the first, so it cannot take the third with it.
        ([UNIT, [1, 0, 11, 10], [2, 0, 12, 10]], [0.9, 0.8, 0.7], [0, 2]),
        # Boxes without area overlap nothing.
        ([[5, 5, 5, 5], [5, 5, 5, 5]], [0.9, 0.8], [0, 1]),
    ],
)
def test_suppression(boxes: list[list[float]], scores: list[float], kept: list[int]) -> None:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    assert suppress(array, np.array(scores, np.float32), 0.7).tolist() == kept


@given(
    corners=arrays(np.float32, (40, 2), elements=st.floats(0, 100, width=32)),
    sizes=arrays(np.float32, (40, 2), elements=st.floats(1, 50, width=32)),
    scores=arrays(np.float32, (40,), elements=st.floats(0, 1, width=32)),
)
def test_what_stays_is_sorted_and_apart(
    corners: FloatArray, sizes: FloatArray, scores: FloatArray
) -> None:
    boxes = np.concatenate([corners, corners + sizes], axis=1)
    kept = suppress(boxes, scores, 0.7)
    assert scores[kept].tolist() == sorted(scores[kept].tolist(), reverse=True)
    assert scores[kept[0]] == scores.max()
    for i, first in enumerate(kept):
        for second in kept[i + 1 :]:
            low = np.maximum(boxes[first, :2], boxes[second, :2])
            high = np.minimum(boxes[first, 2:], boxes[second, 2:])
            shared = float(np.prod((high - low).clip(min=0)))
            union = float(np.prod(sizes[first]) + np.prod(sizes[second])) - shared
            assert shared <= 0.7 * union * (1 + 1e-4)


def test_never_more_than_the_maximum() -> None:
    across = np.arange(1000, dtype=np.float32) * 20
    boxes = np.stack([across, across * 0, across + 10, across * 0 + 10], axis=1)
    kept = suppress(boxes, np.linspace(0, 1, 1000, dtype=np.float32), 0.7)
    assert kept.tolist() == list(range(999, 999 - MAX_DETECTIONS, -1))


@pytest.mark.parametrize(("score", "found"), [(0.25, 0), (0.2501, 1), (1.0, 1), (0.0, 0)])
def test_the_threshold_itself_is_not_enough(score: float, found: int) -> None:
    decoder = PoseDecoder([0], confidence=0.25, iou=0.7)
    output = np.array([person(100, 100, 20, 40, score)], np.float32).T
    assert len(decoder.decode(output, WHOLE)) == found


def test_classes_are_named_and_never_suppress_each_other() -> None:
    """A network whose classes come in another order than ours, both at the same place."""
    amr, somebody = list(ObjectClass).index(ObjectClass.AMR), 0
    decoder = PoseDecoder([amr, somebody], confidence=0.25, iou=0.7)
    rows = np.zeros((2, 4 + 2 + 51), np.float32)
    rows[:, :4] = [100, 100, 20, 40]
    rows[0, 4:6] = [0.9, 0.3]
    rows[1, 4:6] = [0.1, 0.8]
    found = decoder.decode(rows.T, WHOLE)
    assert found.classes.tolist() == [amr, somebody]
    assert found.scores == pytest.approx([0.9, 0.8])
