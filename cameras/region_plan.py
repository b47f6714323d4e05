"""Which parts of every camera's picture the network looks at, and how closely.

Everybody gets the whole picture. Where people in a zone would look too small in it, the planner
takes the cheapest way that the machine can afford: a close-up of the zones, with the whole
picture now and then, or a wider network. What stays too small is said: those zones count as
NOT MONITORED.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cameras.budget import USABLE
from cameras.region_plan_layouts import layouts
from cameras.region_plan_zones import SeenZone
from cameras.regions import WHOLE, Region
from safety.perception.letterbox import network_size

WIDTHS = (640, 960, 1280)
"""Network widths to choose from."""

CONTEXT_S = 0.5
"""Between two looks at the whole picture, where there are close-ups."""

LEAST_PX = 32.0
LEAST_PX_BY_SCALE = 48.0
"""Nine of ten people are found from this height on: pixels of the network's input, and so many
more per network pixel per camera pixel, for what is not shrunk is blurred. Measured, see
docs/regions.md."""

COMFORT = 1.25
"""With so much more than the least, 97 of 100 are found: what is aimed at."""

USEFUL = 0.75
"""Below this share of the least not even four of five are found: nothing is spent on a zone that
cannot be brought so far."""

WORTH = 1.1
"""A plan that leaves zones unresolved must show people so much larger to be worth its cost."""

Cost = Callable[[tuple[int, int]], float | None]
"""Milliseconds per picture for a width and height of the network; None: not measured yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraTask:
    """A camera to be planned.

    Attributes:
        width_px, height_px: Its picture.
        network_width: Least width of the network.
        fps: Frames per second that are to be analysed.
        zones: The zones that it sees.
        everywhere: Rules concern the whole picture, so that it is due in every frame, beside
            close-ups too.
        free: The planner may choose; if not, the whole picture at ``network_width`` it is.
    """

    camera_id: str
    width_px: int
    height_px: int
    network_width: int
    fps: float
    zones: Sequence[SeenZone]
    everywhere: bool
    free: bool = True

    @property
    def aspect(self) -> float:
        """Width / height of the picture."""
        return self.width_px / self.height_px


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPlan:
    """How a camera's pictures are looked at.

    Attributes:
        width: Of the network, for all of its pictures.
        regions: Close-ups taken of every frame; none: the whole picture of every frame.
        context_s: Seconds between looks at the whole picture beside the close-ups.
        zone_px: Height in the network's input of a person in the far part of every zone; None:
            nobody knows.
        unresolved: Zones in which people are too small to be found reliably.
    """

    width: int
    regions: tuple[Region, ...] = ()
    context_s: float = 0.0
    zone_px: Mapping[str, float | None] = field(default_factory=dict)
    unresolved: tuple[str, ...] = ()


def same_look(one: CameraPlan, other: CameraPlan) -> bool:
    """Whether the network is given the same with both, whatever they say of zones."""
    return (one.width, one.regions, one.context_s) == (other.width, other.regions, other.context_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A plan, and what is lost with it.

    Attributes:
        missed: Zones with rules in which no camera of this shard can find people.
        doubtful_rules: Rules of this camera on zones in which it cannot find people.
    """

    plan: CameraPlan
    missed: frozenset[str] = frozenset()
    doubtful_rules: frozenset[str] = frozenset()


def least_px(scale: float) -> float:
    """Height in network pixels from which a person is found.

    Args:
        scale: Network pixels per pixel of the camera.
    """
    return LEAST_PX + LEAST_PX_BY_SCALE * scale


def plan_cameras(
    tasks: Sequence[CameraTask], cost: Cost, *, share: float = 1.0
) -> dict[str, CameraPlan]:
    """Plan all cameras of a shard together.

    Args:
        tasks: The cameras.
        cost: What a picture costs.
        share: Of the machine that is this shard's.

    Returns:
        A plan by camera id. Together they take no more than the share, unless the whole
        pictures that were asked for do so already: then there is nothing else.
    """
    plans = {task.camera_id: _judged(task, CameraPlan(width=task.network_width)) for task in tasks}
    spent = [_spent(task, plans[task.camera_id], cost) for task in tasks]
    spare = 1000.0 * USABLE * share - sum(each or 0.0 for each in spent)
    if None in spent:
        return plans
    now = {each.camera_id: _quality(each, plans[each.camera_id], _ruled(each)) for each in tasks}
    wanting = [task for task in tasks if task.free and now[task.camera_id] < COMFORT]
    # Who cannot be seen at all goes before who could be seen better.
    for task in sorted(wanting, key=lambda task: now[task.camera_id] >= 1):
        former = plans[task.camera_id]
        spare += _spent(task, former, cost) or 0.0
        plans[task.camera_id] = _best(task, former, cost, spare)
        spare -= _spent(task, plans[task.camera_id], cost) or 0.0
    for task in tasks:
        former = plans[task.camera_id]
        always = replace(former, context_s=0.0)
        extra = (_spent(task, always, cost) or 0.0) - (_spent(task, former, cost) or 0.0)
        if former.regions and extra <= spare:
            plans[task.camera_id] = always
            spare -= extra
    return plans


def _best(task: CameraTask, former: CameraPlan, cost: Cost, budget: float) -> CameraPlan:
    """The cheapest plan that shows all zones well, else the one that shows them best."""
    priced = [(_spent(task, plan, cost) or 0.0, plan) for plan in _candidates(task)]
    affordable = [(ms, plan) for ms, plan in priced if ms <= budget]
    hopeful = [
        zone
        for zone in _ruled(task)
        if any(_quality(task, plan, [zone]) >= USEFUL for _, plan in affordable)
    ]
    rated = [(_quality(task, plan, hopeful), -ms, plan) for ms, plan in affordable]
    good = [each for each in rated if each[0] >= COMFORT]
    if good:
        return max(good, key=lambda each: each[1])[2]
    least = WORTH * _quality(task, former, hopeful)
    better = [each for each in rated if each[0] >= least]
    return max(better, key=lambda each: each[:2])[2] if better else former


def _candidates(task: CameraTask) -> Iterator[CameraPlan]:
    for width in WIDTHS:
        if task.network_width <= width <= max(task.width_px, task.network_width):
            for regions in _layouts(task, width):
                context_s = CONTEXT_S if regions and not task.everywhere else 0.0
                yield _judged(task, CameraPlan(width=width, regions=regions, context_s=context_s))


def _layouts(task: CameraTask, width: int) -> list[tuple[Region, ...]]:
    """What may be looked at of every frame; nothing of its own: the whole picture."""
    ruled = _ruled(task)
    if not ruled or any(zone.far_height is None for zone in ruled):
        return [()]
    return layouts(ruled, (task.width_px, task.height_px), width)


def _judged(task: CameraTask, plan: CameraPlan) -> CameraPlan:
    """The plan with what it shows of every zone."""
    shown = {zone.zone_id: _shown(task, plan, zone) for zone in task.zones}
    return replace(
        plan,
        zone_px={zone_id: None if px is None else round(px[0], 1) for zone_id, px in shown.items()},
        unresolved=tuple(key for key, px in shown.items() if px is not None and px[1] < 1),
    )


def _shown(task: CameraTask, plan: CameraPlan, zone: SeenZone) -> tuple[float, float] | None:
    """Height in network pixels of people in the far part of a zone, and over the least."""
    height = zone.far_height
    if height is None:
        return None
    region = next((each for each in plan.regions if _holds(each, zone)), WHOLE)
    scale = plan.width / (region.share * task.width_px)
    px = height * task.height_px * scale
    return px, px / least_px(scale)


def _holds(region: Region, zone: SeenZone) -> bool:
    return all(
        region.left - 1e-2 <= x <= region.right + 1e-2
        and region.top - 1e-2 <= y <= region.bottom + 1e-2
        for x, y in zone.polygon
    )


def _ruled(task: CameraTask) -> list[SeenZone]:
    return [zone for zone in task.zones if zone.ruled]


def _quality(task: CameraTask, plan: CameraPlan, zones: Sequence[SeenZone]) -> float:
    """How large people look in the zone where they look smallest, over the least; at best 2."""
    shown = [found[1] for zone in zones if (found := _shown(task, plan, zone)) is not None]
    return min([*shown, 2.0])


def _spent(task: CameraTask, plan: CameraPlan, cost: Cost) -> float | None:
    """Milliseconds of the network per second; None: not known."""
    ms = cost(network_size(plan.width, task.aspect))
    if ms is None:
        return None
    whole = task.fps if not plan.context_s else min(task.fps, 1 / plan.context_s)
    return ms * (task.fps * len(plan.regions) + whole)
