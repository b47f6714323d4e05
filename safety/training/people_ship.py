"""From a training run to the file that ships: blend, card lines, 16 and 8 bits."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import onnx
from torch import nn

from safety.perception.convert import convert
from safety.training.blend import blended, recalibrated
from safety.training.checkpoints import save_weights
from safety.training.dataset import read_list, read_picture
from safety.training.export import export
from safety.training.networks import load_network
from safety.training.people_choice import Choice, preferred
from safety.training.people_data import prepare
from safety.training.people_fitness import CONFIDENCE, Fitness
from safety.training.people_vehicles import train_vehicles, vehicle_figures
from safety.training.quantize import PICTURES, fitted, quantized
from safety.training.recipe import Recipe
from safety.types import Picture

SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Shares of the trained weights in the blend that are tried on the validation pictures."""

THRESHOLDS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
"""Person scores of the blend that may become the operating threshold."""


def ship_people(recipe: Recipe, *, data: Path, run: Path, out: Path, device: str = "cpu") -> Choice:
    """Make the files from the best weights of a run; which of them ships, ``val`` decides.

    Args:
        run: Folder that ``train_people`` wrote; ``blend.pt`` and ``final.pt`` are added to it.
        out: Folder for ``people-pose.onnx`` and ``people-pose-int8.onnx``.
    """
    training, validation, digest = prepare(recipe, data, run)
    base = data.parent / recipe.base
    judge = Fitness(read_list(validation, data), recipe.width_px)
    old, new = (load_network(path, recipe.classes).eval() for path in (base, run / "best.pt"))
    choice = choose(judge, old, new)
    mixed = recalibrated(blended(old, new, choice.share), [choice.threshold], CONFIDENCE)
    save_weights(run / "blend.pt", mixed)
    weights = run / "blend.pt"
    if recipe.new_classes is not None:
        weights = train_vehicles(recipe, weights, data=data, run=run, judge=judge, device=device)
    final = load_network(weights, recipe.classes).eval()
    vehicles = vehicle_figures(judge, final)
    thresholds = (CONFIDENCE, vehicles["forklift_threshold"], vehicles["amr_threshold"])
    save_weights(run / "final.pt", recalibrated(final, thresholds, CONFIDENCE))
    notes = card_lines(recipe, base, digest, (choice.threshold, *thresholds[1:]), choice.share)
    _export(run / "final.pt", out, notes, _calibration(recipe, training, data))
    return choice


def choose(judge: Fitness, old: nn.Module, new: nn.Module) -> Choice:
    """The share and the threshold to take; ``old`` is the base network."""
    asked = judge(old)
    choices = []
    for share in SHARES:
        found = judge.find(blended(old, new, share), min(THRESHOLDS))
        for threshold in THRESHOLDS:
            figures = judge.figures(found, (threshold, CONFIDENCE, CONFIDENCE))
            choices.append(Choice(share=share, threshold=threshold, figures=figures))
    return preferred(choices, asked)


def _export(
    weights: Path, out: Path, notes: Mapping[str, str], pictures: Sequence[Picture]
) -> None:
    export(weights, out=out / "people-pose.onnx", notes=notes)
    model = quantized(convert(weights), pictures)
    kept = {prop.key: prop.value for prop in model.metadata_props}
    onnx.helper.set_model_props(model, {**kept, **notes})
    onnx.save(model, str(out / "people-pose-int8.onnx"))


def _calibration(recipe: Recipe, training: Path, data: Path) -> list[Picture]:
    """Training pictures for the quantizer, as the network sees pictures."""
    samples = read_list(training, data)
    chosen = random.Random(recipe.seed).sample(samples, min(PICTURES, len(samples)))  # noqa: S311
    pictures = (read_picture(sample.picture) for sample in chosen)
    size_px = (recipe.width_px, recipe.height_px)
    return [fitted(picture, size_px) for picture in pictures if picture is not None]


def card_lines(
    recipe: Recipe, base: Path, digest: str, thresholds: Sequence[float], share: float
) -> Mapping[str, str]:
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
        "share_of_trained_weights": f"{share:g}",
        "scores_moved_to_0.25": " ".join(f"{value:g}" for value in thresholds),
    }
