"""The forms of the policy: from fields to checked specifications, and back to fields."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import FormData

from alerts.policy_spec import PolicySpec, RouteSpec
from dashboard import forms
from dashboard.zone_forms import Filled
from safety.i18n import Translate

STEPS = 8
"""Rows of a ladder that the form has at most."""

_LISTS = ("severities", "kinds", "zones", "shifts")
_NUMBERS = ("gap_s", "update_every_s", "cooldown_s")


def route_values(route: RouteSpec | None) -> dict[str, Any]:
    """A route as its form shows it; None: an empty one."""
    if route is None:
        return {
            "name": "",
            **{name: [] for name in _LISTS},
            "steps": [{"after_s": "0", "channels": [], "roles": []}],
            "repeat_s": "",
            "repeats": "3",
            "until": "acknowledged",
        }
    data = route.model_dump(mode="json")
    steps = [
        {
            "after_s": str(each["after_s"]),
            "channels": each["channels"] or [],
            "roles": each["roles"],
        }
        for each in data["steps"]
    ]
    repeat_s = "" if data["repeat_s"] is None else str(data["repeat_s"])
    return {**data, "steps": steps, "repeat_s": repeat_s, "repeats": str(data["repeats"])}


def filled_route(form: FormData, translate: Translate, *, route_id: str) -> Filled[RouteSpec]:
    """The route in a form; rows of the ladder without seconds are left out."""
    rows = [
        {
            "after_s": forms.text(form, f"step.{number}.after_s"),
            "channels": forms.texts(form, f"step.{number}.channels"),
            "roles": forms.texts(form, f"step.{number}.roles"),
        }
        for number in range(STEPS)
    ]
    values: dict[str, Any] = {
        "name": forms.text(form, "name"),
        **{name: forms.texts(form, name) for name in _LISTS},
        "steps": [row for row in rows if row["after_s"]],
        "repeat_s": forms.text(form, "repeat_s"),
        "repeats": forms.text(form, "repeats") or "3",
        "until": forms.text(form, "until") or "acknowledged",
    }
    document = {
        **values,
        "id": route_id,
        "steps": [{**row, "channels": row["channels"] or None} for row in values["steps"]],
        "repeat_s": values["repeat_s"] or None,
    }
    try:
        return Filled(values=values, spec=RouteSpec.model_validate(document))
    except ValidationError as error:
        return Filled(values=values, problems=forms.problems(error, translate, _field_of))


def policy_values(policy: PolicySpec) -> dict[str, Any]:
    """What holds for all routes, as its form shows it."""
    return {
        **{name: str(getattr(policy, name)) for name in _NUMBERS},
        "burst": str(policy.limit.burst),
        "per_minute": f"{policy.limit.per_minute:g}",
        "unlimited": list(policy.unlimited),
    }


def filled_policy(
    form: FormData, translate: Translate, *, present: PolicySpec
) -> Filled[PolicySpec]:
    """The policy with what the form says of all routes, its routes as they are."""
    names = (*_NUMBERS, "burst", "per_minute")
    values: dict[str, Any] = {name: forms.text(form, name) for name in names}
    values["unlimited"] = forms.texts(form, "unlimited")
    document = {
        "routes": present.routes,
        **{name: values[name] for name in _NUMBERS},
        "limit": {"burst": values["burst"], "per_minute": values["per_minute"]},
        "unlimited": values["unlimited"],
    }
    try:
        return Filled(values=values, spec=PolicySpec.model_validate(document))
    except ValidationError as error:
        return Filled(values=values, problems=forms.problems(error, translate, _last_name))


def with_route(policy: PolicySpec, route: RouteSpec) -> PolicySpec:
    """The policy with this route added, or put in the place of the one with its id."""
    known = any(each.id == route.id for each in policy.routes)
    kept = tuple(route if each.id == route.id else each for each in policy.routes)
    return _checked(policy, kept if known else (*policy.routes, route))


def without_route(policy: PolicySpec, route_id: str) -> PolicySpec:
    """The policy without this route."""
    return _checked(policy, tuple(each for each in policy.routes if each.id != route_id))


def with_route_first(policy: PolicySpec, route_id: str) -> PolicySpec:
    """The policy with this route moved one place up."""
    routes = list(policy.routes)
    place = next((n for n, each in enumerate(routes) if each.id == route_id), 0)
    if place > 0:
        routes[place - 1], routes[place] = routes[place], routes[place - 1]
    return _checked(policy, tuple(routes))


def _checked(policy: PolicySpec, routes: tuple[RouteSpec, ...]) -> PolicySpec:
    return PolicySpec.model_validate({**dict(policy), "routes": routes})


def _field_of(location: Sequence[int | str]) -> str:
    """The field of the form that an error is about: ``step.2`` for anything in that row."""
    if len(location) > 1 and location[0] == "steps":
        return f"step.{location[1]}"
    return str(location[0]) if location else "form"


def _last_name(location: Sequence[int | str]) -> str:
    names = [part for part in location if isinstance(part, str)]
    return names[-1] if names else "form"
