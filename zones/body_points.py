"""Where the body points of everybody in one picture are, and which of them lie in a zone."""

from dataclasses import dataclass
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
    "arms": [*_WRISTS, *_ELBOWS],
    "any": list(range(len(_POINTS))),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The known body points of everybody; entry i of each is one point.

    Attributes:
        places: (P, 2) x and y, normalised.
        rows: (P,) whose, in the order of the stack.
        points: (P,) which, in the order of ``_POINTS``.
    """

    places: NDArray[np.float64]
    rows: NDArray[np.int64]
    points: NDArray[np.int64]


class BodyPoints:
    """The body points of the persons of one frame."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._known: dict[Body, _Known] = {}

    def inside(self, area: ZoneArea, body: Body) -> dict[int, list[str]]:
        """Who has such points in a zone's picture: track id → their names."""
        points = self._known.get(body)
        if points is None:
            points = self._known[body] = self._select(body)
        found: dict[int, list[str]] = {}
        inside = area.contains(points.places)
        if inside.any():
            ids = self._stack.ids
            chosen = zip(points.rows[inside].tolist(), points.points[inside].tolist(), strict=True)
            for row, point in chosen:
                names = found.setdefault(ids[row], [])
                if _POINTS[point] not in names:  # a hand goes by its wrist
                    names.append(_POINTS[point])
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

    def _select(self, body: Body) -> _Known:
        places, known = self._all
        columns = np.array(_COLUMNS[body])
        if body == "arms":
            known = known.copy()
            known[:, _ELBOWS] &= ~known[:, _WRISTS]
        rows, chosen = known[:, columns].nonzero()
        points = columns[chosen]
        known_points = _Known(places=places[rows, points], rows=rows, points=points)
        return self._with_hands(known_points) if body == "arms" else known_points

    def _with_hands(self, arms: _Known) -> _Known:
        """A hand reaches beyond its wrist, in the direction of the forearm."""
        keypoints = self._stack.keypoints
        elbows, wrists = keypoints[:, _ELBOWS], keypoints[:, _WRISTS]
        known = np.minimum(elbows[:, :, 2], wrists[:, :, 2]) >= MIN_CONFIDENCE
        rows, sides = known.nonzero()
        wrist, elbow = wrists[rows, sides, :2], elbows[rows, sides, :2]
        return _Known(
            places=np.concatenate([arms.places, wrist + HAND_SHARE * (wrist - elbow)]),
            rows=np.concatenate([arms.rows, rows]),
            points=np.concatenate([arms.points, np.array(_WRISTS)[sides]]),
        )

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
