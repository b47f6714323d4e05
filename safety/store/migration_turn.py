"""One process at a time makes or changes the tables; the others wait as long as that takes."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_S = 120.0
"""How long a process waits for another one's migration: far longer than a writer's lock, for a
first start on a slow disk takes many times the time of an ordinary transaction."""

_PAUSE_S = 0.05


@contextmanager
def turn(database_file: Path, *, wait_s: float) -> Iterator[None]:
    """Hold a lock beside an SQLite file; it ends with the process, however that ends.

    SQLite's own lock is not enough: the very first connections also switch the file to WAL, for
    which some of them are refused at once instead of being let wait.

    Raises:
        TimeoutError: Another process had it all the time.
        OSError: The lock's file cannot be made.
    """
    path = database_file.with_name(f"{database_file.name}.migrating")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, wait_s)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, wait_s: float) -> None:
    for _ in range(max(1, round(wait_s / _PAUSE_S))):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            threading.Event().wait(_PAUSE_S)
        else:
            return
    raise TimeoutError
