"""Where the body points of everybody in one picture are, and which of them lie in a zone."""

from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from safety.types import KEYPOINTS
from zones.areas import ZoneArea
from zones.stack import Stack

Body = Literal["feet", "hands", "arms", "any"]
"""Which body points count: feet (ankles, else the box's bottom), hands (wrists), arms (wrists with
the hands beyond them, and elbows whose wrist is not seen), any."""

HAND_SHARE = 0.37
"""From the wrist to the middle of the hand, against elbow to wrist: half of 0.108 / 0.146 of the
body's height (Drillis and Contini 1966)."""

MIN_CONFIDENCE = 0.5
"""A keypoint counts from this confidence on."""

_ANKLES = [KEYPOINTS.index("left_ankle"), KEYPOINTS.index("right_ankle")]
_WRISTS = [KEYPOINTS.index("left_wrist"), KEYPOINTS.index("right_wrist")]
_ELBOWS = [KEYPOINTS.index("left_elbow"), KEYPOINTS.index("right_elbow")]
_POINTS = (*KEYPOINTS, "box_bottom")
_COLUMNS: dict[Body, list[int]] = {
    "feet": [*_ANKLES, len(KEYPOINTS)],
    "hands": _WRISTS,
    "arms": [*_WRISTS, *_ELBOWS, *_WRISTS],
    "any": list(range(len(_POINTS))),
}


class BodyPoints:
    """The body points of the persons of one frame."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._known: dict[Body, NDArray[np.float64]] = {}

    def inside(self, area: ZoneArea, body: Body) -> dict[int, list[str]]:
        """Who has such points in a zone's picture: track id → their names."""
        places = self._known.get(body)
        if places is None:
            places = self._known[body] = self._arms() if body == "arms" else self._select(body)
        found: dict[int, list[str]] = {}
        rows, columns = area.contains(places).nonzero()
        if len(rows):
            ids, points = self._stack.ids, _COLUMNS[body]
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
                names = found.setdefault(ids[row], [])
                if _POINTS[points[column]] not in names:  # a hand goes by its wrist
                    names.append(_POINTS[points[column]])
        return found

    @cached_property
    def feet(self) -> NDArray[np.float64]:
        """(N, 2) everybody's feet: middle of the ankles seen, else of the box's bottom."""
        places, known = self._all
        columns = _COLUMNS["feet"]
        weights = known[:, columns, None].astype(float)
        middle: NDArray[np.float64] = (places[:, columns] * weights).sum(axis=1) / weights.sum(
            axis=1
        )
        return middle

    def _select(self, body: Body) -> NDArray[np.float64]:
        """(N, P, 2) places of those points; NaN where they are not known."""
        places, known = self._all
        if body != "any":
            places, known = places[:, _COLUMNS[body]], known[:, _COLUMNS[body]]
        return np.where(known[:, :, None], places, np.nan)

    def _arms(self) -> NDArray[np.float64]:
        """The same: wrists, elbows whose wrist is not seen, and hands.

        A hand reaches beyond its wrist, in the direction of the forearm.
        """
        arms = self._stack.keypoints[:, _WRISTS + _ELBOWS]
        wrists, elbows = arms[:, :2, :2], arms[:, 2:, :2]
        seen = arms[:, :, 2] >= MIN_CONFIDENCE
        both = seen[:, :2] & seen[:, 2:]
        seen[:, 2:] &= ~seen[:, :2]
        places = np.concatenate(
            [np.minimum(np.maximum(arms[:, :, :2], 0), 1), wrists + HAND_SHARE * (wrists - elbows)],
            axis=1,
        )
        known = np.concatenate([seen, both], axis=1)
        return np.where(known[:, :, None], places, np.nan)

    @cached_property
    def _all(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Every body point, (N, 18, 2), and whether it is known, (N, 18)."""
        keypoints, boxes = self._stack.keypoints, self._stack.boxes
        points = np.empty((len(boxes), len(_POINTS), 2))
        # A foot guessed to be just below the picture is in a zone that reaches its edge.
        points[:, :-1] = np.minimum(np.maximum(keypoints[:, :, :2], 0), 1)
        points[:, -1, 0] = (boxes[:, 0] + boxes[:, 2]) / 2
        points[:, -1, 1] = boxes[:, 3]
        known = np.empty(points.shape[:2], bool)
        known[:, :-1] = keypoints[:, :, 2] >= MIN_CONFIDENCE
        known[:, -1] = ~known[:, _ANKLES].any(axis=1)
        return points, known
