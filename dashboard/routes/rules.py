"""Rules: what must not happen, where and when, and who is told."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from dashboard import forms, rule_forms, trying, zone_forms
from dashboard.access import ManagerOnlyVisit, ViewerVisit
from dashboard.etags import check_match, spec_etag
from dashboard.forms import Form
from dashboard.pages import redirect, render
from dashboard.rule_fields import RULE_KINDS, RuleField, fields_of, values_of
from dashboard.rule_forms import AnyRule
from dashboard.rule_trials import read_trial
from dashboard.rule_views import read_places, read_rules
from dashboard.rule_words import names_of, rule_sentence
from dashboard.visit import Visit
from dashboard.zone_forms import Filled
from safety.errors import AnjeonError, ConfigError
from safety.i18n import explain
from safety.site import edit
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.store.refusals import NotFound

router = APIRouter(include_in_schema=False)

_TRIED = "24h"
"""How far back the page tries a rule."""

_GROUPS = {
    "arming": "when",
    "hold_to_open_s": "timing",
    "hold_to_close_s": "timing",
    "cooldown_s": "timing",
    "severity": "told",
    "channels": "told",
    "mode": "told",
}
"""Which part of the form a field is in; the others say what must not happen."""


@router.get("/rules")
def rules_page(visit: ViewerVisit) -> Response:
    with visit.database.reading() as session:
        site = load_site(session).spec
    return render(visit, "rules.html", rules=read_rules(visit, site), kinds=RULE_KINDS)


@router.get("/rules/new")
@router.get("/zones/{zone_id}/rules/new")
def new_rule_page(visit: ManagerOnlyVisit, zone_id: str = "", kind: str = "intrusion") -> Response:
    site = _site(visit)
    zone = next((each for each in site.zones if each.id == zone_id), None)
    if kind not in RULE_KINDS:
        raise NotFound("rule kind", kind[:40])
    if zone_id and zone is None:
        raise NotFound("zone", zone_id)
    place = zone or next(iter(site.zones), None)
    shown = zone.name if zone else visit.translate("rules.no_zone")
    name = visit.translate(f"rules.default_name.{kind}", zone=shown)[:120]
    # A kind that needs a zone starts with one: nothing is saved before somebody has seen it.
    rule = rule_forms.new_rule(kind, name=name, zone_id=place.id if place else "none")
    data = rule.model_dump(mode="json")
    if zone is None:
        data["zone_id"] = None
    return _page(visit, site, kind, values=values_of(fields_of(kind), data))


@router.post("/rules")
def create_rule(visit: ManagerOnlyVisit, form: Form) -> Response:
    kind = _kind(form)
    filled = rule_forms.filled_rule(
        form, visit.translate, kind=kind, rule_id=zone_forms.new_id("rule")
    )
    filled = _saved(visit, filled)
    if filled.spec is None:
        return _page(visit, _site(visit), kind, values=filled.values, problems=filled.problems)
    return redirect(f"{_home(filled.spec)}?done=created")


@router.post("/rules/new/sentence")
def say_rule(visit: ManagerOnlyVisit, form: Form) -> Response:
    """What the rule in a form would do; the page asks whenever somebody changes it."""
    filled = rule_forms.filled_rule(form, visit.translate, kind=_kind(form), rule_id="rule")
    return render(visit, "_rule_sentence.html", sentence=_sentence(visit, _site(visit), filled))


@router.get("/rules/{rule_id}")
def rule_page(visit: ManagerOnlyVisit, rule_id: str) -> Response:
    with visit.database.reading() as session:
        rule = find_rule(session, rule_id)
        site = load_site(session).spec
    values = values_of(fields_of(rule.kind), rule.model_dump(mode="json"))
    return _page(visit, site, rule.kind, values=values, rule_id=rule_id, etag=spec_etag(rule))


@router.get("/rules/{rule_id}/now")
def rule_now(visit: ViewerVisit, rule_id: str) -> Response:
    """Whether a rule is armed now, and what it cannot tell."""
    return render(
        visit, "_rule_now.html", rule_id=rule_id, places=read_places(visit, _site(visit), rule_id)
    )


@router.post("/rules/{rule_id}")
def change_rule(visit: ManagerOnlyVisit, rule_id: str, form: Form) -> Response:
    with visit.database.reading() as session:
        rule = find_rule(session, rule_id)
    filled = rule_forms.filled_rule(form, visit.translate, kind=rule.kind, rule_id=rule_id)
    etag = forms.text(form, "etag")
    filled = _saved(visit, filled, etag=etag)
    if filled.spec is None:
        return _page(
            visit,
            _site(visit),
            rule.kind,
            values=filled.values,
            problems=filled.problems,
            rule_id=rule_id,
            etag=etag,
        )
    return redirect(f"{_home(filled.spec)}?done=saved")


@router.post("/rules/{rule_id}/try")
async def try_rule(visit: ManagerOnlyVisit, rule_id: str, form: Form) -> Response:
    """What the rule in a form would have done in the last day; ``new`` for one not saved yet."""
    filled = rule_forms.filled_rule(form, visit.translate, kind=_kind(form), rule_id=rule_id)
    trial, problem = None, ""
    if filled.spec is None:
        problem = visit.translate("rules.say.unfinished")
    else:
        try:
            result = await trying.try_rule(
                visit.services.settings, visit.request, filled.spec, since=_TRIED
            )
            trial = await run_in_threadpool(lambda: read_trial(result, _site(visit)))
        except AnjeonError as error:
            problem = explain(error, visit.language)
    return await run_in_threadpool(
        lambda: render(visit, "_rule_trial.html", trial=trial, problem=problem)
    )


@router.post("/rules/{rule_id}/mode")
def switch_rule(visit: ManagerOnlyVisit, rule_id: str, form: Form) -> Response:
    """Shadow or active, and nothing else of the rule."""
    mode = "active" if forms.text(form, "mode") == "active" else "shadow"
    with visit.database.transaction() as session:
        rule = find_rule(session, rule_id)
        edit.put(session, rule.model_copy(update={"mode": mode}), by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    return redirect(f"/rules/{rule_id}?done=saved")


@router.post("/rules/{rule_id}/delete")
def delete_rule(visit: ManagerOnlyVisit, rule_id: str) -> Response:
    with visit.database.transaction() as session:
        rule = find_rule(session, rule_id)
        edit.remove(session, "rules", rule_id, by=visit.actor, at=visit.now)
    visit.hub.nudge("config")
    return redirect(f"{_home(rule)}?done=deleted")


def find_rule(session: Session, rule_id: str) -> AnyRule:
    """One rule.

    Raises:
        NotFound: There is none.
    """
    for rule in load_site(session).spec.rules:
        if rule.id == rule_id:
            return rule
    raise NotFound("rule", rule_id)


def _site(visit: Visit) -> SiteSpec:
    with visit.database.reading() as session:
        return load_site(session).spec


def _kind(form: Form) -> str:
    kind = forms.text(form, "kind")
    if kind not in RULE_KINDS:
        raise NotFound("rule kind", kind[:40])
    return kind


def _home(rule: AnyRule) -> str:
    return f"/zones/{rule.zone_id}" if rule.zone_id else "/rules"


def _saved(visit: Visit, filled: Filled[AnyRule], etag: str = "") -> Filled[AnyRule]:
    """The form, saved; or with what is wrong in it after all."""
    if filled.spec is None:
        return filled
    try:
        with visit.database.transaction() as session:
            if etag:
                check_match(etag, spec_etag(find_rule(session, filled.spec.id)))
            edit.put(session, filled.spec, by=visit.actor, at=visit.now)
    except ConfigError as error:
        return Filled(values=filled.values, problems={"form": explain(error, visit.language)})
    visit.hub.nudge("config")
    return filled


def _sentence(visit: Visit, site: SiteSpec, filled: Filled[AnyRule]) -> str:
    if filled.spec is None:
        return ""
    return rule_sentence(filled.spec, names_of(site), visit.translate)


def _grouped(fields: tuple[RuleField, ...]) -> dict[str, list[RuleField]]:
    groups: dict[str, list[RuleField]] = {"what": [], "when": [], "timing": [], "told": []}
    for field in fields:
        if field.name not in {"name", "enabled"}:
            groups[_GROUPS.get(field.name, "what")].append(field)
    return groups


def _page(
    visit: Visit,
    site: SiteSpec,
    kind: str,
    *,
    values: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
    rule_id: str = "",
    etag: str = "",
) -> Response:
    fields = fields_of(kind)
    present = next((rule for rule in site.rules if rule.id == rule_id), None)
    names = names_of(site)
    zone_id = values.get("zone_id") or ""

    def hint(field: RuleField) -> str:
        said = visit.translate(key := f"{field.text_key()}_hint")
        return "" if said == key else said

    return render(
        visit,
        "rule.html",
        status=422 if problems else 200,
        kind=kind,
        groups=_grouped(fields),
        names=names,
        zone_id=zone_id if zone_id in names["zones"] else "",
        values=values,
        problems=dict(problems or {}),
        rule_id=rule_id,
        etag=etag,
        hint=hint,
        sentence=rule_sentence(present, names, visit.translate) if present else "",
        places=read_places(visit, site, rule_id),
        mode=present.mode if present else "",
    )
