"""Keeps one camera running: one connection, watched from outside, made again when it breaks."""

import threading
from collections.abc import Callable

import structlog

from cameras.backoff import Backoff
from cameras.failures import reason_of
from cameras.health import CameraHealth, HealthMonitor
from cameras.intake import Intake, PacketSubscriber
from cameras.packets import PacketRing
from cameras.reader import Reader
from cameras.slot import FrameSlot
from cameras.specs import CameraSpec
from safety.clock import Clock
from safety.errors import CameraError
from safety.types import CameraState

__all__ = ["CameraHealth", "CameraWorker"]

_log = structlog.get_logger(__name__)

STALLED_AFTER_S = 4.0
"""A connection that says nothing for so long is given up, if need be with its blocked thread."""

CONNECTING_S = 8.0
"""So long a camera may take from the first handshake to its first picture."""

STABLE_AFTER_S = 10.0
"""A connection that held for so long makes the next pause the shortest again."""

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
ABANDONED_AT_MOST = 2
"""So many blocked threads are put up with; before another connection, one has to end."""

RING_BYTES = 24 * 1024 * 1024
RING_SPARE_S = 5.0
"""Longer than the evidence needs, since clips are written a little after the fact."""

_TICK_S = 0.25
_JOIN_S = 2.0


class CameraWorker:
    """One camera: reads it in a thread of its own and keeps it connected.

    A second, sleeping thread looks after the first, because FFmpeg can block for many seconds
    and cannot be interrupted: it gives up a stalled connection and starts the next in a new
    thread. Blindness does not wait for either; ``health`` tells it from timestamps.

    Args:
        notify: Called in the reading thread whenever a new frame lies in the slot.
        phase: Its part of the time between two analysed frames; see ``Thinning``.

    Attributes:
        slot: The newest frame for analysis.
        ring: The last seconds of encoded packets, for clips and new viewers.
    """

    def __init__(
        self,
        spec: CameraSpec,
        *,
        clock: Clock,
        notify: Callable[[], None] | None = None,
        phase: float = 0.0,
    ) -> None:
        self.spec = spec
        self.slot = FrameSlot(notify)
        seconds = spec.evidence_before_s + spec.evidence_after_s + RING_SPARE_S
        self.ring = PacketRing(seconds=seconds, max_bytes=RING_BYTES)
        self._clock = clock
        self._monitor = HealthMonitor(clock)
        self._intake = Intake(
            spec, ring=self.ring, slot=self.slot, health=self._monitor, phase=phase
        )
        self._backoff = Backoff(first_s=FIRST_PAUSE_S, last_s=LONGEST_PAUSE_S)
        self._stopping = threading.Event()
        self._abandoned: list[Reader] = []
        self._connections = 0
        self._state: CameraState | None = None
        self._thread = threading.Thread(target=self._run, name=f"camera-{spec.id}", daemon=True)

    def start(self) -> None:
        """Begin to read; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End reading; a reader blocked in FFmpeg is left behind and ends by itself."""
        self._stopping.set()
        self._thread.join(_JOIN_S * 2)

    def health(self) -> CameraHealth:
        """The camera as of now; never blocks."""
        return self._monitor.snapshot(dropped=self.slot.dropped)

    def on_packet(self, subscriber: PacketSubscriber) -> Callable[[], None]:
        """Hand every packet to ``subscriber``, in the reading thread; returns how to end that."""
        return self._intake.subscribe(subscriber)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._too_many_abandoned():
                self._stopping.wait(_TICK_S)
                continue
            pause_s = self._serve_connection()
            if pause_s is None:
                return
            self._pause(pause_s)

    def _serve_connection(self) -> float | None:
        """Open one connection and look after it to its end.

        Returns:
            Seconds to wait before the next one; None if nothing more will come.
        """
        done = threading.Event()
        reader = Reader(
            self.spec,
            connection=self._connections,
            clock=self._clock,
            take=self._intake.take,
            done=done,
        )
        self._connections += 1
        reader.start()
        while not done.wait(_TICK_S):
            self._report_change()
            if self._stopping.is_set() or self._stalled(reader):
                break
        reader.cancel()
        if self._stopping.is_set():
            reader.join(_JOIN_S)
            return None
        if reader.held_s >= STABLE_AFTER_S:
            self._backoff.reset()
        return self._ended(reader) if done.is_set() else self._abandon(reader)

    def _ended(self, reader: Reader) -> float | None:
        reader.join(_JOIN_S)
        error = reader.error
        if error is None:
            _log.info("camera_film_over", camera=self.spec.id)
            return None
        # The only other error there is: the password is not where the specification says.
        reason = reason_of(error) if isinstance(error, CameraError) else "unauthorized"
        self._monitor.failed(reason)
        _log.warning("camera_disconnected", camera=self.spec.id, reason=reason, error=str(error))
        # Many cameras lock an account after a handful of wrong passwords.
        return LONGEST_PAUSE_S if reason == "unauthorized" else self._backoff.next()

    def _abandon(self, reader: Reader) -> float:
        self._abandoned.append(reader)
        self._monitor.failed("unreachable" if reader.connecting else "no_frames")
        _log.warning("camera_stalled", camera=self.spec.id, abandoned=len(self._abandoned))
        return self._backoff.next()

    def _stalled(self, reader: Reader) -> bool:
        return reader.silent_s > (CONNECTING_S if reader.connecting else STALLED_AFTER_S)

    def _too_many_abandoned(self) -> bool:
        self._abandoned = [reader for reader in self._abandoned if reader.running]
        return len(self._abandoned) >= ABANDONED_AT_MOST

    def _pause(self, seconds: float) -> None:
        ends = self._clock.now().monotonic + seconds
        while not self._stopping.is_set():
            self._report_change()
            left = ends - self._clock.now().monotonic
            if left <= 0 or self._stopping.wait(min(left, _TICK_S)):
                return

    def _report_change(self) -> None:
        health = self.health()
        if health.state is not self._state:
            self._state = health.state
            _log.info("camera_state", camera=self.spec.id, state=health.state, reason=health.reason)
