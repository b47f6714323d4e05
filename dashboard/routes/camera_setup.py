"""Adding, trying, changing, switching off and removing cameras."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import Response

from cameras.specs import CameraSpec
from dashboard import forms
from dashboard.access import ManagerOnlyVisit
from dashboard.camera_forms import (
    PASSWORD,
    SOURCES,
    fields_of,
    filled_camera,
    secret_name,
    typed_password,
)
from dashboard.camera_trials import PICTURES, tried
from dashboard.errors import NotFound as NothingHere
from dashboard.etags import check_match, spec_etag
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.plant_forms import free_id
from dashboard.spec_fields import values_of
from dashboard.spec_forms import FormWords
from dashboard.visit import Visit
from dashboard.zone_forms import Filled
from safety.errors import ConfigError
from safety.i18n import explain
from safety.secret_files import forget_secret, keep_secret
from safety.site import edit
from safety.site.apply import load_site
from safety.site.uses import Use, uses_of
from safety.store.refusals import NotFound

router = APIRouter(prefix="/cameras", include_in_schema=False)


@router.get("/new")
def new_camera_page(visit: ManagerOnlyVisit, kind: str = "rtsp") -> Response:
    return _page(visit, _known(kind), values=values_of(fields_of(kind), {}))


@router.get("/trials/{name}")
def trial_picture(visit: ManagerOnlyVisit, name: str) -> Response:
    """The picture of a trial, as long as it is kept."""
    picture = PICTURES.find(name)
    if picture is None:
        raise NothingHere
    return Response(picture, media_type="image/jpeg")


@router.post("/try")
async def try_camera(visit: ManagerOnlyVisit, form: Form) -> Response:
    """Connect as the form says, without saving."""
    kind = _known(forms.text(form, "kind"))
    filled = await run_in_threadpool(_filled, visit, form, kind, forms.text(form, "id") or "trial")
    trial = None
    if filled.spec is not None:
        password = typed_password(form)
        trial = await run_in_threadpool(tried, visit, filled.spec.source, password=password)
    problems = list(filled.problems.values())
    return render(visit, "_camera_trial.html", trial=trial, problems=problems)


@router.post("")
def create_camera(visit: ManagerOnlyVisit, form: Form) -> Response:
    kind = _known(forms.text(form, "kind"))
    with visit.database.reading() as session:
        taken = {each.id for each in load_site(session).spec.cameras}
    camera_id = free_id(forms.text(form, "name"), "cameras", {*taken, "list", "trials"})
    filled = _saved(visit, form, _filled(visit, form, kind, camera_id))
    if filled.spec is None:
        return _page(visit, kind, values=filled.values, problems=filled.problems)
    return redirect(f"/cameras/{camera_id}?done=created")


@router.get("/{camera_id}")
def camera_page(visit: ManagerOnlyVisit, camera_id: str) -> Response:
    spec, _ = _camera(visit, camera_id)
    kind = spec.source.kind
    values = values_of(fields_of(kind), spec.model_dump(mode="json"))
    return _page(visit, kind, values=values, camera_id=camera_id, etag=spec_etag(spec))


@router.post("/{camera_id}")
def change_camera(visit: ManagerOnlyVisit, camera_id: str, form: Form) -> Response:
    spec, _ = _camera(visit, camera_id)
    kind, etag = spec.source.kind, forms.text(form, "etag")
    filled = _saved(visit, form, _filled(visit, form, kind, camera_id), etag=etag)
    if filled.spec is None:
        return _page(
            visit,
            kind,
            values=filled.values,
            problems=filled.problems,
            camera_id=camera_id,
            etag=etag,
        )
    return redirect(f"/cameras/{camera_id}?done=saved")


@router.post("/{camera_id}/off")
def switch_off(visit: ManagerOnlyVisit, camera_id: str, form: Form) -> Response:
    """Read the camera no more; it is NOT MONITORED from now on, and says why."""
    reason = forms.text(form, "reason", limit=120)
    if not reason:
        spec, _ = _camera(visit, camera_id)
        values = values_of(fields_of(spec.source.kind), spec.model_dump(mode="json"))
        problems = {"reason": visit.translate("invalid.missing")}
        return _page(
            visit,
            spec.source.kind,
            values=values,
            problems=problems,
            camera_id=camera_id,
            etag=spec_etag(spec),
        )
    return _switched(visit, camera_id, enabled=False, reason=reason)


@router.post("/{camera_id}/on")
def switch_on(visit: ManagerOnlyVisit, camera_id: str) -> Response:
    return _switched(visit, camera_id, enabled=True, reason=None)


@router.post("/{camera_id}/delete")
def delete_camera(visit: ManagerOnlyVisit, camera_id: str) -> Response:
    with visit.database.transaction() as session:
        edit.remove(session, "cameras", camera_id, by=visit.actor, at=visit.now)
    forget_secret(visit.services.settings.data_dir, secret_name(camera_id))
    visit.hub.nudge("config")
    return redirect("/cameras?done=deleted")


def _filled(visit: Visit, form: FormData, kind: str, camera_id: str) -> Filled[CameraSpec]:
    with visit.database.reading() as session:
        present = _find(session, camera_id)
    try:
        return filled_camera(
            form,
            visit.translate,
            kind=kind,
            camera_id=camera_id,
            present=present,
            data_dir=visit.services.settings.data_dir,
        )
    except ConfigError as error:
        values = values_of(fields_of(kind), {})
        return Filled(values=values, problems={PASSWORD: explain(error, visit.language)})


def _saved(
    visit: Visit, form: FormData, filled: Filled[CameraSpec], etag: str = ""
) -> Filled[CameraSpec]:
    """The form, saved with its password; or with what is wrong in it after all."""
    if filled.spec is None:
        return filled
    spec, data_dir = filled.spec, visit.services.settings.data_dir
    try:
        with visit.database.transaction() as session:
            present = _find(session, spec.id)
            if etag and present is not None:
                check_match(etag, spec_etag(present))
            edit.put(session, spec, by=visit.actor, at=visit.now)
            if password := typed_password(form):
                keep_secret(data_dir, secret_name(spec.id), password)
    except ConfigError as error:
        return Filled(values=filled.values, problems={"form": explain(error, visit.language)})
    visit.hub.nudge("config")
    return filled


def _switched(visit: Visit, camera_id: str, *, enabled: bool, reason: str | None) -> Response:
    with visit.database.transaction() as session:
        camera = _find(session, camera_id)
        if camera is None:
            raise NotFound("camera", camera_id)
        changes = {"enabled": enabled, "disabled_reason": reason}
        edit.put(session, camera.model_copy(update=changes), by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    return redirect(f"/cameras/{camera_id}?done=saved")


def _page(
    visit: Visit,
    kind: str,
    *,
    values: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
    camera_id: str = "",
    etag: str = "",
) -> Response:
    fields = fields_of(kind)
    source = next(field for field in fields if field.name == "source")
    spec, uses = _camera(visit, camera_id) if camera_id else (None, [])
    seldom = [field for field in fields if field.seldom]
    return render(
        visit,
        "camera.html",
        status=422 if problems else 200,
        kind=kind,
        camera_id=camera_id,
        camera=spec,
        name=fields[0],
        source=[field for field in source.fields if field.name != "password"],
        password=next((field for field in source.fields if field.name == "password"), None),
        seldom=seldom,
        unfold={"source.password", *(f.name for f in seldom)} & set(problems or {}),
        values=values,
        problems=dict(problems or {}),
        etag=etag,
        uses=uses,
        words=FormWords(translate=visit.translate, areas=("machines", "channels"), names={}),
    )


def _camera(visit: Visit, camera_id: str) -> tuple[CameraSpec, list[Use]]:
    with visit.database.reading() as session:
        site = load_site(session).spec
    for camera in site.cameras:
        if camera.id == camera_id:
            return camera, uses_of(site, "cameras", camera_id)
    raise NotFound("camera", camera_id)


def _find(session: Session, camera_id: str) -> CameraSpec | None:
    cameras = load_site(session).spec.cameras
    return next((each for each in cameras if each.id == camera_id), None)


def _known(kind: str) -> str:
    if kind not in SOURCES:
        raise NotFound("camera kind", kind[:40])
    return kind
