"""``anjeon model export``: a network in the form that another program or device needs."""

import shutil
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

Form = Literal["openvino", "onnx", "engine"]


def export_model(settings: Settings, model: str, *, form: Form, half: bool, out: Path) -> None:
    """Write a network into a directory and say where.

    Args:
        model: A file, or the name of a bundled or added network.
        form: ``openvino`` gives an .xml and a .bin; ``engine`` needs an NVIDIA GPU and a .pt.
        half: Weights (and for ``engine`` the arithmetic) in 16 bits.
        out: Where to; made if it is not there.

    Raises:
        ModelError: There is no such network, or it cannot be exported to this form.
    """
    source = find_network(settings, model)
    try:
        out.mkdir(parents=True, exist_ok=True)
        written = (
            _engine(source, out, half=half)
            if form == "engine"
            else _portable(settings, source, out, form=form, half=half)
        )
    except OSError as error:
        raise ModelError(
            "model.not_exported",
            "the network cannot be written to {directory} ({why}); choose another with --out",
            directory=str(out),
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


def _portable(settings: Settings, source: Path, out: Path, *, form: Form, half: bool) -> Path:
    if source.suffix == ".engine":
        raise ModelError(
            "model.engine_is_final",
            "the TensorRT engine {path} cannot become another form; export the .pt or .onnx file"
            " that it was made from",
            path=str(source),
        )
    path = converted(source, settings.models_dir) if source.suffix == ".pt" else source
    if form == "openvino":
        import openvino

        target = out / f"{source.stem}.xml"
        openvino.save_model(openvino.Core().read_model(path), target, compress_to_fp16=half)
        return target
    target = out / f"{source.stem}.onnx"
    if half:
        onnx.save(halve_weights(onnx.load(str(path))), str(target))
    elif path.resolve() != target.resolve():
        shutil.copyfile(path, target)
    return target


def _engine(source: Path, out: Path, *, half: bool) -> Path:
    """TensorRT, by Ultralytics; it takes minutes and holds for this GPU and driver alone."""
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
    written = YOLO(source).export(format="engine", half=half, dynamic=True, batch=8)
    return Path(shutil.move(written, out / f"{source.stem}.engine"))
