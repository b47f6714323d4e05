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
        self._sight = Sight()
        self._tracker: Tracker | None = None

    def observe(
        self, frame: Frame, detections: Detections, *, latency_s: float | None = None
    ) -> Observation:
        """What one frame shows, given what the network found in it.

        Args:
            frame: Frames must come in the order of their capture.
            detections: All classes.
            latency_s: This system's own delay from capture to alert, for rules on distances.
        """
        aspect = frame.width_px / frame.height_px
        if self._tracker is None:  # the first frame shows the picture's aspect
            self._tracker = create_tracker(aspect)
        persons = self._tracker.update(detections, frame.captured_at)
        seen = self._sight.update(persons, detections, frame.captured_at, self.calibration)
        return Observation(
            camera_id=frame.camera_id,
            at=frame.captured_at,
            sequence=frame.sequence,
            aspect=aspect,
            persons=self.ppe.wear(seen.persons, self.rules.ppe_wanted, frame.captured_at),
            vehicles=seen.vehicles,
            latency_s=latency_s,
        )

    def judge(self, observation: Observation, plant: PlantState) -> list[Violation]:
        """The violations that opened, changed or closed."""
        return self.rules.update(observation, plant)
