"""Blurred copies of evidence: made when they are first wanted, kept beside the original."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import structlog
from av.video.frame import VideoFrame

from cameras import failures
from cameras.containers import video_of
from cameras.durable import draft_of, sync_folder
from cameras.overlay import jpeg
from safety.config import Settings
from safety.errors import AnjeonError
from safety.evidence.blurring import Found, Part, blur, regions, shows_a_head
from safety.evidence.files import place
from safety.perception.detector import Detector
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model
from safety.store.tables import Evidence
from safety.types import FloatArray, Picture

log = structlog.get_logger(__name__)

NICENESS = 10
"""Whoever watches goes first."""

MOST_WAITING = 4
"""So many copies may wait to be made."""

_CONFIDENCE = 0.1
"""Better a crate blurred than a person seen: far less than what alarms need."""

WIDTH: Final = 1280
"""There is time: small networks lose small people, and small people can be enlarged."""

_MOST_WHOLE = 0.5
"""A clip that would be blurred as a whole for more of its pictures than this is not given."""

_CHECKED_PER_S = 2.0
"""So many pictures of a second of a finished copy are looked at again."""

_TIME_BASE = Fraction(1, 90_000)

MakeDetector = Callable[[int, float], Detector]
"""Opens the pose network for pictures so wide (pixels) and of this aspect."""


class NoCopy(AnjeonError):
    """A blurred copy cannot be made (now)."""


def detector_maker(settings: Settings) -> MakeDetector:
    """Opens this installation's network, on the processor: the rest is for those who watch."""

    def make(width: int, aspect: float) -> Detector:
        return load_pose_detector(
            find_pose_model(settings),
            width=width,
            aspect=aspect,
            backend=settings.backend,
            device="cpu",
            cache_dir=settings.models_dir,
            confidence=_CONFIDENCE,
        )

    return make


class Copies:
    """Makes blurred copies, one at a time, in a thread that gives way to all others.

    Args:
        directory: Where evidence lies.
        make_detector: Opens the network, when the first copy is wanted.
    """

    def __init__(self, directory: Path, make_detector: MakeDetector) -> None:
        self._directory = directory
        self._make_detector = make_detector
        self._thread = ThreadPoolExecutor(1, "blurring", initializer=_give_way)
        self._lock = threading.Lock()
        self._waiting = 0
        self._leaving = threading.Event()
        self._open: tuple[tuple[int, float], Detector] | None = None

    def blurred(self, row: Evidence, part: Part) -> Path:
        """The blurred copy of a clip or picture; blocking, for a clip for many seconds.

        Raises:
            NoCopy: There is no such file, it cannot be read, or too many wait already.
        """
        source = place(self._directory, row)
        if source is None or not source.is_file():
            raise NoCopy("evidence.gone", "this file is not there (any more)")
        target = source.with_name(f"{source.stem}.{part}{source.suffix}")
        if target.is_file():
            return target
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise NoCopy("evidence.busy", "other copies are being made; try again in a minute")
            self._waiting += 1
        try:
            self._thread.submit(self._make, source, target, part).result()
        except NoCopy:
            raise
        except (AnjeonError, OSError, ValueError, av.error.FFmpegError) as error:
            log.error("no_blurred_copy", evidence=row.id, why=str(error))
            raise NoCopy(
                "evidence.no_copy", "a blurred copy cannot be made of this file; see the log"
            ) from error
        finally:
            with self._lock:
                self._waiting -= 1
        return target

    def close(self) -> None:
        """Give up the copy that is being made, begin no other, and let go of the network."""
        if not self._leaving.is_set():
            self._leaving.set()
            self._thread.submit(self._shut)
            self._thread.shutdown(wait=False)

    def _make(self, source: Path, target: Path, part: Part) -> None:
        if target.is_file():
            return  # Somebody else wanted it too.
        draft = draft_of(target)
        try:
            if source.suffix == ".jpg":
                draft.write_bytes(self._picture(source, part))
            else:
                self._clip(source, draft, part)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(target.parent)

    def _picture(self, source: Path, part: Part) -> bytes:
        data = cv2.imread(str(source), cv2.IMREAD_COLOR)
        if data is None:
            raise ValueError(f"{source.name} is no picture")
        picture: Picture = np.asarray(cv2.cvtColor(data, cv2.COLOR_BGR2RGB), np.uint8)
        height, width = picture.shape[:2]
        detector = self._detector(width, height)
        found = Found.of(detector.detect([picture])[0], at_s=0.0, aspect=width / height)
        (hidden,) = regions([found], part)
        blurred = blur(picture, hidden)
        if shows_a_head(detector.detect([blurred])[0], hidden):
            raise _unsure()
        return jpeg(blurred)

    def _clip(self, source: Path, draft: Path, part: Part) -> None:
        found = list(self._look(source))
        if not found:
            raise ValueError(f"{source.name} has no pictures")
        hidden = regions(found, part)
        if sum(boxes is None for boxes in hidden) > _MOST_WHOLE * len(hidden):
            raise _unsure()
        with av.open(draft, "w", format="mp4", options={"movflags": "+faststart"}) as sink:
            stream = None
            for frame, boxes in zip(self._frames(source), hidden, strict=True):
                if stream is None:
                    stream = sink.add_stream("libx264", rate=Fraction(15))
                    # yuv420p has colours for every other pixel only.
                    stream.width, stream.height = frame.width // 2 * 2, frame.height // 2 * 2
                    stream.pix_fmt = "yuv420p"
                    stream.codec_context.time_base = frame.time_base or _TIME_BASE
                    stream.options = {"preset": "veryfast", "crf": "26"}
                picture = blur(_rgb(frame), boxes)
                shown = VideoFrame.from_ndarray(
                    np.ascontiguousarray(picture[: stream.height, : stream.width]), format="rgb24"
                )
                shown.pts, shown.time_base = frame.pts, frame.time_base
                sink.mux(stream.encode(shown))
            assert stream is not None
            sink.mux(stream.encode(None))
        self._check(draft, hidden)

    def _check(self, draft: Path, hidden: Sequence[FloatArray | None]) -> None:
        """Look at the finished copy as a stranger would.

        Raises:
            NoCopy: Somebody's head can be found in it.
        """
        due_s = 0.0
        for frame, boxes in zip(self._frames(draft), hidden, strict=True):
            at_s = frame.time or 0.0
            if at_s < due_s:
                continue
            due_s = at_s + 1 / _CHECKED_PER_S
            detector = self._detector(frame.width, frame.height)
            if shows_a_head(detector.detect([_rgb(frame)])[0], boxes):
                raise _unsure()

    def _look(self, source: Path) -> Iterator[Found]:
        """Who is in every frame."""
        for frame in self._frames(source):
            detector = self._detector(frame.width, frame.height)
            aspect = frame.width / frame.height
            seen = detector.detect([_rgb(frame)])[0]
            yield Found.of(seen, at_s=frame.time or 0.0, aspect=aspect)

    def _frames(self, path: Path) -> Iterator[VideoFrame]:
        try:
            container = av.open(path)
        except av.error.FFmpegError as error:
            raise failures.from_ffmpeg(error, str(path)) from None
        with container:
            stream, _ = video_of(container, str(path))
            try:
                for frame in container.decode(stream):
                    if self._leaving.is_set():
                        raise _busy()
                    yield frame
            except av.error.FFmpegError as error:
                raise failures.from_ffmpeg(error, str(path)) from None

    def _detector(self, width: int, height: int) -> Detector:
        """The network for such pictures; it stays open, for opening it takes its time."""
        wanted = (WIDTH, width / height)
        if self._open is None or self._open[0] != wanted:
            if self._open is not None:
                self._open[1].close()
                self._open = None
            self._open = (wanted, self._make_detector(*wanted))
        return self._open[1]

    def _shut(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def _busy() -> NoCopy:
    return NoCopy("evidence.busy", "other copies are being made; try again in a minute")


def _unsure() -> NoCopy:
    return NoCopy(
        "evidence.unsure",
        "people cannot be followed surely enough in this file to make a copy in which nobody can "
        "be recognised; share the original only with those who may see it",
    )


def _rgb(frame: VideoFrame) -> Picture:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _give_way() -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
