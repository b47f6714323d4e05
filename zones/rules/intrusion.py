"""Rule kind ``intrusion``: a person is inside a zone."""

from typing import Literal

from zones.rules.base import ZoneRuleBase


class IntrusionSpec(ZoneRuleBase):
    """A person is inside the zone."""

    kind: Literal["intrusion"] = "intrusion"
    body: Literal["feet", "hands", "any"] = "feet"
    """Which body points count: feet (ankles, else the box's bottom), hands (wrists), any."""
