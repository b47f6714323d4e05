"""Risk assessment: how often times how badly, three by three (위험성평가, 빈도·강도법)."""

from enum import StrEnum
from typing import Final

from safety.incidents.errors import IncidentError

STEPS: Final = (1, 2, 3)


class Level(StrEnum):
    """What a risk asks for: ``high`` means stop until it is lower."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


def level(frequency: int | None, severity: int | None) -> Level | None:
    """The level of a risk: 1-2 low, 3-4 medium, 6-9 high; None if it is not assessed.

    Raises:
        IncidentError: A value outside 1-3, or only one of the two.
    """
    if frequency is None and severity is None:
        return None
    if frequency not in STEPS or severity not in STEPS:
        raise IncidentError(
            "incident.risk", "give both frequency and severity as 1, 2 or 3, or neither"
        )
    score = frequency * severity
    if score <= 2:
        return Level.LOW
    return Level.MEDIUM if score <= 4 else Level.HIGH
