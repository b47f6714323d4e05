"""Evidence of violations: a picture at once, a clip when its last second has come."""

import asyncio
import contextlib
import errno
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog

from cameras.analysis import Analysis
from cameras.clip import Clip, write_clip
from cameras.durable import write_file
from cameras.ledger import EvidenceKind
from cameras.messages import ClipRequest, EvidenceFailed, EvidenceReady
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
class PictureCase:
    """Everything that the picture of one violation is made from.

    Attributes:
        violation: As it opened.
        analysis: The frame in which it opened.
        zone: The violated zone, if the rule has one.
    """

    violation: Violation
    analysis: Analysis
    zone: Polygon | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipCase:
    """Everything that one camera's clip of a violation is made from.

    Attributes:
        violation: As it opened.
        ring: The camera's packets; it is kept alive even if the camera is removed.
        before_s, after_s: How much video from before and after the violation's frame.
        found_with: The configuration that it was found with, as JSON values.
        camera: What is said of the camera beside the clip, as JSON values.
        other_camera: Its id, if it is not the one that found the violation.
    """

    violation: Violation
    ring: PacketRing
    before_s: float
    after_s: float
    found_with: Mapping[str, Any]
    camera: Mapping[str, Any]
    other_camera: str = ""


Case = PictureCase | ClipCase


class EvidenceMaker:
    """Makes pictures and clips of violations, in two threads that give way to all others.

    ``put`` gets exactly one message for each of them, ready or failed. Reasons of failures
    are translation keys: ``disk_full``, ``not_written``, ``no_clip`` (no key frame), ``busy``
    or ``internal``.

    Args:
        directory: Files go to ``YYYY/MM/DD/<violation id>.jpg`` and ``.mp4`` below it, by the
            UTC day on which the violation opened; clips of other cameras to
            ``<violation id>-<camera id>.mp4``.
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
        self._asked: set[Path] = set()
        self._pictures = 0

    def collect(self, *cases: Case) -> None:
        """Begin to make evidence; in the event loop."""
        for case in cases:
            job = self._picture(case) if isinstance(case, PictureCase) else self._clip(case)
            task = asyncio.create_task(job)
            self._jobs.add(task)
            task.add_done_callback(self._jobs.discard)

    def collect_asked(self, case: ClipCase) -> None:
        """As ``collect`` for what may be asked for again, by an engine that was restarted."""
        path = self._clip_path(case)
        if path in self._asked or path.exists():
            return
        self._asked.add(path)
        self.collect(case)

    def refuse(self, request: ClipRequest, reason: str) -> None:
        """Say that a clip that was asked for cannot be made."""
        self._put(
            EvidenceFailed(
                violation_id=request.violation.id,
                kind="clip",
                reason=reason,
                other_camera=request.camera_id,
            )
        )

    async def finish(self, timeout_s: float) -> None:
        """Cut the clips that are not due yet, now, and wait for all files."""
        self._leaving.set()
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=timeout_s)
        for job in self._jobs:
            job.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _picture(self, case: PictureCase) -> None:
        if self._pictures >= MAX_PICTURES_WAITING:
            self._fail(case, "busy")
            return
        self._pictures += 1
        try:
            await self._make(case, partial(self._write_picture, case))
        finally:
            self._pictures -= 1

    async def _clip(self, case: ClipCase) -> None:
        captured_at = case.violation.captured_at
        due = captured_at.monotonic + case.after_s + SETTLE_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, due - self._clock.now().monotonic)):
                await self._leaving.wait()
        await self._make(case, partial(self._write_clip, case))
        self._asked.discard(self._clip_path(case))

    async def _make(self, case: Case, write: Callable[[], EvidenceReady]) -> None:
        loop = asyncio.get_running_loop()
        try:
            ready = await loop.run_in_executor(self._threads, write)
        except AnjeonError as error:
            self._fail(case, error.key.rpartition(".")[2], str(error))
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._fail(case, "disk_full" if full else "not_written", str(error))
        except Exception as error:  # the border of the job: a bug here must be on record too
            log.exception("evidence_bug", violation=case.violation.id)
            self._fail(case, "internal", repr(error))
        else:
            self._put(ready)

    def _fail(self, case: Case, reason: str, why: str = "") -> None:
        kind: EvidenceKind = "picture" if isinstance(case, PictureCase) else "clip"
        other = "" if isinstance(case, PictureCase) else case.other_camera
        violation_id = case.violation.id
        log.error(
            "evidence_failed",
            violation=violation_id,
            kind=kind,
            camera=other or case.violation.camera_id,
            reason=reason,
            why=why,
        )
        self._put(
            EvidenceFailed(violation_id=violation_id, kind=kind, reason=reason, other_camera=other)
        )

    def _write_picture(self, case: PictureCase) -> EvidenceReady:
        frame = case.analysis.frame
        picture = draw_violation(
            frame.full.rgb(), case.violation, zone=case.zone, persons=case.analysis.persons
        )
        data = jpeg(picture)
        path = self._path(case.violation, ".jpg")
        _make_folder(path)
        write_file(path, data)
        return EvidenceReady(
            violation_id=case.violation.id,
            kind="picture",
            path=str(path.relative_to(self._directory)),
            sha256=sha256(data).hexdigest(),
            size_bytes=len(data),
            started_at=frame.captured_at,
            ended_at=frame.captured_at,
        )

    def _write_clip(self, case: ClipCase) -> EvidenceReady:
        moment = case.violation.captured_at
        begins, ends = moment.shifted(-case.before_s), moment.shifted(case.after_s)
        packets = case.ring.window(begins, ends)
        # A ring that is fed no more ends with what the camera showed last, however long ago.
        if case.other_camera and not any(p.at.monotonic >= begins.monotonic for p in packets):
            packets = []
        path = self._clip_path(case)
        _make_folder(path)
        clip = write_clip(
            packets,
            path,
            moment=moment,
            describe=partial(self._describe, case),
        )
        return EvidenceReady(
            violation_id=case.violation.id,
            kind="clip",
            path=str(clip.path.relative_to(self._directory)),
            sha256=clip.sha256,
            size_bytes=clip.size_bytes,
            started_at=clip.started_at,
            ended_at=clip.ended_at,
            sidecar_sha256=clip.sidecar_sha256,
            other_camera=case.other_camera,
        )

    def _clip_path(self, case: ClipCase) -> Path:
        suffix = f"-{case.other_camera}.mp4" if case.other_camera else ".mp4"
        return self._path(case.violation, suffix)

    def _describe(self, case: ClipCase, clip: Clip) -> bytes:
        return sidecar_of(
            case.violation,
            clip,
            camera=case.camera,
            found_with=case.found_with,
            made_with=self._made_with(),
        )

    def _path(self, violation: Violation, suffix: str) -> Path:
        day = datetime.fromtimestamp(violation.opened_at.wall, UTC)
        return self._directory / f"{day:%Y/%m/%d}" / f"{violation.id}{suffix}"


def _make_folder(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def _give_way() -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
