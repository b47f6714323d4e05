"""API: incidents with causes and corrective actions, and how good a rule's alerts are."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.responses import Response

from dashboard.access import OperatorVisit, ViewerVisit
from dashboard.etags import IfMatch, editing, version_etag
from dashboard.incident_linking import read_precision
from dashboard.incident_schemas import (
    ActionBody,
    AlertIds,
    IncidentBody,
    IncidentInfo,
    IncidentSummary,
    Moment,
    Move,
    NewCause,
    NewIncident,
    PrecisionInfo,
    incident_info,
    incident_summary,
    precision_info,
)
from dashboard.incident_views import read_incident, today_of
from dashboard.once import OnlyOnce
from dashboard.paging import Page, Paged
from dashboard.routes.incidents import require_rank
from dashboard.visit import Visit
from safety.incidents.types import Kind, State
from safety.store import (
    incident_actions,
    incident_alerts,
    incident_causes,
    incident_judging,
    incidents,
)

router = APIRouter(prefix="/api/v1", tags=["incidents"])


@router.get("/incidents")
def list_incidents(
    visit: ViewerVisit,
    paging: Paged,
    state: Annotated[list[State] | None, Query()] = None,
    kind: Kind | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Page[IncidentSummary]:
    """Incidents, newest first."""
    with visit.database.reading() as session:
        rows = incidents.list_incidents(
            session,
            states=state,
            kind=kind,
            since=since,
            until=until,
            before=paging.cursor,
            limit=paging.fetch,
        )
    return paging.page(rows, incident_summary)


@router.post("/incidents", status_code=201)
def create_incident(
    visit: OperatorVisit, body: NewIncident, response: Response, once: OnlyOnce
) -> IncidentInfo:
    """Put an incident on record, from alerts or without any."""
    entry, listed = body.entry(), body.alerts

    def make(session: Session) -> str:
        if not listed:
            return incidents.add(session, entry, **visit.signed).id
        return incident_alerts.open_incident(session, listed, entry, **visit.signed).id

    made = once.make(visit, make)
    visit.hub.nudge("alerts")
    response.headers["location"] = f"/api/v1/incidents/{made}"
    return _answer(visit, made, response)


@router.get("/incidents/{incident_id}")
def get_incident(visit: ViewerVisit, incident_id: str, response: Response) -> IncidentInfo:
    """One incident with all that belongs to it."""
    return _answer(visit, incident_id, response)


@router.put("/incidents/{incident_id}")
def put_incident(
    visit: OperatorVisit,
    incident_id: str,
    body: IncidentBody,
    response: Response,
    if_match: IfMatch = None,
) -> IncidentInfo:
    """Replace what is said of an incident."""
    with editing(visit, incidents.get, incident_id, if_match) as (session, version):
        incidents.change(
            session, incident_id, body.entry(), expected_version=version, **visit.signed
        )
    return _answer(visit, incident_id, response)


@router.post("/incidents/{incident_id}/state")
def move_incident(
    visit: OperatorVisit,
    incident_id: str,
    body: Move,
    response: Response,
    if_match: IfMatch = None,
) -> IncidentInfo:
    """Take an incident to its next state; verifying, closing and reopening are a manager's."""
    with editing(visit, incidents.get, incident_id, if_match) as (session, version):
        require_rank(visit, {State(incidents.get(session, incident_id).state), body.state})
        incidents.move(
            session,
            incident_id,
            body.state,
            note=body.note,
            expected_version=version,
            **visit.signed,
        )
    return _answer(visit, incident_id, response)


@router.post("/incidents/{incident_id}/alerts")
def link_alerts(
    visit: OperatorVisit, incident_id: str, body: AlertIds, response: Response
) -> IncidentInfo:
    """Add alerts to an incident; repeating it changes nothing more."""
    with visit.database.transaction() as session:
        incident_alerts.link(session, incident_id, body.alerts, **visit.signed)
    visit.hub.nudge("alerts")
    return _answer(visit, incident_id, response)


@router.delete("/incidents/{incident_id}/alerts/{alert_id}")
def unlink_alert(
    visit: OperatorVisit,
    incident_id: str,
    alert_id: str,
    response: Response,
    if_match: IfMatch = None,
) -> IncidentInfo:
    """Take an alert out of an incident, whose version ``If-Match`` names."""
    with editing(visit, incidents.get, incident_id, if_match) as (session, _):
        incident_alerts.unlink(session, incident_id, alert_id, **visit.signed)
    return _answer(visit, incident_id, response)


@router.post("/incidents/{incident_id}/causes", status_code=201)
def add_cause(
    visit: OperatorVisit, incident_id: str, body: NewCause, response: Response, once: OnlyOnce
) -> IncidentInfo:
    """Answer one more "why?"."""

    def make(session: Session) -> str:
        return incident_causes.add(
            session, incident_id, text=body.text, parent_id=body.parent_id, **visit.signed
        ).id

    once.make(visit, make)
    return _answer(visit, incident_id, response)


@router.delete("/incidents/{incident_id}/causes/{cause_id}")
def remove_cause(
    visit: OperatorVisit,
    incident_id: str,
    cause_id: str,
    response: Response,
    if_match: IfMatch = None,
) -> IncidentInfo:
    """Take a cause back, with all that explains it; ``If-Match`` names the incident's version."""
    with editing(visit, incidents.get, incident_id, if_match) as (session, version):
        incident_causes.remove(
            session, incident_id, cause_id, expected_version=version, **visit.signed
        )
    return _answer(visit, incident_id, response)


@router.post("/incidents/{incident_id}/actions", status_code=201)
def add_action(
    visit: OperatorVisit, incident_id: str, body: ActionBody, response: Response, once: OnlyOnce
) -> IncidentInfo:
    """Name a corrective action."""
    entry, today = body.entry(), today_of(visit)
    once.make(
        visit,
        lambda session: (
            incident_actions.add(session, incident_id, entry, today=today, **visit.signed).id
        ),
    )
    return _answer(visit, incident_id, response)


@router.post("/alerts/{alert_id}/merge")
def merge_alerts(visit: OperatorVisit, alert_id: str, body: AlertIds) -> AlertIds:
    """Say that alerts are the same situation as this one; answers with all merged into it."""
    with visit.database.transaction() as session:
        merged = incident_judging.merge(session, alert_id, body.alerts, **visit.signed)
    visit.hub.nudge("alerts")
    return AlertIds(alerts=list(merged))


@router.get("/rules/{rule_id}/precision")
def get_precision(visit: ViewerVisit, rule_id: str) -> PrecisionInfo:
    """Of the rule's alerts that people judged in the last year, how many were real."""
    return precision_info(read_precision(visit, rule_id))


def _answer(visit: Visit, incident_id: str, response: Response) -> IncidentInfo:
    view = read_incident(visit, incident_id)
    response.headers["etag"] = version_etag(view.incident.version)
    return incident_info(view)
