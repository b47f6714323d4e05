"""What the network is given of one camera's frames, by the plan in force.

The shard, the replay of films, scores and drills use this one path, so that what is tried is
what will happen.
"""

from collections.abc import Sequence

from cameras.region_plan import CameraPlan
from cameras.regions import WHOLE, Region, cut, merged
from safety.perception.detector import Detector
from safety.types import Detections, Frame


class Gaze:
    """Says of every frame which parts are due.

    Attributes:
        plan: The plan in force; may be replaced between frames.
    """

    def __init__(self, plan: CameraPlan) -> None:
        """Start with the whole picture due."""
        self.plan = plan
        self._whole_at = float("-inf")

    def due(self, frame: Frame) -> tuple[Region, ...]:
        """What the network is to see of this frame; ask once for each."""
        plan, at = self.plan, frame.captured_at.monotonic
        if plan.regions and at - self._whole_at < plan.context_s:
            return plan.regions
        self._whole_at = at
        return (*plan.regions, WHOLE)

    def was_whole(self, at: float) -> bool:
        """Whether the whole of the frame captured at ``at``, monotonic seconds, was due."""
        return not self.plan.regions or at == self._whole_at


def look(detector: Detector, frame: Frame, regions: Sequence[Region], width_px: int) -> Detections:
    """What the network finds in these parts of a frame, as one result.

    Args:
        detector: Of ``width_px``, for the frame's aspect.
        regions: As they are due.

    Raises:
        ModelError: The network failed.
    """
    found = detector.detect([cut(frame, region, width_px) for region in regions])
    return merged(list(zip(regions, found, strict=True)))
