"""A small disk of its own that can be filled and made read-only."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


class SmallDisk:
    """A tmpfs of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        """Leave no byte free."""
        with self._filler.open("wb", buffering=0) as filler:
            for size in (65536, 512, 1):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def empty(self) -> None:
        """Free what ``fill`` took."""
        self._filler.unlink()

    def remount(self, mode: str) -> None:
        """Make it ``ro`` or ``rw``."""
        command = ["mount", "-o", f"remount,{mode}", str(self.path)]
        subprocess.run(command, check=True, capture_output=True)


MakeSmallDisk = Callable[[Path, str], SmallDisk]


@pytest.fixture
def make_small_disk() -> Iterator[MakeSmallDisk]:
    """Puts a disk of a size such as ``"24m"`` at a directory; only root can."""
    mounted: list[Path] = []

    def make(path: Path, size: str) -> SmallDisk:
        path.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small disk needs root and the right to mount")
        mounted.append(path)
        return SmallDisk(path)

    yield make
    for path in mounted:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def small_disk(make_small_disk: MakeSmallDisk, tmp_path: Path) -> SmallDisk:
    """A disk of 2 MiB: the empty tables take a third of it."""
    return make_small_disk(tmp_path / "small-disk", "2m")
