"""Persons who can be told, and the days on which their duty is different."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlmodel import Session, col, delete, select

from safety.store import audit
from safety.store.policy_tables import Contact, DutyChange
from safety.store.refusals import Conflict, Invalid, NotFound

ROLES = ("operator", "manager", "director", "maintenance", "first_aid")

LONGEST_CHANGE = timedelta(days=366)

_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}\.[^@\s,;<>\".]{2,63}")
_RESIDENT_NUMBER = re.compile(r"(?<!\d)\d{6}[-–\s]?[1-8]\d{6}(?!\d)")
_COUNTRY = "+82"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactValues:
    """What people say of a contact; see ``Contact`` for the fields."""

    name: str
    role: str
    phone: str | None = None
    email: str | None = None
    language: str | None = None
    channels: tuple[str, ...] = ()
    shifts: tuple[str, ...] = ()


def save(
    session: Session,
    contact_id: str,
    values: ContactValues,
    *,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> Contact:
    """Add a contact (``expected_version`` 0 or None), or replace one.

    Raises:
        Invalid: A value cannot be used.
        Conflict: Somebody else changed, added or removed it meanwhile.
    """
    cleaned = _cleaned(values)
    row = session.get(Contact, contact_id, with_for_update=True, populate_existing=True)
    if expected_version is not None and (row.version if row else 0) != expected_version:
        raise _changed()
    action = "contact.add" if row is None else "contact.change"
    if row is None:
        row = Contact(id=contact_id, name=cleaned.name, role=cleaned.role, version=0)
    row.name, row.role, row.language = cleaned.name, cleaned.role, cleaned.language
    row.phone, row.email = cleaned.phone, cleaned.email
    row.channels, row.shifts = list(cleaned.channels), list(cleaned.shifts)
    row.version += 1
    session.add(row)
    session.flush()
    # Numbers and addresses are of no use in the audit log for ever.
    detail = {"role": row.role, "channels": row.channels, "shifts": row.shifts}
    audit.record(session, actor=by, action=action, subject=contact_id, at=at, detail=detail)
    return row


def remove(
    session: Session,
    contact_id: str,
    *,
    by: str,
    at: datetime,
    expected_version: int | None = None,
) -> None:
    """Forget a person, with the changes of their duty.

    Raises:
        NotFound: There is no such contact.
        Conflict: Somebody else changed it meanwhile.
    """
    row = session.get(Contact, contact_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("contact", contact_id)
    if expected_version not in {None, row.version}:
        raise _changed()
    session.exec(delete(DutyChange).where(col(DutyChange.contact_id) == contact_id))
    session.delete(row)
    session.flush()
    audit.record(session, actor=by, action="contact.remove", subject=contact_id, at=at)


def get(session: Session, contact_id: str) -> Contact:
    """One contact.

    Raises:
        NotFound: There is none.
    """
    row = session.get(Contact, contact_id)
    if row is None:
        raise NotFound("contact", contact_id)
    return row


def list_contacts(session: Session) -> Sequence[Contact]:
    """Everybody, by name."""
    return session.exec(select(Contact).order_by(col(Contact.name), col(Contact.id))).all()


def add_change(
    session: Session,
    *,
    contact_id: str,
    first_day: date,
    last_day: date,
    on_duty: bool,
    reason: str,
    by: str,
    at: datetime,
) -> DutyChange:
    """Somebody is away, or on duty all day, on these days (both included).

    Raises:
        NotFound: There is no such contact.
        Invalid: The days are in the wrong order, past, or more than a year.
    """
    get(session, contact_id)
    if not timedelta() <= last_day - first_day <= LONGEST_CHANGE:
        raise Invalid("duty.days", "the last day must not be before the first, nor a year after it")
    if last_day < (at - timedelta(days=1)).date():
        raise Invalid("duty.past", "these days are over; choose days that are still to come")
    row = DutyChange(
        id=uuid4().hex,
        contact_id=contact_id,
        first_day=first_day,
        last_day=last_day,
        on_duty=on_duty,
        reason=_plain(reason)[:200],
        created_at=at,
        created_by=by,
    )
    session.add(row)
    session.flush()
    detail = {"from": first_day.isoformat(), "to": last_day.isoformat(), "on_duty": on_duty}
    audit.record(session, actor=by, action="duty.change", subject=contact_id, at=at, detail=detail)
    return row


def remove_change(session: Session, change_id: str, *, by: str, at: datetime) -> None:
    """Take a change of duty back.

    Raises:
        NotFound: There is none.
    """
    row = get_change(session, change_id)
    session.delete(row)
    session.flush()
    audit.record(session, actor=by, action="duty.take_back", subject=row.contact_id, at=at)


def get_change(session: Session, change_id: str) -> DutyChange:
    """One change of duty.

    Raises:
        NotFound: There is none.
    """
    row = session.get(DutyChange, change_id)
    if row is None:
        raise NotFound("duty change", change_id)
    return row


def changes(session: Session, *, since: date) -> Sequence[DutyChange]:
    """Changes of duty that are not over by then, soonest first."""
    query = select(DutyChange).where(col(DutyChange.last_day) >= since)
    return session.exec(query.order_by(col(DutyChange.first_day), col(DutyChange.id))).all()


def e164(text: str) -> str:
    """A telephone number as the world writes it; one without country is Korean.

    Raises:
        Invalid: It is no telephone number.
    """
    kept = re.sub(r"[\s().–-]", "", text)
    number = _COUNTRY + kept[1:] if re.fullmatch(r"0\d{8,10}", kept) else kept
    if not re.fullmatch(r"\+[1-9]\d{7,14}", number):
        raise Invalid(
            "contact.phone",
            "this is no telephone number; write it as 010-1234-5678 or +82 10 1234 5678",
        )
    return number


def _cleaned(values: ContactValues) -> ContactValues:
    name = _plain(values.name)
    if not 1 <= len(name) <= 120:
        raise Invalid("contact.name", "name the person, 1 to 120 characters")
    if values.role not in ROLES:
        raise Invalid("contact.role", "choose one of the roles: {roles}", roles=", ".join(ROLES))
    email = (values.email or "").strip() or None
    if email is not None and not _EMAIL.fullmatch(email):
        raise Invalid("contact.email", "this is no e-mail address; write it as name@company.com")
    if values.language not in {None, "ko", "en"}:
        raise Invalid("contact.language", "choose Korean, English or the site's language")
    phone = (values.phone or "").strip()
    return ContactValues(
        name=name,
        role=values.role,
        phone=e164(phone) if phone else None,
        email=email,
        language=values.language,
        channels=tuple(dict.fromkeys(values.channels)),
        shifts=tuple(dict.fromkeys(values.shifts)),
    )


def _plain(text: str) -> str:
    """The text without control characters and outer blanks.

    Raises:
        Invalid: It holds what looks like a resident registration number.
    """
    if _RESIDENT_NUMBER.search(text):
        raise Invalid(
            "contact.resident_number",
            "this looks like a resident registration number; Anjeon keeps none, leave it out",
        )
    return "".join(c for c in text if c.isprintable()).strip()


def _changed() -> Conflict:
    return Conflict("contact.changed", "somebody else changed this contact; look at it again")
