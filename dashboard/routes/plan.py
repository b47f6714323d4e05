"""The floor plan: live, and its measures and picture."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from dashboard import forms
from dashboard.access import ManagerOnlyVisit, ViewerVisit
from dashboard.errors import NotFound
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.plan_live import FloorSite, moving_part, read_floor_site, still_part
from dashboard.plan_picture import keep_picture, picture_path
from dashboard.visit import Visit
from safety.site import edit
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from zones.plant import PlanSpec

router = APIRouter(prefix="/plan", include_in_schema=False)

EVERY_S: Final = 0.2
"""How often the plan is sent."""
READ_EVERY: Final = 5
"""The record is read once in as many times."""
STREAM_S: Final = 60.0
"""So long one answer goes on; the browser asks again, and it is looked who asks."""


@router.get("")
def plan_page(visit: ViewerVisit) -> Response:
    return _page(visit)


@router.get("/live")
async def plan_live(visit: ViewerVisit) -> Response:
    """People, vehicles and what is watched, as server-sent events."""
    site = await run_in_threadpool(read_floor_site, visit)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_moments(visit, site), media_type="text/event-stream", headers=headers)


async def _moments(visit: Visit, site: FloorSite) -> AsyncIterator[str]:
    clock = visit.services.clock
    end = clock.now().monotonic + STREAM_S
    yield "retry: 1000\n\n"
    number = 0
    while clock.now().monotonic < end:
        number += 1
        if number % READ_EVERY == 0:
            site = await run_in_threadpool(read_floor_site, visit)
        moment = moving_part(site, visit.hub, clock, visit.translate)
        yield f"data: {json.dumps(moment, ensure_ascii=False)}\n\n"
        await clock.sleep_async(EVERY_S)


@router.post("")
def change_plan(visit: ManagerOnlyVisit, form: Form) -> Response:
    names = ("width_m", "height_m", "x_m", "y_m")
    values = {name: forms.text(form, name) for name in names}
    with visit.database.transaction() as session:
        site = load_site(session).spec
        before = site.plant.plan or PlanSpec()
        try:
            plan = PlanSpec.model_validate(
                {
                    "width_m": values["width_m"],
                    "height_m": values["height_m"],
                    "origin_m": (values["x_m"], values["y_m"]),
                    "image_sha256": before.image_sha256,
                }
            )
        except ValidationError as error:
            problems = forms.problems(error, visit.translate)
        else:
            problems = {}
            _put(visit, session, site, plan)
    if problems:
        return _page(visit, values, problems)
    visit.hub.nudge("config")
    return redirect("/plan?done=saved")


@router.put("/picture", status_code=204)
async def put_picture(visit: ManagerOnlyVisit, request: Request) -> None:
    """Replace the picture under the plan: PNG or JPEG; bodies are bounded as everywhere."""
    data = await request.body()
    await run_in_threadpool(_store_picture, visit, data)


@router.post("/picture/delete")
def delete_picture(visit: ManagerOnlyVisit) -> Response:
    _replace_picture(visit, None)
    return redirect("/plan?done=deleted")


@router.get("/picture/{name}")
def plan_picture(visit: ViewerVisit, name: str) -> Response:
    """The picture under the plan; only the one that the configuration names."""
    with visit.database.reading() as session:
        plan = load_site(session).spec.plant.plan
    checksum = plan.image_sha256 if plan else None
    path = picture_path(_folder(visit), checksum) if checksum else None
    if path is None or name != path.name or not path.is_file():
        raise NotFound
    headers = {"cache-control": "private, max-age=86400, immutable"}
    return FileResponse(path, media_type="image/jpeg", headers=headers)


def _store_picture(visit: Visit, data: bytes) -> None:
    _replace_picture(visit, keep_picture(data, _folder(visit)))


def _replace_picture(visit: Visit, checksum: str | None) -> None:
    with visit.database.transaction() as session:
        site = load_site(session).spec
        before = site.plant.plan or PlanSpec()
        _put(visit, session, site, before.model_copy(update={"image_sha256": checksum}))
    if before.image_sha256 not in {None, checksum}:
        picture_path(_folder(visit), str(before.image_sha256)).unlink(missing_ok=True)
    visit.hub.nudge("config")


def _put(visit: Visit, session: Any, site: SiteSpec, plan: PlanSpec) -> None:
    plant = site.plant.model_copy(update={"plan": plan})
    edit.put_plant(session, plant, by=visit.actor, at=visit.now)


def _folder(visit: Visit) -> Path:
    return visit.services.settings.plans_dir


def _page(
    visit: Visit,
    values: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    site = read_floor_site(visit)
    plan = site.spec.plant.plan or PlanSpec()
    shown = values or {
        "width_m": f"{plan.width_m:g}",
        "height_m": f"{plan.height_m:g}",
        "x_m": f"{plan.origin_m[0]:g}",
        "y_m": f"{plan.origin_m[1]:g}",
    }
    return render(
        visit,
        "plan.html",
        status=422 if problems else 200,
        floor=still_part(site),
        moment=moving_part(site, visit.hub, visit.services.clock, visit.translate),
        plan=plan,
        values=shown,
        problems=dict(problems or {}),
        uncalibrated=[c for c in site.spec.cameras if c.enabled and c.calibration is None],
    )
