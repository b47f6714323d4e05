"""What a camera can honestly be said to watch, told from timestamps by whoever asks.

Nothing here waits for the camera: a reader that is blocked inside FFmpeg cannot keep its
camera from being declared blind.
"""

import threading
from collections import deque
from dataclasses import dataclass

from cameras.annexb import Codec
from safety.clock import Clock, Instant
from safety.types import CameraState

BLIND_AFTER_S = 2.0
"""Without a sound picture for so long, a camera is blind."""

STARTING_S = 5.0
"""For so long after the start, a camera without pictures and without an error is starting."""

RATE_WINDOW_S = 5.0
"""The rate is a mean over so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraHealth:
    """One camera at one moment.

    Attributes:
        state, reason: As in ``cameras.messages.CameraStatus``.
        since: When the state, whatever its reason, began.
        at: The moment.
        last_frame_at: When the newest sound picture was captured.
        capture_fps: Sound pictures per second.
        frames_captured: Pictures decoded, sound or not.
        frames_dropped: Pictures meant for analysis that a newer one replaced.
        frames_damaged: Pictures that were not sound.
        decode_errors: Packets that could not be decoded at all.
        reconnects: Connections after the first that brought pictures.
    """

    state: CameraState
    reason: str
    since: Instant
    at: Instant
    codec: Codec | None
    width_px: int | None
    height_px: int | None
    last_frame_at: Instant | None
    capture_fps: float
    frames_captured: int
    frames_dropped: int
    frames_damaged: int
    decode_errors: int
    reconnects: int


class Rate:
    """Events per second over the last ``RATE_WINDOW_S`` seconds."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque()

    def count(self, at: Instant) -> None:
        """One more event."""
        self._moments.append(at.monotonic)
        self._forget(at)

    def per_second(self, now: Instant) -> float:
        """The mean rate up to now."""
        self._forget(now)
        return len(self._moments) / RATE_WINDOW_S

    def _forget(self, now: Instant) -> None:
        while self._moments and now.monotonic - self._moments[0] >= RATE_WINDOW_S:
            self._moments.popleft()


class HealthMonitor:
    """Gathers what happens to one camera, from any thread, and judges it when asked.

    It knows whether pictures come, live or blind. Whether they are analysed fast enough is
    judged where the analysis is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        now = clock.now()
        self._started_at = now
        self._state = CameraState.BLIND
        self._since = now
        self._codec: Codec | None = None
        self._size: tuple[int, int] | None = None
        self._capture = Rate()
        self._last_frame: Instant | None = None
        self._last_damage: Instant | None = None
        self._frozen = False
        self._failure: str | None = None
        self._captured = self._damaged = self._errors = 0
        self._connections = 0

    def connected(self, codec: Codec) -> None:
        """A connection brought its first picture."""
        with self._lock:
            self._codec = codec
            self._connections += 1

    def failed(self, reason: str) -> None:
        """A connection could not be made, or broke; holds until the next sound picture."""
        with self._lock:
            self._failure = reason

    def saw(self, width_px: int, height_px: int, at: Instant) -> int:
        """A sound picture was decoded; returns how many pictures there have been."""
        with self._lock:
            self._captured += 1
            self._capture.count(at)
            self._size = width_px, height_px
            self._last_frame = at
            self._failure = None
            return self._captured

    def saw_damage(self, at: Instant) -> None:
        """A picture was decoded that cannot be trusted."""
        with self._lock:
            self._captured += 1
            self._damaged += 1
            self._last_damage = at

    def could_not_decode(self, at: Instant) -> None:
        """A packet was not even decoded."""
        with self._lock:
            self._errors += 1
            self._last_damage = at

    def judged_frozen(self, frozen: bool) -> None:
        """Whether the picture stands still."""
        with self._lock:
            self._frozen = frozen

    def snapshot(self, *, dropped: int = 0) -> CameraHealth:
        """The camera as of now; ``dropped`` is counted elsewhere."""
        with self._lock:
            now = self._clock.now()
            state, reason = self._judge(now)
            if state is not self._state:
                self._state, self._since = state, now
            width, height = self._size or (None, None)
            return CameraHealth(
                state=state,
                reason=reason,
                since=self._since,
                at=now,
                codec=self._codec,
                width_px=width,
                height_px=height,
                last_frame_at=self._last_frame,
                capture_fps=self._capture.per_second(now),
                frames_captured=self._captured,
                frames_dropped=dropped,
                frames_damaged=self._damaged,
                decode_errors=self._errors,
                reconnects=max(0, self._connections - 1),
            )

    def _judge(self, now: Instant) -> tuple[CameraState, str]:
        if self._silent(now):
            return CameraState.BLIND, self._why_silent(now)
        if self._frozen:
            return CameraState.BLIND, "frozen"
        return CameraState.LIVE, "ok"

    def _silent(self, now: Instant) -> bool:
        last = self._last_frame
        return last is None or now.monotonic - last.monotonic > BLIND_AFTER_S

    def _why_silent(self, now: Instant) -> str:
        if self._failure is not None:
            return self._failure
        damage = self._last_damage
        if damage is not None and now.monotonic - damage.monotonic <= BLIND_AFTER_S:
            return "corrupt"
        starting = now.monotonic - self._started_at.monotonic <= STARTING_S
        return "starting" if self._last_frame is None and starting else "no_frames"
