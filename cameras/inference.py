"""The one inference thread of a shard: newest frames in, violations out."""

import os
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import structlog

from cameras.analysis import Analysis
from cameras.detectors import DetectorPool
from cameras.lane import Lane
from safety.clock import Clock
from safety.errors import ModelError
from safety.perception.detector import Detector
from safety.types import CameraState, Detections, Frame, Observation, PlantState, Violation

log = structlog.get_logger(__name__)

T = TypeVar("T")

BATCH = min(16, max(4, len(os.sched_getaffinity(0))))
"""Pictures given to the network at once at the most: enough to keep all cores busy. More would
not be faster, and all of them wait for the last one."""

CHECK_S = 0.25
"""How often blind cameras are looked for, frames or not."""

Waiting = tuple[Lane, Frame]


class Listener(Protocol):
    """Who is told what was seen; called in the inference thread, must not block."""

    def violated(self, lane: Lane, violation: Violation, analysis: Analysis | None) -> None:
        """A violation opened, changed or closed; without a frame if the camera is blind."""
        ...

    def analysed(self, lane: Lane, analysis: Analysis) -> None:
        """A frame was analysed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceFigures:
    """How the network did lately."""

    ms_p50: float
    ms_p99: float
    batch_mean: float


class InferenceThread:
    """Takes the newest frame of every camera that has one, in one batch, for ever.

    When the machine is too slow for all frames, the cameras that waited longest come first
    and the frames in between are dropped by their slots: every camera is served.
    """

    def __init__(self, detectors: DetectorPool, listener: Listener, *, clock: Clock) -> None:
        self._detectors = detectors
        self._listener = listener
        self._clock = clock
        self._lanes: dict[str, Lane] = {}
        self._wake = threading.Condition()
        self._awake = False
        self._stopping = False
        self._orders: deque[Callable[[], None]] = deque()
        self._durations: deque[tuple[float, int]] = deque(maxlen=600)
        self._checked = 0.0
        self.busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Finish the batch in hand and end."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout_s)

    def notify(self) -> None:
        """There is a new frame."""
        with self._wake:
            self._awake = True
            self._wake.notify()

    def submit(self, order: Callable[[dict[str, Lane]], T]) -> "Future[T]":
        """Have ``order`` done in the inference thread, between two batches.

        It may change the lanes that it gets; its result or exception is in the future.
        """
        future: Future[T] = Future()

        def carry_out() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(order(self._lanes))
            except Exception as error:  # handed to whoever gave the order
                future.set_exception(error)

        with self._wake:
            self._orders.append(carry_out)
            self._wake.notify()
        return future

    def figures(self) -> InferenceFigures:
        """The network's figures over the last batches."""
        recent = tuple(self._durations)
        if not recent:
            return InferenceFigures(ms_p50=0.0, ms_p99=0.0, batch_mean=0.0)
        p50, p99 = np.percentile([seconds * 1000 for seconds, _ in recent], [50, 99])
        mean = sum(size for _, size in recent) / len(recent)
        return InferenceFigures(ms_p50=float(p50), ms_p99=float(p99), batch_mean=mean)

    def _run(self) -> None:
        while not self._stopping:
            self._wait()
            self.busy_since = self._clock.now().monotonic
            try:
                self._turn()
            except Exception:  # the border of this thread: whatever it was, go on watching
                log.exception("inference_turn_failed")
            self.busy_since = None

    def _wait(self) -> None:
        with self._wake:
            if not (self._awake or self._orders or self._stopping):
                self._wake.wait(CHECK_S)
            self._awake = False

    def _turn(self) -> None:
        while self._orders:
            self._orders.popleft()()
        batch = self._next_batch()
        if batch:
            self._analyse(batch)
            # Frames that came meanwhile, and cameras beyond this batch, are next.
            self._awake = True
        now = self._clock.now().monotonic
        if now - self._checked >= CHECK_S:
            self._checked = now
            self._end_blind()

    def _next_batch(self) -> list[Waiting]:
        ready = [lane for lane in self._lanes.values() if lane.worker.slot.ready]
        ready.sort(key=lambda lane: lane.served_at)
        batch: list[Waiting] = []
        for lane in ready[:BATCH]:
            frame = lane.worker.slot.take()
            if frame is not None:
                lane.newest = frame
                lane.served_at = self._clock.now().monotonic
                batch.append((lane, frame))
        return batch

    def _analyse(self, batch: Sequence[Waiting]) -> None:
        groups: dict[Detector, list[Waiting]] = defaultdict(list)
        for lane, frame in batch:
            detector = self._detector(lane, frame)
            if detector is not None:
                groups[detector].append((lane, frame))
        for detector, group in groups.items():
            self._detect(detector, group)

    def _detector(self, lane: Lane, frame: Frame) -> Detector | None:
        try:
            detector = self._detectors.get(
                lane.spec.network_width, frame.width_px / frame.height_px
            )
        except ModelError:
            lane.failed()
            return None
        lane.loading = detector is None
        if detector is None:
            lane.unused()
        return detector

    def _detect(self, detector: Detector, group: Sequence[Waiting]) -> None:
        begun = self._clock.now().monotonic
        nonfinite = detector.nonfinite_outputs
        try:
            found = detector.detect([frame.picture for _, frame in group])
        except Exception as error:  # an engine may raise anything; the other cameras go on
            self._give_up(detector, group, error)
            return
        self._detectors.succeeded(detector)
        self._durations.append((self._clock.now().monotonic - begun, len(group)))
        doubtful = detector.nonfinite_outputs > nonfinite
        for (lane, frame), detections in zip(group, found, strict=True):
            self._judge(lane, frame, detections, doubtful=doubtful)

    def _give_up(self, detector: Detector, group: Sequence[Waiting], error: Exception) -> None:
        """Try the pictures one by one: a single bad one must not blind the others."""
        self._detectors.failed(detector)
        log.error("detection_failed", cameras=[lane.spec.id for lane, _ in group], error=str(error))
        if len(group) == 1:
            group[0][0].failed()
            return
        for waiting in group:
            self._detect(detector, [waiting])

    def _judge(self, lane: Lane, frame: Frame, detections: Detections, *, doubtful: bool) -> None:
        try:
            persons = lane.tracker(frame).update(detections, frame.captured_at)
            observation = Observation(
                camera_id=lane.spec.id,
                at=frame.captured_at,
                sequence=frame.sequence,
                aspect=frame.width_px / frame.height_px,
                persons=persons,
            )
            violations = lane.rules.update(observation, PlantState())
        except Exception:  # one camera's trouble is not the others'
            log.exception("analysis_failed", camera=lane.spec.id)
            lane.failed()
            return
        analysis = Analysis(
            frame=frame, persons=persons, open_violations=lane.rules.open_violations
        )
        for violation in violations:
            self._listener.violated(lane, violation, analysis)
        lane.analysed(analysis, self._clock.now(), doubtful=doubtful)
        self._listener.analysed(lane, analysis)

    def _end_blind(self) -> None:
        now = self._clock.now()
        for lane in self._lanes.values():
            if lane.watch(now).state is CameraState.BLIND:
                for violation in lane.end(now):
                    self._listener.violated(lane, violation, None)
