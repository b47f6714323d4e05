"""Two shards with one name must not run: a locked file says who has the name."""

import fcntl
import json
import os
import threading
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import safety
from cameras.messages import PROTOCOL
from safety.config import Settings
from safety.errors import AnjeonError

PROBE_ATTEMPTS = 10
PROBE_PAUSE_S = 0.05
"""``holder`` takes the lock for a moment: being refused once does not mean that it is taken."""


class ShardAlreadyRuns(AnjeonError):
    """Another process has this shard's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that has a shard's name.

    Attributes:
        pid: Its process id.
        start_ticks: When it started, in the kernel's clock ticks since boot: a process id is
            used again, the pair is not.
        stamp: ``stamp()`` of the code and settings it runs with.
    """

    pid: int
    start_ticks: int
    stamp: str


class ShardLock:
    """The name of one shard, held until the process ends however it ends."""

    def __init__(self, settings: Settings, shard_id: str) -> None:
        self._path = lock_path(settings, shard_id)
        self._stamp = stamp(settings)
        self._shard_id = shard_id
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the name.

        Raises:
            ShardAlreadyRuns: Another process has it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(descriptor):
            os.close(descriptor)
            raise ShardAlreadyRuns(
                "shard.already_runs",
                "another process already runs {shard}; stop it, or start this one with "
                "another --id",
                shard=self._shard_id,
            )
        pid = os.getpid()
        holder = Holder(pid=pid, start_ticks=start_ticks(pid) or 0, stamp=self._stamp)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(asdict(holder)).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the name back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def lock_path(settings: Settings, shard_id: str) -> Path:
    """Where the lock of a shard is."""
    return settings.run_dir / f"{shard_id}.lock"


def holder(settings: Settings, shard_id: str) -> Holder | None:
    """Who has the shard's name now, if anybody."""
    path = lock_path(settings, shard_id)
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        found = _read(descriptor)
        # A name just taken still shows who had it before, until the new holder has written.
        return found if found and start_ticks(found.pid) == found.start_ticks else None
    else:
        return None
    finally:
        os.close(descriptor)


def stamp(settings: Settings) -> str:
    """Tells shards that run the same code with the same settings from all others."""
    model = settings.pose_model.resolve() if settings.pose_model else None
    code = (safety.__version__, PROTOCOL)
    places = (str(settings.data_dir.resolve()), str(model), settings.backend)
    parts = (*code, *places, settings.log_level, settings.log_format)
    return sha256(repr(parts).encode()).hexdigest()


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except OSError:
        return None
    return int(fields.split()[19])


def _locked(descriptor: int) -> bool:
    for _ in range(PROBE_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            threading.Event().wait(PROBE_PAUSE_S)
        else:
            return True
    return False


def _read(descriptor: int) -> Holder | None:
    try:
        return Holder(**json.loads(os.read(descriptor, 4096)))
    except (ValueError, TypeError):
        return None
