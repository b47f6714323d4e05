"""From a training run to the file that ships: card lines, 16 and 8 bits."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import onnx

from safety.perception.convert import convert
from safety.training.dataset import read_list, read_picture
from safety.training.export import export
from safety.training.people_data import prepare
from safety.training.quantize import PICTURES, fitted, quantized
from safety.training.recipe import Recipe
from safety.types import Picture


def ship_people(recipe: Recipe, *, data: Path, run: Path, out: Path) -> tuple[Path, Path]:
    """Make the file with weights in 16 bits and the one in 8 bits; ``val`` says which ships.

    Args:
        run: Folder that ``train_people`` wrote.

    Returns:
        ``out/people-pose.onnx`` and ``out/people-pose-int8.onnx``.
    """
    training, _validation, digest = prepare(recipe, data, run)
    notes = dict(card_lines(recipe, data.parent / recipe.base, digest, run / "choices.json"))
    vehicles = run / "vehicles.jsonl"
    if vehicles.is_file():
        notes["vehicles_list_sha256"] = sha256(vehicles.read_bytes()).hexdigest()
    half = export(run / "final.pt", out=out / "people-pose.onnx", notes=notes)
    model = quantized(convert(run / "final.pt"), _calibration(recipe, training, data))
    kept = {prop.key: prop.value for prop in model.metadata_props}
    onnx.helper.set_model_props(model, {**kept, **notes})
    int8 = out / "people-pose-int8.onnx"
    onnx.save(model, str(int8))
    return half, int8


def _calibration(recipe: Recipe, training: Path, data: Path) -> Sequence[Picture]:
    """Training pictures for the quantizer, as the network sees pictures."""
    samples = read_list(training, data)
    chosen = random.Random(recipe.seed).sample(samples, min(PICTURES, len(samples)))  # noqa: S311
    pictures = (read_picture(sample.picture) for sample in chosen)
    size_px = (recipe.width_px, recipe.height_px)
    return [fitted(picture, size_px) for picture in pictures if picture is not None]


def card_lines(recipe: Recipe, base: Path, digest: str, choices: Path) -> Mapping[str, str]:
    """What a network file says about where it comes from."""
    chosen = json.loads(choices.read_text(encoding="utf-8"))
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
        "share_of_trained_weights": f"{chosen['share']:g}",
        "scores_moved_to_0.25": " ".join(f"{value:g}" for value in chosen["thresholds"]),
    }
