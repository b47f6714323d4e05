"""Clips and pictures, by their number in the record and never by a path from outside.

Who looked at which is in the audit trail; below the role that the settings name, people see
copies in which nobody can be recognised.
"""

from pathlib import Path
from typing import Literal

import cv2
from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from dashboard import forms, viewing
from dashboard.access import ManagerOnlyVisit, OperatorVisit, ViewerVisit
from dashboard.errors import NotFound
from dashboard.forms import Form
from dashboard.pages import redirect
from dashboard.visit import Visit
from safety.evidence.copies import Copies
from safety.evidence.files import place
from safety.store import evidence, holds
from safety.store.tables import Evidence

router = APIRouter()

_MEDIA_TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg"}
_SMALL_PX = 208
"""Width of a picture in a list: nobody can be recognised in it."""


@router.get("/evidence/{evidence_id}", include_in_schema=False)
@router.get("/api/v1/evidence/{evidence_id}", response_class=FileResponse, tags=["evidence"])
def evidence_file(
    visit: ViewerVisit, evidence_id: str, download: bool = False, small: bool = False
) -> Response:
    """The file itself; byte ranges are served, so that a clip can be wound.

    Whoever may not see originals gets the blurred copy. Every look is put on record.
    """
    row = _row(visit, evidence_id)
    path = _path(visit, row)
    if small and path.suffix == ".jpg":
        return _small(path)
    if not viewing.sees_originals(visit):
        return _copy(visit, row, "faces", download=download)
    viewing.note(visit, row, download=download, blurred=False)
    return _file(path, download=download)


@router.get("/evidence/{evidence_id}/blurred", include_in_schema=False)
@router.get(
    "/api/v1/evidence/{evidence_id}/blurred", response_class=FileResponse, tags=["evidence"]
)
def blurred_file(
    visit: ViewerVisit,
    evidence_id: str,
    part: Literal["faces", "bodies"] = "faces",
    download: bool = False,
) -> Response:
    """A copy with heads, or whole silhouettes, blurred; made when it is first wanted."""
    return _copy(visit, _row(visit, evidence_id), part, download=download)


@router.post("/alerts/{alert_id}/hold", include_in_schema=False)
def hold_evidence(visit: OperatorVisit, alert_id: str, form: Form) -> Response:
    with visit.database.transaction() as session:
        reason = forms.text(form, "reason")
        holds.place(session, "alert", alert_id, reason=reason, by=visit.actor, at=visit.now)
    return redirect(f"/alerts/{alert_id}")


@router.post("/alerts/{alert_id}/holds/{hold_id}/release", include_in_schema=False)
def release_evidence(visit: ManagerOnlyVisit, alert_id: str, hold_id: str, form: Form) -> Response:
    with visit.database.transaction() as session:
        reason = forms.text(form, "reason")
        holds.release(session, hold_id, reason=reason, by=visit.actor, at=visit.now)
    return redirect(f"/alerts/{alert_id}")


@router.post("/incidents/{incident_id}/hold", include_in_schema=False)
def hold_incident(visit: OperatorVisit, incident_id: str, form: Form) -> Response:
    with visit.database.transaction() as session:
        reason = forms.text(form, "reason")
        holds.place(session, "incident", incident_id, reason=reason, by=visit.actor, at=visit.now)
    return redirect(f"/incidents/{incident_id}?done=saved#kept")


@router.post("/incidents/{incident_id}/holds/{hold_id}/release", include_in_schema=False)
def release_incident(
    visit: ManagerOnlyVisit, incident_id: str, hold_id: str, form: Form
) -> Response:
    with visit.database.transaction() as session:
        reason = forms.text(form, "reason")
        holds.release(session, hold_id, reason=reason, by=visit.actor, at=visit.now)
    return redirect(f"/incidents/{incident_id}?done=saved#kept")


def _row(visit: Visit, evidence_id: str) -> Evidence:
    with visit.database.reading() as session:
        return evidence.get(session, evidence_id)


def _path(visit: Visit, row: Evidence) -> Path:
    path = place(visit.services.settings.evidence_dir, row)
    if path is None or not path.is_file():
        raise NotFound
    return path


def _copy(
    visit: Visit, row: Evidence, part: Literal["faces", "bodies"], *, download: bool
) -> Response:
    _path(visit, row)
    copies = visit.request.app.state.copies
    assert isinstance(copies, Copies)
    path = copies.blurred(row, part)
    viewing.note(visit, row, download=download, blurred=True)
    return _file(path, download=download)


def _file(path: Path, *, download: bool) -> Response:
    return FileResponse(
        path,
        media_type=_MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
        # As long as one entry on record stands for several looks.
        headers={"cache-control": f"private, max-age={round(viewing.ONE_LOOK.total_seconds())}"},
        filename=path.name if download else None,
    )


def _small(path: Path) -> Response:
    """A picture for a list; not put on record."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise NotFound
    height = max(1, round(picture.shape[0] * _SMALL_PX / picture.shape[1]))
    small = cv2.resize(picture, (_SMALL_PX, height), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])
    headers = {"cache-control": "private, max-age=86400"}
    return Response(data.tobytes(), media_type="image/jpeg", headers=headers)
