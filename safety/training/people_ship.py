"""From a training run to the file that ships: blend, card lines, 16 and 8 bits."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import onnx

from safety.perception.convert import convert
from safety.training.blend import blended, recalibrated
from safety.training.checkpoints import save_weights
from safety.training.dataset import read_list, read_picture
from safety.training.export import export
from safety.training.networks import load_network
from safety.training.people_data import prepare
from safety.training.people_fitness import CONFIDENCE, Fitness
from safety.training.quantize import PICTURES, fitted, quantized
from safety.training.recipe import Recipe
from safety.types import Detections, Picture

SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Shares of the trained weights in the blend that are tried on the validation pictures."""

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
"""Scores of the blend that may become the operating threshold, per class."""

TOLERANCE = 0.01
"""How far recall and precision on photographs may lie below the base network's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen on the validation pictures.

    Attributes:
        share: Share of the trained weights in the blend.
        thresholds: Per class, the score of the blend that becomes the operating threshold.
        shortfall: Recall and precision on photographs below the base's, beyond the tolerance.
        figures: Of the result, on the validation pictures.
    """

    share: float
    thresholds: tuple[float, ...]
    shortfall: float
    figures: Mapping[str, float]


def ship_people(recipe: Recipe, *, data: Path, run: Path, out: Path) -> Choice:
    """Make the files from the best weights of a run; which of them ships, ``val`` decides.

    Args:
        run: Folder that ``train_people`` wrote; ``final.pt`` is added to it.
        out: Folder for ``people-pose.onnx`` and ``people-pose-int8.onnx``.
    """
    training, validation, digest = prepare(recipe, data, run)
    base = data.parent / recipe.base
    judge = Fitness(read_list(validation, data), recipe.width_px)
    choice = _choose(recipe, base, run / "best.pt", judge)
    old, new = (load_network(path, recipe.classes).eval() for path in (base, run / "best.pt"))
    final = recalibrated(blended(old, new, choice.share), choice.thresholds, CONFIDENCE)
    save_weights(run / "final.pt", final)
    notes = card_lines(recipe, base, digest, choice)
    export(run / "final.pt", out=out / "people-pose.onnx", notes=notes)
    model = quantized(convert(run / "final.pt"), _calibration(recipe, training, data))
    kept = {prop.key: prop.value for prop in model.metadata_props}
    onnx.helper.set_model_props(model, {**kept, **notes})
    onnx.save(model, str(out / "people-pose-int8.onnx"))
    return choice


def _choose(recipe: Recipe, base: Path, trained: Path, judge: Fitness) -> Choice:
    """The fittest blend and thresholds among those that do on photographs what the base does."""
    old, new = (load_network(path, recipe.classes).eval() for path in (base, trained))
    asked = judge(old)
    choices = []
    for share in SHARES:
        found = judge.find(blended(old, new, share), min(THRESHOLDS))
        vehicles = _vehicle_thresholds(judge, found)
        for threshold in THRESHOLDS:
            thresholds = (threshold, *vehicles)
            figures = judge.figures(found, thresholds)
            short = sum(
                max(asked[key] - TOLERANCE - figures[key], 0)
                for key in ("real_recall", "real_precision")
            )
            choices.append(
                Choice(share=share, thresholds=thresholds, shortfall=short, figures=figures)
            )
    return min(choices, key=lambda choice: (choice.shortfall, -choice.figures["fitness"]))


def _vehicle_thresholds(judge: Fitness, found: Sequence[Detections]) -> tuple[float, float]:
    """The thresholds of forklifts and AMRs with the best F1."""
    figures = {t: judge.figures(found, (CONFIDENCE, t, t)) for t in THRESHOLDS}
    return (
        max(THRESHOLDS, key=lambda t: figures[t]["forklift_f1"]),
        max(THRESHOLDS, key=lambda t: figures[t]["amr_f1"]),
    )


def _calibration(recipe: Recipe, training: Path, data: Path) -> list[Picture]:
    """Training pictures for the quantizer, as the network sees pictures."""
    samples = read_list(training, data)
    chosen = random.Random(recipe.seed).sample(samples, min(PICTURES, len(samples)))  # noqa: S311
    pictures = (read_picture(sample.picture) for sample in chosen)
    size_px = (recipe.width_px, recipe.height_px)
    return [fitted(picture, size_px) for picture in pictures if picture is not None]


def card_lines(recipe: Recipe, base: Path, digest: str, choice: Choice) -> Mapping[str, str]:
    """What a network file says about where it comes from."""
    return {
        "description": "Anjeon people and vehicles: persons with 17 keypoints, forklifts, AMRs."
        " Never a safety function.",
        "author": "The Anjeon developers; fine-tuned from Ultralytics YOLO11n-pose",
        "license": "AGPL-3.0-or-later",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": recipe.name,
        "seed": str(recipe.seed),
        "training_list_sha256": digest,
        "base_sha256": sha256(base.read_bytes()).hexdigest(),
        "share_of_trained_weights": f"{choice.share:g}",
        "scores_moved_to_0.25": " ".join(f"{value:g}" for value in choice.thresholds),
    }
