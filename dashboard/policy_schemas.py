"""What the API says and takes of the policy, contacts and duty."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, cast

from pydantic import Field

from alerts.policy_spec import ContactRole
from dashboard.schemas import NO_EXAMPLE, Answer, example
from safety.config import Slug
from safety.store.policy_tables import Contact


class ContactBody(Answer):
    """A person who can be told."""

    model_config = example(name="Kim", role="manager", phone="010-1234-5678", shifts=["day"])

    name: str = Field(min_length=1, max_length=120)
    """What colleagues call them; a nickname will do."""
    role: ContactRole
    phone: str | None = Field(default=None, max_length=30)
    """As people write it; kept as E.164."""
    email: str | None = Field(default=None, max_length=254)
    language: Literal["ko", "en"] | None = None
    """Null: the site's."""
    channels: Sequence[Slug] = Field(default=(), max_length=64)
    """Channels by which they are told; empty: any."""
    shifts: Sequence[Slug] = Field(default=(), max_length=64)
    """When they are on duty; empty: always."""


class ContactInfo(ContactBody):
    """A contact as it is kept; its version is the ETag."""

    model_config = NO_EXAMPLE

    id: str
    version: int


class DutyChangeBody(Answer):
    """Days, first and last included, on which somebody is away or on duty all day."""

    model_config = example(
        contact_id="kim", first_day="2026-02-16", last_day="2026-02-18", on_duty=False
    )

    contact_id: Slug
    first_day: date
    last_day: date
    on_duty: bool
    """False: away."""
    reason: str = Field(default="", max_length=200)


class DutyChangeInfo(DutyChangeBody):
    """A change of duty as it is kept."""

    model_config = NO_EXAMPLE

    id: str
    created_at: datetime
    created_by: str


class DutyInfo(Answer):
    """Who is on duty."""

    at: datetime
    shifts: Sequence[str]
    """Shifts that are on."""
    on_duty: Sequence[str]
    """Contacts, by id."""
    changes: Sequence[DutyChangeInfo]


class ToldBy(Answer):
    """A channel, and the names of those whom it addresses; empty: those of its own settings."""

    channel: str
    people: str


class PlannedStep(Answer):
    """One step of a ladder."""

    at: datetime
    after_s: float
    tells: Sequence[ToldBy]
    unmanned: bool
    """Nobody of the roles that were asked for is on duty then."""


class PolicyPreview(Answer):
    """What would happen."""

    route: str | None
    """Null: no route fits, and everybody is told at once."""
    steps: Sequence[PlannedStep]


class ListedAlerts(Answer):
    """Alerts that somebody has looked at."""

    ids: Sequence[Slug] = Field(min_length=1, max_length=200)


class AcknowledgedInfo(Answer):
    """What was changed by that."""

    acknowledged: Sequence[str]


class SnoozeBody(Answer):
    """How long reminders wait."""

    minutes: int = Field(ge=1, le=60)


class SnoozeInfo(Answer):
    """Until when reminders wait."""

    alert_id: str
    snoozed_until: datetime | None
    by: str


class TimelineItem(Answer):
    """One thing that happened."""

    at: datetime
    event: str
    text: str
    people: str | None
    """Names of those who were told, where some were named."""


def contact_info(row: Contact) -> ContactInfo:
    """A contact as the API shows it."""
    return ContactInfo(
        id=row.id,
        name=row.name,
        role=cast(ContactRole, row.role),
        phone=row.phone,
        email=row.email,
        language=cast(Literal["ko", "en"] | None, row.language),
        channels=row.channels,
        shifts=row.shifts,
        version=row.version,
    )
