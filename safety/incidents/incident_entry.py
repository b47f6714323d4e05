"""What people say of an incident, checked before it is kept."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from safety.incidents import risk
from safety.incidents.errors import IncidentError
from safety.incidents.texts import LONG, SHORT, checked
from safety.incidents.types import Kind, Role

MOST_PEOPLE: Final = 20
"""Lines of people."""
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who took part, without a name."""

    role: Role
    count: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEntry:
    """What people say of an incident; the columns of ``Incident`` with the same names."""

    kind: Kind
    title: str
    occurred_at: datetime
    place: str = ""
    description: str = ""
    people: tuple[Person, ...] = ()
    unsafe_state: str = ""
    unsafe_act: str = ""
    prevention: str = ""
    frequency: int | None = None
    severity: int | None = None
    frequency_after: int | None = None
    severity_after: int | None = None


def checked_columns(entry: IncidentEntry, *, now: datetime) -> dict[str, Any]:
    """The entry as columns of ``Incident``.

    Raises:
        IncidentError: Something in it cannot be kept; the message says what.
    """
    if not EARLIEST <= entry.occurred_at <= now:
        raise IncidentError(
            "incident.ahead", "an incident cannot lie ahead, nor before 1990; check the time"
        )
    if len(entry.people) > MOST_PEOPLE or any(not 1 <= p.count <= 999 for p in entry.people):
        raise IncidentError("incident.people", "there are too many lines of people; join some")
    risk.level(entry.frequency, entry.severity)
    risk.level(entry.frequency_after, entry.severity_after)
    texts = {
        name: checked(getattr(entry, name), f"incident.field.{name}", most=LONG)
        for name in ("description", "unsafe_state", "unsafe_act", "prevention")
    }
    people = [
        {
            "role": person.role.value,
            "count": person.count,
            "note": checked(person.note, "incident.field.people", most=SHORT),
        }
        for person in entry.people
    ]
    return {
        "kind": entry.kind.value,
        "title": checked(entry.title, "incident.field.title", least=1),
        "place": checked(entry.place, "incident.field.place"),
        "occurred_at": entry.occurred_at,
        "people": people,
        "frequency": entry.frequency,
        "severity": entry.severity,
        "frequency_after": entry.frequency_after,
        "severity_after": entry.severity_after,
        **texts,
    }
