"""The alert inbox and the page of one alert."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from dashboard import forms, inbox, viewing
from dashboard.access import OperatorVisit, ViewerVisit
from dashboard.alarm import read_alarm
from dashboard.alert_evidence import AlertEvidence, read_evidence
from dashboard.alert_timeline import entries_seen, timeline
from dashboard.errors import Unprocessable
from dashboard.forms import Form
from dashboard.inbox_filter import Filter, filter_choices
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.i18n import catalogue
from safety.incidents.types import FalseAlarm
from safety.store import alerts, holds, incident_judging
from safety.store.alerts import AlertState

router = APIRouter(prefix="/alerts", include_in_schema=False)

UNCHANGED = 204
"""htmx leaves the page as it is."""

SNOOZE_MINUTES: Final = (5, 15, 30, 60)
"""How long reminders can wait, as the page offers it."""


@router.get("")
def inbox_page(visit: ViewerVisit, wanted: Filter, before: str = "") -> Response:
    with visit.database.reading() as session:
        page = inbox.inbox_page(session, visit.translate, wanted, before=before or None)
        places = filter_choices(session)
    return render(visit, "alerts.html", page=page, wanted=wanted, choices=places, live=not before)


@router.get("/list")
def inbox_list(visit: ViewerVisit, wanted: Filter, seen: str = "") -> Response:
    with visit.database.reading() as session:
        page = inbox.inbox_page(session, visit.translate, wanted)
    if page.fingerprint == seen:
        return Response(status_code=UNCHANGED)
    return render(visit, "_inbox_part.html", page=page, wanted=wanted, live=True)


@router.get("/badge")
def badge(visit: ViewerVisit, seen: str = "") -> Response:
    now = read_alarm(visit)
    if now.fingerprint == seen:
        return Response(status_code=UNCHANGED)
    return render(visit, "_badge.html")


@router.get("/{alert_id}")
def alert_page(visit: ViewerVisit, alert_id: str) -> Response:
    return render(visit, "alert.html", _alert_values(visit, alert_id))


@router.get("/{alert_id}/state")
def alert_state(visit: ViewerVisit, alert_id: str, seen: str = "") -> Response:
    values = _alert_values(visit, alert_id)
    if values["seen"] == seen:
        return Response(status_code=UNCHANGED)
    return render(visit, "_alert_state_part.html", values)


@router.get("/{alert_id}/evidence")
def alert_evidence(visit: ViewerVisit, alert_id: str, seen: str = "") -> Response:
    values = _alert_values(visit, alert_id)
    files = values["files"]
    assert isinstance(files, AlertEvidence)
    if files.pending and files.seen == seen:
        return Response(status_code=UNCHANGED)
    return render(visit, "_alert_evidence_part.html", values)


@router.post("/{alert_id}/acknowledge")
def acknowledge(visit: OperatorVisit, alert_id: str, part: str = "") -> Response:
    with visit.database.transaction() as session:
        alerts.acknowledge(session, alert_id, by=visit.actor, at=visit.now)
    visit.hub.nudge("alerts")
    return _answer(visit, alert_id, part)


@router.post("/{alert_id}/decide")
def decide(visit: OperatorVisit, alert_id: str, form: Form, part: str = "") -> Response:
    verdict = forms.text(form, "verdict")
    said = forms.text(form, "reason")
    reason = next((each for each in FalseAlarm if each == said), None)
    if reason is not None:
        verdict = AlertState.FALSE_POSITIVE
    if verdict == AlertState.CONFIRMED:
        chosen: alerts.Verdict = AlertState.CONFIRMED
    elif verdict == AlertState.FALSE_POSITIVE:
        chosen = AlertState.FALSE_POSITIVE
    else:
        raise Unprocessable("alert.verdict", "say 'confirmed' or 'false_positive'")
    note = forms.text(form, "note") or None
    with visit.database.transaction() as session:
        incident_judging.judge(
            session,
            alert_id,
            verdict=chosen,
            reason=reason,
            by=visit.actor,
            at=visit.now,
            note=note,
        )
    visit.hub.nudge("alerts")
    return _answer(visit, alert_id, part)


def _answer(visit: Visit, alert_id: str, part: str) -> Response:
    """The fragment that htmx asked for, or the alert's page for a plain form."""
    if visit.request.headers.get("hx-request") != "true":
        return redirect(f"/alerts/{alert_id}")
    values = _alert_values(visit, alert_id)
    name = "_alert_state_part.html" if part == "state" else "_alert_card_part.html"
    return render(visit, name, values)


def _alert_values(visit: Visit, alert_id: str) -> dict[str, object]:
    with visit.database.reading() as session:
        view = inbox.alert_view(session, visit.translate, alert_id)
        entries = timeline(session, visit.translate, view)
        files = read_evidence(session, view, now=visit.now)
        held = holds.over_alert(session, view.alert)
        violation_id = view.alert.violation_id
        looks = viewing.looks(session, violation_id) if violation_id else ()
    return {
        "holds": held,
        "looks": looks,
        "sees_originals": viewing.sees_originals(visit),
        "view": view,
        "entries": entries,
        "files": files,
        "seen": f"{view.alert.version}-{entries_seen(entries)}",
        "minutes": SNOOZE_MINUTES,
        "known": catalogue(visit.language),
    }
