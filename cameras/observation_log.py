"""Keeps what was observed for some days, so that a rule can be tried on yesterday."""

import contextlib
import errno
import gzip
import os
import threading
import zlib
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog

from cameras.observations import ObservationError, Recorded, decode, encode
from safety.clock import Clock
from safety.types import Observation, PlantState

log = structlog.get_logger(__name__)

WRITE_EVERY_S = 5.0
"""What a power cut may cost."""

NOBODY_EVERY_S = 1.0
"""An empty scene is noted this often; the first empty frame always is."""

WAITING_MOST = 5_000
"""Frames that may wait for a slow disk; the oldest are let go then."""

_NAME = "%Y%m%d-%H.jsonl.gz"


class ObservationLog:
    """Writes observations to hourly files per camera, in a thread of its own.

    Every write appends a complete gzip member: a file is readable up to the last of them,
    whatever happens to the machine.

    Attributes:
        lost: Frames that could not be kept.
    """

    def __init__(self, folder: Path, *, clock: Clock, hours: float, mb_per_camera: float) -> None:
        """Make it; ``start`` begins.

        Args:
            folder: Where the cameras' folders are made.
            clock: Where the time comes from.
            hours: How long files are kept.
            mb_per_camera: How much is kept of each camera at the most, megabytes.
        """
        self._folder = folder
        self._clock = clock
        self._hours = hours
        self._bytes = int(mb_per_camera * 1_000_000)
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Observation, PlantState]] = deque()
        self._empty_since: dict[str, float] = {}
        self._stopping = threading.Event()
        self.lost = 0
        self._thread = threading.Thread(target=self._run, name="observations", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Write what waits and end."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def put(self, observation: Observation, plant: PlantState) -> None:
        """Keep one frame, some seconds later."""
        if not self._is_news(observation):
            return
        with self._lock:
            self._waiting.append((observation, plant))
            if len(self._waiting) > WAITING_MOST:
                self._waiting.popleft()
                self.lost += 1

    def _is_news(self, observation: Observation) -> bool:
        camera_id, now = observation.camera_id, observation.at.monotonic
        if observation.persons or observation.vehicles:
            self._empty_since.pop(camera_id, None)
            return True
        noted = self._empty_since.get(camera_id)
        if noted is not None and 0 <= now - noted < NOBODY_EVERY_S:
            return False
        self._empty_since[camera_id] = now
        return True

    def _run(self) -> None:
        while not self._stopping.wait(WRITE_EVERY_S):
            self._write_safely()
        self._write_safely()

    def _write_safely(self) -> None:
        try:
            self._write()
        except Exception:  # the border of this thread: one bad frame must not end the record
            self.lost += 1
            log.exception("observations_not_written")

    def _write(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
        files: dict[tuple[str, str], list[bytes]] = {}
        for observation, plant in waiting:
            name = datetime.fromtimestamp(observation.at.wall, UTC).strftime(_NAME)
            line = encode(observation, plant)
            files.setdefault((observation.camera_id, name), []).append(line)
        for (camera_id, name), lines in files.items():
            try:
                self._append(self._folder / camera_id, name, lines)
            except OSError as error:
                self.lost += len(lines)
                log.warning("observations_not_kept", camera=camera_id, why=str(error))

    def _append(self, folder: Path, name: str, lines: list[bytes]) -> None:
        path = folder / name
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._prune(folder)
        member = gzip.compress(b"\n".join(lines) + b"\n", compresslevel=6, mtime=0)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            start = os.fstat(descriptor).st_size
            try:
                if os.write(descriptor, member) < len(member):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, start)
                raise
        finally:
            os.close(descriptor)

    def _prune(self, folder: Path) -> None:
        """Delete files that are too old, and the oldest while they are too large."""
        oldest = datetime.fromtimestamp(self._clock.now().wall - self._hours * 3600, UTC)
        files = sorted(folder.glob("*.jsonl.gz"))
        total = sum(path.stat().st_size for path in files)
        for path in files:
            if path.name >= oldest.strftime(_NAME) and total <= self._bytes:
                return
            total -= path.stat().st_size
            path.unlink(missing_ok=True)


def read_log(folder: Path, *, since: float, until: float) -> Iterator[Recorded]:
    """What a camera's folder holds between two Unix times, in order; torn lines are left out."""
    first = datetime.fromtimestamp(since, UTC).strftime(_NAME)
    last = datetime.fromtimestamp(until, UTC).strftime(_NAME)
    for path in sorted(folder.glob("*.jsonl.gz")):
        if first <= path.name <= last:
            for recorded in _read(path):
                if since <= recorded.observation.at.wall <= until:
                    yield recorded


def _read(path: Path) -> Iterator[Recorded]:
    with gzip.open(path) as lines:
        try:
            for line in lines:
                try:
                    yield decode(line)
                except ObservationError as error:
                    log.warning("observation_unreadable", file=path.name, why=str(error))
        except (OSError, EOFError, zlib.error) as error:
            log.warning("observations_torn", file=path.name, why=str(error))
