"""Contacts: persons who can be told, and when they are on duty. For managers: personal data."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from alerts.open import carries_notices
from alerts.policy_people import read_calendar
from dashboard import forms
from dashboard.access import ManagerOnlyVisit
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.policy_preview import site_context
from dashboard.rule_words import names_of
from dashboard.visit import Visit
from safety.i18n import explain
from safety.site.apply import load_site
from safety.store import contacts
from safety.store.contacts import ContactValues
from safety.store.refusals import Conflict, Invalid, NotFound

router = APIRouter(prefix="/contacts", include_in_schema=False)

_EMPTY: Mapping[str, Any] = {
    "name": "",
    "role": "operator",
    "phone": "",
    "email": "",
    "language": None,
    "channels": (),
    "shifts": (),
}


@router.get("")
def contacts_page(visit: ManagerOnlyVisit) -> Response:
    return _page(visit)


@router.post("/changes")
def add_change(visit: ManagerOnlyVisit, form: Form) -> Response:
    try:
        with visit.database.transaction() as session:
            contacts.add_change(
                session,
                contact_id=forms.text(form, "contact"),
                first_day=_day(forms.text(form, "first_day")),
                last_day=_day(forms.text(form, "last_day")),
                on_duty=forms.text(form, "what") == "on",
                reason=forms.text(form, "reason"),
                by=visit.actor,
                at=visit.now,
            )
    except (Invalid, NotFound) as error:
        return _page(visit, problem=explain(error, visit.language))
    return redirect("/contacts?done=saved")


@router.post("/changes/{change_id}/delete")
def remove_change(visit: ManagerOnlyVisit, change_id: str) -> Response:
    with visit.database.transaction() as session:
        contacts.remove_change(session, change_id, by=visit.actor, at=visit.now)
    return redirect("/contacts?done=deleted")


@router.get("/{contact_id}")
def contact_page(visit: ManagerOnlyVisit, contact_id: str) -> Response:
    with visit.database.reading() as session:
        row = contacts.get(session, contact_id)
    return _one(visit, contact_id, row.model_dump(), version=row.version)


@router.post("/{contact_id}")
def save_contact(visit: ManagerOnlyVisit, contact_id: str, form: Form) -> Response:
    """Change a contact, or add one (``new``)."""
    values = ContactValues(
        name=forms.text(form, "name"),
        role=forms.text(form, "role"),
        phone=forms.text(form, "phone") or None,
        email=forms.text(form, "email") or None,
        language=forms.text(form, "language") or None,
        channels=tuple(forms.texts(form, "channels")),
        shifts=tuple(forms.texts(form, "shifts")),
    )
    version = forms.text(form, "version")
    known = int(version) if version.isdecimal() and len(version) < 10 else 0
    is_new = contact_id == "new"
    try:
        with visit.database.transaction() as session:
            if not is_new:
                contacts.get(session, contact_id)
            contacts.save(
                session,
                uuid4().hex if is_new else contact_id,
                values,
                by=visit.actor,
                at=visit.now,
                expected_version=0 if is_new else known,
            )
    except (Invalid, Conflict) as error:
        problem = explain(error, visit.language)
        shown = {name: getattr(values, name) for name in _EMPTY}
        if is_new:
            return _page(visit, values=shown, problem=problem)
        return _one(visit, contact_id, shown, version=known, problem=problem)
    return redirect("/contacts?done=saved")


@router.post("/{contact_id}/delete")
def delete_contact(visit: ManagerOnlyVisit, contact_id: str, form: Form) -> Response:
    version = forms.text(form, "version")
    known = int(version) if version.isdecimal() and len(version) < 10 else 0
    with visit.database.transaction() as session:
        contacts.remove(session, contact_id, by=visit.actor, at=visit.now, expected_version=known)
    return redirect("/contacts?done=deleted")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("duty.day", "'{text}' is no day; write it as 2026-05-01", text=text) from None


def _page(visit: Visit, *, values: Mapping[str, Any] | None = None, problem: str = "") -> Response:
    with visit.database.reading() as session:
        people = contacts.list_contacts(session)
        changes = contacts.changes(session, since=(visit.now - timedelta(days=1)).date())
        site = load_site(session).spec
        calendar = read_calendar(session, site_context(site), visit.now)
    return render(
        visit,
        "contacts.html",
        status=422 if problem else 200,
        people=people,
        people_names={each.id: each.name for each in people},
        changes=changes,
        on_duty=calendar.on_duty(visit.now.timestamp()),
        values=values or _EMPTY,
        problem=problem,
        **_choices(visit),
    )


def _one(
    visit: Visit, contact_id: str, values: Mapping[str, Any], *, version: int, problem: str = ""
) -> Response:
    return render(
        visit,
        "contact.html",
        status=422 if problem else 200,
        contact_id=contact_id,
        values=values,
        version=version,
        problem=problem,
        **_choices(visit),
    )


def _choices(visit: Visit) -> dict[str, Any]:
    with visit.database.reading() as session:
        site = load_site(session).spec
    return {
        "roles": contacts.ROLES,
        "names": names_of(site),
        "messengers": {each.id: each.name for each in site.channels if carries_notices(each)},
    }
