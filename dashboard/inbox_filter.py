"""What somebody wants to see of the inbox: filters, and a search for places by their names."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Depends
from sqlmodel import Session, col, select

from safety.store import alert_lists
from safety.store.alert_lists import Wanted
from safety.store.alerts import OPEN_STATES
from safety.store.tables import Alert, Camera, Rule, Zone
from safety.types import Severity

Show = Literal["open", "all"]

_ID_PREFIX = re.compile(r"[0-9a-f]{6,32}")

KINDS_OF_OTHERS = (
    "camera_blind",
    "channel_failed",
    "not_paused",
    "disk_low",
    "disk_full",
    "record_broken",
)
"""Kinds of alerts that no rule raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFilter:
    """Filters of the inbox, as its address has them; empty means all."""

    show: Show = "open"
    camera: str = ""
    zone: str = ""
    kind: str = ""
    severity: str = ""
    q: str = ""

    @property
    def query(self) -> str:
        """The filters as they stand in an address."""
        return urlencode({name: value for name, value in self._values() if value})

    def showing(self, show: Show) -> str:
        """The address's query for the other tab."""
        values = dict(self._values()) | {"show": show}
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def narrows(self) -> bool:
        """Whether anything is left out but what is done."""
        return bool(self.camera or self.zone or self.kind or self.severity or self.q)

    def _values(self) -> tuple[tuple[str, str], ...]:
        return (
            ("show", self.show),
            ("camera", self.camera),
            ("zone", self.zone),
            ("kind", self.kind),
            ("severity", self.severity),
            ("q", self.q),
        )


def read_filter(
    show: Show = "open",
    camera: str = "",
    zone: str = "",
    kind: str = "",
    severity: str = "",
    q: str = "",
) -> InboxFilter:
    """The filters in an address."""
    return InboxFilter(
        show=show,
        camera=_plain(camera, 63),
        zone=_plain(zone, 63),
        kind=_plain(kind, 63),
        severity=severity if severity in set(Severity) else "",
        q=_plain(q, 100),
    )


def _plain(text: str, limit: int) -> str:
    return "".join(c for c in text if c.isprintable()).strip()[:limit]


Filter = Annotated[InboxFilter, Depends(read_filter)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the filters offer: ids with names, and kinds of rules that the site has."""

    cameras: dict[str, str]
    zones: dict[str, str]
    kinds: tuple[str, ...]
    severities: tuple[str, ...] = tuple(reversed(Severity))


def filter_choices(session: Session) -> Choices:
    """What the filters offer at this site."""
    kinds = dict.fromkeys(str(rule.spec.get("kind", "")) for rule in session.exec(select(Rule)))
    return Choices(
        cameras=_names(session, Camera),
        zones=_names(session, Zone),
        kinds=(*sorted(kinds), *KINDS_OF_OTHERS),
    )


def found_by_id(session: Session, wanted: InboxFilter) -> Alert | None:
    """The alert whose number somebody typed into the search, if there is just one."""
    text = wanted.q.lower()
    if not _ID_PREFIX.fullmatch(text):
        return None
    rows = alert_lists.by_prefix(session, text, limit=2)
    return rows[0] if len(rows) == 1 else None


def wanted_alerts(session: Session, wanted: InboxFilter) -> Wanted:
    """What to ask the record for: the conversations that fit all filters."""
    zones, cameras = (wanted.zone,) * bool(wanted.zone), (wanted.camera,) * bool(wanted.camera)
    nothing = False
    if wanted.q:
        named_zones, named_cameras = _named(session, wanted.q)
        nothing = not (named_zones or named_cameras)
        if not zones and not cameras:
            zones, cameras = named_zones, named_cameras
        else:
            # A place was chosen as well: it has to be one of those that were searched for.
            nothing = not (set(zones) & set(named_zones) or set(cameras) & set(named_cameras))
    return Wanted(
        states=tuple(sorted(OPEN_STATES)) if wanted.show == "open" else (),
        leads=True,
        zones=zones,
        cameras=() if zones and wanted.zone else cameras,
        kind=wanted.kind or None,
        severity=wanted.severity or None,
        nothing=nothing,
    )


def _named(session: Session, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Zones and cameras whose name holds the text, upper and lower case alike."""
    part = text.casefold()

    def fitting(table: type[Zone] | type[Camera]) -> tuple[str, ...]:
        names = _names(session, table).items()
        return tuple(key for key, name in names if part in name.casefold() or part == key)

    return fitting(Zone), fitting(Camera)


def _names(session: Session, table: type[Zone] | type[Camera]) -> dict[str, str]:
    """Names by id, in the site's order."""
    query = select(table).order_by(col(table.position), col(table.id))
    rows = (row for row in session.scalars(query) if isinstance(row, Zone | Camera))
    return {row.id: str(row.spec.get("name", row.id)) for row in rows}
