"""What became of one frame, and how often a camera is analysed."""

from collections import deque
from dataclasses import dataclass

from safety.types import (
    Frame,
    Observation,
    PlantState,
    SeenVehicle,
    TrackedPerson,
    Violation,
)
from zones.calibration import FloorCalibration


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One analysed frame.

    Attributes:
        observation: What it shows.
        plant: What the plant said then.
        open_violations: The camera's open violations after it.
        calibration: How the camera saw the floor; None: unknown.
        beside: Who was outside the close-ups when the whole picture was last looked at; to be
            drawn, and nothing else.
    """

    frame: Frame
    observation: Observation
    plant: PlantState
    open_violations: tuple[Violation, ...]
    calibration: FloorCalibration | None = None
    beside: tuple[TrackedPerson, ...] = ()

    @property
    def persons(self) -> tuple[TrackedPerson, ...]:
        """Everybody followed in it."""
        return self.observation.persons

    @property
    def vehicles(self) -> tuple[SeenVehicle, ...]:
        """The vehicles in it."""
        return self.observation.vehicles


class AnalysisRate:
    """How many frames per second are analysed, over the last seconds.

    Args:
        min_fps: The rate it will be compared with; a low one is measured over a longer time.
    """

    def __init__(self, min_fps: float) -> None:
        self._window_s = max(3.0, 3 / min_fps)
        self._since: float | None = None
        self._times: deque[float] = deque()

    def add(self, at: float) -> None:
        """One frame was analysed, at ``at`` monotonic seconds."""
        if self._since is None:
            self._since = at
        self._times.append(at)
        while at - self._times[0] > self._window_s:
            self._times.popleft()

    def restart(self) -> None:
        """The camera was blind: measure anew when it sees again."""
        self._since = None
        self._times.clear()

    def fps(self, now: float) -> float:
        """Frames per second up to ``now``, monotonic seconds."""
        since = self._since
        if since is None:
            return 0.0
        recent = sum(now - time <= self._window_s for time in tuple(self._times))
        return recent / min(self._window_s, max(1.0, now - since))

    def measured(self, now: float) -> bool:
        """Whether it has been measured for long enough to be judged."""
        return self._since is not None and now - self._since >= self._window_s
