"""Plans the running cameras of a shard, again whenever something that matters has changed."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cameras.budget import NetworkCosts, picture_ms
from cameras.lane import Lane
from cameras.region_plan import CameraTask, Outlook, plan_cameras
from cameras.region_plan_heights import CalibratedHeights, Heights, LearnedHeights
from cameras.region_plan_zones import SeenZone, seen_zone
from cameras.specs import CameraSpec
from zones.calibration import FloorCalibration
from zones.geometry import Polygon
from zones.rules.base import RuleBase
from zones.specs import RuleSpec, ZoneSpec

CLOSE_UP_KINDS = frozenset(
    {
        "intrusion", "dwell", "reach_in", "occupancy", "missing_ppe",
        "fall", "man_down", "posture", "running",
    }
)  # fmt: skip
"""Rules that are about people in a zone, so that a close-up of it shows all they need. Others
are about vehicles too, which come from afar, or about lines."""


BEHIND = 0.2
"""Share of the frames that may be lost between two plans; more means that too much is asked."""

LEAST_FRAMES = 10
"""With fewer frames nothing is said about that."""

LESS = 0.7
"""What the network costs was measured in a quiet moment. Where frames are lost all the same, so
much of what was planned with is planned with from then on,"""

CALM_PLANS = 300
"""until nothing has been lost for so many looks, ten minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a configuration says of one camera."""

    spec: CameraSpec
    zones: tuple[ZoneSpec, ...]
    rules: tuple[RuleSpec, ...]
    rule_revisions: dict[str, int]

    polygons: dict[str, Polygon]
    """The zones in the camera's picture, by id."""

    calibration: FloorCalibration | None = None

    @property
    def ruled_zones(self) -> frozenset[str]:
        """Zones that an enabled rule watches."""
        return frozenset(rule.zone_id for rule in self.rules if rule.enabled and rule.zone_id)

    def rules_on(self, zones: Collection[str]) -> frozenset[str]:
        """Rules on these zones."""
        return frozenset(rule.id for rule in self.rules if rule.zone_id in zones)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What one camera's plan depends on.

    Attributes:
        size: Width and height of its picture; None: it has shown none.
        learned: How tall people look in it, as far as the calibration does not say so.
    """

    part: Part
    size: tuple[int, int] | None
    learned: LearnedHeights | None

    @property
    def heights(self) -> Heights | None:
        """How tall people look in it; None: nobody knows."""
        calibration = self.part.calibration
        return self.learned if calibration is None else CalibratedHeights(calibration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What all cameras of a shard were planned with."""

    inputs: Sequence[Known]
    costs: Mapping[tuple[int, int], float]
    share: float


class Planner:
    """Makes plans from what the lanes have seen and the networks cost.

    Attributes:
        planned_with: What the plans in force were made from; None before the first.
    """

    def __init__(self, costs: NetworkCosts) -> None:
        self._costs = costs
        self.planned_with: Basis | None = None
        self._known: object = None
        self._revision = 0
        self._load = _Load()

    def forget(self) -> None:
        """Plan anew in any case: there is a new configuration."""
        self._revision += 1

    async def plan(
        self, parts: Mapping[str, Part], lanes: Mapping[str, Lane], *, cameras_in_all: int
    ) -> dict[str, Outlook] | None:
        """What every camera that has shown a picture is to do; None: as before.

        Args:
            parts: The configuration, by camera id.
            lanes: The running cameras.
            cameras_in_all: Cameras on this machine.
        """
        seen = [(part, lane) for key, part in parts.items() if (lane := lanes.get(key)) is not None]
        inputs = [_known(part, lane) for part, lane in seen]
        costs = self._costs.known()
        usable = self._load.usable([lane for _, lane in seen])
        known = (self._revision, inputs, costs, usable)
        if known == self._known:
            return None
        share = usable * len(parts) / max(cameras_in_all, len(parts), 1)
        outlooks = await asyncio.to_thread(outlooks_of, inputs, costs, share)
        self._known = known
        self.planned_with = Basis(inputs=inputs, costs=costs, share=share)
        return outlooks


class _Load:
    """Whether the machine keeps up, by the frames that nobody had time for."""

    def __init__(self) -> None:
        self._usable = 1.0
        self._calm = 0
        self._counted: dict[int, tuple[int, int]] = {}

    def usable(self, lanes: Sequence[Lane]) -> float:
        """Share of what was measured that can be planned with; ask at every look."""
        counts = {id(lane): (lane.worker.slot.dropped, lane.frames_analysed) for lane in lanes}
        steps = [
            (dropped - self._counted[key][0], analysed - self._counted[key][1])
            for key, (dropped, analysed) in counts.items()
            if key in self._counted
        ]
        self._counted = counts
        lost, seen = (sum(step[i] for step in steps) for i in (0, 1))
        if lost + seen >= LEAST_FRAMES and lost > BEHIND * (lost + seen):
            self._usable, self._calm = self._usable * LESS, 0
        else:
            self._calm += 1
        if self._calm >= CALM_PLANS:
            self._usable, self._calm = 1.0, 0
        return self._usable


def _known(part: Part, lane: Lane) -> Known:
    frame = lane.newest
    size = None if frame is None else (frame.width_px, frame.height_px)
    return Known(part=part, size=size, learned=lane.heights.heights())


def outlooks_of(
    inputs: Sequence[Known], costs: Mapping[tuple[int, int], float], share: float
) -> dict[str, Outlook]:
    """Plan the cameras of one shard, those that have shown a picture.

    Args:
        inputs: The cameras.
        costs: Milliseconds per picture by size of the network.
        share: Of the machine.
    """
    tasks = [task for each in inputs if (task := _task(each)) is not None]
    plans = plan_cameras(tasks, lambda size: picture_ms(costs, size), share=share)
    found = {
        zone_id for plan in plans.values() for zone_id in plan.zone_px.keys() - {*plan.unresolved}
    }
    return {
        part.spec.id: Outlook(
            plan=plan,
            missed=(part.ruled_zones & {*plan.unresolved}) - found,
            doubtful_rules=part.rules_on(plan.unresolved),
        )
        for part in (each.part for each in inputs)
        if (plan := plans.get(part.spec.id)) is not None
    }


def _task(each: Known) -> CameraTask | None:
    if each.size is None:
        return None
    part = each.part
    return CameraTask(
        camera_id=part.spec.id,
        width_px=each.size[0],
        height_px=each.size[1],
        network_width=part.spec.network_width,
        fps=part.spec.max_fps,
        zones=[_zone(zone, each) for zone in part.zones],
        everywhere=any(_is_everywhere(rule) for rule in part.rules if rule.enabled),
        free=part.spec.analysis == "auto",
    )


def _zone(zone: ZoneSpec, each: Known) -> SeenZone:
    return seen_zone(
        zone.id,
        each.part.polygons[zone.id],
        zone.floor_m,
        ruled=zone.id in each.part.ruled_zones,
        heights=each.heights,
        calibration=each.part.calibration,
    )


def _is_everywhere(rule: RuleBase) -> bool:
    """Whether a rule needs the whole picture of every frame."""
    kind = str(getattr(rule, "kind", ""))
    return kind != "blind_spot" and (kind not in CLOSE_UP_KINDS or rule.zone_id is None)
