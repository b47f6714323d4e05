"""What becomes of one camera's detections: who is there, what they wear, which rules they break.

The shard and the replay of films use this one path, so that what is tried is what will happen.
"""

from cameras.ppe_watch import PpeWatch
from cameras.sight import Sight
from safety.perception.tracking import Tracker, create_tracker
from safety.types import Detections, Frame, Observation, PlantState, Violation
from zones.calibration import FloorCalibration
from zones.engine import RuleEngine


class Analyst:
    """Follows one camera's persons and vehicles and judges them by the camera's rules.

    Attributes:
        rules: The camera's rules.
        calibration: How it sees the floor; None: unknown.
        ppe: What its persons wear.
    """

    def __init__(self, rules: RuleEngine, *, calibration: FloorCalibration | None = None) -> None:
        """Start with nothing seen."""
        self.rules = rules
        self.calibration = calibration
        self.ppe = PpeWatch()
        self._aspect = 0.0
        self._tracker: Tracker | None = None
        self._sight: Sight | None = None

    def observe(
        self, frame: Frame, detections: Detections, *, latency_s: float | None = None
    ) -> Observation:
        """What one frame shows, given what the network found in it.

        Args:
            frame: Frames must come in the order of their capture.
            detections: All classes.
            latency_s: This system's own delay from capture to alert, for rules on distances.
        """
        tracker, sight = self._followers(frame.width_px / frame.height_px)
        persons = tracker.update(detections, frame.captured_at)
        seen = sight.update(persons, detections, frame.captured_at, self.calibration)
        return Observation(
            camera_id=frame.camera_id,
            at=frame.captured_at,
            sequence=frame.sequence,
            aspect=self._aspect,
            persons=self.ppe.wear(seen.persons, self.rules.ppe_wanted, frame.captured_at),
            vehicles=seen.vehicles,
            latency_s=latency_s,
        )

    def judge(self, observation: Observation, plant: PlantState) -> list[Violation]:
        """The violations that opened, changed or closed."""
        return self.rules.update(observation, plant)

    def _followers(self, aspect: float) -> tuple[Tracker, Sight]:
        """Tracker and sight, made when the first frame shows the picture's aspect."""
        if self._tracker is None or self._sight is None:
            self._aspect = aspect
            self._tracker, self._sight = create_tracker(aspect), Sight(aspect)
        return self._tracker, self._sight
