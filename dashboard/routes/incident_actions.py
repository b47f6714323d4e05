"""Corrective actions of all incidents, and pictures of the finished work."""

from typing import Literal

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from dashboard import forms
from dashboard.access import OperatorVisit, ViewerVisit
from dashboard.api_description import files
from dashboard.errors import Forbidden, Unprocessable
from dashboard.incident_forms import choice, version_of
from dashboard.incident_photos import keep_photo, photo_path
from dashboard.incident_uploads import FileForm
from dashboard.incident_views import today_of
from dashboard.pages import redirect, render
from dashboard.visit import Visit
from safety.i18n import explain
from safety.incidents.errors import IncidentError
from safety.incidents.types import ActionState
from safety.store import incident_action_lists, incident_actions, incidents
from safety.store.accounts import Role
from safety.store.refusals import Conflict

router = APIRouter()

Show = Literal["open", "overdue", "done", "all"]

PAGE_SIZE = 50


@router.get("/actions", include_in_schema=False)
def actions_page(visit: ViewerVisit, show: Show = "open", after: str = "") -> Response:
    return _page(visit, show=show, after=after)


@router.post("/actions/{action_id}/state", include_in_schema=False)
def move_action(visit: OperatorVisit, action_id: str, upload: FileForm) -> Response:
    wanted = choice(forms.text(upload.form, "state"), ActionState, "incident.field.state")
    require_rank(visit, wanted)
    try:
        photo = keep_photo(visit.services.settings, upload.data) if upload.data else None
        with visit.database.transaction() as session:
            row = incident_actions.move(
                session,
                action_id,
                wanted,
                by=visit.actor,
                at=visit.now,
                note=forms.text(upload.form, "note"),
                photo=photo,
                expected_version=version_of(upload.form),
            )
    except (IncidentError, Conflict, Unprocessable) as error:
        return _page(visit, show="open", problem=explain(error, visit.language))
    return redirect(f"/incidents/{row.incident_id}?done=saved#actions")


@router.get("/actions/{action_id}/photo", include_in_schema=False)
@router.get(
    "/api/v1/actions/{action_id}/photo",
    response_class=FileResponse,
    responses=files("image/jpeg"),
    tags=["incidents"],
)
def action_photo(visit: ViewerVisit, action_id: str) -> Response:
    """The picture of the finished work."""
    with visit.database.reading() as session:
        row = incident_actions.get(session, action_id)
    path = photo_path(visit.services.settings, row)
    headers = {"cache-control": "private, max-age=86400"}
    return FileResponse(path, media_type="image/jpeg", headers=headers)


def require_rank(visit: Visit, state: ActionState) -> None:
    """Whoever did something does not verify it: that is a manager's.

    Raises:
        Forbidden: Whoever asks is none.
    """
    if state in {ActionState.VERIFIED, ActionState.DROPPED} and not visit.person.role.includes(
        Role.MANAGER
    ):
        raise Forbidden("incident.managers_actions", "only a manager verifies and drops actions")


def _page(visit: Visit, *, show: Show, after: str = "", problem: str = "") -> Response:
    today = today_of(visit)
    state = {"open": ActionState.OPEN, "overdue": ActionState.OPEN, "done": ActionState.DONE}
    with visit.database.reading() as session:
        rows = incident_action_lists.list_actions(
            session,
            state=state.get(show),
            due_before=today if show == "overdue" else None,
            after=after or None,
            limit=PAGE_SIZE + 1,
        )
        shown = rows[:PAGE_SIZE]
        of = {row.incident_id: incidents.get(session, row.incident_id) for row in shown}
    return render(
        visit,
        "incident_actions.html",
        status=422 if problem else 200,
        rows=shown,
        incidents=of,
        show=show,
        next_after=shown[-1].id if len(rows) > PAGE_SIZE else "",
        today=today,
        problem=problem,
    )
