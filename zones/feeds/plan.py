"""The part of the plane where a vehicle of this site can be."""

from dataclasses import dataclass

MARGIN_M = 50.0
"""Vehicles may leave the plan through a gate, but not by more than this."""


class OutsidePlan(Exception):
    """A position is nowhere near the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanArea:
    """The floor plan's rectangle, metres; without one everything up to 10 km is allowed."""

    left_m: float = -10_000.0
    bottom_m: float = -10_000.0
    right_m: float = 10_000.0
    top_m: float = 10_000.0

    def check(self, x_m: float, y_m: float) -> None:
        """Refuse a position that cannot be.

        Raises:
            OutsidePlan: It lies more than ``MARGIN_M`` outside.
        """
        inside = (
            self.left_m - MARGIN_M <= x_m <= self.right_m + MARGIN_M
            and self.bottom_m - MARGIN_M <= y_m <= self.top_m + MARGIN_M
        )
        if not inside:
            raise OutsidePlan(f"x {x_m:.1f} m, y {y_m:.1f} m is far outside the floor plan")
