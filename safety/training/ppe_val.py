"""Prints the figures of the PPE network's card again, with the product's own code."""

import json as jsons
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer

from safety.config import Settings
from safety.perception.load import load_object_detector
from safety.perception.models import find_pose_model, find_ppe_model
from safety.perception.ppe import CROP_PX
from safety.training.ppe_crops import NAMES, crops_in, read_crop
from safety.training.ppe_data import validation_crops
from safety.training.ppe_persons import ITEMS, MODES, Judge, Judgement, Mode
from safety.training.ppe_scores import average_precision
from safety.training.ppe_truth import Truth, scenes, stills
from safety.training.recipe import Recipe
from safety.types import PpeItem, PpeState

LENGTHS_PX: tuple[tuple[int, int], ...] = ((24, 48), (48, 96), (96, 10_000))
"""Classes of persons' lengths in the original picture, in pixels."""

_LEAST_SCORE, _IOU = 0.001, 0.7

Row = dict[str, str | float | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How often which answer was given and right; None where there was nothing to be right on."""

    worn: int
    missing: int
    cannot_tell: float | None
    worn_precision: float | None
    worn_recall: float | None
    missing_precision: float | None
    missing_recall: float | None

    @classmethod
    def of(cls, pairs: Sequence[tuple[bool, PpeState]]) -> "Shares":
        """Of pairs of the truth and what was said."""
        worn = [said for truth, said in pairs if truth]
        missing = [said for truth, said in pairs if not truth]
        everything = worn + missing
        return cls(
            worn=len(worn),
            missing=len(missing),
            cannot_tell=_share(everything.count(PpeState.UNKNOWN), len(everything)),
            worn_precision=_share(worn.count(PpeState.WORN), everything.count(PpeState.WORN)),
            worn_recall=_share(worn.count(PpeState.WORN), len(worn)),
            missing_precision=_share(
                missing.count(PpeState.MISSING), everything.count(PpeState.MISSING)
            ),
            missing_recall=_share(missing.count(PpeState.MISSING), len(missing)),
        )

    @property
    def f1(self) -> float:
        """Mean over both answers of the harmonic mean of precision and recall."""
        values = [
            2 * (p or 0.0) * r / max((p or 0.0) + r, 1e-9)
            for p, r in (
                (self.worn_precision, self.worn_recall),
                (self.missing_precision, self.missing_recall),
            )
            if r is not None
        ]
        return float(np.mean(values)) if values else 0.0


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def validate(
    recipe: Recipe, *, data: Path, scenes_folder: Path | None, model: Path | None, json: Path | None
) -> None:
    """Print average precision on crops and the decisions about persons.

    Args:
        data: The folder with the data sets.
        scenes_folder: With the rendered scenes; None: without them.
        model: The network; None: the one in the package.
        json: Gets the same figures.

    Raises:
        ModelError: There is no such network, or it is another kind.
        TrainingError: A data set is missing or faulty.
    """
    network = model if model is not None else find_ppe_model(Settings())
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        least_px = int(recipe.data["least_px_rendered"])
        precision = crop_precision(network, data, cache, least_px)
        persons = person_figures(network, data, scenes_folder, cache)
    typer.echo(f"{network.name}: average precision at IoU 0.5 on crops")
    for name, values in precision.items():
        cells = "  ".join(f"{kind} {value:.3f}" for kind, value in values.items())
        typer.echo(f"  {name:12} {cells}")
    typer.echo(_HEADER)
    for row in persons:
        typer.echo(_line(row))
    if json is not None:
        content = {"network": network.name, "crops": precision, "persons": persons}
        json.write_text(jsons.dumps(content, indent=1), encoding="utf-8")


def crop_precision(
    network: Path, data: Path, cache: Path, least_px_rendered: int
) -> dict[str, dict[str, float]]:
    """Average precision per validation set and class, and their mean ``mAP50``."""
    validation_crops(data, cache / "crops", least_px_rendered)
    detector = load_object_detector(
        network, width=CROP_PX, cache_dir=cache, confidence=_LEAST_SCORE, iou=_IOU
    )
    figures = {}
    for name, folder in (("photographs", "val"), ("rendered", "val_rendered")):
        read = [read_crop(path) for path in crops_in(cache / "crops" / folder)]
        if not read:
            continue
        found = [detector.detect([crop])[0] for crop, _ in read]
        labelled = [items.scaled(1 / c.shape[1], 1 / c.shape[0]) for c, items in read]
        values = average_precision(found, labelled, len(NAMES))
        by_class = dict(zip(NAMES, map(float, values), strict=True))
        figures[name] = {**by_class, "mAP50": float(np.nanmean(values))}
    detector.close()
    return figures


def person_figures(network: Path, data: Path, scenes_folder: Path | None, cache: Path) -> list[Row]:
    """What is said about persons, by set of pictures, mode, item and length of the person."""
    judge = Judge(people=find_pose_model(Settings()), items=network, cache=cache)
    judgements = [j for truth in _pictures(data, scenes_folder) for j in judge.judge(truth)]
    return [row for mode in MODES for row in _rows(judgements, mode)]


def _pictures(data: Path, scenes_folder: Path | None) -> Iterable[Truth]:
    yield from stills(data)
    if scenes_folder is not None:
        yield from scenes(scenes_folder)


def _rows(judgements: Sequence[Judgement], mode: Mode) -> list[Row]:
    rows: list[Row] = []
    for group in dict.fromkeys(j.group for j in judgements):
        for item in ITEMS:
            own = [j for j in judgements if (j.group, j.item, j.mode) == (group, item, mode)]
            for low, high in LENGTHS_PX:
                pairs = [(j.worn, j.said) for j in own if low <= j.length_px < high]
                rows.append(_row(group, mode, item, f"{low}-{high}", pairs))
            voted = [(j.worn, j.voted) for j in own if j.voted is not None]
            if voted:
                rows.append(_row(group, mode, item, "all, voted", voted))
    return rows


def _row(
    group: str, mode: Mode, item: PpeItem, length: str, pairs: Sequence[tuple[bool, PpeState]]
) -> Row:
    shares = Shares.of(pairs)
    return {
        "pictures": group,
        "mode": mode,
        "item": item.value,
        "length_px": length.replace(f"-{LENGTHS_PX[-1][1]}", "+"),
        **{name: getattr(shares, name) for name in Shares.__slots__},
    }


_HEADER = (
    "persons: after one look; 'voted': over time\n"
    f"  {'pictures':12}{'mode':11}{'item':9}{'px':11}{'worn':>5}{'miss.':>6}"
    f"{'cannot':>8}{'worn p':>8}{'worn r':>8}{'miss p':>8}{'miss r':>8}"
)


def _line(row: Mapping[str, str | float | int | None]) -> str:
    shares = "".join(
        f"{'-' if row[name] is None else format(row[name], '.2f'):>8}"
        for name in Shares.__slots__[2:]
    )
    return (
        f"  {row['pictures']:12}{row['mode']:11}{row['item']:9}{row['length_px']:11}"
        f"{row['worn']:>5}{row['missing']:>6}{shares}"
    )
