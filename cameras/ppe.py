"""The thread that looks at protective equipment, beside the analysis that must not wait for it.

Whatever happens to this network, slow, broken or hung, persons and danger zones are watched as
before: states become "cannot tell" and the cameras that need them say that they are degraded.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
import structlog

from cameras.backoff import Backoff
from cameras.detectors import LEAVE_S
from cameras.ppe_watch import Answer, Look, PpeWatch, Wanted
from safety.clock import Clock
from safety.errors import ModelError
from safety.perception.detector import ObjectDetector, Objects
from safety.perception.ppe import (
    findings_in_crop,
    findings_in_picture,
    items_missing_can_be_told,
)
from safety.perception.ppe_binding import bind
from safety.types import Frame, PpeItem, TrackedPerson

log = structlog.get_logger(__name__)

Load = Callable[[], ObjectDetector]
"""Loads the network; blocks for seconds."""

BATCH = 8
"""Pictures given to the network at once, about."""

HUNG_S = 10.0
"""A network that is at one batch for so long is not to be counted on."""

FIRST_RETRY_S, LAST_RETRY_S = 2.0, 60.0
"""Pauses between attempts to load it."""

_WAKE_S = 0.25


class PpeThread:
    """Runs the equipment network for all cameras of a shard; loads it when a rule needs it.

    Attributes:
        errors: Failures of the network, and frames that could not be cut.
        pictures: Pictures looked at so far.
    """

    def __init__(self, load: Load, *, clock: Clock, whole: bool = False) -> None:
        """Make it; ``start`` begins.

        Args:
            load: Loads the network; tried again, less and less often, while it fails.
            clock: Where the time comes from.
            whole: Look at whole pictures instead of at crops of persons.
        """
        self._load = load
        self._clock = clock
        self._whole = whole
        self._detector: ObjectDetector | None = None
        self._items: frozenset[PpeItem] = frozenset()
        self._waiting: deque[tuple[PpeWatch, Look]] = deque()
        self._wake = threading.Condition()
        self._needed = self._stopping = False
        self._busy_since: float | None = None
        self._retry_at = 0.0
        self._backoff = Backoff(first_s=FIRST_RETRY_S, last_s=LAST_RETRY_S)
        self._durations: deque[float] = deque(maxlen=300)
        self.errors = self.pictures = 0
        self._thread = threading.Thread(target=self._run, name="ppe", daemon=True)

    def start(self) -> None:
        """Begin to wait for work."""
        self._thread.start()

    def stop(self, timeout_s: float = LEAVE_S) -> None:
        """End after the batch under way; a network being loaded is waited for, as the pool does."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout_s)

    def serves(self, items: frozenset[PpeItem]) -> bool:
        """Whether it can tell at present if these items are missing; from any thread.

        Asking makes it load the network.
        """
        if not items:
            return True
        if not self._needed:
            with self._wake:
                self._needed = True
                self._wake.notify()
        busy_since = self._busy_since
        hung = busy_since is not None and self._clock.now().monotonic - busy_since > HUNG_S
        return self._detector is not None and items <= self._items and not hung

    def look(
        self, watch: PpeWatch, frame: Frame, persons: tuple[TrackedPerson, ...], wanted: Wanted
    ) -> None:
        """Look at who is due in this frame, some moments later; in the inference thread.

        Costs what cutting out a crop or two costs.
        """
        if self._detector is None:
            return
        try:
            look = watch.look(frame, persons, wanted, whole=self._whole)
        except Exception:  # FFmpeg may raise anything; persons and zones are watched as before
            log.exception("ppe_crop_failed", camera=frame.camera_id)
            self.errors += 1
            return
        if look is None:
            return
        with self._wake:
            self._waiting.append((watch, look))
            self._wake.notify()

    @property
    def waiting(self) -> int:
        """Looks that nobody has begun."""
        return len(self._waiting)

    @property
    def ms_per_picture(self) -> float:
        """Median over the last batches; 0 before the first."""
        recent = tuple(self._durations)
        return float(np.median(recent)) * 1000 if recent else 0.0

    def _run(self) -> None:
        while not self._stopping:
            batch = self._take()
            answers: Sequence[Answer] = [{}] * len(batch)
            try:
                self._open()
                if batch and self._detector is not None:
                    answers = self._serve(self._detector, [look for _, look in batch])
            except Exception as error:  # the border of this thread; an engine may raise anything
                self._give_up(error)
            for (watch, look), answer in zip(batch, answers, strict=True):
                watch.answer(look, answer)
        if self._detector is not None:
            self._detector.close()

    def _take(self) -> list[tuple[PpeWatch, Look]]:
        """Wait for looks; about ``BATCH`` pictures of them, who waited longest first."""
        with self._wake:
            if not (self._waiting or self._stopping):
                idle = self._detector is not None or not self._needed
                self._wake.wait(None if idle else _WAKE_S)
            batch: list[tuple[PpeWatch, Look]] = []
            pictures = 0
            while self._waiting and pictures < BATCH:
                batch.append(self._waiting.popleft())
                pictures += len(batch[-1][1].pictures)
            return batch

    def _open(self) -> None:
        """Load the network if it is needed and the last failure is long enough ago."""
        now = self._clock.now().monotonic
        idle = self._stopping or not self._needed or now < self._retry_at
        if self._detector is not None or idle:
            return
        detector = self._load()
        self._items = items_missing_can_be_told(detector.names)
        self._detector = detector
        log.info("ppe_network_loaded", names=detector.names, backend=detector.backend)

    def _serve(self, detector: ObjectDetector, looks: Sequence[Look]) -> list[Answer]:
        pictures = [picture for look in looks for picture in look.pictures]
        broken = detector.nonfinite_outputs
        begun = self._busy_since = self._clock.now().monotonic
        try:
            found = iter(detector.detect(pictures))
        finally:
            self._busy_since = None
        if detector.nonfinite_outputs > broken:
            raise ModelError(
                "ppe.nan",
                "the network for protective equipment gives numbers that are none; run 'anjeon "
                "doctor'",
            )
        self._durations.append((self._clock.now().monotonic - begun) / len(pictures))
        self._backoff.reset()
        self.pictures += len(pictures)
        return [
            answered(look, [next(found) for _ in look.pictures], detector.names) for look in looks
        ]

    def _give_up(self, error: Exception) -> None:
        """Throw the network away; it is loaded anew after a while."""
        self.errors += 1
        log.error("ppe_network_failed", error=str(error))
        detector, self._detector = self._detector, None
        if detector is not None:
            detector.close()
        self._retry_at = self._clock.now().monotonic + self._backoff.next()


def look_at_once(
    detector: ObjectDetector,
    watch: PpeWatch,
    frame: Frame,
    persons: tuple[TrackedPerson, ...],
    wanted: Wanted,
    *,
    whole: bool = False,
) -> None:
    """What ``PpeThread.look`` does, but before returning: for replays, where nobody waits.

    Raises:
        ModelError: The network failed.
    """
    look = watch.look(frame, persons, wanted, whole=whole)
    if look is not None:
        watch.answer(look, answered(look, detector.detect(look.pictures), detector.names))


def answered(look: Look, found: Sequence[Objects], names: Sequence[str]) -> Answer:
    """What a look told, from what a network with these classes found in its pictures."""
    if look.crops is None:
        findings = findings_in_picture(found[0], names)
    else:
        findings = [
            finding
            for crop, objects in zip(look.crops, found, strict=True)
            for finding in findings_in_crop(objects, names, crop, look.width_px, look.height_px)
        ]
    return bind(
        look.persons,
        findings,
        look.items,
        aspect=look.width_px / look.height_px,
        height_px=look.height_px,
    )
