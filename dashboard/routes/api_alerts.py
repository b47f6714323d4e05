"""API: alerts."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.responses import Response

from dashboard.access import OperatorVisit, ViewerVisit
from dashboard.etags import IfMatch, check_match, version_etag
from dashboard.inbox import alert_title
from dashboard.paging import Page, Paged
from dashboard.schemas import AlertInfo, Decision, EvidenceInfo
from dashboard.visit import Visit
from safety.i18n import Translate
from safety.store import alert_lists, alerts, conversations, evidence, incident_judging
from safety.store.alert_lists import Wanted
from safety.store.alerts import AlertState
from safety.store.policy_tables import Conversation
from safety.store.tables import Alert, Evidence
from safety.types import Severity

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])


@router.get("")
def list_alerts(
    visit: ViewerVisit,
    paging: Paged,
    state: Annotated[list[AlertState] | None, Query()] = None,
    camera: str | None = None,
    zone: str | None = None,
    kind: str | None = None,
    severity: Severity | None = None,
    leads: bool = False,
) -> Page[AlertInfo]:
    """Alerts, newest first.

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
        rows = alert_lists.page(session, wanted, before=paging.cursor, limit=paging.fetch)
        infos = alert_infos(session, visit.translate, paging.shown(rows))
    return Page(items=infos, next_cursor=paging.next_cursor(rows))


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
        alerts.acknowledge(session, alert_id, **visit.signed)
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
            note=decision.note,
            **visit.signed,
        )
    visit.hub.nudge("alerts")
    return _answer(visit, alert_id, response)


def alert_infos(
    session: Session, translate: Translate, rows: Sequence[Alert]
) -> Sequence[AlertInfo]:
    """Alerts as the API shows them, in a fixed number of queries."""
    files = evidence.ready_of_violations(session, [r.violation_id for r in rows if r.violation_id])
    talks = conversations.of_alerts(session, [row.id for row in rows if row.leads])
    return [
        _info(row, translate, talks.get(row.id), files.get(row.violation_id or "", ()))
        for row in rows
    ]


def _info(
    alert: Alert, translate: Translate, talk: Conversation | None, files: Sequence[Evidence]
) -> AlertInfo:
    own = {name: getattr(alert, name) for name in _OWN}
    return AlertInfo(
        **own,
        text=alert_title(alert, translate),
        joined=talk.members - 1 if talk else 0,
        snoozed_until=talk.snoozed_until if talk else None,
        evidence=[_evidence(file) for file in files],
    )


_OWN = AlertInfo.model_fields.keys() & Alert.model_fields.keys()


def _evidence(file: Evidence) -> EvidenceInfo:
    return EvidenceInfo(
        id=file.id,
        kind="clip" if file.kind == "clip" else "picture",
        other_camera=file.other_camera or None,
        url=f"/api/v1/evidence/{file.id}",
        sha256=file.sha256 or "",
        size_bytes=file.size_bytes or 0,
    )


def _answer(visit: Visit, alert_id: str, response: Response) -> AlertInfo:
    with visit.database.reading() as session:
        [info] = alert_infos(session, visit.translate, [alerts.get(session, alert_id)])
    response.headers["etag"] = version_etag(info.version)
    return info
