"""Trained weights as the file that ships and that ``anjeon model export`` starts from."""

from collections.abc import Mapping
from pathlib import Path

import onnx

from safety.perception.convert import convert
from safety.perception.halve import halve_weights
from safety.training.needs import TrainingError


def export(
    weights: Path,
    *,
    out: Path,
    int8: bool = False,
    pictures: Path | None = None,
    notes: Mapping[str, str] | None = None,
) -> Path:
    """Write a network as ONNX for any batch and any size that is a multiple of 32.

    Weights are kept in 16 bits; every engine that takes the original takes the result.

    Args:
        weights: ``.pt`` as training writes it, or ``.onnx`` with weights in 32 bits.
        int8: Convolutions in 8 bits instead, the head excepted; needs ``pictures``.
        pictures: Folder with pictures like those that the network will see.
        notes: Further lines of the file's own card, such as the recipe's name.

    Raises:
        ModelError: The weights cannot be read.
        TrainingError: Packages or pictures are missing.
    """
    model = convert(weights) if weights.suffix == ".pt" else onnx.load(str(weights))
    if notes:
        kept = {prop.key: prop.value for prop in model.metadata_props}
        onnx.helper.set_model_props(model, {**kept, **notes})
    if int8:
        from safety.training.quantize import calibration, quantized

        if pictures is None:
            raise TrainingError(
                "training.no_pictures",
                "INT8 needs pictures like those that the network will see; pass their folder",
            )
        model = quantized(model, calibration(pictures))
    else:
        model = halve_weights(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(out))
    return out
