"""Is everything well? Processes, record, disk, cameras, channels."""

import platform
import shutil
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboard.access import ViewerVisit
from dashboard.pages import render
from dashboard.plant_view import read_feeds
from dashboard.visit import Visit, services_of
from dashboard.wall import read_wall
from safety import __version__
from safety.errors import StoreUnavailable
from safety.i18n import explain
from safety.site.apply import load_site
from safety.site.watching import unwatched_zones
from safety.store import configuration, outbox

router = APIRouter(include_in_schema=False)

_LOW_DISK = 0.1
"""Share of the disk below which its freedom is worth a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Room where evidence is written."""

    free: int
    total: int

    @property
    def is_low(self) -> bool:
        return self.free < self.total * _LOW_DISK


@router.get("/health")
def health_page(visit: ViewerVisit) -> Response:
    return render(visit, "health.html", _values(visit))


@router.get("/health/list")
def health_list(visit: ViewerVisit) -> Response:
    return render(visit, "_health_part.html", _values(visit))


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers; asks nobody else."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """Pages can be served: the record can be written."""
    try:
        services_of(request).database.ping()
    except StoreUnavailable:
        return JSONResponse({"store": "unavailable"}, status_code=503)
    return JSONResponse({"store": "ok"})


def _values(visit: Visit) -> dict[str, object]:
    engine = visit.hub.engine_status()
    wall = read_wall(visit)
    with visit.database.reading() as session:
        site = load_site(session).spec
        channels = configuration.load(session).channels
        backlog = outbox.backlog(session)
        revision = configuration.revision(session)
    usage = shutil.disk_usage(visit.services.settings.data_dir)
    return {
        "engine": engine,
        "wall": wall,
        "channels": channels,
        "channel_health": engine.channels if engine else {},
        "unwatched": unwatched_zones(site),
        "feeds": read_feeds(visit, site),
        "waiting": sum(item.waiting for item in backlog.values()),
        "dead": sum(item.dead for item in backlog.values()),
        "store_problem": _store_problem(visit),
        "store_name": visit.database.description,
        "disk": Disk(free=usage.free, total=usage.total),
        "refused": visit.hub.refused_messages,
        "revision": revision,
        "versions": {"Anjeon": __version__, "Python": platform.python_version()},
    }


def _store_problem(visit: Visit) -> str:
    try:
        visit.database.ping()
    except StoreUnavailable as error:
        return explain(error, visit.language)
    return ""
