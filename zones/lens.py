"""Radial lens distortion: straight lines that a wide lens bends."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic_core import PydanticCustomError

from safety.config import Spec

_GRID = np.linspace(0.0, 3.0, 3001)
"""Radii in the picture at which the lens is tabulated, half picture widths."""


class LensSpec(Spec):
    """Radial distortion: a perfect lens would show at r (1 + k1 r² + k2 r⁴) what this one shows
    at r, half picture widths from the centre.

    Positive k1: straight lines near the edge bulge outwards (barrel), as with wide lenses. From
    the picture to straight lines, for in this direction wide lenses do not fold.
    """

    k1: float = Field(default=0.0, ge=-1, le=1)
    """Second-order coefficient."""
    k2: float = Field(default=0.0, ge=-1, le=1)
    """Fourth-order coefficient."""


@dataclass(frozen=True, slots=True)
class Lens:
    """A lens, tabulated. Points are (N, 2) from the picture's centre, in picture heights.

    Attributes:
        unit: Half the picture's width in picture heights.
        ideal, bent: Radii before and after distortion, half widths, both rising.
    """

    unit: float
    ideal: NDArray[np.float64]
    bent: NDArray[np.float64]

    def straighten(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """From where the picture shows points to where a perfect lens would."""
        return self._moved(points, self.bent, self.ideal)

    def bend(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """From where a perfect lens would show points to where the picture does.

        A point farther out than the lens can show stays at its rim.
        """
        return self._moved(points, self.ideal, self.bent)

    def _moved(
        self,
        points: NDArray[np.float64],
        before: NDArray[np.float64],
        after: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        radius = np.hypot(points[:, 0], points[:, 1]) / self.unit
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.where(radius > 1e-9, np.interp(radius, before, after) / radius, 1.0)
        return points * scale[:, None]


def lens_of(spec: LensSpec, aspect: float) -> Lens:
    """The lens of a picture of this width / height.

    Raises:
        ValueError: The coefficients fold the picture over itself before its corners; a
            ``PydanticCustomError``, ``type`` is the translation key.
    """
    ideal = _GRID * (1 + spec.k1 * _GRID**2 + spec.k2 * _GRID**4)
    falling = np.flatnonzero(np.diff(ideal) <= 0)
    end = int(falling[0]) + 1 if len(falling) else len(_GRID)
    if _GRID[end - 1] < np.hypot(1, 1 / aspect):
        raise PydanticCustomError(
            "lens.folds",
            "lens coefficients k1 = {k1} and k2 = {k2} fold the picture before its corners; "
            "use smaller ones",
            {"k1": f"{spec.k1:g}", "k2": f"{spec.k2:g}"},
        )
    return Lens(unit=aspect / 2, ideal=ideal[:end], bent=_GRID[:end])
