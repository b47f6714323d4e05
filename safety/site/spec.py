"""A whole site: what ``site.yaml`` says, and what the dashboard edits."""

from functools import cache
from typing import Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from alerts.policy_spec import PolicySpec
from alerts.specs import ChannelSpec
from cameras.specs import CameraSpec
from safety.config import Label, Spec
from safety.site.references import broken_references, nearest
from zones.plant import PlantSpec
from zones.specs import RuleSpec, ZoneSpec


class SiteSpec(Spec):
    """One site."""

    version: Literal[1] = 1
    """Version of this form."""
    name: Label
    """What people call the site."""
    timezone: str = "Asia/Seoul"
    """Time zone by its IANA name, for every time that people read."""
    language: Literal["ko", "en"] = "ko"
    """Language of alerts and, unless people choose another, of the pages."""
    cameras: tuple[CameraSpec, ...] = Field(default=(), max_length=256)
    """The cameras."""
    zones: tuple[ZoneSpec, ...] = Field(default=(), max_length=2048)
    """The zones in their pictures."""
    rules: tuple[RuleSpec, ...] = Field(default=(), max_length=4096)
    """What must not happen in the zones."""
    channels: tuple[ChannelSpec, ...] = Field(default=(), max_length=256)
    """Sirens and messengers."""
    plant: PlantSpec = PlantSpec()
    """Floor plan, shifts, and what the plant says of itself."""
    policy: PolicySpec = PolicySpec()
    """Who is told of which alert, and when."""

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        # Not by opening it: a name with dots and slashes must not become a path.
        if name not in _timezones():
            hint = nearest(name, _timezones()) or "; give an IANA name such as Asia/Seoul"
            raise PydanticCustomError(
                "site.timezone",
                "'{name}' is no time zone{hint}",
                {"name": name[:80], "hint": hint},
            )
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if broken := next(broken_references(self.model_dump()), None):
            where = ".".join(str(part) for part in broken.where)
            raise PydanticCustomError(
                "site.reference", "{where}: {why}", {"where": where, "why": broken.message}
            )
        return self


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())
