"""Pictures, clips and weights that are not part of this repository."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def shared_folder() -> Path:
    """Where third-party material lies: ``ANJEON_SHARED``, else beside the repository."""
    return Path(os.environ.get("ANJEON_SHARED", ROOT.parent / "shared"))


def third_party(name: str) -> Path:
    """A file of the shared folder; the running test is skipped where it is absent.

    Args:
        name: Path relative to the shared folder, e.g. ``scenes/man_down/video.mp4``.
    """
    path = shared_folder() / name
    if not path.exists():
        pytest.skip(f"{path} is not there (set ANJEON_SHARED to the folder that has it)")
    return path
