"""Adds up for how long what has to be worn is worn: by hour, rule and item; nobody's own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cameras.messages import PpeSum, PpeSums
from safety.types import Observation, PpeItem, PpeState
from zones.engine import PpeDuty

TOLD_EVERY_S: Final = 10.0

LONGEST_STEP_S: Final = 1.0
"""A camera that was blind for longer did not see anybody meanwhile."""

STAY_ENDS_S: Final = 4.0
"""Who was out of the zone, or out of sight, for longer begins another stay."""

_HOUR_S = 3600


@dataclass(slots=True)
class _Seconds:
    zone_id: str
    of: dict[PpeState, float] = field(default_factory=lambda: dict.fromkeys(PpeState, 0.0))
    stays: int = 0


@dataclass(slots=True)
class _Camera:
    """Of one camera; times in monotonic seconds."""

    told_at: float
    looked_at: float
    sums: dict[tuple[int, str, PpeItem], _Seconds] = field(default_factory=dict)
    decided: dict[tuple[str, PpeItem, int], float] = field(default_factory=dict)
    """When somebody was last inside, of whom something is known in this stay."""


class PpeSumming:
    """Adds up a shard's frames. The inference thread alone uses it, but for ``flush``.

    Args:
        tell: Takes a message; called in the same thread.
    """

    def __init__(self, tell: Callable[[PpeSums], None]) -> None:
        self._tell = tell
        self._cameras: dict[str, _Camera] = {}

    def analysed(self, observation: Observation, duties: Sequence[PpeDuty]) -> None:
        """Take one analysed frame; duties are those of the same frame."""
        now = observation.at.monotonic
        camera = self._cameras.get(observation.camera_id)
        if camera is None:
            if not duties:
                return
            camera = self._cameras[observation.camera_id] = _Camera(now, now)
        step = min(max(now - camera.looked_at, 0.0), LONGEST_STEP_S)
        camera.looked_at = now
        hour = int(observation.at.wall // _HOUR_S) * _HOUR_S
        worn = {person.track_id: person.ppe for person in observation.persons}
        for duty in duties:
            for track_id in duty.inside & worn.keys():
                for item in duty.items:
                    state = worn[track_id].get(item, PpeState.UNKNOWN)
                    self._count(camera, hour, duty, item, track_id, state, step)
        if now - camera.told_at >= TOLD_EVERY_S:
            self._told(observation.camera_id, camera, now)

    def flush(self) -> None:
        """Tell what has not been told; when no frame comes any more."""
        for camera_id, camera in self._cameras.items():
            self._told(camera_id, camera, camera.looked_at)

    def _count(
        self,
        camera: _Camera,
        hour: int,
        duty: PpeDuty,
        item: PpeItem,
        track_id: int,
        state: PpeState,
        step: float,
    ) -> None:
        total = camera.sums.setdefault((hour, duty.rule_id, item), _Seconds(duty.zone_id))
        total.of[state] += step
        stay = duty.rule_id, item, track_id
        if state is not PpeState.UNKNOWN and stay not in camera.decided:
            total.stays += 1
            camera.decided[stay] = camera.looked_at
        elif stay in camera.decided:
            camera.decided[stay] = camera.looked_at

    def _told(self, camera_id: str, camera: _Camera, now: float) -> None:
        camera.told_at = now
        camera.decided = {
            stay: at for stay, at in camera.decided.items() if now - at <= STAY_ENDS_S
        }
        if not camera.sums:
            return
        sums, camera.sums = camera.sums, {}
        self._tell(
            PpeSums(
                camera_id=camera_id,
                sums=tuple(
                    PpeSum(
                        hour=hour,
                        rule_id=rule_id,
                        zone_id=total.zone_id,
                        item=item,
                        worn_s=round(total.of[PpeState.WORN], 3),
                        missing_s=round(total.of[PpeState.MISSING], 3),
                        unknown_s=round(total.of[PpeState.UNKNOWN], 3),
                        stays=total.stays,
                    )
                    for (hour, rule_id, item), total in sums.items()
                ),
            )
        )
