"""Why a figure cannot be given."""

import math

from safety.errors import AnjeonError


class KpiError(AnjeonError):
    """A figure cannot be computed from what is known; never shown as zero or NaN."""


def checked_count(value: int, what: str) -> int:
    """A number of cases.

    Raises:
        KpiError: It is negative or no whole number.
    """
    if value != int(value) or value < 0:
        raise KpiError(
            "kpi.count",
            "{what} is {value}; it must be a whole number, 0 or more",
            what=what,
            value=str(value),
        )
    return int(value)


def checked_exposure(value: float, what: str) -> float:
    """Hours, workers or whatever cases are counted against.

    Raises:
        KpiError: There is none, or it is negative or no number.
    """
    if not math.isfinite(value) or value < 0:
        raise KpiError(
            "kpi.exposure",
            "{what} is {value}; it must be a number, 0 or more",
            what=what,
            value=str(value),
        )
    if value == 0:
        raise KpiError(
            "kpi.no_exposure",
            "{what} is 0, so there is no rate; enter the hours and headcount of the period",
            what=what,
        )
    return float(value)
