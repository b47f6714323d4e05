"""Rule kind ``dwell``: a person stays inside a zone for too long."""

from typing import Literal

from pydantic import Field

from zones.rules.base import ZoneRuleBase


class DwellSpec(ZoneRuleBase):
    """A person stays inside the zone for too long."""

    kind: Literal["dwell"] = "dwell"
    limit_s: float = Field(gt=0, le=86400)
    """Seconds inside, counted with short gaps bridged by hold_to_close_s."""
