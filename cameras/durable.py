"""Files that are whole or not there: written beside their place, synced, then renamed."""

import os
from pathlib import Path

DRAFT = ".part"
"""Ends the names of files that are being written; who finds an old one may delete it."""


def write_file(path: Path, data: bytes) -> None:
    """Write a file that appears under its name only when it is complete and on disk.

    Raises:
        OSError: It cannot be written; then nothing is left of it.
    """
    draft = draft_of(path)
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def draft_of(path: Path) -> Path:
    """Where a file is written until it is complete."""
    return path.with_name(path.name + DRAFT)


def sync_folder(path: Path) -> None:
    """Bring a folder's entries to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
