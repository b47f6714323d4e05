"""API: alerts."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from dashboard import inbox
from dashboard.access import OperatorVisit, ViewerVisit
from dashboard.etags import check_match, version_etag
from dashboard.inbox import AlertView
from dashboard.schemas import AlertInfo, AlertPage, Decision, EvidenceInfo
from dashboard.visit import Visit
from safety.store import alert_lists, alerts, incident_judging
from safety.store.alert_lists import Wanted
from safety.store.alerts import AlertState
from safety.store.tables import Evidence
from safety.types import Severity

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])

IfMatch = Annotated[str | None, Header()]


@router.get("")
def list_alerts(
    visit: ViewerVisit,
    state: Annotated[list[AlertState] | None, Query()] = None,
    camera: str | None = None,
    zone: str | None = None,
    kind: str | None = None,
    severity: Severity | None = None,
    leads: bool = False,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AlertPage:
    """Alerts, newest first; page on with ``before``.

    ``leads`` leaves out those that joined the conversation of another alert.
    """
    wanted = Wanted(
        states=tuple(each.value for each in state or ()),
        leads=leads,
        cameras=(camera,) if camera is not None and zone is None else (),
        zones=(zone,) if zone is not None else (),
        kind=kind,
        severity=severity.value if severity is not None else None,
    )
    with visit.database.reading() as session:
        rows = alert_lists.page(session, wanted, before=before, limit=limit + 1)
        views = inbox.alert_views(session, visit.translate, rows[:limit])
    return AlertPage(
        items=[alert_info(view) for view in views],
        next_before=views[-1].alert.id if len(rows) > limit else None,
    )


@router.get("/{alert_id}")
def get_alert(visit: ViewerVisit, alert_id: str, response: Response) -> AlertInfo:
    """One alert."""
    return _answer(visit, alert_id, response)


@router.post("/{alert_id}/acknowledge")
def acknowledge_alert(
    visit: OperatorVisit, alert_id: str, response: Response, if_match: IfMatch = None
) -> AlertInfo:
    """Somebody has seen it: the siren stops. Acknowledging again changes nothing."""
    with visit.database.transaction() as session:
        present = alerts.get(session, alert_id)
        check_match(if_match, version_etag(present.version))
        alerts.acknowledge(session, alert_id, by=visit.actor, at=visit.now)
    visit.hub.nudge("alerts")
    return _answer(visit, alert_id, response)


@router.post("/{alert_id}/decide")
def decide_alert(
    visit: OperatorVisit,
    alert_id: str,
    decision: Decision,
    response: Response,
    if_match: IfMatch = None,
) -> AlertInfo:
    """Say whether it was a real danger or a false alarm."""
    verdict: alerts.Verdict = (
        AlertState.CONFIRMED if decision.verdict == "confirmed" else AlertState.FALSE_POSITIVE
    )
    with visit.database.transaction() as session:
        present = alerts.get(session, alert_id)
        check_match(if_match, version_etag(present.version))
        incident_judging.judge(
            session,
            alert_id,
            verdict=verdict,
            reason=decision.reason,
            by=visit.actor,
            at=visit.now,
            note=decision.note,
        )
    visit.hub.nudge("alerts")
    return _answer(visit, alert_id, response)


def alert_info(view: AlertView) -> AlertInfo:
    """An alert as the API shows it."""
    alert = view.alert
    files = [file for file in (view.picture, view.clip) if file is not None]
    return AlertInfo(
        id=alert.id,
        kind=alert.kind,
        state=alert.state,
        severity=alert.severity,
        text=view.title,
        camera_id=alert.camera_id,
        violation_id=alert.violation_id,
        raised_at=alert.raised_at,
        cleared_at=alert.cleared_at,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by,
        decided_at=alert.decided_at,
        decided_by=alert.decided_by,
        note=alert.note,
        lead_id=alert.lead_id,
        joined=view.more,
        snoozed_until=view.talk.snoozed_until if view.talk else None,
        version=alert.version,
        evidence=_evidence(files),
    )


def _evidence(files: Sequence[Evidence]) -> list[EvidenceInfo]:
    return [
        EvidenceInfo(
            id=file.id,
            kind="clip" if file.kind == "clip" else "picture",
            url=f"/api/v1/evidence/{file.id}",
            sha256=file.sha256 or "",
            size_bytes=file.size_bytes or 0,
        )
        for file in files
    ]


def _answer(visit: Visit, alert_id: str, response: Response) -> AlertInfo:
    with visit.database.reading() as session:
        view = inbox.alert_view(session, visit.translate, alert_id)
    response.headers["etag"] = version_etag(view.alert.version)
    return alert_info(view)
