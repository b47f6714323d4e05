"""Who is on duty when: persons, their shifts, and the days that are different."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from alerts.policy_spec import ContactRole
from zones.plant import ShiftSpec
from zones.shifts import active


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can be told.

    Attributes:
        channels: Channels by which they are told; empty: any.
        shifts: When they are on duty; empty: always.
    """

    id: str
    name: str
    role: ContactRole
    phone: str | None = None
    email: str | None = None
    language: str | None = None
    channels: frozenset[str] = frozenset()
    shifts: frozenset[str] = frozenset()

    def takes(self, channel_id: str) -> bool:
        """Whether this channel is one of theirs."""
        return not self.channels or channel_id in self.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Days, first and last included, on which somebody is away or on duty all day."""

    person_id: str
    first_day: date
    last_day: date
    on_duty: bool

    def covers(self, day: date) -> bool:
        """Whether this day is one of them."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Everything that says who is on duty.

    Attributes:
        shifts: The site's; public holidays are theirs to know.
        timezone: IANA name; days begin at its midnight.
        holidays: None: those of Korea.
    """

    people: Sequence[Person] = ()
    changes: Sequence[Change] = ()
    shifts: Sequence[ShiftSpec] = ()
    timezone: str = "Asia/Seoul"
    holidays: Container[date] | None = field(default=None)

    def shifts_on(self, at_wall: float) -> frozenset[str]:
        """The shifts that are on at a moment, Unix seconds."""
        return active(self.shifts, at_wall, self.timezone, self.holidays)

    def on_duty(self, at_wall: float) -> tuple[Person, ...]:
        """Who is on duty. Being away counts more than a shift, and more than an extra duty.

        A shift that no longer exists leaves its persons always on duty: better to wake somebody.
        """
        day = datetime.fromtimestamp(at_wall, UTC).astimezone(ZoneInfo(self.timezone)).date()
        on = self.shifts_on(at_wall)
        known = {shift.id for shift in self.shifts}
        extra = {c.person_id for c in self.changes if c.on_duty and c.covers(day)}
        return tuple(
            person
            for person in self.present(at_wall)
            if person.id in extra or not (person.shifts & known) or person.shifts & on
        )

    def present(self, at_wall: float) -> tuple[Person, ...]:
        """Who is not away, on duty or not."""
        day = datetime.fromtimestamp(at_wall, UTC).astimezone(ZoneInfo(self.timezone)).date()
        away = {c.person_id for c in self.changes if not c.on_duty and c.covers(day)}
        return tuple(person for person in self.people if person.id not in away)
