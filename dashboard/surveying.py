"""A floor calibration as its page shows it: findings in words, and what to draw."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from pydantic import ValidationError
from starlette.datastructures import FormData

from dashboard import forms
from dashboard.canvas import in_view
from dashboard.zone_forms import Filled
from safety.i18n import Translate
from zones.calibration import CalibrationSpec, FloorCalibration, PointPair
from zones.examine import Ellipse, Finding, examine
from zones.lens import LensSpec
from zones.plant import PlanSpec
from zones.survey import solve

LOOKED_AT: Final = tuple(
    (u, v) for v in (0.35, 0.55, 0.75, 0.95) for u in (0.1, 0.3, 0.5, 0.7, 0.9)
)
"""Picture points whose uncertainty is drawn."""

MOST_LINES: Final = 12
"""Lines of the grid of metres in each direction."""

_STEPS_M: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def report(spec: CalibrationSpec, plan: PlanSpec, translate: Translate) -> dict[str, Any]:
    """Everything that is shown while somebody clicks, in JSON types and the reader's language."""
    found = examine(spec, LOOKED_AT)
    calibration = solve(spec) if found.usable else None
    return {
        "usable": found.usable,
        "verdict": _verdict(found.refusal, found.rms_m, translate),
        "warnings": [_said(each, translate) for each in found.warnings],
        "pairs": [pair.model_dump() for pair in found.pairs],
        "camera": _camera(found.camera_m, found.view_deg, translate),
        "camera_m": found.camera_m,
        "horizon": found.horizon,
        "ellipses": [_ellipse(each) for each in found.ellipses if each.plan_m is not None],
        "in_view": in_view(spec, plan) if calibration else None,
        "grid": _grid(calibration, plan) if calibration else [],
    }


def _verdict(refusal: Finding | None, rms_m: float | None, translate: Translate) -> str:
    if refusal is not None:
        return _said(refusal, translate)
    return translate("floor.usable", rms=f"{rms_m or 0:.2f}")


def _said(finding: Finding, translate: Translate) -> str:
    return translate(finding.key, **finding.params)


def _camera(
    camera_m: tuple[float, float, float] | None, view_deg: float | None, translate: Translate
) -> str:
    if camera_m is None or view_deg is None:
        return ""
    return translate("floor.camera", height=f"{camera_m[2]:.1f}", view=f"{view_deg:.0f}")


def _ellipse(each: Ellipse) -> dict[str, Any]:
    return each.model_dump(include={"picture", "plan_m", "semi_axes_m", "angle_rad"})


def _grid(calibration: FloorCalibration, plan: PlanSpec) -> list[list[tuple[float, float]]]:
    """The plan's grid of metres as the picture shows it: it must lie on the floor."""
    longest = max(plan.width_m, plan.height_m)
    step = next((each for each in _STEPS_M if longest / each <= MOST_LINES), _STEPS_M[-1])
    left, bottom = plan.origin_m
    right, top = left + plan.width_m, bottom + plan.height_m
    xs, ys = np.linspace(left, right, 60), np.linspace(bottom, top, 60)
    lines: list[list[tuple[float, float]]] = []
    for x in np.arange(np.ceil(left / step) * step, right + 1e-9, step):
        lines += _pieces(calibration, np.column_stack([np.full(60, x), ys]))
    for y in np.arange(np.ceil(bottom / step) * step, top + 1e-9, step):
        lines += _pieces(calibration, np.column_stack([xs, np.full(60, y)]))
    return lines


def _pieces(
    calibration: FloorCalibration, places_m: np.ndarray[Any, np.dtype[np.float64]]
) -> list[list[tuple[float, float]]]:
    """A line on the floor, cut where it leaves the picture."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in calibration.to_picture(places_m).tolist():
        if -0.2 <= x <= 1.2 and -0.2 <= y <= 1.2:
            pieces[-1].append((round(x, 4), round(y, 4)))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if len(piece) > 1]


def pairs_text(pairs: tuple[PointPair, ...]) -> str:
    """Pairs as people edit them: one per line, picture percent and plan metres."""
    return "\n".join(
        f"{u * 100:.2f}, {v * 100:.2f}, {x:.2f}, {y:.2f}"
        for (u, v), (x, y) in ((pair.picture, pair.plan_m) for pair in pairs)
    )


def values_of(spec: CalibrationSpec | None) -> dict[str, str]:
    """A calibration as its form shows it; the defaults where there is none."""
    spec = spec or CalibrationSpec(pairs=())
    lens = spec.lens or LensSpec()
    return {
        "pairs": pairs_text(spec.pairs),
        "aspect": f"{spec.aspect:.4f}",
        "k1": f"{lens.k1:g}",
        "k2": f"{lens.k2:g}",
        "limit_m": f"{spec.limit_m:g}",
        "stature_m": f"{spec.stature_m:g}",
        "stature_spread_m": f"{spec.stature_spread_m:g}",
    }


def filled(form: FormData, translate: Translate) -> Filled[CalibrationSpec]:
    """The calibration in a form; usable if ``spec`` is there."""
    values = {name: forms.text(form, name, limit=8000) for name in values_of(None)}
    try:
        spec = CalibrationSpec.model_validate(_parsed(values))
    except ValidationError as error:
        problems = forms.problems(error, translate)
        for item in error.errors(include_url=False):
            if item["loc"][0] == "lens" and "lens" in problems:
                problems[str(item["loc"][-1])] = problems.pop("lens")
        return Filled(values=values, problems=problems)
    except ValueError:
        return Filled(values=values, problems={"pairs": translate("floor.pairs_unreadable")})
    refusal = examine(spec).refusal
    if refusal is not None:
        return Filled(values=values, problems={"pairs": _said(refusal, translate)})
    return Filled(values=values, spec=spec)


def _parsed(values: Mapping[str, str]) -> dict[str, Any]:
    pairs = []
    for line in values["pairs"].splitlines():
        if line.strip():
            u, v, x, y = (float(part) for part in line.replace(",", " ").split())
            pairs.append({"picture": (u / 100, v / 100), "plan_m": (x, y)})
    lens = {name: values[name] or "0" for name in ("k1", "k2")}
    plain = ("aspect", "limit_m", "stature_m", "stature_spread_m")
    given = {name: values[name] for name in plain if values[name]}
    straight = all(float(each) == 0 for each in lens.values())
    return {"pairs": pairs, "lens": None if straight else lens, **given}
