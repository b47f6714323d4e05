"""Adding, changing and removing machines, vehicles, feeds and shifts."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from dashboard import forms
from dashboard.access import ManagerOnlyVisit
from dashboard.errors import Unprocessable
from dashboard.etags import check_match, spec_etag
from dashboard.feed_trials import tried
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.plant_forms import FEEDS, fields_of, filled_part, free_id, words
from dashboard.plant_view import read_live
from dashboard.spec_fields import values_of
from dashboard.visit import Visit
from dashboard.zone_forms import Filled
from safety.errors import ConfigError
from safety.i18n import explain
from safety.site import edit
from safety.site.apply import load_site
from safety.site.edit import PlantKind, PlantPart
from safety.site.spec import SiteSpec
from safety.site.uses import uses_of
from safety.store.refusals import NotFound
from zones.feeds.base import FeedBase

router = APIRouter(prefix="/machines", include_in_schema=False)

_TRIED = "tried"
"""Id of a feed that is not saved yet."""


@router.get("/{part}/new")
def new_part_page(visit: ManagerOnlyVisit, part: PlantKind, kind: str = "") -> Response:
    site = _site(visit)
    fields = fields_of(part, _known(part, kind))
    values = values_of(fields, _START.get(part, {}))
    if part == "feeds":
        values["name"] = visit.translate(f"feed.kind.{kind}")
        for field in fields:
            if field.widget == "rows":  # somebody comes to add at least one
                values[field.name] = [values_of(field.fields, {})]
    return _form(visit, site, part, kind, values=values)


@router.post("/feeds/try")
async def try_feed_now(visit: ManagerOnlyVisit, form: Form) -> Response:
    """Connect as the form says, without saving, and show what is heard."""
    kind = _known("feeds", forms.text(form, "kind"))
    part_id = forms.text(form, "id") or _TRIED
    filled = filled_part(form, visit.translate, part="feeds", kind=kind, part_id=part_id)
    site = await run_in_threadpool(_site, visit)
    view, problems = None, list(filled.problems.values())
    if isinstance(filled.spec, FeedBase):
        try:
            view = await tried(visit, filled.spec, site)
        except Unprocessable as error:
            problems = [explain(error, visit.language)]
    return render(visit, "_feed_trial.html", trial=view, problems=problems)


@router.post("/{part}")
def create_part(visit: ManagerOnlyVisit, part: PlantKind, form: Form) -> Response:
    kind = _known(part, forms.text(form, "kind") if part == "feeds" else "")
    site = _site(visit)
    taken = {each.id for each in edit.parts_of(site, part)}
    part_id = free_id(forms.text(form, "name"), part, taken)
    filled = filled_part(form, visit.translate, part=part, kind=kind, part_id=part_id)
    filled = _saved(visit, filled)
    if filled.spec is None:
        return _form(visit, site, part, kind, values=filled.values, problems=filled.problems)
    return redirect(f"/machines/{part}/{part_id}?done=created")


@router.get("/{part}/{part_id}")
def part_page(visit: ManagerOnlyVisit, part: PlantKind, part_id: str) -> Response:
    site = _site(visit)
    spec = _part(site, part, part_id)
    kind = _kind(part, spec)
    values = values_of(fields_of(part, kind), spec.model_dump(mode="json"))
    return _form(visit, site, part, kind, values=values, spec=spec, etag=spec_etag(spec))


@router.get("/{part}/{part_id}/now")
def part_now(visit: ManagerOnlyVisit, part: PlantKind, part_id: str) -> Response:
    """What it says now; the page asks for it again and again."""
    site = _site(visit)
    spec = _part(site, part, part_id)
    return render(visit, "_plant_now.html", live=read_live(visit, site, spec), spec=spec, part=part)


@router.post("/{part}/{part_id}")
def change_part(visit: ManagerOnlyVisit, part: PlantKind, part_id: str, form: Form) -> Response:
    site = _site(visit)
    spec = _part(site, part, part_id)
    kind = _kind(part, spec)
    etag = forms.text(form, "etag")
    filled = filled_part(form, visit.translate, part=part, kind=kind, part_id=part_id)
    filled = _saved(visit, filled, etag=etag)
    if filled.spec is None:
        return _form(
            visit,
            site,
            part,
            kind,
            values=filled.values,
            problems=filled.problems,
            spec=spec,
            etag=etag,
        )
    return redirect(f"/machines/{part}/{part_id}?done=saved")


@router.post("/{part}/{part_id}/delete")
def delete_part(visit: ManagerOnlyVisit, part: PlantKind, part_id: str) -> Response:
    with visit.database.transaction() as session:
        edit.remove(session, part, part_id, by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    return redirect("/machines?done=deleted")


_START: Mapping[str, Mapping[str, Any]] = {"shifts": {"start": "08:00", "end": "17:00"}}
"""What a new part begins with where its specification has no default."""


def _form(
    visit: Visit,
    site: SiteSpec,
    part: PlantKind,
    kind: str,
    *,
    values: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
    spec: PlantPart | None = None,
    etag: str = "",
) -> Response:
    fields = fields_of(part, kind)
    seldom = [field for field in fields if field.seldom]
    part_id = spec.id if spec else ""
    return render(
        visit,
        "plant_part.html",
        status=422 if problems else 200,
        part=part,
        kind=kind,
        part_id=part_id,
        fields=[f for f in fields if not f.seldom and f.widget not in {"rows", "group"}],
        nested=[f for f in fields if f.widget in {"rows", "group"}],
        seldom=seldom,
        unfold=any(field.name in (problems or {}) for field in seldom),
        values=values,
        problems=dict(problems or {}),
        etag=etag,
        words=words(visit.translate, site, part, part_id),
        uses=uses_of(site, part, part_id) if spec else [],
        spec=spec,
        live=read_live(visit, site, spec) if spec else None,
    )


def _saved(visit: Visit, filled: Filled[PlantPart], etag: str = "") -> Filled[PlantPart]:
    """The form, saved; or with what is wrong in it after all."""
    if filled.spec is None:
        return filled
    part = edit.kind_of(filled.spec)
    try:
        with visit.database.transaction() as session:
            if etag:
                check_match(etag, spec_etag(_stored(session, part, filled.spec.id)))
            edit.put(session, filled.spec, by=visit.actor, at=visit.now)
    except ConfigError as error:
        return Filled(values=filled.values, problems={"form": explain(error, visit.language)})
    visit.hub.nudge("config")
    return filled


def _stored(session: Session, part: edit.PartKind, part_id: str) -> Any:
    parts = edit.parts_of(load_site(session).spec, part)
    found = next((each for each in parts if each.id == part_id), None)
    if found is None:
        raise NotFound(part.removesuffix("s"), part_id)
    return found


def _part(site: SiteSpec, part: PlantKind, part_id: str) -> PlantPart:
    for each in getattr(site.plant, part):
        if each.id == part_id:
            found: PlantPart = each
            return found
    raise NotFound(part.removesuffix("s"), part_id)


def _kind(part: PlantKind, spec: PlantPart) -> str:
    return str(getattr(spec, "kind", "")) if part == "feeds" else ""


def _known(part: PlantKind, kind: str) -> str:
    if part == "feeds" and kind not in FEEDS:
        raise NotFound("feed kind", kind[:40])
    return kind


def _site(visit: Visit) -> SiteSpec:
    with visit.database.reading() as session:
        return load_site(session).spec
