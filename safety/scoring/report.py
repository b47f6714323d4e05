"""The scores as a table for people and as JSON for programs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from safety.scoring.events import RuleScore
from safety.scoring.run import SceneScore

_MISSING = "-"


def summed(scores: Sequence[SceneScore]) -> dict[str, RuleScore]:
    """How every kind of rule did over all scenes."""
    total: dict[str, RuleScore] = {}
    for scene in scores:
        for kind, score in scene.rules.items():
            total.setdefault(kind, RuleScore()).add(score)
    return dict(sorted(total.items()))


def as_json(scores: Sequence[SceneScore]) -> dict[str, Any]:
    """One object: ``rules`` by kind and ``scenes`` by name; null where nothing was measured."""
    return {
        "rules": {kind: _rule(score) for kind, score in summed(scores).items()},
        "scenes": {
            scene.name: {
                "idf1": round(scene.identity.idf1, 4),
                "hota": round(scene.identity.hota, 4),
                "floor_err_p50_m": _rounded(scene.floor_error_p50_m),
                "fps": round(scene.fps, 2),
            }
            for scene in scores
        },
    }


def as_table(scores: Sequence[SceneScore]) -> str:
    """Two tables: rules over all scenes, then the scenes."""
    counts = f"{'rule':<14}{'events':>7}{'found':>7}{'missed':>7}{'false':>7}{'again':>7}"
    lines = [f"{counts}{'delay p50':>11}{'p95 s':>7}{'dist err m':>12}"]
    for kind, score in summed(scores).items():
        lines.append(
            f"{kind:<14}{score.events:>7}{score.detected:>7}{score.missed:>7}"
            f"{score.false_alarms:>7}{score.repeats:>7}{_shown(score.delay_s(50)):>11}"
            f"{_shown(score.delay_s(95)):>7}{_shown(_distance_error(score)):>12}"
        )
    lines += ["", f"{'scene':<18}{'IDF1':>7}{'HOTA':>7}{'floor p50 m':>13}{'fps':>8}"]
    for scene in scores:
        lines.append(
            f"{scene.name:<18}{scene.identity.idf1:>7.3f}{scene.identity.hota:>7.3f}"
            f"{_shown(scene.floor_error_p50_m):>13}{scene.fps:>8.1f}"
        )
    return "\n".join(lines)


def _rule(score: RuleScore) -> dict[str, Any]:
    return {
        "events": score.events,
        "detected": score.detected,
        "missed": score.missed,
        "false_alarms": score.false_alarms,
        "repeats": score.repeats,
        "onset_p50_s": _rounded(score.delay_s(50)),
        "onset_p95_s": _rounded(score.delay_s(95)),
        "distance_err_m": _rounded(_distance_error(score)),
    }


def _distance_error(score: RuleScore) -> float | None:
    """Mean absolute error of the smallest distances."""
    if not score.distance_errors_m:
        return None
    return float(np.mean(np.abs(score.distance_errors_m)))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _shown(value: float | None) -> str:
    return _MISSING if value is None else f"{value:.2f}"
