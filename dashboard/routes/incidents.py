"""Incidents: the board, the form, and one with causes, corrective actions and its alerts."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from dashboard import forms, inbox
from dashboard.access import OperatorVisit, ViewerVisit
from dashboard.errors import Forbidden
from dashboard.forms import Form
from dashboard.inbox import AlertView
from dashboard.incident_forms import (
    action_entry,
    action_values,
    choice,
    incident_entry,
    incident_values,
    new_incident,
    shown_incident,
    version_of,
)
from dashboard.incident_views import read_board, read_incident, today_of
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.i18n import catalogue, explain
from safety.incidents.errors import IncidentError
from safety.incidents.types import Control, Kind, Role, State
from safety.store import (
    alerts,
    incident_actions,
    incident_alerts,
    incident_causes,
    incidents,
)
from safety.store.accounts import Role as Rank
from safety.store.refusals import Conflict

router = APIRouter(prefix="/incidents", include_in_schema=False)

MANAGERS_STATES = frozenset({State.VERIFIED, State.CLOSED})
"""Where only a manager takes an incident, or back from."""


@router.get("")
def board_page(visit: ViewerVisit, kind: str = "") -> Response:
    wanted = kind if kind in set(Kind) else ""
    columns = read_board(visit, kind=wanted or None)
    return render(visit, "incidents.html", columns=columns, kind=wanted, kinds=tuple(Kind))


@router.get("/new")
def new_incident_page(
    visit: OperatorVisit, alert: Annotated[list[str] | None, Query(max_length=100)] = None
) -> Response:
    views = _alert_views(visit, alert or [])
    return _form(visit, new_incident(visit, views[0] if views else None), views=views)


@router.post("")
def create_incident(visit: OperatorVisit, form: Form) -> Response:
    values, alert_ids = incident_values(form), forms.texts(form, "alert")
    try:
        entry = incident_entry(values, visit.zone)
        with visit.database.transaction() as session:
            if alert_ids:
                made = incident_alerts.open_incident(
                    session, alert_ids, entry, by=visit.actor, at=visit.now
                )
            else:
                made = incidents.add(session, entry, by=visit.actor, at=visit.now)
    except (IncidentError, Conflict) as error:
        problem = explain(error, visit.language)
        return _form(visit, values, views=_alert_views(visit, alert_ids), problem=problem)
    visit.hub.nudge("alerts")
    return redirect(f"/incidents/{made.id}?done=created")


@router.get("/{incident_id}")
def incident_page(visit: ViewerVisit, incident_id: str) -> Response:
    return _page(visit, incident_id)


@router.get("/{incident_id}/edit")
def edit_page(visit: OperatorVisit, incident_id: str) -> Response:
    with visit.database.reading() as session:
        row = incidents.get(session, incident_id)
    values = shown_incident(row, visit.zone)
    return _form(visit, values, incident_id=incident_id, version=str(row.version))


@router.post("/{incident_id}")
def change_incident(visit: OperatorVisit, incident_id: str, form: Form) -> Response:
    values = incident_values(form)
    try:
        with visit.database.transaction() as session:
            before = incidents.get(session, incident_id)
            incidents.change(
                session,
                incident_id,
                incident_entry(values, visit.zone, before),
                by=visit.actor,
                at=visit.now,
                expected_version=version_of(form),
            )
    except (IncidentError, Conflict) as error:
        return _form(
            visit,
            values,
            incident_id=incident_id,
            version=forms.text(form, "version"),
            problem=explain(error, visit.language),
        )
    return redirect(f"/incidents/{incident_id}?done=saved")


@router.post("/{incident_id}/state")
def move_incident(visit: OperatorVisit, incident_id: str, form: Form) -> Response:
    wanted = choice(forms.text(form, "state"), State, "incident.field.state")
    try:
        with visit.database.transaction() as session:
            row = incidents.get(session, incident_id)
            require_rank(visit, {State(row.state), wanted})
            incidents.move(
                session,
                incident_id,
                wanted,
                by=visit.actor,
                at=visit.now,
                note=forms.text(form, "note"),
                expected_version=version_of(form),
            )
    except (IncidentError, Conflict) as error:
        return _page(visit, incident_id, problem=explain(error, visit.language))
    return redirect(f"/incidents/{incident_id}?done=saved")


@router.post("/{incident_id}/causes")
def add_cause(visit: OperatorVisit, incident_id: str, form: Form) -> Response:
    try:
        with visit.database.transaction() as session:
            incident_causes.add(
                session,
                incident_id,
                text=forms.text(form, "text"),
                parent_id=forms.text(form, "parent") or None,
                by=visit.actor,
                at=visit.now,
            )
    except (IncidentError, Conflict) as error:
        return _page(visit, incident_id, problem=explain(error, visit.language))
    return redirect(f"/incidents/{incident_id}?done=saved#causes")


@router.post("/{incident_id}/causes/{cause_id}/delete")
def remove_cause(visit: OperatorVisit, incident_id: str, cause_id: str) -> Response:
    with visit.database.transaction() as session:
        incident_causes.remove(session, incident_id, cause_id, by=visit.actor, at=visit.now)
    return redirect(f"/incidents/{incident_id}?done=deleted#causes")


@router.post("/{incident_id}/actions")
def add_action(visit: OperatorVisit, incident_id: str, form: Form) -> Response:
    values = action_values(form)
    try:
        with visit.database.transaction() as session:
            incident_actions.add(
                session,
                incident_id,
                action_entry(values),
                today=today_of(visit),
                by=visit.actor,
                at=visit.now,
            )
    except (IncidentError, Conflict) as error:
        problem = explain(error, visit.language)
        return _page(visit, incident_id, problem=problem, action=values)
    return redirect(f"/incidents/{incident_id}?done=saved#actions")


@router.post("/{incident_id}/alerts/{alert_id}/remove")
def remove_alert(visit: OperatorVisit, incident_id: str, alert_id: str) -> Response:
    with visit.database.transaction() as session:
        incident_alerts.unlink(session, incident_id, alert_id, by=visit.actor, at=visit.now)
    return redirect(f"/incidents/{incident_id}?done=saved")


def require_rank(visit: Visit, states: set[State]) -> None:
    """Verifying, closing and reopening are a manager's.

    Raises:
        Forbidden: Whoever asks is none.
    """
    if states & MANAGERS_STATES and not visit.person.role.includes(Rank.MANAGER):
        raise Forbidden(
            "incident.managers_only", "only a manager verifies, closes and reopens incidents"
        )


def _alert_views(visit: Visit, alert_ids: list[str]) -> list[AlertView]:
    with visit.database.reading() as session:
        rows = [alerts.get(session, each) for each in dict.fromkeys(alert_ids)]
        return inbox.alert_views(session, visit.translate, rows)


def _form(
    visit: Visit,
    values: Mapping[str, str],
    *,
    views: list[AlertView] | None = None,
    incident_id: str = "",
    version: str = "",
    problem: str = "",
) -> Response:
    return render(
        visit,
        "incident_form.html",
        status=422 if problem else 200,
        values=values,
        views=views or [],
        incident_id=incident_id,
        version=version,
        kinds=tuple(Kind),
        roles=tuple(Role),
        problem=problem,
    )


def _page(
    visit: Visit, incident_id: str, *, problem: str = "", action: Mapping[str, str] | None = None
) -> Response:
    return render(
        visit,
        "incident.html",
        status=422 if problem else 200,
        view=read_incident(visit, incident_id),
        today=today_of(visit),
        controls=tuple(Control),
        managers_states=MANAGERS_STATES,
        action=action or {"text": "", "control": "", "owner": "", "due_on": ""},
        known=catalogue(visit.language),
        problem=problem,
    )
