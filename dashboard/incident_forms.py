"""The forms of incidents and actions, read as they were filled in."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from dashboard import forms
from dashboard.inbox import AlertView
from dashboard.visit import Visit
from safety.incidents.errors import IncidentError
from safety.incidents.incident_entry import IncidentEntry, Person
from safety.incidents.texts import LONG
from safety.incidents.types import Control, Kind, Role
from safety.store.incident_actions import ActionEntry
from safety.store.incident_tables import Incident

Values = Mapping[str, str]

TEXTS = ("title", "place", "description", "unsafe_state", "unsafe_act", "prevention")
RISKS = ("frequency", "severity", "frequency_after", "severity_after")

E = TypeVar("E", bound=StrEnum)


def incident_values(form: FormData) -> dict[str, str]:
    """The fields of an incident's form, as they were typed."""
    names = ("kind", "occurred_at", *RISKS, *(f"people_{role}" for role in Role))
    # One more than is allowed is read, so that too much is refused and not cut off.
    return {name: forms.text(form, name, limit=LONG + 1) for name in (*names, *TEXTS)}


def shown_incident(incident: Incident, zone: ZoneInfo) -> dict[str, str]:
    """The form of an incident on record."""
    people = {f"people_{each['role']}": str(each["count"]) for each in incident.people}
    risks = {name: getattr(incident, name) for name in RISKS}
    return {
        "kind": incident.kind,
        "occurred_at": local_minute(incident.occurred_at, zone),
        **{name: "" if value is None else str(value) for name, value in risks.items()},
        **{f"people_{role}": "" for role in Role},
        **people,
        **{name: getattr(incident, name) for name in TEXTS},
    }


def new_incident(visit: Visit, view: AlertView | None) -> dict[str, str]:
    """The form of a new incident, with what its first alert tells."""
    at = view.alert.raised_at if view else visit.now
    place = (
        " · ".join(dict.fromkeys(filter(None, (view.zone_name, view.camera_name)))) if view else ""
    )
    return {
        "kind": Kind.NEAR_MISS.value,
        "occurred_at": local_minute(at, visit.zone),
        **dict.fromkeys((*RISKS, *TEXTS), ""),
        **{f"people_{role}": "" for role in Role},
        "title": view.title if view else "",
        "place": place,
    }


def incident_entry(values: Values, zone: ZoneInfo, before: Incident | None = None) -> IncidentEntry:
    """The entry that a form describes.

    Args:
        values: Of ``incident_values``.
        zone: The site's.
        before: What is on record; notes about people, which the form does not show, stay.

    Raises:
        IncidentError: A field cannot be read.
    """
    notes = {each["role"]: str(each["note"]) for each in before.people} if before else {}
    people = tuple(
        Person(role=role, count=_count(values[f"people_{role}"]), note=notes.get(role, ""))
        for role in Role
        if values[f"people_{role}"].strip() not in {"", "0"}
    )
    return IncidentEntry(
        kind=choice(values["kind"], Kind, "incident.field.kind"),
        occurred_at=_kept_second(local_time(values["occurred_at"], zone), before),
        people=people,
        title=values["title"],
        place=values["place"],
        description=values["description"],
        unsafe_state=values["unsafe_state"],
        unsafe_act=values["unsafe_act"],
        prevention=values["prevention"],
        frequency=_step(values["frequency"]),
        severity=_step(values["severity"]),
        frequency_after=_step(values["frequency_after"]),
        severity_after=_step(values["severity_after"]),
    )


def action_values(form: FormData) -> dict[str, str]:
    """The fields of an action's form, as they were typed."""
    return {
        name: forms.text(form, name, limit=LONG) for name in ("text", "control", "owner", "due_on")
    }


def action_entry(values: Values) -> ActionEntry:
    """The entry that a form describes.

    Raises:
        IncidentError: A field cannot be read.
    """
    try:
        due_on = date.fromisoformat(values["due_on"])
    except ValueError:
        raise _unreadable("incident.action_field.due_on") from None
    return ActionEntry(
        text=values["text"],
        control=choice(values["control"], Control, "incident.action_field.control"),
        owner=values["owner"],
        due_on=due_on,
    )


def version_of(form: FormData) -> int | None:
    """The version that the page showed; None if the form names none."""
    text = forms.text(form, "version", limit=12)
    return int(text) if text.isascii() and text.isdecimal() else None


def choice(text: str, values: type[E], field: str) -> E:
    """One of a closed list by its own name.

    Raises:
        IncidentError: It is none of them.
    """
    try:
        return values(text)
    except ValueError:
        raise _unreadable(field) from None


def local_minute(at: datetime, zone: ZoneInfo) -> str:
    """A time as a browser's field for it holds it."""
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def local_time(text: str, zone: ZoneInfo) -> datetime:
    """The UTC time of such a field.

    Raises:
        IncidentError: It is none.
    """
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _unreadable("incident.field.occurred_at") from None


def _kept_second(at: datetime, before: Incident | None) -> datetime:
    """The field has no seconds: what was not changed stays as it was."""
    if before is not None and before.occurred_at.replace(second=0, microsecond=0) == at:
        return before.occurred_at
    return at


def _count(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 6:
        return int(text)
    raise _unreadable("incident.field.people")


def _step(text: str) -> int | None:
    if text in {"", "1", "2", "3"}:
        return int(text) if text else None
    raise IncidentError(
        "incident.risk", "give both frequency and severity as 1, 2 or 3, or neither"
    )


def _unreadable(field: str) -> IncidentError:
    return IncidentError(
        "incident.unreadable", "{field} cannot be read; fill it in again", field=[field]
    )
