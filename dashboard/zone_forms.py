"""The forms of zones and rules: from fields to checked specifications, and back to fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError
from starlette.datastructures import FormData

from dashboard import forms
from dashboard.canvas import Canvas, Corners
from safety.i18n import Translate
from zones.specs import RuleSpec, ZoneSpec

T = TypeVar("T")

AnyRule = RuleSpec

RULE: TypeAdapter[AnyRule] = TypeAdapter(RuleSpec)

RULE_KINDS = ("intrusion", "dwell", "missing_ppe")

_COMMON = ("name", "severity", "hold_to_open_s", "hold_to_close_s", "cooldown_s")
_OWN = {"intrusion": ("body",), "dwell": ("limit_s",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled(Generic[T]):
    """A form somebody filled in.

    Attributes:
        values: What they typed, to show it again.
        problems: What is wrong, by field; empty if ``spec`` is there.
    """

    values: Mapping[str, Any]
    spec: T | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


def corners_text(corners: Corners, unit: float = 0.01) -> str:
    """Corners as people edit them: one per line, in units of the canvas."""
    return "\n".join(f"{x / unit:.2f}, {y / unit:.2f}" for x, y in corners)


def parse_corners(text: str, unit: float = 0.01) -> Corners:
    """The corners in such a text.

    Raises:
        ValueError: A line is not two numbers.
    """
    corners = []
    for line in text.splitlines():
        if line.strip():
            x, y = line.replace(",", " ").split()
            corners.append((float(x) * unit, float(y) * unit))
    return tuple(corners)


def filled_zone(
    form: FormData, translate: Translate, *, zone_id: str, canvas: Canvas
) -> Filled[ZoneSpec]:
    """The zone in a form, drawn on a canvas."""
    values = {
        "name": forms.text(form, "name"),
        "corners": forms.text(form, "corners", limit=8000),
    }
    try:
        place = canvas.place(parse_corners(values["corners"], canvas.unit))
    except PydanticCustomError as error:
        said = translate(error.type, **(error.context or {}))
        return Filled(values=values, problems={"polygon": said})
    except ValueError:
        return Filled(values=values, problems={"polygon": translate("zones.corners_unreadable")})
    try:
        spec = ZoneSpec.model_validate({"id": zone_id, "name": values["name"], **place})
    except ValidationError as error:
        problems = forms.problems(error, translate)
        if "floor_m" in problems:
            problems["polygon"] = problems.pop("floor_m")
        return Filled(values=values, problems=problems)
    return Filled(values=values, spec=spec)


def filled_rule(
    form: FormData,
    translate: Translate,
    *,
    rule_id: str,
    zone_id: str,
    before: AnyRule | None = None,
) -> Filled[AnyRule]:
    """The rule in a form; what the form does not ask stays as it was before."""
    kind = forms.text(form, "kind")
    names = (*_COMMON, *_OWN.get(kind, ()))
    values: dict[str, Any] = {name: forms.text(form, name) for name in names}
    values |= {"kind": kind, "enabled": forms.text(form, "enabled") == "yes"}
    if kind == "missing_ppe":
        values["items"] = forms.texts(form, "item")
    everybody = forms.text(form, "told") != "some"
    values["channels"] = None if everybody else forms.texts(form, "channel")
    try:
        kept = before.model_dump() if before is not None and before.kind == kind else {}
        spec = RULE.validate_python({**kept, "id": rule_id, "zone_id": zone_id, **values})
    except ValidationError as error:
        return Filled(values=values, problems=forms.problems(error, translate))
    return Filled(values=values, spec=spec)


def new_rule(kind: str, *, name: str, zone_id: str) -> AnyRule:
    """A rule with everything at its default."""
    own: dict[str, Any] = {"limit_s": 60.0} if kind == "dwell" else {}
    return RULE.validate_python(
        {"kind": kind, "id": new_id("rule"), "name": name, "zone_id": zone_id, **own}
    )


def new_id(prefix: str) -> str:
    """An identifier for something that people give a name only."""
    return f"{prefix}-{uuid4().hex[:8]}"
