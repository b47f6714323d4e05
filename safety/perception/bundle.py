"""The networks that come with the package, and whether they are as they were shipped."""

import json
from pathlib import Path

from safety.config import Spec
from safety.errors import ModelError
from safety.perception.added import sha256

FOLDER = Path(__file__).parent.parent / "models"
LIST = "checksums.json"


IN_8_BITS = "-int8"
"""Ends the name of a bundled network's twin with convolutions in 8 bits, for processors."""


class Shipped(Spec):
    """What a bundled network must be."""

    sha256: str
    """Of the file."""

    bytes: int
    """Its size."""

    licence: str
    """SPDX identifier."""


def shipped(folder: Path = FOLDER) -> dict[str, Shipped]:
    """The bundled networks by file name; empty if the package carries none.

    Raises:
        ModelError: The list cannot be read.
    """
    path = folder / LIST
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): Shipped.model_validate(entry) for name, entry in entries.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            "model.checksums",
            "the list of bundled networks {path} cannot be read; install Anjeon again",
            path=str(path),
        ) from error


def write_list(folder: Path, licence: str) -> None:
    """Make the list anew from the networks in a folder."""
    entries = {
        path.name: {"sha256": sha256(path), "bytes": path.stat().st_size, "licence": licence}
        for path in sorted(folder.glob("*.onnx"))
    }
    text = json.dumps(entries, indent=2) + "\n"
    (folder / LIST).write_text(text, encoding="utf-8")


def in_8_bits_beside(network: Path) -> Path | None:
    """The twin in 8 bits that ships beside a network; None if there is none.

    Raises:
        ModelError: As ``shipped``.
    """
    twin = network.with_stem(network.stem + IN_8_BITS)
    return twin if twin.is_file() and twin.name in shipped(network.parent) else None
