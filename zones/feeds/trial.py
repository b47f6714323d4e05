"""Trying a feed once: what it says before anybody relies on it, and why it says nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safety.clock import Clock
from safety.errors import AnjeonError
from safety.types import VehiclePose
from zones.feeds.hub import FeedHub, MachineNow
from zones.feeds.port import FeedPort, Notice
from zones.feeds.specs import AnyFeedSpec
from zones.plant import PlantSpec

LOOK_S = 0.05
SETTLE_S = 0.3
"""What else comes at once is waited for: two machines seldom speak in the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedTrial:
    """What a feed said within the time it was given.

    Attributes:
        connected: There was a connection.
        problem: Why not, or how it ended.
        machines, poses, lost: As they count at the end.
        messages, refused: How many came; how many were not used, by reason.
        last_refusal: The newest one in words.
        residuals_m: How well its maps fit the floor plan, by map id.
        took_s: How long it was tried.
    """

    connected: bool
    problem: AnjeonError | None
    machines: Sequence[MachineNow]
    poses: Mapping[str, VehiclePose]
    lost: Mapping[str, str]
    messages: int
    refused: Mapping[str, int]
    last_refusal: str
    notices: Sequence[Notice]
    residuals_m: Mapping[str, float]
    took_s: float

    @property
    def complete(self) -> bool:
        """Whether every machine and vehicle has been heard."""
        return not self.lost and all(each.age_s is not None for each in self.machines)

    @property
    def well(self) -> bool:
        """Whether it works: connected, everything heard, every value known."""
        return self.connected and self.complete and not any(m.reason for m in self.machines)


async def try_feed(
    spec: AnyFeedSpec, plant: PlantSpec, *, clock: Clock, deadline_s: float
) -> FeedTrial:
    """Connect a feed beside those that run, until it has told of everything or the time is up.

    It listens only: no vehicle is asked to pause. A device that takes one connection at a time
    may refuse the second one.

    Args:
        plant: The machines and vehicles that it may tell of.
    """
    hub = FeedHub(clock=clock, changed=lambda: None)
    enabled = spec.model_copy(update={"enabled": True})
    began = clock.now().monotonic
    await hub.configure(_alone(enabled, plant))
    try:
        port = hub.ports[spec.id]
        settled = 0.0
        while (spent := clock.now().monotonic - began) < deadline_s and settled < SETTLE_S:
            if port.problem is not None and not port.messages:
                break
            done = port.connected and _told(hub, port, clock)
            settled = settled + LOOK_S if done else 0.0
            await clock.sleep_async(LOOK_S)
        return _result(hub, port, clock, spent)
    finally:
        await hub.close()


def _alone(spec: AnyFeedSpec, plant: PlantSpec) -> PlantSpec:
    """The plant as far as this feed tells of it."""
    return plant.model_copy(
        update={
            "machines": tuple(m for m in plant.machines if m.id in spec.machine_ids),
            "vehicles": tuple(
                v.model_copy(update={"enabled": True})
                for v in plant.vehicles
                if v.id in spec.vehicle_ids
            ),
            "feeds": (spec,),
        }
    )


def _told(hub: FeedHub, port: FeedPort, clock: Clock) -> bool:
    now = clock.now()
    heard = set(port.readings()) | {v for v in port.vehicle_ids if port.pose(v, now)}
    return heard >= {*port.machine_ids, *port.vehicle_ids}


def _result(hub: FeedHub, port: FeedPort, clock: Clock, spent_s: float) -> FeedTrial:
    now = clock.now()
    return FeedTrial(
        connected=port.connections > 0,
        problem=port.problem,
        machines=hub.machines(now),
        poses=hub.poses(now),
        lost=hub.lost(now),
        messages=port.messages,
        refused=dict(port.refusals),
        last_refusal=port.last_refusal,
        notices=tuple(port.notices.values()),
        residuals_m=dict(port.residuals_m),
        took_s=spent_s,
    )
