"""What the specifications of all sirens have in common."""

from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alerts.channels.base import QuietWhen
from safety.config import Label, Slug, Spec

Weekday = Literal["never", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class SirenSpec(Spec):
    """A siren, stack light or relay."""

    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""
    enabled: bool = True
    """A disabled channel is told nothing."""
    quiet_when: QuietWhen = "acknowledged"
    """What an acknowledgement does: quiet, the warning level until it is over, or nothing."""
    self_test_day: Weekday = "mon"
    """Day of the weekly self-test: its warning level for a second and a half."""
    self_test_at: str = Field(default="08:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    """Local time of the self-test, HH:MM."""


class LatchingSpec(SirenSpec):
    """A siren without a timer of its own: it keeps showing the last command."""

    stays_on_if_anjeon_dies: bool = False
    """Must be true: this device cannot go quiet by itself, and whoever installs it accepts that."""

    @model_validator(mode="after")
    def _accepted(self) -> "LatchingSpec":
        if not self.quiet_by_itself and not self.stays_on_if_anjeon_dies:
            raise PydanticCustomError(
                "channel.stays_on",
                "this device has no timer: it keeps sounding if Anjeon dies; set "
                "stays_on_if_anjeon_dies to accept that, or use one that goes quiet by itself",
            )
        return self

    @property
    def quiet_by_itself(self) -> bool:
        """Whether the device goes quiet when nobody commands it any more."""
        return False
