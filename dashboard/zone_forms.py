"""The form of zones: from fields to a checked specification, and back to fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import uuid4

from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from starlette.datastructures import FormData

from dashboard import forms
from dashboard.canvas import Canvas, Corners
from safety.i18n import Translate
from zones.specs import ZoneSpec

T = TypeVar("T")


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


def new_id(prefix: str) -> str:
    """An identifier for something that people give a name only."""
    return f"{prefix}-{uuid4().hex[:8]}"
