"""``anjeon model add`` and ``pull``: networks from elsewhere, checked before they are used."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import typer
from pydantic import TypeAdapter, ValidationError

from safety.config import Settings, Slug
from safety.errors import ConfigError, ModelError
from safety.perception.added import (
    AddedModel,
    Task,
    map_classes,
    note_path,
    read_note,
    sha256,
)
from safety.perception.convert import converted
from safety.perception.detector import NetworkDetector, Objects
from safety.perception.load import load_object_detector, load_pose_detector
from safety.perception.models import NetworkCard, read_card
from safety.types import Detections

POSE_WIDTH, POSE_ASPECT = 640, 16 / 9
PPE_PX = 256
_USES = {"pose": "ANJEON_POSE_MODEL", "detect": "ANJEON_PPE_MODEL"}


def parse_map(pairs: Sequence[str]) -> dict[str, str]:
    """``theirs=ours`` pairs as a mapping.

    Raises:
        ConfigError: One of them is no such pair.
    """
    parts = [pair.rpartition("=") for pair in pairs]
    for pair, (theirs, _, ours) in zip(pairs, parts, strict=True):
        if not theirs.strip() or not ours.strip():
            raise ConfigError(
                "model.map_form",
                "'{pair}' is no pair of classes; write --map 'Safety Helmet=hardhat'",
                pair=pair,
            )
    return {theirs.strip(): ours.strip() for theirs, _, ours in parts}


def add_model(
    settings: Settings, file: Path, *, name: str | None, wanted: Mapping[str, str]
) -> None:
    """Check a customer's network, keep it with its classes mapped, and say how to use it.

    Args:
        file: ``.pt``, ``.onnx`` or ``.engine``.
        name: What it is called here; None: the file's own name.
        wanted: Their class name → ours.

    Raises:
        ConfigError: It can have no such name, or the data directory cannot be used.
        ModelError: It cannot do what is needed here; the message says why.
    """
    settings.make_data_dir()
    name = _checked_name(name or file.stem.lower())
    source_sha256 = sha256(file)
    network = converted(file, settings.models_dir) if file.suffix == ".pt" else file
    card = read_card(network)
    task = _task(card, file)
    note = AddedModel(
        sha256=sha256(network),
        task=task,
        source=file.name,
        source_sha256=source_sha256,
        classes=map_classes(card.names, task, wanted),
    )
    _check_mapped(note, card, file)
    target = settings.models_dir / f"{name}{network.suffix}"
    _check_free(target, note)
    _keep(network, target, note, settings)
    _tell(name, note, card)


def _checked_name(name: str) -> str:
    try:
        return TypeAdapter(Slug).validate_python(name)
    except ValidationError:
        raise ConfigError(
            "model.name",
            "a network cannot be called '{name}'; use lower-case letters, digits, - and _,"
            " as in --name site-helmets",
            name=name,
        ) from None


def _task(card: NetworkCard, file: Path) -> Task:
    if card.task == "pose":
        return "pose"
    if card.task == "detect":
        return "detect"
    raise ModelError(
        "model.task",
        "the model file {path} has the task '{task}'; Anjeon needs a pose network (persons with"
        " 17 keypoints) or a detection network (protective equipment)",
        path=str(file),
        task=card.task,
    )


def _check_mapped(note: AddedModel, card: NetworkCard, file: Path) -> None:
    """That the network finds at least what its task is for."""
    person_missing = note.task == "pose" and "person" not in note.classes.values()
    if person_missing or not note.classes:
        raise ModelError(
            "model.nothing_mapped",
            "the model file {path} finds {names}; say which of these is {ours}, as in"
            " --map '{example}={mine}'",
            path=str(file),
            names=", ".join(card.names),
            ours="a person" if person_missing else "hardhat, no-hardhat, vest or no-vest",
            example=card.names[0],
            mine="person" if person_missing else "hardhat",
        )


def _check_free(target: Path, note: AddedModel) -> None:
    if not target.exists():
        return
    former = read_note(target)
    if former is None or former.sha256 != note.sha256:
        raise ModelError(
            "model.name_taken",
            "another network is called {name} already; choose another one with --name",
            name=target.stem,
        )


def _keep(network: Path, target: Path, note: AddedModel, settings: Settings) -> None:
    """Try a copy of it, then put that where it belongs; the note first, or it could be misread."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="adding-", dir=target.parent) as folder:
            copy = Path(folder) / target.name
            shutil.copyfile(network, copy)
            text = note.model_dump_json(indent=2) + "\n"
            note_path(copy).write_text(text, encoding="utf-8")
            _try_out(copy, note.task, settings)
            note_path(copy).replace(note_path(target))
            copy.replace(target)
    except OSError as error:
        raise ModelError(
            "model.cache",
            "the converted network cannot be kept in {directory} ({why}); make it writable",
            directory=str(target.parent),
            why=error.strerror or str(error),
        ) from error


def _try_out(network: Path, task: Task, settings: Settings) -> None:
    """Run it once on the size that it will see."""
    detector: NetworkDetector[Detections] | NetworkDetector[Objects]
    if task == "pose":
        detector = load_pose_detector(
            network,
            width=POSE_WIDTH,
            aspect=POSE_ASPECT,
            backend=settings.backend,
            device=settings.device,
            cache_dir=settings.models_dir,
        )
    else:
        detector = load_object_detector(
            network,
            width=PPE_PX,
            backend=settings.backend,
            device=settings.device,
            cache_dir=settings.models_dir,
        )
    noise = np.random.default_rng(0).integers(0, 255, (360, 640, 3), np.uint8)
    detector.detect([noise])
    broken = detector.nonfinite_outputs
    detector.close()
    if broken:
        raise ModelError(
            "model.broken_numbers",
            "the network gives values that are no numbers (NaN or infinity); export it again",
        )


def _tell(name: str, note: AddedModel, card: NetworkCard) -> None:
    typer.secho(f"added: {name} ({note.task})", fg="green")
    for theirs in card.names:
        typer.echo(f"    {theirs}: {note.classes.get(theirs, 'ignored')}")
    typer.echo(f"use it with {_USES[note.task]}={name}")
