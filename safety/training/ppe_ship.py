"""From a training run of the PPE recipe to the files that may ship."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import onnx

from safety.perception.convert import convert
from safety.training.export import export
from safety.training.ppe_data import prepare
from safety.training.quantize import calibration, quantized
from safety.training.recipe import Recipe


def ship_ppe(recipe: Recipe, *, data: Path, run: Path, out: Path) -> tuple[Path, Path]:
    """Make the file with weights in 16 bits and the one in 8 bits; ``val`` says which ships.

    Args:
        run: Folder that ``train_ppe`` wrote.

    Returns:
        ``out/ppe.onnx`` and ``out/ppe-int8.onnx``.
    """
    crops = prepare(recipe, data, run / "crops")
    weights = run / "final.pt"
    share = json.loads((run / "choices.json").read_text(encoding="utf-8"))["share"]
    notes = card_lines(recipe, data.parent / recipe.base, crops / "train" / "weights.json", share)
    half = export(weights, out=out / "ppe.onnx", notes=notes)
    model = convert(weights)
    kept = {prop.key: prop.value for prop in model.metadata_props}
    onnx.helper.set_model_props(model, {**kept, **notes})
    size_px = (recipe.width_px, recipe.height_px)
    int8 = out / "ppe-int8.onnx"
    onnx.save(quantized(model, calibration(crops / "train" / "images", size_px)), str(int8))
    return half, int8


def card_lines(recipe: Recipe, base: Path, training_list: Path, share: float) -> Mapping[str, str]:
    """What the network file says about where it comes from."""
    return {
        "description": "Anjeon protective equipment on crops of persons: hard hats and vests,"
        " worn and missing. Never a safety function.",
        "author": "The Anjeon developers; fine-tuned from Ultralytics YOLO11n",
        "license": "AGPL-3.0-or-later",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": recipe.name,
        "seed": str(recipe.seed),
        "training_list_sha256": sha256(training_list.read_bytes()).hexdigest(),
        "base_sha256": sha256(base.read_bytes()).hexdigest(),
        "share_of_trained_weights": f"{share:g}",
    }
