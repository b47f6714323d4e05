"""The rules that apply in a zone."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from dashboard import forms, zone_forms
from dashboard.access import ManagerOnlyVisit
from dashboard.etags import check_match, spec_etag
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.routes.zones import find_zone
from dashboard.visit import Visit
from dashboard.zone_forms import AnyRule, Filled
from safety.site import edit
from safety.site.apply import load_site
from safety.store.refusals import NotFound
from safety.types import Severity
from zones.specs import ZoneSpec

router = APIRouter(include_in_schema=False)


@router.get("/zones/{zone_id}/rules/new")
def new_rule_page(visit: ManagerOnlyVisit, zone_id: str, kind: str = "intrusion") -> Response:
    with visit.database.reading() as session:
        zone = find_zone(session, zone_id)
    if kind not in zone_forms.RULE_KINDS:
        raise NotFound("rule kind", kind[:40])
    name = visit.translate(f"rules.default_name.{kind}", zone=zone.name)[:120]
    rule = zone_forms.new_rule(kind, name=name, zone_id=zone_id)
    return _page(visit, zone, values=rule.model_dump(mode="json"), is_new=True)


@router.post("/zones/{zone_id}/rules")
def create_rule(visit: ManagerOnlyVisit, zone_id: str, form: Form) -> Response:
    with visit.database.transaction() as session:
        zone = find_zone(session, zone_id)
        filled = _filled(visit, form, rule_id=zone_forms.new_id("rule"), zone_id=zone_id)
        if filled.spec is not None:
            edit.put(session, filled.spec, by=visit.actor, at=visit.now)
    if filled.spec is None:
        return _page(visit, zone, values=filled.values, problems=filled.problems, is_new=True)
    visit.hub.nudge("config")
    return redirect(f"/zones/{zone_id}?done=created")


@router.get("/rules/{rule_id}")
def rule_page(visit: ManagerOnlyVisit, rule_id: str) -> Response:
    with visit.database.reading() as session:
        rule = find_rule(session, rule_id)
        zone = find_zone(session, rule.zone_id or "")
    values = {**rule.model_dump(mode="json"), "etag": spec_etag(rule)}
    return _page(visit, zone, values=values, rule_id=rule_id)


@router.post("/rules/{rule_id}")
def change_rule(visit: ManagerOnlyVisit, rule_id: str, form: Form) -> Response:
    with visit.database.transaction() as session:
        rule = find_rule(session, rule_id)
        zone = find_zone(session, rule.zone_id or "")
        filled = _filled(visit, form, rule_id=rule_id, zone_id=zone.id, before=rule)
        if filled.spec is not None:
            check_match(forms.text(form, "etag") or None, spec_etag(rule))
            edit.put(session, filled.spec, by=visit.actor, at=visit.now)
    if filled.spec is None:
        values = {**filled.values, "etag": forms.text(form, "etag")}
        return _page(visit, zone, values=values, problems=filled.problems, rule_id=rule_id)
    visit.hub.nudge("config")
    return redirect(f"/zones/{rule.zone_id}?done=saved")


@router.post("/rules/{rule_id}/delete")
def delete_rule(visit: ManagerOnlyVisit, rule_id: str) -> Response:
    with visit.database.transaction() as session:
        rule = find_rule(session, rule_id)
        edit.remove(session, "rules", rule_id, by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    return redirect(f"/zones/{rule.zone_id}?done=deleted")


def find_rule(session: Session, rule_id: str) -> AnyRule:
    """One rule.

    Raises:
        NotFound: There is none.
    """
    for rule in load_site(session).spec.rules:
        if rule.id == rule_id:
            return rule
    raise NotFound("rule", rule_id)


def _filled(
    visit: Visit, form: Form, *, rule_id: str, zone_id: str, before: AnyRule | None = None
) -> Filled[AnyRule]:
    return zone_forms.filled_rule(
        form, visit.translate, rule_id=rule_id, zone_id=zone_id, before=before
    )


def _page(
    visit: Visit,
    zone: ZoneSpec,
    *,
    values: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
    rule_id: str = "",
    is_new: bool = False,
) -> Response:
    with visit.database.reading() as session:
        site = load_site(session).spec
    return render(
        visit,
        "rule.html",
        status=422 if problems else 200,
        zone=zone,
        values=values,
        problems=dict(problems or {}),
        rule_id=rule_id,
        is_new=is_new,
        severities=list(Severity),
        channels=site.channels,
    )
