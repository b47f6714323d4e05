"""How persons hold themselves, as far as one picture shows it.

Angles are those in the picture, not in space: a trunk that bends towards the camera looks
upright and short. What follows from that is said where it matters.
"""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from safety.types import KEYPOINTS, FloatArray
from zones.stack import Stack

LEAST_CONFIDENCE = 0.3
"""A keypoint counts from this confidence on; a joint is the middle of both sides, or one."""

BENT_DEG = 60.0
"""From here on a trunk is far from upright (class 4 of REBA, Hignett and McAtamney 2000)."""

THIGH_DEG = 45.0
"""Who bends, kneels or crawls has thighs nearer to upright; who lies has not."""

OVERTURNED_DEG = 115.0
"""Beyond this, trunk and thighs point down in the picture: feet away, head towards the camera."""

SHAPELESS_RATIO = 1.3
"""Without a trunk, a box that is wider than this many heights is somebody lying."""

STRAIGHT_DEG = 25.0
"""Trunk and thighs that differ by less are straight,"""

STRAIGHT_THIGH, STRAIGHT_THIGH_SPREAD = 0.9, 0.25
"""if the thighs look about as long as the trunk: not drawn up, nor the trunk along the view."""

ASLANT_DEG = 38.0
"""Nobody stands straight and so far from upright; at the picture's edges perspective leans less."""

SHORT, SHORTEST = 0.6, 0.45
"""A straight body of less than this share of its standing height lies along the view; one of less
than the second, legs and all, does so bent, unless it crawls."""

SIDE_ON = 0.5
"""Shoulders narrower than this share of the trunk's length: seen from the side."""

CUT = 0.995
"""A box that reaches so far is cut by the picture's edge: its shape says nothing."""

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_JOINTS = [
    KEYPOINTS.index(f"{side}_{name}")
    for side in ("left", "right")
    for name in ("shoulder", "hip", "knee")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies:
    """The bodies in one picture; row i of every array is one person, lengths in picture heights.

    Attributes:
        trunk_deg: (N,) angle of hips → shoulders from upright, 0-180; NaN unknown.
        thigh_deg: (N,) angle of knees → hips from upright, 0-180; NaN unknown.
        thigh_share: (N,) length of the thighs against the trunk; NaN unknown.
        shoulder_share: (N,) width of the shoulders against the trunk's length; NaN unknown.
        ratio: (N,) width / height of the box.
        centre: (N, 2) middle of the box.
        size: (N, 2) width and height of the box.
        hip_y: (N,) how far down the hips are, the box's middle where they are not seen.
        standing: (N,) how tall a standing adult looks there; NaN without calibration.
        cut: (N,) the picture's edge cuts the box.
    """

    trunk_deg: Array
    thigh_deg: Array
    thigh_share: Array
    shoulder_share: Array
    ratio: Array
    centre: Array
    size: Array
    hip_y: Array
    standing: Array
    cut: Flags

    def lying(self, standing: Array | None = None) -> Flags:
        """(N,) who lies on the floor, or falls and is nearly there.

        Somebody who bends, kneels, crouches or crawls does not: their thighs, or the proportions
        of the box, say so. A body along the view is told by being straight and far too short for
        somebody who stands there, which takes ``standing`` or a calibrated camera.

        Args:
            standing: (N,) how tall each looked when standing; NaN unknown.
        """
        with np.errstate(invalid="ignore"):
            bent = self.trunk_deg > BENT_DEG
            across = bent & ~(self.thigh_deg <= THIGH_DEG) & (self.ratio > 1)
            overturned = (self.trunk_deg > OVERTURNED_DEG) & (self.thigh_deg > OVERTURNED_DEG)
            shapeless = np.isnan(self.trunk_deg) & (self.ratio > SHAPELESS_RATIO) & ~self.cut
            straight = (np.abs(self.trunk_deg - self.thigh_deg) < STRAIGHT_DEG) & (
                np.abs(self.thigh_share - STRAIGHT_THIGH) < STRAIGHT_THIGH_SPREAD
            )
            aslant = straight & (self.trunk_deg > ASLANT_DEG) & (self.thigh_deg > ASLANT_DEG)
            tall = self.standing if standing is None else np.fmin(self.standing, standing)
            share = np.where(self.cut, np.nan, self.size[:, 1] / tall)
            curled = ~bent | (self.thigh_deg > THIGH_DEG)
            along = (straight & (share < SHORT)) | (
                curled & ~np.isnan(self.thigh_deg) & (share < SHORTEST)
            )
        lying: Flags = across | overturned | shapeless | aslant | along
        return lying

    def upright(self) -> Flags:
        """(N,) who stands straight, all of them in the picture."""
        with np.errstate(invalid="ignore"):
            straight = (self.trunk_deg < 30) & ~(self.thigh_deg > THIGH_DEG)
        return straight & (self.ratio < 0.8) & ~self.cut

    def bent(self) -> Flags:
        """(N,) whose trunk is more than 60° from upright."""
        with np.errstate(invalid="ignore"):
            bent: Flags = self.trunk_deg > BENT_DEG
        return bent

    def side_on(self) -> Flags:
        """(N,) who is seen near enough from the side for the trunk's angle to mean something."""
        with np.errstate(invalid="ignore"):
            side: Flags = self.shoulder_share < SIDE_ON
        return side


_REMEMBERED = 64
"""Frames of somebody's past that are kept at most."""


@dataclass(slots=True, kw_only=True)
class Lying:
    """The recent past of somebody who may lie.

    Attributes:
        seen_at: Monotonic seconds, as all times here.
        box: (4,) as last seen.
        standing: How tall the person looked when last upright, picture heights; NaN unknown.
        heights: When, how far down the hips were, and the height of the body, while not lying.
        lying_at: When last seen lying; None: not lying.
        surely_since: Since when every frame shows a lying body; None: the last one did not.
        lain_as: Height of the body when it was last surely seen lying for a while; NaN: not yet.
        falling_since: Since when falling, before lying.
        fell: Falls, or lies because of a fall.
        fell_from: When the hips began to go down in that fall.
        still_at, still_since: Where the person lies and since when, unmoved.
    """

    seen_at: float
    box: FloatArray
    standing: float = math.nan
    heights: deque[tuple[float, float, float]] = field(
        default_factory=lambda: deque(maxlen=_REMEMBERED)
    )
    lying_at: float | None = None
    surely_since: float | None = None
    lain_as: float = math.nan
    falling_since: float | None = None
    fell: bool = False
    fell_from: float = 0.0
    still_at: tuple[float, float] = (0.0, 0.0)
    still_since: float = 0.0

    def stand(self, now: float, hip_y: float, height: float, *, upright: bool) -> None:
        """The person stands, or has got up."""
        self.lying_at, self.fell, self.lain_as = None, False, math.nan
        self.heights.append((now, hip_y, height))
        if upright:
            known = not math.isnan(self.standing)
            self.standing = 0.7 * self.standing + 0.3 * height if known else height


def bodies(stack: Stack, aspect: float, standing: Array) -> Bodies:
    """The bodies of these persons.

    Args:
        stack: N of them, at least one.
        aspect: Width / height of the picture.
        standing: (N,) how tall a standing adult would look there, picture heights; NaN unknown.
    """
    scale = np.array([aspect, 1.0])
    boxes = stack.boxes.astype(np.float64)
    corners = boxes.reshape(-1, 2, 2) * scale
    size = np.maximum(corners[:, 1] - corners[:, 0], 1e-6)
    joints = stack.keypoints[:, _JOINTS].astype(np.float64)
    places = joints[:, :, :2] * scale
    places[~(joints[:, :, 2] >= LEAST_CONFIDENCE)] = np.nan
    left, right = places[:, :3], places[:, 3:]
    # The middle of both sides, or the side that is known.
    middles = (np.fmin(left, right) + np.fmax(left, right)) / 2
    shoulders, hips, knees = middles[:, 0], middles[:, 1], middles[:, 2]
    trunk, thigh = shoulders - hips, hips - knees
    length = np.maximum(np.hypot(*trunk.T), 1e-6)
    across = left[:, 0] - right[:, 0]
    middle = (corners[:, 0] + corners[:, 1]) / 2
    return Bodies(
        trunk_deg=_from_upright(trunk),
        thigh_deg=_from_upright(thigh),
        thigh_share=np.hypot(*thigh.T) / length,
        shoulder_share=np.hypot(*across.T) / length,
        ratio=size[:, 0] / size[:, 1],
        centre=middle,
        size=size,
        hip_y=np.where(np.isnan(hips[:, 1]), middle[:, 1], hips[:, 1]),
        standing=standing,
        cut=np.any(np.abs(boxes - 0.5) > CUT - 0.5, axis=1),
    )


def _from_upright(up: Array) -> Array:
    return np.degrees(np.arctan2(np.abs(up[:, 0]), -up[:, 1]))
