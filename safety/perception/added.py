"""Networks that a site brought along: the note beside each file, and whose classes are whose."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from safety.config import Spec
from safety.errors import ModelError
from safety.types import ObjectClass, PpeItem

Task = Literal["pose", "detect"]

OUR_CLASSES: Mapping[str, tuple[str, ...]] = {
    "pose": tuple(kind.value for kind in ObjectClass),
    "detect": tuple(name for item in PpeItem for name in (item.value, f"no-{item.value}")),
}
"""What the classes of a network can mean here, by the network's task."""


class AddedModel(Spec):
    """The note beside a network that was added."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the network file beside this note."""

    task: Task
    """What the network gives."""

    source: str
    """Name of the file that was added."""

    source_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the file that was added, before conversion."""

    classes: dict[str, str]
    """Their class name → ours; the other classes are ignored."""


def note_path(model: Path) -> Path:
    """Where the note of a network lies."""
    return model.with_name(f"{model.name}.json")


def read_note(model: Path) -> AddedModel | None:
    """The note of a network; None if it has none.

    Raises:
        ModelError: It cannot be read.
    """
    path = note_path(model)
    try:
        return AddedModel.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ModelError(
            "model.note",
            "the note {path} beside the network cannot be read; delete both and add the network"
            " again with 'anjeon model add'",
            path=str(path),
        ) from error


def meaning(names: Sequence[str], classes: Mapping[str, str] | None) -> tuple[str | None, ...]:
    """What each class of a network means here; None: nothing.

    Args:
        names: The network's class names.
        classes: From the network's note; None: its names are ours.
    """
    if classes is None:
        return tuple(names)
    return tuple(classes.get(name) for name in names)


def map_classes(names: Sequence[str], task: Task, wanted: Mapping[str, str]) -> dict[str, str]:
    """Their class name → ours: those asked for, and those that only differ in spelling.

    Args:
        names: The network's class names.
        wanted: What the person who adds it says.

    Raises:
        ModelError: A class on either side does not exist; the message names the nearest.
    """
    ours = OUR_CLASSES[task]
    for theirs, mine in wanted.items():
        if theirs not in names:
            raise _unknown("model.map_theirs", "the network has no class", theirs, names)
        if mine not in ours:
            raise _unknown("model.map_ours", "Anjeon knows no class", mine, ours)
    alike = {name: _plain(name) for name in names if _plain(name) in ours}
    return {name: {**alike, **wanted}[name] for name in names if name in {**alike, **wanted}}


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits.

    Raises:
        ModelError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            "model.unopened",
            "the model file {path} cannot be read ({why}); check the path",
            path=str(path),
            why=error.strerror or str(error),
        ) from error


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "-", name.strip().lower())


def _unknown(key: str, what: str, name: str, valid: Sequence[str]) -> ModelError:
    nearest = get_close_matches(name.lower(), [v.lower() for v in valid], n=1, cutoff=0.6)
    index = [v.lower() for v in valid].index(nearest[0]) if nearest else None
    return ModelError(
        key,
        "{what} '{name}'{hint}; there are: {valid}",
        what=what,
        name=name,
        hint="" if index is None else f" (did you mean '{valid[index]}'?)",
        valid=", ".join(valid),
    )
