"""A whole site: what ``site.yaml`` says, and what the dashboard edits."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from alerts.specs import ChannelSpec
from cameras.specs import CameraSpec
from safety.config import Label, Spec
from zones.plant import PlantSpec
from zones.specs import RuleSpec, ZoneSpec

Location = tuple[str | int, ...]
"""Where in a document: keys and list positions from the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenReference:
    """Two parts of a site that do not fit together.

    Attributes:
        where: The value at fault.
        key: Translation key; ``params`` are its parameters.
        message: English text.
    """

    where: Location
    key: str
    message: str
    params: Mapping[str, str] = field(default_factory=dict)


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


def broken_references(document: Mapping[str, Any]) -> Iterator[BrokenReference]:
    """What does not fit together in a site; parts that are no mappings are passed over.

    Args:
        document: As in YAML; need not be valid otherwise, so that one look finds everything.
    """
    for part in ("cameras", "zones", "rules", "channels"):
        yield from _repeated_ids(document, part)
    yield from _unknown(document, "zones", "camera_id", "cameras")
    yield from _unknown(document, "rules", "zone_id", "zones")
    channel_ids = _ids(document, "channels")
    for number, rule in _items(document, "rules"):
        listed = rule.get("channels")
        for position, channel_id in enumerate(listed if isinstance(listed, list | tuple) else ()):
            if isinstance(channel_id, str) and channel_id not in channel_ids:
                where = ("rules", number, "channels", position)
                yield _missing(where, "channel", channel_id, channel_ids)


def nearest(word: object, known: Collection[str]) -> str:
    """``"; did you mean '…'?"`` with the known word that looks most like this one, or ``""``."""
    close = difflib.get_close_matches(str(word)[:100], sorted(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _repeated_ids(document: Mapping[str, Any], part: str) -> Iterator[BrokenReference]:
    first: dict[str, int] = {}
    for number, item in _items(document, part):
        name = item.get("id")
        if not isinstance(name, str):
            continue
        if name in first:
            params = {"id": name, "part": part, "first": str(first[name])}
            yield BrokenReference(
                where=(part, number, "id"),
                key="site.repeated_id",
                message=f"the id '{name}' is that of {part}[{first[name]}] already; use another",
                params=params,
            )
        first.setdefault(name, number)


def _unknown(
    document: Mapping[str, Any], part: str, field_name: str, target: str
) -> Iterator[BrokenReference]:
    known = _ids(document, target)
    for number, item in _items(document, part):
        name = item.get(field_name)
        if isinstance(name, str) and name not in known:
            yield _missing((part, number, field_name), target.removesuffix("s"), name, known)


def _missing(where: Location, what: str, name: object, known: Collection[str]) -> BrokenReference:
    hint = nearest(name, known) or (
        f"; known are {', '.join(sorted(known)[:10])}" if known else f"; this site has no {what}"
    )
    return BrokenReference(
        where=where,
        key="site.unknown_reference",
        message=f"there is no {what} '{str(name)[:80]}'{hint}",
        params={"what": what, "id": str(name)[:80]},
    )


def _items(document: Mapping[str, Any], part: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    items = document.get(part)
    for number, item in enumerate(items if isinstance(items, list | tuple) else ()):
        if isinstance(item, Mapping):
            yield number, item


def _ids(document: Mapping[str, Any], part: str) -> set[str]:
    return {item["id"] for _, item in _items(document, part) if isinstance(item.get("id"), str)}
