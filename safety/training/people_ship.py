"""From a training run to the file that ships: blend, card lines, 16 and 8 bits."""

import random
from collections.abc import Mapping
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
from safety.types import Picture

SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Shares of the trained weights in the blend that are tried on the validation pictures."""

THRESHOLDS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
"""Person scores that may become the operating threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen on the validation pictures.

    Attributes:
        share: Share of the trained weights in the blend.
        threshold: Person score of the blend that scores 0.25 in the result.
    """

    share: float
    threshold: float


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
    final = recalibrated(blended(old, new, choice.share), choice.threshold, CONFIDENCE)
    save_weights(run / "final.pt", final)
    notes = card_lines(recipe, base, digest, choice)
    export(run / "final.pt", out=out / "people-pose.onnx", notes=notes)
    model = quantized(convert(run / "final.pt"), _calibration(recipe, training, data))
    kept = {prop.key: prop.value for prop in model.metadata_props}
    onnx.helper.set_model_props(model, {**kept, **notes})
    onnx.save(model, str(out / "people-pose-int8.onnx"))
    return choice


def _choose(recipe: Recipe, base: Path, trained: Path, judge: Fitness) -> Choice:
    """The fittest blend and threshold among those as precise as the base on photographs."""
    old, new = (load_network(path, recipe.classes).eval() for path in (base, trained))
    least = judge(old)["real_precision"]
    best, chosen = -1.0, Choice(share=SHARES[0], threshold=THRESHOLDS[-1])
    for share in SHARES:
        for threshold, figures in judge.at(blended(old, new, share), THRESHOLDS).items():
            if figures["real_precision"] >= least and figures["fitness"] > best:
                best, chosen = figures["fitness"], Choice(share=share, threshold=threshold)
    return chosen


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
        "score_moved_to_0.25": f"{choice.threshold:g}",
    }
