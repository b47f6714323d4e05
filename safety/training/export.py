"""Trained weights as the files that engines load: ``anjeon model export``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import onnx

from safety.perception.convert import convert
from safety.perception.halve import halve_weights
from safety.training.needs import TrainingError, require

Format = Literal["onnx", "openvino", "engine"]


def export(
    weights: Path,
    *,
    out: Path,
    file_format: Format = "onnx",
    half: bool = False,
    int8: bool = False,
    pictures: Path | None = None,
    notes: Mapping[str, str] | None = None,
) -> Path:
    """Write a network for an engine; any batch and any size that is a multiple of 32.

    Args:
        weights: ``.pt`` as training writes it, or ``.onnx``.
        out: The file to write; for OpenVINO the ``.xml``, its ``.bin`` comes beside it.
        file_format: ``engine`` is TensorRT's and must be made on the machine that will run it.
        half: Weights in 16 bits. The arithmetic stays with the engine.
        int8: Convolutions in 8 bits, the head excepted; needs ``pictures``.
        pictures: Folder with pictures like those that the network will see.
        notes: Further lines of the file's own card, such as the recipe's name.

    Returns:
        ``out``.

    Raises:
        ModelError: The weights cannot be read.
        TrainingError: The format cannot be made here, or pictures are missing.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    if file_format == "engine":
        return _engine(weights, out, half=half, int8=int8)
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
    elif half:
        model = halve_weights(model)
    if file_format == "onnx":
        onnx.save(model, str(out))
        return out
    return _openvino(model, out)


def _openvino(model: onnx.ModelProto, out: Path) -> Path:
    require("openvino")
    import openvino

    source = out.with_suffix(".onnx.part")
    onnx.save(model, str(source))
    try:
        network = openvino.convert_model(str(source))
    finally:
        source.unlink()
    # Halved weights are halved in the ONNX file already, and INT8 must not be touched.
    openvino.save_model(network, str(out.with_suffix(".xml")), compress_to_fp16=False)
    return out.with_suffix(".xml")


def _engine(weights: Path, out: Path, *, half: bool, int8: bool) -> Path:
    require("torch", "ultralytics", "tensorrt")
    from ultralytics import YOLO

    if weights.suffix != ".pt":
        raise TrainingError(
            "training.engine_from_pt",
            "a TensorRT engine is made from a .pt file, not from {path}",
            path=str(weights),
        )
    made = Path(YOLO(weights).export(format="engine", half=half, int8=int8, dynamic=True))
    made.replace(out)
    return out
