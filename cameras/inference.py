"""The one inference thread of a shard: newest frames in, violations out."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import structlog

from cameras.analysis import Analysis
from cameras.detectors import DetectorPool
from cameras.gaze import look
from cameras.lane import Lane
from cameras.latency import Latency
from cameras.pieces import Piece, Waiting, frames_in, pieces_of
from cameras.ppe import PpeThread
from cameras.regions import Region, merged
from safety.clock import Clock, Instant
from safety.errors import ModelError
from safety.perception.detector import Detector
from safety.types import (
    CameraState,
    Detections,
    Frame,
    Picture,
    PlantState,
    Violation,
)

log = structlog.get_logger(__name__)

T = TypeVar("T")

TURN = 8
"""Pictures after which cameras of another network size get their turn."""

TURN_S = 1.0
"""Seconds after which a turn ends in any case."""

CHECK_S = 0.25
"""How often blind cameras are looked for, frames or not."""


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
    """How the network did lately.

    Attributes:
        ms_p50, ms_p99: From a picture given to the network to its result.
        batch_mean: Pictures under way at once.
    """

    ms_p50: float
    ms_p99: float
    batch_mean: float


class InferenceThread:
    """Takes the newest frame of every camera that has one, for ever.

    The network is kept busy: while one picture's result goes through tracker and rules, the
    next pictures are already under way. When the machine is too slow for all frames, the
    cameras that waited longest come first and the frames in between are dropped by their
    slots: every camera is served.
    """

    def __init__(
        self,
        detectors: DetectorPool,
        listener: Listener,
        *,
        clock: Clock,
        ppe: PpeThread | None = None,
        plant: Callable[[Instant], PlantState] = lambda _: PlantState(),
    ) -> None:
        """Make it; ``start`` begins.

        Args:
            detectors: The networks for persons.
            listener: Told what was seen.
            clock: Where the time comes from.
            ppe: Looks at protective equipment; without it that is unavailable.
            plant: What the plant says, as of a moment; without it everything is unknown.
        """
        self._detectors = detectors
        self._ppe = ppe
        self._plant = plant
        self._listener = listener
        self._clock = clock
        self._lanes: dict[str, Lane] = {}
        self._wake = threading.Condition()
        self._awake = False
        self._stopping = False
        self._orders: deque[Callable[[], None]] = deque()
        self._durations: deque[tuple[float, int]] = deque(maxlen=600)
        self._checked = 0.0
        self._latency = Latency()
        self.busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Finish the pictures under way and end."""
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
        """Have ``order`` done in the inference thread, while no picture is under way.

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
        """The network's figures over the last pictures."""
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
        self._check()
        waiting = self._next()
        if waiting is None:
            return
        # Frames that come meanwhile, and cameras of other networks, are next.
        self._awake = True
        detector = self._detector(*waiting)
        if detector is not None:
            self._stream(detector, waiting)

    def _next(self, detector: Detector | None = None) -> Waiting | None:
        """The newest frame of the camera that has waited longest, of one network or of any.

        While the machine keeps up, that is first come, first served, which keeps the longest wait
        short; when newer frames replace older ones, whoever was looked at longest ago is next.
        """
        ready = [
            lane
            for lane in self._lanes.values()
            if lane.worker.slot.ready and (detector is None or lane.detector in {None, detector})
        ]
        for lane in sorted(ready, key=_waits_since):
            frame = lane.worker.slot.take()
            if frame is not None:
                lane.newest, lane.served_at = frame, self._clock.now().monotonic
                return lane, frame
        return None

    def _detector(self, lane: Lane, frame: Frame) -> Detector | None:
        aspect = frame.width_px / frame.height_px
        if lane.wanted is not None and self._is_there(lane.wanted.width, aspect):
            lane.settle()
        try:
            lane.detector = self._detectors.get(lane.plan.width, aspect)
        except ModelError:
            lane.detector = None
            lane.failed()
            return None
        lane.loading = lane.detector is None
        if lane.detector is None:
            lane.unused()
        return lane.detector

    def _is_there(self, width: int, aspect: float) -> bool:
        """Whether a network could be used; if not, it is being loaded from now on."""
        try:
            return self._detectors.get(width, aspect) is not None
        except ModelError:
            return False

    def _stream(self, detector: Detector, first: Waiting) -> None:
        """Analyse until no camera of this network waits, or somebody else has waited too long."""
        given: deque[tuple[Piece, float]] = deque()
        left: deque[Piece] = deque()
        found: list[tuple[Region, Detections]] = []
        begun, taken = self._clock.now().monotonic, 0

        def take() -> Picture | None:
            nonlocal taken
            now = self._clock.now().monotonic
            if not left:
                waiting = self._next_of(detector, taken, now - begun) if taken else first
                if waiting is None:
                    return None
                taken += 1
                left.extend(pieces_of(*waiting))
            picture = left[0].picture()
            given.append((left.popleft(), now))
            return picture

        nonfinite = detector.nonfinite_outputs
        try:
            for detections in detector.stream(take):
                self._detectors.succeeded(detector)
                under_way = len(given)
                piece, given_at = given.popleft()
                now = self._clock.now().monotonic
                self._durations.append((now - given_at, under_way))
                found.append((piece.region, detections))
                if piece.last:
                    doubtful = detector.nonfinite_outputs > nonfinite
                    self._judge(piece.lane, piece.frame, merged(found), doubtful=doubtful)
                    found = []
                self._check()
                self.busy_since = now
        except Exception as error:  # an engine may raise anything; the other cameras go on
            self._give_up(detector, frames_in([*(piece for piece, _ in given), *left]), error)

    def _next_of(self, detector: Detector, taken: int, spent_s: float) -> Waiting | None:
        """The next frame for this network; None also if the turn is over."""
        others = (lane for lane in self._lanes.values() if lane.detector is not detector)
        over = taken >= TURN and any(lane.worker.slot.ready for lane in others)
        if over or spent_s >= TURN_S or self._orders or self._stopping:
            return None
        while (waiting := self._next(detector)) is not None:
            found = self._detector(*waiting)
            if found is detector:
                return waiting
            if found is not None:
                # A camera that is new or changed its aspect: its next frame goes there.
                waiting[0].unused()
        return None

    def _give_up(self, detector: Detector, group: Sequence[Waiting], error: Exception) -> None:
        """Try the pictures one by one: a single bad one must not blind the others."""
        self._detectors.failed(detector)
        log.error("detection_failed", cameras=[lane.spec.id for lane, _ in group], error=str(error))
        if len(group) == 1:
            group[0][0].failed()
            return
        for lane, frame in group:
            self._retry(detector, lane, frame)

    def _retry(self, detector: Detector, lane: Lane, frame: Frame) -> None:
        nonfinite = detector.nonfinite_outputs
        try:
            detections = look(detector, frame, lane.gaze.due(frame), lane.plan.width)
        except Exception as error:  # as in _stream
            self._give_up(detector, [(lane, frame)], error)
            return
        self._judge(lane, frame, detections, doubtful=detector.nonfinite_outputs > nonfinite)

    def _judge(self, lane: Lane, frame: Frame, detections: Detections, *, doubtful: bool) -> None:
        try:
            observation = lane.analyst.observe(frame, detections, latency_s=self._latency.p99_s)
            plant = self._plant(frame.captured_at)
            violations = lane.analyst.judge(observation, plant)
        except Exception:  # one camera's trouble is not the others'
            log.exception("analysis_failed", camera=lane.spec.id)
            lane.failed()
            return
        analysis = Analysis(
            frame=frame,
            observation=observation,
            plant=plant,
            open_violations=lane.rules.open_violations,
            calibration=lane.analyst.calibration,
            beside=lane.beside(observation),
        )
        for violation in violations:
            self._listener.violated(lane, violation, analysis)
        self._latency.add(frame.captured_at, self._clock.now())
        lane.analysed(analysis, self._clock.now(), doubtful=doubtful)
        self._listener.analysed(lane, analysis)
        if self._ppe is not None:
            # Last: alerts do not wait for it.
            self._ppe.look(lane.ppe, frame, observation.persons, lane.rules.ppe_wanted)

    def _check(self) -> None:
        """Now and then: close the violations of cameras that are blind; rules on blindness."""
        now = self._clock.now()
        if now.monotonic - self._checked < CHECK_S:
            return
        self._checked = now.monotonic
        for lane in self._lanes.values():
            items = lane.rules.ppe_items
            lane.ppe.unavailable = bool(items) and not (self._ppe and self._ppe.serves(items))
            state = lane.watch(now).state
            reports = lane.end(now) if state is CameraState.BLIND else []
            reports += lane.rules.watch(state, now, self._plant(now))
            for violation in reports:
                self._listener.violated(lane, violation, None)


def _waits_since(lane: Lane) -> float:
    slot = lane.worker.slot
    return lane.served_at if slot.late else slot.waiting_since
