"""Cameras that have been blind for too long, and those that see again."""

from collections.abc import Mapping
from dataclasses import dataclass

from safety.clock import Instant
from safety.engine.coverage import Interval
from safety.types import CameraState


@dataclass(frozen=True, slots=True, kw_only=True)
class Blindness:
    """One episode in which a camera saw nothing, whatever the reasons were one after another.

    Attributes:
        id: Tells this episode from all others; the alert's dedupe key.
        reason: The reason it is blind now.
        over: It sees again (or is no longer meant to).
    """

    id: str
    camera_id: str
    since: Instant
    reason: str
    over: bool


class BlindnessWatch:
    """Decides when blindness becomes an alert."""

    def __init__(self) -> None:
        self._since: dict[str, Instant] = {}
        self._raised: dict[str, Blindness] = {}

    def resume(self, alerts: Mapping[str, tuple[str, Instant]]) -> None:
        """Go on with episodes that an earlier life raised: camera id → episode id, since."""
        for camera_id, (episode_id, since) in alerts.items():
            self._since[camera_id] = since
            self._raised[camera_id] = Blindness(
                id=episode_id, camera_id=camera_id, since=since, reason="starting", over=False
            )

    def update(
        self, current: Mapping[str, Interval], limits_s: Mapping[str, float], now: Instant
    ) -> list[Blindness]:
        """Episodes that just passed their camera's limit, and raised ones that just ended.

        Args:
            current: The present interval of every camera.
            limits_s: Seconds of blindness after which to alert, for every enabled camera.
        """
        blind = {
            camera_id: interval
            for camera_id, interval in current.items()
            if interval.state is CameraState.BLIND and camera_id in limits_s
        }
        for camera_id in blind:
            self._since.setdefault(camera_id, blind[camera_id].started)
        changed = [self._end(camera_id) for camera_id in set(self._raised) - set(blind)]
        for camera_id in set(self._since) - set(blind):
            del self._since[camera_id]
        for camera_id, since in self._since.items():
            waited = now.monotonic - since.monotonic
            if camera_id not in self._raised and waited >= limits_s[camera_id]:
                changed.append(self._begin(camera_id, since, blind[camera_id].reason))
        return changed

    def _begin(self, camera_id: str, since: Instant, reason: str) -> Blindness:
        episode = Blindness(
            id=f"blind:{camera_id}:{since.wall:.3f}",
            camera_id=camera_id,
            since=since,
            reason=reason,
            over=False,
        )
        self._raised[camera_id] = episode
        return episode

    def _end(self, camera_id: str) -> Blindness:
        raised = self._raised.pop(camera_id)
        return Blindness(
            id=raised.id,
            camera_id=camera_id,
            since=raised.since,
            reason=raised.reason,
            over=True,
        )
