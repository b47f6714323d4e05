"""The place between camera and network: one frame, and the newest one wins."""

import threading
from collections.abc import Callable

from safety.types import Frame


class FrameSlot:
    """Holds the newest frame of a camera until somebody takes it.

    Args:
        notify: Called, without arguments, in the camera's thread after every new frame.
    """

    def __init__(self, notify: Callable[[], None] | None = None) -> None:
        self._notify = notify
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._dropped = 0
        self._waiting_since = 0.0
        self._replaced = False

    def put(self, frame: Frame) -> None:
        """Offer a frame; one that nobody took is dropped and counted."""
        with self._lock:
            self._replaced = self._frame is not None
            if self._replaced:
                self._dropped += 1
            else:
                self._waiting_since = frame.captured_at.monotonic
            self._frame = frame
        if self._notify is not None:
            self._notify()

    def take(self) -> Frame | None:
        """The newest frame, or None if it has been taken."""
        with self._lock:
            frame, self._frame = self._frame, None
            return frame

    @property
    def ready(self) -> bool:
        """Whether there is a frame to take."""
        return self._frame is not None

    @property
    def late(self) -> bool:
        """Whether the frame replaced others: its camera is looked at less often than it asks."""
        return self._replaced

    @property
    def waiting_since(self) -> float:
        """When the frame was captured, or the first of those that it replaced: since then nobody
        has looked at this camera; monotonic seconds."""
        return self._waiting_since

    @property
    def dropped(self) -> int:
        """Frames that were replaced before anybody took them."""
        return self._dropped
