"""Answering many alerts at once, and letting the reminders of one wait."""

from fastapi import APIRouter
from starlette.responses import Response

from dashboard import forms
from dashboard.access import OperatorVisit, ViewerVisit
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.unanswered import read_unanswered
from safety.store import alerts, conversations

router = APIRouter(include_in_schema=False)

MOST_AT_ONCE = 100
"""Alerts that one tap acknowledges at most: nobody has looked at more."""


@router.post("/alerts/acknowledge")
def acknowledge_listed(visit: OperatorVisit, form: Form) -> Response:
    """Acknowledge what the page listed, and nothing that came after it was drawn."""
    listed = forms.texts(form, "alert")[:MOST_AT_ONCE]
    with visit.database.transaction() as session:
        alerts.acknowledge_listed(session, listed, by=visit.actor, at=visit.now)
    visit.hub.nudge("alerts")
    return redirect("/alerts?done=saved")


@router.post("/alerts/{alert_id}/snooze")
def snooze(visit: OperatorVisit, alert_id: str, form: Form) -> Response:
    minutes = forms.text(form, "minutes")
    with visit.database.transaction() as session:
        conversations.snooze(
            session,
            alert_id,
            minutes=int(minutes) if minutes.isdecimal() and len(minutes) < 6 else 0,
            by=visit.actor,
            at=visit.now,
        )
    visit.hub.nudge("alerts")
    return redirect(f"/alerts/{alert_id}?done=saved")


@router.get("/unanswered")
def unanswered(visit: ViewerVisit) -> Response:
    """What the wall says about alerts of which everybody was told; it asks again and again."""
    return render(visit, "_unanswered_part.html", unanswered=read_unanswered(visit))
