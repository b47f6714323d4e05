"""Lock-out and maintenance: zones in which nothing raises an alert for a while."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from dashboard import forms, muting
from dashboard.access import ManagerOnlyVisit, ViewerVisit
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.i18n import explain
from safety.store import mutes
from safety.store.refusals import Conflict, Invalid, NotFound

router = APIRouter(prefix="/mutes", include_in_schema=False)

MINUTES: Final = (15, 30, 60, 120, 240, 480)
"""How long a zone can be muted, as the page offers it."""


@router.get("")
def mutes_page(visit: ViewerVisit, zone: str = "") -> Response:
    return _page(visit, values={"zone": zone})


@router.get("/now")
def muted_now(visit: ViewerVisit) -> Response:
    """What the wall says about muted zones; the page asks for it again and again."""
    return render(visit, "_muted_part.html", muted=muting.read_muted(visit))


@router.post("")
def begin_mute(visit: ManagerOnlyVisit, form: Form) -> Response:
    values = {name: forms.text(form, name) for name in ("zone", "kind", "person", "reason")}
    minutes = forms.text(form, "minutes")
    try:
        with visit.database.transaction() as session:
            mutes.begin(
                session,
                zone_id=values["zone"],
                kind="lockout" if values["kind"] == "lockout" else "maintenance",
                person=values["person"],
                reason=values["reason"],
                ends_at=visit.now + timedelta(minutes=int(minutes) if minutes.isdecimal() else 0),
                by=visit.actor,
                at=visit.now,
            )
    except (Invalid, NotFound) as error:
        problem = explain(error, visit.language)
        return _page(visit, values={**values, "minutes": minutes}, problem=problem)
    visit.hub.nudge("mutes")
    return redirect("/mutes?done=saved")


@router.post("/{mute_id}/end")
def end_mute(visit: ManagerOnlyVisit, mute_id: str) -> Response:
    try:
        with visit.database.transaction() as session:
            mutes.end(session, mute_id, by=visit.actor, at=visit.now)
    except Conflict as error:
        return _page(visit, values={}, problem=explain(error, visit.language), status=409)
    visit.hub.nudge("mutes")
    return redirect("/mutes?done=saved")


def _page(
    visit: Visit, *, values: Mapping[str, str], problem: str = "", status: int = 422
) -> Response:
    with visit.database.reading() as session:
        zones = muting.zone_names(session)
    return render(
        visit,
        "mutes.html",
        status=status if problem else 200,
        zones=zones,
        muted=muting.read_muted(visit),
        history=muting.read_history(visit),
        kinds=mutes.KINDS,
        minutes=MINUTES,
        values={"zone": "", "kind": "lockout", "person": "", "reason": "", "minutes": "60"}
        | dict(values),
        problem=problem,
    )
