"""From an alert to an incident: parts of the alert's page, and of the rule's."""

from fastapi import APIRouter
from starlette.responses import Response

from dashboard import forms
from dashboard.access import AdminVisit, OperatorVisit, ViewerVisit
from dashboard.errors import Unprocessable
from dashboard.forms import Form
from dashboard.incident_dataset import as_lines, judgements
from dashboard.incident_linking import read_links, read_precision
from dashboard.pages import redirect, render
from safety.store import incident_alerts, incident_judging

router = APIRouter(include_in_schema=False)


@router.get("/alerts/{alert_id}/incident")
def alert_links(visit: ViewerVisit, alert_id: str) -> Response:
    """The part of an alert's page that leads to incidents."""
    return render(visit, "_alert_incident.html", links=read_links(visit, alert_id))


@router.post("/alerts/{alert_id}/merge")
def merge_alerts(visit: OperatorVisit, alert_id: str, form: Form) -> Response:
    """Other alerts are the same situation as this one."""
    with visit.database.transaction() as session:
        incident_judging.merge(
            session, alert_id, forms.texts(form, "alert"), by=visit.actor, at=visit.now
        )
    visit.hub.nudge("alerts")
    return redirect(f"/alerts/{alert_id}")


@router.post("/alerts/{alert_id}/incident")
def add_to_incident(visit: OperatorVisit, alert_id: str, form: Form) -> Response:
    """This alert belongs to an incident that is on record."""
    incident_id = forms.text(form, "incident")
    with visit.database.transaction() as session:
        incident_alerts.link(session, incident_id, [alert_id], by=visit.actor, at=visit.now)
    visit.hub.nudge("alerts")
    return redirect(f"/incidents/{incident_id}?done=saved")


@router.get("/rules/{rule_id}/precision")
def rule_precision(visit: ViewerVisit, rule_id: str) -> Response:
    """How many of a rule's alerts were real, by what people said."""
    return render(visit, "_rule_precision.html", found=read_precision(visit, rule_id))


@router.get("/judgements")
def dataset_page(visit: AdminVisit) -> Response:
    """Where an administrator takes out what people said of alerts."""
    return render(visit, "incident_dataset.html")


@router.post("/judgements")
def dataset_file(visit: AdminVisit, form: Form) -> Response:
    """The file; only for who has agreed to what it may not be used for."""
    if forms.text(form, "agreed") != "yes":
        raise Unprocessable("incident.not_agreed", "agree to the conditions first")
    with visit.database.transaction() as session:
        found = judgements(
            session, purpose=forms.text(form, "purpose"), by=visit.actor, at=visit.now
        )
    headers = {"content-disposition": 'attachment; filename="judgements.jsonl"'}
    return Response(as_lines(found), media_type="application/x-ndjson", headers=headers)
