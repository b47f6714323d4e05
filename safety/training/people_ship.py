"""From a training run to the file that ships: blend, card lines, 16 and 8 bits."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import onnx

from safety.perception.convert import convert
from safety.training.blend import best_blend
from safety.training.dataset import read_list, read_picture
from safety.training.export import export
from safety.training.people_data import prepare
from safety.training.people_fitness import Fitness
from safety.training.quantize import PICTURES, fitted, quantized
from safety.training.recipe import Recipe

SHARES = (0.4, 0.6, 0.8, 1.0)
"""Shares of the trained weights in the blend that are tried on the validation pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """What a run became.

    Attributes:
        share: Share of the trained weights in the blend.
        half: ONNX with weights in 16 bits.
        int8: ONNX with convolutions in 8 bits.
    """

    share: float
    half: Path
    int8: Path


def ship_people(recipe: Recipe, *, data: Path, run: Path, out: Path) -> Shipped:
    """Make both files from the best weights of a run; which one ships, ``val`` decides.

    Args:
        run: Folder that ``train_people`` wrote.
        out: Folder for ``people-pose.onnx`` and ``people-pose-int8.onnx``.
    """
    training, validation, digest = prepare(recipe, data, run)
    base = data.parent / recipe.base
    judge = Fitness(read_list(validation, data), recipe.width_px)
    share, weights = best_blend(base, run / "best.pt", recipe.classes, SHARES, judge)
    notes = card_lines(recipe, base, digest, share)
    half = export(weights, out=out / "people-pose.onnx", notes=notes)
    samples = read_list(training, data)
    chosen = random.Random(recipe.seed).sample(samples, min(PICTURES, len(samples)))  # noqa: S311
    size_px = (recipe.width_px, recipe.height_px)
    pictures = [
        fitted(picture, size_px)
        for picture in (read_picture(sample.picture) for sample in chosen)
        if picture is not None
    ]
    model = quantized(convert(weights), pictures)
    kept = {prop.key: prop.value for prop in model.metadata_props}
    onnx.helper.set_model_props(model, {**kept, **notes})
    int8 = out / "people-pose-int8.onnx"
    onnx.save(model, str(int8))
    return Shipped(share=share, half=half, int8=int8)


def card_lines(recipe: Recipe, base: Path, digest: str, share: float) -> Mapping[str, str]:
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
    }
