"""The networks of a shard: loaded beside the running analysis, shared by cameras of one size."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from cameras.backoff import Backoff
from safety.clock import Clock
from safety.errors import AnjeonError, ModelError
from safety.perception.detector import Detector
from safety.perception.letterbox import network_size

log = structlog.get_logger(__name__)

Load = Callable[[int, float], Detector]
"""Loads a network for a width in pixels and an aspect; blocks for seconds."""

LEAVE_S = 10.0
"""A network that is being loaded when the shard leaves is waited for so long."""

FAILURES_TO_RELOAD = 10
"""A network that fails so often in a row is thrown away and loaded anew."""


@dataclass(slots=True)
class _Entry:
    detector: Detector | None = None
    error: ModelError | None = None
    failures: int = 0


class DetectorPool:
    """One detector per network size, loaded in a thread of its own.

    Loading takes seconds, during which cameras of other sizes go on. A network that cannot be
    loaded is tried again, since somebody may have mended the file.
    """

    def __init__(self, load: Load, *, clock: Clock) -> None:
        self._load = load
        self._clock = clock
        self._entries: dict[tuple[int, int], _Entry] = {}
        self._lock = threading.Lock()
        self._loading: list[threading.Thread] = []
        self._closing = threading.Event()
        self.errors = 0

    def get(self, width: int, aspect: float) -> Detector | None:
        """The detector for pictures of this aspect; None while it is being loaded.

        Raises:
            ModelError: It could not be loaded; loading is tried again meanwhile.
        """
        size = network_size(width, aspect)
        with self._lock:
            entry = self._entries.get(size)
            if entry is None:
                entry = self._entries[size] = _Entry()
                self._start_loading(entry, width, aspect)
        if entry.error is not None:
            # Raised for every frame: without this its traceback would grow each time.
            raise entry.error.with_traceback(None)
        return entry.detector

    def failed(self, detector: Detector) -> None:
        """The detector did not give a result."""
        self.errors += 1
        with self._lock:
            for size, entry in list(self._entries.items()):
                if entry.detector is detector:
                    entry.failures += 1
                    if entry.failures >= FAILURES_TO_RELOAD:
                        del self._entries[size]
                        log.error("detector_reloads", size=size, failures=entry.failures)

    def succeeded(self, detector: Detector) -> None:
        """The detector gave a result."""
        for entry in self._entries.values():
            if entry.detector is detector:
                entry.failures = 0

    def close(self, timeout_s: float = LEAVE_S) -> None:
        """Stop loading and free the networks.

        A process that ends while a network is being compiled is aborted by the engine's threads,
        so that whoever loads is waited for.
        """
        self._closing.set()
        with self._lock:
            loading = list(self._loading)
        end = self._clock.now().monotonic + timeout_s
        for thread in loading:
            thread.join(max(0.0, end - self._clock.now().monotonic))
        with self._lock:
            for entry in self._entries.values():
                if entry.detector is not None:
                    entry.detector.close()

    def _start_loading(self, entry: _Entry, width: int, aspect: float) -> None:
        thread = threading.Thread(
            target=self._load_into, args=(entry, width, aspect), name="load", daemon=True
        )
        self._loading = [each for each in self._loading if each.is_alive()] + [thread]
        thread.start()

    def _load_into(self, entry: _Entry, width: int, aspect: float) -> None:
        backoff = Backoff(first_s=2.0, last_s=60.0)
        while not self._closing.is_set():
            begun = self._clock.now().monotonic
            try:
                detector = self._load(width, aspect)
            except Exception as error:  # the border of this thread
                entry.error = _as_model_error(error)
                self.errors += 1
                log.error("detector_not_loaded", width=width, error=str(error))
                self._closing.wait(backoff.next())
            else:
                seconds = round(self._clock.now().monotonic - begun, 2)
                log.info("detector_loaded", size=detector.network_px, seconds=seconds)
                entry.detector, entry.error = detector, None
                return


def _as_model_error(error: Exception) -> ModelError:
    if isinstance(error, ModelError):
        return error
    if isinstance(error, AnjeonError):
        return ModelError(error.key, "{text}", text=str(error))
    return ModelError(
        "model.not_loaded",
        "the network could not be loaded ({why}); see the log of the shard",
        why=type(error).__name__,
    )
