"""API: the corrective actions of all incidents."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboard.access import OperatorVisit, ViewerVisit
from dashboard.api_description import body_of
from dashboard.etags import IfMatch, editing, require_match, version_etag
from dashboard.incident_photos import keep_photo
from dashboard.incident_schemas import ActionBody, ActionInfo, ActionMove, action_info
from dashboard.incident_views import today_of
from dashboard.paging import Page, Paged
from dashboard.routes.incident_actions import require_rank
from dashboard.visit import Visit
from safety.incidents.types import ActionState
from safety.store import incident_action_lists, incident_actions

router = APIRouter(prefix="/api/v1/actions", tags=["incidents"])


@router.get("")
def list_actions(
    visit: ViewerVisit, paging: Paged, state: ActionState | None = None, overdue: bool = False
) -> Page[ActionInfo]:
    """Corrective actions, the one that is due first in front; ``overdue``: open ones past due."""
    with visit.database.reading() as session:
        rows = incident_action_lists.list_actions(
            session,
            state=ActionState.OPEN if overdue else state,
            due_before=today_of(visit) if overdue else None,
            after=paging.cursor,
            limit=paging.fetch,
        )
    return paging.page(rows, action_info)


@router.get("/{action_id}")
def get_action(visit: ViewerVisit, action_id: str, response: Response) -> ActionInfo:
    """One corrective action."""
    return _answer(visit, action_id, response)


@router.put("/{action_id}")
def put_action(
    visit: OperatorVisit,
    action_id: str,
    body: ActionBody,
    response: Response,
    if_match: IfMatch = None,
) -> ActionInfo:
    """Change what is to be done, by whom or until when."""
    with editing(visit, incident_actions.get, action_id, if_match) as (session, version):
        incident_actions.change(
            session,
            action_id,
            body.entry(),
            today=today_of(visit),
            expected_version=version,
            **visit.signed,
        )
    return _answer(visit, action_id, response)


@router.post("/{action_id}/state")
def move_action(
    visit: OperatorVisit,
    action_id: str,
    body: ActionMove,
    response: Response,
    if_match: IfMatch = None,
) -> ActionInfo:
    """Say that it is done, verified, dropped or open again."""
    require_rank(visit, body.state)
    with editing(visit, incident_actions.get, action_id, if_match) as (session, version):
        incident_actions.move(
            session,
            action_id,
            body.state,
            note=body.note,
            expected_version=version,
            **visit.signed,
        )
    return _answer(visit, action_id, response)


@router.put("/{action_id}/photo", openapi_extra=body_of("image/jpeg", "image/png"))
async def put_photo(
    visit: OperatorVisit,
    action_id: str,
    request: Request,
    response: Response,
    if_match: IfMatch = None,
) -> ActionInfo:
    """A picture of the finished work, PNG or JPEG; it is encoded anew."""
    data = await request.body()
    return await run_in_threadpool(_keep, visit, action_id, data, if_match, response)


def _keep(
    visit: Visit, action_id: str, data: bytes, if_match: str | None, response: Response
) -> ActionInfo:
    with visit.database.reading() as session:
        require_match(if_match, version_etag(incident_actions.get(session, action_id).version))
    photo = keep_photo(visit.services.settings, data)
    with editing(visit, incident_actions.get, action_id, if_match) as (session, version):
        incident_actions.show(session, action_id, photo, expected_version=version, **visit.signed)
    return _answer(visit, action_id, response)


def _answer(visit: Visit, action_id: str, response: Response) -> ActionInfo:
    with visit.database.reading() as session:
        row = incident_actions.get(session, action_id)
    response.headers["etag"] = version_etag(row.version)
    return action_info(row)
