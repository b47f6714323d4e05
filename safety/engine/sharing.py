"""Who is in zones that several cameras see, so that every camera counts the same people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cameras.messages import CameraStatus
from safety.clock import Clock
from safety.engine.merging import Merged
from safety.engine.site import EngineSite
from safety.types import CameraState, SharedZone
from zones.areas import ZoneArea
from zones.engine import polygon_of
from zones.rules.occupancy import CONFIRM_S, OccupancySpec

_TOLERANCE_S = 1e-3


@dataclass(frozen=True, slots=True)
class _Zone:
    """A zone, and the cameras that see it."""

    area: ZoneArea
    cameras: tuple[str, ...]


class SharedZones:
    """Looks at the plan for the rules that count people.

    Somebody counts after as long as before a single camera: a flicker is nobody. Who is not seen
    any more counts for as long as the plan keeps them.

    Args:
        site: The configuration in force, asked anew every time.
        people: Everybody on the plan now.
        statuses: The newest status of every camera.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        site: Callable[[], EngineSite],
        people: Callable[[], Sequence[Merged]],
        statuses: Callable[[], Mapping[str, CameraStatus]],
    ) -> None:
        self._clock = clock
        self._site = site
        self._people = people
        self._statuses = statuses
        self._revision: int | None = None
        self._zones: dict[str, _Zone] = {}
        self._since: dict[tuple[str, int], float] = {}
        self._told: dict[str, SharedZone] = {}

    def look(self) -> dict[str, SharedZone]:
        """Who is in every such zone now, by its id."""
        site = self._site()
        if site.revision != self._revision:
            self._revision, self._zones = site.revision, _shared(site)
            self._since.clear()
        inside = self._inside() if self._zones else {}
        self._told = {
            zone_id: SharedZone(
                cameras=zone.cameras,
                people=inside.get(zone_id, ()),
                unseen_by=tuple(c for c in zone.cameras if not self._sees(c, zone_id)),
            )
            for zone_id, zone in self._zones.items()
        }
        return self._told

    def changed(self) -> bool:
        """Whether something is otherwise than when it was looked at last."""
        before = self._told
        return bool(self._zones) and self.look() != before

    def _inside(self) -> dict[str, tuple[tuple[tuple[str, int], ...], ...]]:
        now, people = self._clock.now().monotonic, self._people()
        places = np.array([(each.x_m, each.y_m) for each in people]).reshape(-1, 2)
        since: dict[tuple[str, int], float] = {}
        found: dict[str, tuple[tuple[tuple[str, int], ...], ...]] = {}
        for zone_id, zone in self._zones.items():
            is_in = zone.area.contains(places).tolist()
            there = [each for each, inside in zip(people, is_in, strict=True) if inside]
            since |= {(zone_id, p.id): self._since.get((zone_id, p.id), now) for p in there}
            found[zone_id] = tuple(
                each.tracks
                for each in there
                if now - since[zone_id, each.id] >= CONFIRM_S - _TOLERANCE_S
            )
        self._since = since
        return found

    def _sees(self, camera_id: str, zone_id: str) -> bool:
        status = self._statuses().get(camera_id)
        return (
            status is not None
            and status.state is not CameraState.BLIND
            and zone_id not in status.unresolved_zones
        )


def _shared(site: EngineSite) -> dict[str, _Zone]:
    """The zones on the floor in which people are counted and that two cameras or more see."""
    counted = {rule.zone_id for rule in site.spec.rules if isinstance(rule, OccupancySpec)}
    found: dict[str, _Zone] = {}
    for zone in site.spec.zones:
        if zone.floor_m is None or zone.id not in counted:
            continue
        cameras = tuple(
            camera_id
            for camera_id, calibration in site.calibrations.items()
            if polygon_of(zone, calibration) is not None
        )
        if len(cameras) > 1:
            found[zone.id] = _Zone(ZoneArea(zone.floor_m), cameras)
    return found
