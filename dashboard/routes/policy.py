"""Who is told, and when: the routes, their ladders, and what would happen now."""

from collections.abc import Mapping
from typing import Any, get_args

from fastapi import APIRouter
from starlette.responses import Response

from alerts.open import carries_notices
from alerts.policy_spec import ContactRole, PolicySpec
from dashboard import forms, policy_forms
from dashboard.access import ManagerOnlyVisit, ViewerVisit
from dashboard.etags import check_match, spec_etag
from dashboard.forms import Form
from dashboard.inbox_filter import KINDS_OF_OTHERS
from dashboard.pages import redirect, render
from dashboard.policy_preview import facts_for, preview
from dashboard.policy_words import kind_key, policy_sentences, route_sentence
from dashboard.rule_fields import RULE_KINDS
from dashboard.rule_words import names_of
from dashboard.visit import Visit
from dashboard.zone_forms import Filled, new_id
from safety.errors import AnjeonError
from safety.i18n import explain
from safety.site import edit
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.store.refusals import NotFound
from safety.types import Severity

router = APIRouter(prefix="/policy", include_in_schema=False)


@router.get("")
def policy_page(
    visit: ViewerVisit, kind: str = "intrusion", zone: str = "", severity: str = "danger"
) -> Response:
    return _page(visit, preview_of={"kind": kind, "zone": zone, "severity": severity})


@router.get("/preview")
def policy_preview(
    visit: ViewerVisit, kind: str = "intrusion", zone: str = "", severity: str = "danger"
) -> Response:
    """What would happen if such an alert came now."""
    with visit.database.reading() as session:
        site = load_site(session).spec
        facts = facts_for(site, kind=kind[:63], severity=severity, zone=zone[:63])
        found = preview(session, site, facts, visit.now, visit.translate)
    return render(visit, "_policy_preview.html", found=found)


@router.post("")
def change_policy(visit: ManagerOnlyVisit, form: Form) -> Response:
    """Change what holds for all routes."""
    present = _site(visit).policy
    filled = policy_forms.filled_policy(form, visit.translate, present=present)
    if filled.spec is not None and not (problem := _saved(visit, filled.spec, form)):
        return redirect("/policy?done=saved")
    problems = filled.problems or {"form": problem}
    return _page(visit, values=filled.values, problems=problems)


@router.get("/routes/new")
def new_route_page(visit: ManagerOnlyVisit) -> Response:
    return _route_page(visit, "new", Filled(values=policy_forms.route_values(None)))


@router.get("/routes/{route_id}")
def route_page(visit: ManagerOnlyVisit, route_id: str) -> Response:
    policy = _site(visit).policy
    route = next((each for each in policy.routes if each.id == route_id), None)
    if route is None:
        raise NotFound("route", route_id[:63])
    return _route_page(visit, route_id, Filled(values=policy_forms.route_values(route)))


@router.post("/routes/{route_id}")
def save_route(visit: ManagerOnlyVisit, route_id: str, form: Form) -> Response:
    """Change a route, or add one (``new``)."""
    policy = _site(visit).policy
    if route_id != "new" and all(each.id != route_id for each in policy.routes):
        raise NotFound("route", route_id[:63])
    name = new_id("route") if route_id == "new" else route_id
    filled = policy_forms.filled_route(form, visit.translate, route_id=name)
    if filled.spec is not None:
        problem = _saved(visit, policy_forms.with_route(policy, filled.spec), form)
        if not problem:
            return redirect("/policy?done=saved")
        filled = Filled(values=filled.values, problems={"form": problem})
    return _route_page(visit, route_id, filled, status=422)


@router.post("/routes/{route_id}/sentence")
def say_route(visit: ManagerOnlyVisit, route_id: str, form: Form) -> Response:
    """What the route in a form would do; the page asks whenever somebody changes it."""
    filled = policy_forms.filled_route(form, visit.translate, route_id="route")
    return render(visit, "_policy_sentence.html", sentence=_sentence(visit, _site(visit), filled))


@router.post("/routes/{route_id}/up")
def move_up(visit: ManagerOnlyVisit, route_id: str, form: Form) -> Response:
    policy = policy_forms.with_route_first(_site(visit).policy, route_id)
    return _moved(visit, policy, form)


@router.post("/routes/{route_id}/delete")
def delete_route(visit: ManagerOnlyVisit, route_id: str, form: Form) -> Response:
    policy = policy_forms.without_route(_site(visit).policy, route_id)
    return _moved(visit, policy, form)


def _moved(visit: Visit, policy: PolicySpec, form: Form) -> Response:
    problem = _saved(visit, policy, form)
    return _page(visit, problems={"form": problem}) if problem else redirect("/policy?done=saved")


def _saved(visit: Visit, policy: PolicySpec, form: Form) -> str:
    """Save the policy made from what the form showed; why not, empty if it was saved."""
    try:
        with visit.database.transaction() as session:
            present = load_site(session).spec.policy
            check_match(forms.text(form, "etag") or None, spec_etag(present))
            edit.put_policy(session, policy, by=visit.actor, at=visit.now)
    except AnjeonError as error:
        return explain(error, visit.language)
    visit.hub.nudge("config")
    return ""


def _site(visit: Visit) -> SiteSpec:
    with visit.database.reading() as session:
        return load_site(session).spec


def _page(
    visit: Visit,
    *,
    values: Mapping[str, Any] | None = None,
    problems: Mapping[str, str] | None = None,
    preview_of: Mapping[str, str] | None = None,
) -> Response:
    asked = {"kind": "intrusion", "zone": "", "severity": "danger"} | dict(preview_of or {})
    with visit.database.reading() as session:
        site = load_site(session).spec
        facts = facts_for(
            site, kind=asked["kind"][:63], severity=asked["severity"], zone=asked["zone"][:63]
        )
        found = preview(session, site, facts, visit.now, visit.translate)
    names, translate = names_of(site), visit.translate
    return render(
        visit,
        "policy.html",
        status=422 if problems else 200,
        routes=[(each, route_sentence(each, names, translate)) for each in site.policy.routes],
        general=policy_sentences(site.policy, translate),
        values=values or policy_forms.policy_values(site.policy),
        problems=problems or {},
        etag=spec_etag(site.policy),
        found=found,
        asked=asked,
        names=names,
        messengers=_messengers(site),
        kinds=_kinds(visit),
        severities=tuple(Severity),
    )


def _route_page(visit: Visit, route_id: str, filled: Filled[Any], *, status: int = 200) -> Response:
    site = _site(visit)
    rows = list(filled.values["steps"])
    blank = {"after_s": "", "channels": [], "roles": []}
    rows += [blank] * min(2, policy_forms.STEPS - len(rows))
    shown = {key: value for key, value in filled.values.items() if key != "steps"}
    return render(
        visit,
        "policy_route.html",
        status=status,
        route_id=route_id,
        values=shown,
        rows=rows,
        problems=filled.problems,
        etag=spec_etag(site.policy),
        names=names_of(site),
        messengers=_messengers(site),
        roles=get_args(ContactRole),
        kinds=_kinds(visit),
        severities={each.value: visit.translate(f"severity.{each}") for each in Severity},
    )


def _sentence(visit: Visit, site: SiteSpec, filled: Filled[Any]) -> str:
    if filled.spec is None:
        return next(iter(filled.problems.values()), "")
    return route_sentence(filled.spec, names_of(site), visit.translate)


def _messengers(site: SiteSpec) -> dict[str, str]:
    return {each.id: each.name for each in site.channels if carries_notices(each)}


def _kinds(visit: Visit) -> dict[str, str]:
    kinds = (*RULE_KINDS, *KINDS_OF_OTHERS)
    return {kind: visit.translate(kind_key(kind)) for kind in kinds}
