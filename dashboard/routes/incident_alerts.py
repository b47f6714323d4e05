"""From an alert to an incident: parts of the alert's page, and of the rule's."""

from typing import Any

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from dashboard import forms, incident_pictures
from dashboard.access import ManagerOnlyVisit, OperatorVisit, ViewerVisit
from dashboard.errors import Unprocessable
from dashboard.forms import Form
from dashboard.incident_dataset import as_lines, judgements, note
from dashboard.incident_linking import read_links, read_precision
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.evidence.copies import Copies
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
def dataset_page(visit: ManagerOnlyVisit) -> Response:
    """Where a manager takes out what people said of alerts."""
    settings = visit.services.settings
    return render(
        visit,
        "incident_dataset.html",
        pictures=settings.dataset_pictures,
        most=incident_pictures.MOST_PICTURES,
    )


@router.post("/judgements")
def dataset_file(visit: ManagerOnlyVisit, form: Form) -> Response:
    """The file; only for who has agreed to what it may not be used for."""
    if forms.text(form, "agreed") != "yes":
        raise Unprocessable("incident.not_agreed", "agree to the conditions first")
    with_pictures = forms.text(form, "pictures") == "yes"
    if with_pictures and not visit.services.settings.dataset_pictures:
        raise Unprocessable(
            "incident.no_pictures",
            "exports with pictures are switched off; an administrator allows them with "
            "ANJEON_DATASET_PICTURES=true",
        )
    with visit.database.reading() as session:
        head, rows = judgements(
            session, purpose=forms.text(form, "purpose"), by=visit.actor, at=visit.now
        )
    if with_pictures:
        return _archive(visit, head, rows)
    with visit.database.transaction() as session:
        note(session, head, by=visit.actor, at=visit.now)
    headers = {"content-disposition": 'attachment; filename="judgements.jsonl"'}
    return Response(as_lines([head, *rows]), media_type="application/x-ndjson", headers=headers)


def _archive(visit: Visit, head: dict[str, Any], rows: list[dict[str, Any]]) -> Response:
    copies = visit.request.app.state.copies
    assert isinstance(copies, Copies)
    made = incident_pictures.write_archive(
        head,
        rows,
        database=visit.database,
        copies=copies,
        directory=visit.services.settings.evidence_dir,
        clock=visit.services.clock,
    )
    answer = FileResponse(
        made.path,
        media_type="application/zip",
        filename="judgements.zip",
        background=BackgroundTask(made.path.unlink, missing_ok=True),
    )
    detail = {"pictures": made.pictures, "left_out": dict(made.left_out), "sha256": made.sha256}
    try:
        with visit.database.transaction() as session:
            note(session, head, by=visit.actor, at=visit.now, detail=detail)
    except BaseException:
        made.path.unlink(missing_ok=True)
        raise
    return answer
