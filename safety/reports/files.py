"""Reports as files: written whole or not at all."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from safety.errors import AnjeonError


class NotWritten(AnjeonError):
    """A file could not be written."""


def write_all(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write files into a folder, which is made if it is not there; each replaces its former self.

    Raises:
        NotWritten: The folder or the disk refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tuple(_written(folder / name, content) for name, content in files.items())
    except OSError as error:
        raise NotWritten(
            "report.not_written",
            "nothing can be written to {folder} ({why}); choose another folder with --out, or"
            " make room",
            folder=str(folder),
            why=error.strerror or type(error).__name__,
        ) from error


def _written(path: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
