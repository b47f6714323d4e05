"""The shard's spool: the ledger on disk, so that a crash loses no violation.

One JSON message per line, in the order in which things happened: reports, evidence, and the
engine's confirmations. A writer thread appends and syncs; nobody waits for the disk.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog
from pydantic import ValidationError

from cameras.ledger import Confirmation, Ledger, Record
from cameras.messages import (
    MESSAGES,
    EvidenceFailed,
    EvidenceReady,
    EvidenceStored,
    ViolationReport,
    ViolationStored,
)
from safety.clock import Clock
from safety.types import Violation

log = structlog.get_logger(__name__)

REWRITE_AFTER_LINES = 2000
"""A longer file is rewritten from the ledger."""

MAX_PENDING_LINES = 1000
"""More lines than this waiting for a slow disk are replaced by one rewrite."""

RETRY_S = 1.0
"""Pause before a disk that refused a write is tried again."""

STUCK_S = 5.0
"""A write that takes longer counts as a failure of the disk."""


class Spool:
    """A ledger that several threads share and that survives the process.

    ``put`` and ``confirm`` return at once. When the disk refuses (full, read-only, gone) or
    hangs, everything stays in memory, ``degraded`` is true, and the whole ledger is written
    as soon as the disk allows.

    Args:
        path: The file, ``<spool dir>/<shard>.jsonl``; one process at a time may have it.
        clock: Tells a hanging disk from a quick one.
    """

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._ledger = Ledger()
        self._changed = threading.Condition()
        self._pending: list[bytes] = []
        self._lines = 0
        self._rewrite_due = False
        self._sync_due = False
        self._failing = False
        self._busy_since: float | None = None
        self._closing = False
        self._listeners: list[Callable[[], None]] = []
        self._descriptor: int | None = None
        self._writer = threading.Thread(target=self._write_for_ever, name="spool", daemon=True)

    def start(self) -> None:
        """Read what a former process left, settle what it left open, begin to write."""
        self._read()
        for record in self._ledger.farewell():
            self._ledger.put(record)
            self._rewrite_due = True
        self._writer.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what is pending; give up after ``timeout_s`` on a disk that hangs."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._writer.join(timeout_s)

    def on_put(self, listener: Callable[[], None]) -> None:
        """Call ``listener``, from whatever thread, after every ``put``; it must not block."""
        self._listeners.append(listener)

    def put(self, record: Record) -> None:
        """Keep a message until it is confirmed."""
        line = _line(record)
        with self._changed:
            self._ledger.put(record)
            self._sync_due = True
            self._append(line)
        for listener in self._listeners:
            listener()

    def confirm(self, confirmation: Confirmation) -> None:
        """The engine has it."""
        line = _line(confirmation)
        with self._changed:
            self._ledger.confirm(confirmation)
            self._append(line)

    def leave(self) -> None:
        """Close every open violation and fail all missing evidence: this process ends."""
        with self._changed:
            records = self._ledger.farewell()
        for record in records:
            self.put(record)

    def after(self, sequence: int) -> list[tuple[int, Record]]:
        """Waiting messages younger than ``sequence``, oldest first."""
        with self._changed:
            return self._ledger.after(sequence)

    def confirmed_open(self) -> list[ViolationReport]:
        """Newest reports of open violations that need no sending but may be worth repeating."""
        with self._changed:
            return self._ledger.confirmed_open()

    def open_violations(self) -> list[Violation]:
        """The newest state of every violation that has not been closed."""
        with self._changed:
            return self._ledger.open_violations()

    @property
    def waiting(self) -> int:
        """Messages that the engine has not confirmed."""
        with self._changed:
            return self._ledger.waiting

    @property
    def degraded(self) -> bool:
        """The file is behind the ledger and the disk does not take it."""
        busy_since = self._busy_since
        stuck = busy_since is not None and self._clock.now().monotonic - busy_since > STUCK_S
        return self._failing or stuck

    def _append(self, line: bytes) -> None:
        self._pending.append(line)
        if len(self._pending) > MAX_PENDING_LINES:
            self._pending.clear()
            self._rewrite_due = True
        self._changed.notify_all()

    def _read(self) -> None:
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        except OSError as error:
            log.error("spool_unreadable", path=str(self._path), error=str(error))
            with contextlib.suppress(OSError):
                self._path.rename(self._path.with_suffix(".unreadable"))
            return
        torn = 0
        for line in lines:
            torn += not self._replay(line)
        self._lines = len(lines)
        self._rewrite_due = torn > 0
        log.info("spool_read", lines=len(lines), torn=torn, waiting=self._ledger.waiting)

    def _replay(self, line: bytes) -> bool:
        try:
            message = MESSAGES.validate_json(line)
        except ValidationError:
            return False
        match message:
            case ViolationReport() | EvidenceReady() | EvidenceFailed():
                self._ledger.put(message)
            case ViolationStored() | EvidenceStored():
                self._ledger.confirm(message)
            case _:
                return False
        return True

    def _write_for_ever(self) -> None:
        while True:
            with self._changed:
                if not (self._pending or self._rewrite_due or self._closing):
                    self._changed.wait()
                leaving = self._closing
            self._write_once()
            with self._changed:
                if leaving and (self._failing or not self._pending):
                    break
                if self._failing and not self._closing:
                    self._changed.wait_for(lambda: self._closing, RETRY_S)
        self._close_file()

    def _write_once(self) -> None:
        self._busy_since = self._clock.now().monotonic
        try:
            if self._rewrite_due or self._lines > REWRITE_AFTER_LINES:
                self._rewrite()
            else:
                self._append_pending()
        except OSError as error:
            if not self._failing:
                log.error("spool_degraded", path=str(self._path), error=str(error))
            self._failing = True
            self._rewrite_due = True
            self._close_file()
        else:
            if self._failing:
                log.warning("spool_restored", path=str(self._path))
            self._failing = False
        finally:
            self._busy_since = None

    def _append_pending(self) -> None:
        with self._changed:
            lines, self._pending = self._pending, []
            sync, self._sync_due = self._sync_due, False
            empty = self._ledger.empty
        descriptor = self._open_file()
        if empty:
            os.ftruncate(descriptor, 0)
            self._lines = 0
        elif lines:
            _write_all(descriptor, lines)
            self._lines += len(lines)
        if sync:
            os.fdatasync(descriptor)

    def _rewrite(self) -> None:
        with self._changed:
            self._pending.clear()
            lines = [_line(message) for message in self._ledger.messages()]
            self._rewrite_due = self._sync_due = False
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._close_file()
        draft = self._path.with_suffix(".new")
        try:
            _write_file(draft, lines)
            draft.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
        _sync_directory(self._path.parent)
        self._lines = len(lines)

    def _open_file(self) -> int:
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            _sync_directory(self._path.parent)
        return self._descriptor

    def _close_file(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def unfinished_shards(spool_dir: Path) -> set[str]:
    """Names of shards whose spool still holds something; each must run once more to send it."""
    return {file.stem for file in spool_dir.glob("*.jsonl") if file.stat().st_size > 0}


def _line(message: Record | Confirmation) -> bytes:
    return message.model_dump_json().encode() + b"\n"


def _write_all(descriptor: int, lines: Iterable[bytes]) -> None:
    rest = memoryview(b"".join(lines))
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _write_file(path: Path, lines: Iterable[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        _write_all(descriptor, lines)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
