"""What calibrated cameras see on the floor, told to the engine a few times a second."""

from collections.abc import Callable, Collection, Iterable

from cameras.analysis import Analysis
from cameras.messages import FloorSighting
from safety.clock import Clock
from safety.types import SeenVehicle, TrackedPerson

TOLD_EVERY_S = 0.2

Place = tuple[int, float, float, float, float, float]


class Sightings:
    """Thins the analysed frames of calibrated cameras to what the engine needs of them.

    Used in the inference thread.

    Args:
        tell: Takes a message; called in the same thread.
    """

    def __init__(self, tell: Callable[[FloorSighting], None], *, clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._told_at: dict[str, float] = {}

    def analysed(
        self,
        camera_id: str,
        analysis: Analysis,
        *,
        unreal: Collection[int] = (),
        at_once: bool = False,
    ) -> None:
        """Take one frame of a calibrated camera.

        Args:
            camera_id: The camera.
            analysis: Of that frame.
            unreal: Tracks of what is no person: they are nowhere on the floor.
            at_once: Tell of it however short ago the last one was: a violation is on its way,
                and the engine has to know who on the plan that is when it comes.
        """
        at = analysis.frame.captured_at.monotonic
        if not at_once and at - self._told_at.get(camera_id, 0.0) < TOLD_EVERY_S:
            return
        self._told_at[camera_id] = at
        self._tell(
            FloorSighting(
                camera_id=camera_id,
                age_s=max(0.0, self._clock.now().monotonic - at),
                people=_places(p for p in analysis.persons if p.track_id not in unreal),
                vehicles=_places(analysis.vehicles),
            )
        )


def _places(seen: Iterable[TrackedPerson | SeenVehicle]) -> tuple[Place, ...]:
    return tuple(
        (each.track_id, each.floor.x_m, each.floor.y_m, *each.floor.covariance_m2)
        for each in seen
        if each.floor is not None
    )
