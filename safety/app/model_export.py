"""``anjeon model export``: a network in the form that another program or device needs."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import onnx
import typer

from safety.config import Settings
from safety.errors import ModelError
from safety.perception.added import sha256
from safety.perception.bundle import FOLDER
from safety.perception.convert import converted
from safety.perception.halve import halve_weights
from safety.perception.models import read_card
from safety.training.quantize import quantize

Form = Literal["openvino", "onnx", "engine"]

_SIZES = {"pose": (640, 384), "detect": (256, 256)}
"""Width and height at which networks are calibrated for 8 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is wanted.

    Attributes:
        form: ``openvino`` gives an .xml and a .bin; ``engine`` needs an NVIDIA GPU and a .pt.
        half: Weights (and for ``engine`` the arithmetic) in 16 bits.
        int8: Convolutions in 8 bits, calibrated with ``pictures``.
        pictures: Directory with pictures like those that the network will see.
        out: Directory to write to; made if it is not there.
    """

    form: Form
    half: bool = False
    int8: bool = False
    pictures: Path | None = None
    out: Path


def export_model(settings: Settings, model: str, wanted: Export) -> None:
    """Write a network into a directory and say where.

    Args:
        model: A file, or the name of a bundled or added network.

    Raises:
        ModelError: There is no such network, or it cannot be exported to this form.
        TrainingError: Packages or pictures for 8 bits are missing.
    """
    source = find_network(settings, model)
    try:
        if wanted.form == "engine":
            written = _engine(source, wanted)
        else:
            written = _portable(settings, source, wanted)
    except OSError as error:
        raise ModelError(
            "model.not_exported",
            "the network cannot be written to {directory} ({why}); choose another with --out",
            directory=str(wanted.out),
            why=error.strerror or str(error),
        ) from error
    typer.secho(f"written: {written} (sha256 {sha256(written)})", fg="green")


def find_network(settings: Settings, model: str) -> Path:
    """The file of a network that is named, or that is a file itself.

    Raises:
        ModelError: There is none.
    """
    folders = (FOLDER, settings.models_dir)
    named = [folder / f"{model}{suffix}" for folder in folders for suffix in (".onnx", ".engine")]
    for path in (Path(model), *named):
        if path.is_file():
            return path
    raise ModelError(
        "model.unnamed",
        "there is no network '{model}'; give a file, or a name that 'anjeon model list' shows",
        model=model,
    )


def _portable(settings: Settings, source: Path, wanted: Export) -> Path:
    if source.suffix == ".engine":
        raise ModelError(
            "model.engine_is_final",
            "the TensorRT engine {path} cannot become another form; export the .pt or .onnx file"
            " that it was made from",
            path=str(source),
        )
    network = converted(source, settings.models_dir) if source.suffix == ".pt" else source
    wanted.out.mkdir(parents=True, exist_ok=True)
    target = wanted.out / f"{source.stem}.onnx"
    with tempfile.TemporaryDirectory(prefix="anjeon-export-") as folder:
        made = Path(folder) / target.name
        if wanted.int8:
            if wanted.pictures is None:
                raise ModelError(
                    "model.no_pictures",
                    "8 bits need pictures like those that the network will see; give their"
                    " directory with --pictures",
                )
            size = _SIZES.get(read_card(network).task, _SIZES["detect"])
            quantize(network, pictures=wanted.pictures, out=made, network_px=size)
        elif wanted.half:
            onnx.save(halve_weights(onnx.load(str(network))), str(made))
        else:
            shutil.copyfile(network, made)
        if wanted.form == "onnx":
            shutil.move(made, target)
            return target
        import openvino

        description = target.with_suffix(".xml")
        network_here = openvino.Core().read_model(made)
        openvino.save_model(network_here, description, compress_to_fp16=wanted.half)
    return description


def _engine(source: Path, wanted: Export) -> Path:
    """TensorRT, by Ultralytics; it takes minutes and holds for this GPU and driver alone."""
    if wanted.int8:
        raise ModelError(
            "model.engine_int8",
            "8 bits for TensorRT go another way: export with --format onnx --int8, add the result"
            " and set ANJEON_DEVICE=tensorrt",
        )
    if source.suffix != ".pt":
        raise ModelError(
            "model.engine_source",
            "a TensorRT engine is made from a .pt file, not from {path}",
            path=str(source),
        )
    try:
        import torch
        from ultralytics import YOLO
    except ImportError as error:
        raise ModelError(
            "model.engine_tools",
            "TensorRT engines need Ultralytics; install anjeon[ultralytics] and TensorRT",
        ) from error
    if not torch.cuda.is_available():
        raise ModelError(
            "model.engine_gpu",
            "a TensorRT engine is made on the NVIDIA GPU that will run it, and none answers here;"
            " run this on that machine and check 'nvidia-smi'",
        )
    written = YOLO(source).export(format="engine", half=wanted.half, dynamic=True, batch=8)
    wanted.out.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(written, wanted.out / f"{source.stem}.engine"))
