"""Evidence of violations: a picture at once, a clip when its last second has come."""

import asyncio
import contextlib
import errno
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog

from cameras.analysis import Analysis
from cameras.clip import Clip, sync_folder, write_clip
from cameras.ledger import EvidenceKind
from cameras.messages import EvidenceFailed, EvidenceReady
from cameras.overlay import draw_violation, jpeg
from cameras.packets import PacketRing
from cameras.sidecar import sidecar_of
from safety.clock import Clock
from safety.errors import AnjeonError
from safety.types import Violation
from zones.geometry import Polygon

log = structlog.get_logger(__name__)

SETTLE_S = 0.5
"""After a clip's last second, packets that are still on their way get so long to arrive."""

NICENESS = 10
"""Files may wait for the processor; frames may not."""

MAX_PICTURES_WAITING = 32
"""Each holds a whole decoded frame in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that the evidence of one violation is made from.

    Attributes:
        violation: As it opened.
        analysis: The frame in which it opened.
        zone: The violated zone, if the rule has one.
        ring: The camera's packets; it is kept alive even if the camera is removed.
        before_s, after_s: How much video from before and after the frame.
        origin: The configuration that it was found with, as JSON values.
    """

    violation: Violation
    analysis: Analysis
    zone: Polygon | None
    ring: PacketRing
    before_s: float
    after_s: float
    origin: Mapping[str, Any] = field(default_factory=dict)


class EvidenceMaker:
    """Makes picture and clip of every violation, in two threads that give way to all others.

    ``put`` gets exactly one message for each of the two, ready or failed. Reasons of failures
    are translation keys: ``disk_full``, ``not_written``, ``no_clip`` (no key frame), ``busy``
    or ``internal``.

    Args:
        directory: Files go to ``YYYY/MM/DD/<violation id>.jpg`` and ``.mp4`` below it, by the
            UTC day on which the violation opened.
        made_with: Versions and networks, for what is written beside a clip.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock,
        put: Callable[[EvidenceReady | EvidenceFailed], None],
        made_with: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._put = put
        self._made_with = made_with
        self._threads = ThreadPoolExecutor(2, "evidence", initializer=_give_way)
        self._leaving = asyncio.Event()
        self._jobs: set[asyncio.Task[None]] = set()
        self._pictures = 0

    def collect(self, case: Case) -> None:
        """Begin to make the evidence of a violation; in the event loop."""
        for job in (self._picture(case), self._clip(case)):
            task = asyncio.create_task(job)
            self._jobs.add(task)
            task.add_done_callback(self._jobs.discard)

    async def finish(self, timeout_s: float) -> None:
        """Cut the clips that are not due yet, now, and wait for all files."""
        self._leaving.set()
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=timeout_s)
        for job in self._jobs:
            job.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _picture(self, case: Case) -> None:
        if self._pictures >= MAX_PICTURES_WAITING:
            self._fail(case, "picture", "busy")
            return
        self._pictures += 1
        try:
            await self._make(case, "picture", self._write_picture)
        finally:
            self._pictures -= 1

    async def _clip(self, case: Case) -> None:
        captured_at = case.violation.captured_at
        due = captured_at.monotonic + case.after_s + SETTLE_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, due - self._clock.now().monotonic)):
                await self._leaving.wait()
        await self._make(case, "clip", self._write_clip)

    async def _make(
        self, case: Case, kind: EvidenceKind, write: Callable[[Case], EvidenceReady]
    ) -> None:
        loop = asyncio.get_running_loop()
        try:
            ready = await loop.run_in_executor(self._threads, write, case)
        except AnjeonError as error:
            self._fail(case, kind, error.key.rpartition(".")[2], str(error))
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._fail(case, kind, "disk_full" if full else "not_written", str(error))
        except Exception as error:  # the border of the job: a bug here must be on record too
            log.exception("evidence_bug", violation=case.violation.id, kind=kind)
            self._fail(case, kind, "internal", repr(error))
        else:
            self._put(ready)

    def _fail(self, case: Case, kind: EvidenceKind, reason: str, why: str = "") -> None:
        log.error("evidence_failed", violation=case.violation.id, kind=kind, reason=reason, why=why)
        self._put(EvidenceFailed(violation_id=case.violation.id, kind=kind, reason=reason))

    def _write_picture(self, case: Case) -> EvidenceReady:
        frame = case.analysis.frame
        picture = draw_violation(
            frame.full.rgb(), case.violation, zone=case.zone, persons=case.analysis.persons
        )
        data = jpeg(picture)
        path = self._path(case, ".jpg")
        _write_file(path, data)
        return EvidenceReady(
            violation_id=case.violation.id,
            kind="picture",
            path=str(path.relative_to(self._directory)),
            sha256=sha256(data).hexdigest(),
            size_bytes=len(data),
            started_at=frame.captured_at,
            ended_at=frame.captured_at,
        )

    def _write_clip(self, case: Case) -> EvidenceReady:
        moment = case.violation.captured_at
        packets = case.ring.window(moment.shifted(-case.before_s), moment.shifted(case.after_s))
        clip = write_clip(packets, self._path(case, ".mp4"), moment=moment)
        return EvidenceReady(
            violation_id=case.violation.id,
            kind="clip",
            path=str(clip.path.relative_to(self._directory)),
            sha256=clip.sha256,
            size_bytes=clip.size_bytes,
            started_at=clip.started_at,
            ended_at=clip.ended_at,
            sidecar_sha256=self._write_sidecar(case, clip),
        )

    def _write_sidecar(self, case: Case, clip: Clip) -> str | None:
        """Say beside a clip what it was made from; a clip without that is better than none."""
        data = sidecar_of(case.violation, clip, origin=case.origin, made=self._made_with())
        try:
            _write_file(clip.path.with_suffix(".json"), data)
        except OSError as error:
            log.error("sidecar_not_written", violation=case.violation.id, why=str(error))
            return None
        return sha256(data).hexdigest()

    def _path(self, case: Case, suffix: str) -> Path:
        day = datetime.fromtimestamp(case.violation.opened_at.wall, UTC)
        directory = self._directory / f"{day:%Y/%m/%d}"
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return directory / f"{case.violation.id}{suffix}"


def _write_file(path: Path, data: bytes) -> None:
    draft = path.with_name(f"{path.name}.part")
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


def _give_way() -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
