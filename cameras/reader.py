"""One connection to a camera: a thread that may block for as long as FFmpeg likes."""

import threading
from collections.abc import Callable

import structlog

from cameras import failures
from cameras.packets import EncodedPacket
from cameras.source import open_source
from cameras.specs import CameraSpec
from safety.clock import Clock, Instant
from safety.errors import AnjeonError

_log = structlog.get_logger(__name__)


class Reader:
    """Reads one connection until it breaks, ends or is cancelled; used for one connection only.

    Args:
        connection: Number of the connection, one higher than that of the one before.
        take: Called in the thread with every packet.
        done: Set when the thread is about to end.

    Attributes:
        error: Why it ended; None while it runs and when the film was over.
    """

    def __init__(
        self,
        spec: CameraSpec,
        *,
        connection: int,
        clock: Clock,
        take: Callable[[EncodedPacket], None],
        done: threading.Event,
    ) -> None:
        self._spec = spec
        self._connection = connection
        self._clock = clock
        self._take = take
        self._done = done
        self._cancelled = threading.Event()
        self.error: AnjeonError | None = None
        self._started_at = clock.now()
        self._heard_at: Instant | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"camera-{spec.id}-{connection}", daemon=True
        )

    def start(self) -> None:
        """Begin to connect."""
        self._started_at = self._clock.now()
        self._thread.start()

    def cancel(self) -> None:
        """End as soon as FFmpeg lets go; no packet is taken from now on."""
        self._cancelled.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; whether it has ended."""
        self._thread.join(timeout_s)
        return not self.running

    @property
    def running(self) -> bool:
        """Whether its thread is alive, blocked or not."""
        return self._thread.is_alive()

    @property
    def connecting(self) -> bool:
        """Whether no packet has come yet."""
        return self._heard_at is None

    @property
    def silent_s(self) -> float:
        """Seconds since the last packet, or since it began to connect."""
        last = self._heard_at or self._started_at
        return self._clock.now().monotonic - last.monotonic

    @property
    def held_s(self) -> float:
        """Seconds from the beginning to the last packet."""
        last = self._heard_at or self._started_at
        return last.monotonic - self._started_at.monotonic

    def _run(self) -> None:
        try:
            self._read()
        except AnjeonError as error:
            self.error = error
        except Exception as error:
            _log.exception("camera_reader_failed", camera=self._spec.id)
            detail = type(error).__name__
            self.error = failures.internal(self._spec.id, detail)
        finally:
            self._done.set()

    def _read(self) -> None:
        source = open_source(
            self._spec.source,
            clock=self._clock,
            cancelled=self._cancelled,
            connection=self._connection,
        )
        try:
            for packet in source.packets():
                if self._cancelled.is_set():
                    return
                self._heard_at = packet.at
                self._take(packet)
        finally:
            source.close()
