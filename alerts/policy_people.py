"""The calendar as the record and the site have it."""

from datetime import datetime, timedelta
from typing import cast

from sqlmodel import Session

from alerts.notices import SiteContext
from alerts.policy_calendar import Calendar, Change, Person
from alerts.policy_spec import ContactRole
from safety.store import contacts


def read_calendar(session: Session, site: SiteContext, now: datetime) -> Calendar:
    """Everybody with their duty, from yesterday on."""
    changes = contacts.changes(session, since=(now - timedelta(days=2)).date())
    return Calendar(
        people=tuple(
            Person(
                id=row.id,
                name=row.name,
                # What was written was checked; a role of a newer version is asked for by nobody.
                role=cast(ContactRole, row.role),
                phone=row.phone,
                email=row.email,
                language=row.language,
                channels=frozenset(row.channels),
                shifts=frozenset(row.shifts),
            )
            for row in contacts.list_contacts(session)
        ),
        changes=tuple(
            Change(
                person_id=row.contact_id,
                first_day=row.first_day,
                last_day=row.last_day,
                on_duty=row.on_duty,
            )
            for row in changes
        ),
        shifts=site.shifts,
        timezone=site.usable_timezone,
    )
