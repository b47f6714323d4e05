"""The tables of the people network's card, from the network files themselves."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import typer

from safety.training.dataset import read_list
from safety.training.people_data import prepare_part
from safety.training.people_val import Figures, Judge
from safety.training.recipe import Recipe

_COLUMNS = ("persons", "recall", "precision", "oks", "pose_ap", "false_persons")

Measured = dict[str, dict[str, Any]]
"""Set or scene -> figures."""


def report(
    recipe: Recipe, *, data: Path, scenes: Path | None, model: Path, json_file: Path | None
) -> Mapping[str, Measured]:
    """Measure a network beside the one it was made from, and print the card's tables."""
    measured: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        samples = read_list(prepare_part(recipe, data, Path(folder), "val"), data)
        for name, path in {"base": data.parent / recipe.base, "this network": model}.items():
            judge = Judge(path, recipe.width_px, Path(folder) / "cache")
            sets: dict[str, Figures] = dict(judge.pictures(samples))
            if scenes is not None:
                sets |= {f"scene {scene}": f for scene, f in judge.scenes(scenes).items()}
            judge.close()
            measured[name] = {key: figures.summary() for key, figures in sets.items()}
    typer.echo(table(measured))
    if json_file is not None:
        json_file.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return measured


def table(measured: Mapping[str, Measured]) -> str:
    """One line per network and set, as Markdown."""
    lines = [f"| set | network | {' | '.join(_COLUMNS)} | other |", "|---" * 9 + "|"]
    for key in next(iter(measured.values())):
        for network, sets in measured.items():
            figures = sets[key]
            cells = " | ".join(_cell(figures[column]) for column in _COLUMNS)
            others = ", ".join(
                f"{name} {'/'.join(map(str, value))}"
                for name, value in figures.items()
                if name not in _COLUMNS
            )
            lines.append(f"| {key} | {network} | {cells} | {others} |")
    for network, sets in measured.items():
        recalls = [figures["recall"] for key, figures in sets.items() if key.startswith("scene ")]
        if recalls:
            lines.append(
                f"| mean of the scenes | {network} |  | {_cell(float(np.mean(recalls)))} |"
            )
    return "\n".join(lines)


def _cell(value: float | int) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
