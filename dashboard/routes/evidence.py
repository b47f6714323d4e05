"""Clips and pictures, by their number in the record and never by a path from outside."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from dashboard.access import ViewerVisit
from dashboard.api_description import files
from dashboard.errors import NotFound
from dashboard.visit import Visit
from safety.store import evidence

router = APIRouter()

_MEDIA_TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg"}
_OTHERWISE = "application/octet-stream"


@router.get("/evidence/{evidence_id}", include_in_schema=False)
@router.get(
    "/api/v1/evidence/{evidence_id}",
    response_class=FileResponse,
    responses=files(*_MEDIA_TYPES.values(), _OTHERWISE),
    tags=["evidence"],
)
def evidence_file(visit: ViewerVisit, evidence_id: str, download: bool = False) -> Response:
    """The file itself; byte ranges are served, so that a clip can be wound."""
    path = _path(visit, evidence_id)
    name = path.name if download else None
    headers = {"cache-control": "private, max-age=86400"}
    media_type = _MEDIA_TYPES.get(path.suffix, _OTHERWISE)
    return FileResponse(path, media_type=media_type, headers=headers, filename=name)


def _path(visit: Visit, evidence_id: str) -> Path:
    with visit.database.reading() as session:
        row = evidence.get(session, evidence_id)
    directory = visit.services.settings.evidence_dir.resolve()
    if row.path is None:
        raise NotFound
    # The path comes from our own record; even a wrong one must not lead out of the directory.
    path = (directory / row.path).resolve()
    if not path.is_relative_to(directory) or not path.is_file():
        raise NotFound
    return path
