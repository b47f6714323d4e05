"""Time, injected everywhere: nothing else in the project reads a clock or sleeps."""

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """One moment on both clocks of a machine.

    Attributes:
        wall: Unix time in seconds, UTC. What people read; it may jump.
        monotonic: Seconds on the machine's monotonic clock, shared by all its
            processes since boot. What durations are computed from; it never jumps.
    """

    wall: float
    monotonic: float

    def shifted(self, seconds: float) -> "Instant":
        """The instant that lies ``seconds`` later (earlier if negative)."""
        return Instant(wall=self.wall + seconds, monotonic=self.monotonic + seconds)


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> Instant:
        """The present instant."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        ...

    async def sleep_async(self, seconds: float) -> None:
        """Suspend the calling task."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> Instant:
        return Instant(wall=time.time(), monotonic=time.monotonic())

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to: replay, simulation and tests.

    ``sleep`` and ``sleep_async`` advance it by the time asked for. ``jump`` moves
    the wall clock alone, as an operator or a bad NTP server would.
    """

    def __init__(self, *, wall: float = 1_767_600_000.0, monotonic: float = 1_000.0) -> None:
        self._lock = threading.Lock()
        self._wall = wall
        self._monotonic = monotonic

    def now(self) -> Instant:
        with self._lock:
            return Instant(wall=self._wall, monotonic=self._monotonic)

    def advance(self, seconds: float) -> Instant:
        """Move both clocks forward.

        Raises:
            ValueError: ``seconds`` is negative; use ``jump`` for the wall clock.
        """
        if seconds < 0:
            raise ValueError("a monotonic clock cannot go back; use jump() for the wall clock")
        with self._lock:
            self._wall += seconds
            self._monotonic += seconds
            return Instant(wall=self._wall, monotonic=self._monotonic)

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, forwards or backwards."""
        with self._lock:
            self._wall += seconds

    def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))

    async def sleep_async(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)
