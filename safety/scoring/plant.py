"""What a scene's plant says at every moment: its machines, and its recorded AMR messages."""

import json
from datetime import datetime

from safety.clock import Instant, ManualClock
from safety.scoring.scene import Scene, SceneError
from safety.types import MachineState, PlantState
from zones.feeds.payload import Refused
from zones.feeds.plan import PlanArea
from zones.feeds.port import FeedPort
from zones.feeds.poses import extrapolated
from zones.feeds.vda5050 import Vda5050Feed, Vda5050Spec, VdaVehicle
from zones.feeds.vda5050_map import MapPoint, VdaMap
from zones.feeds.vehicles import VehicleSpec


class ScenePlant:
    """Plays a scene's plant; ``state`` must be asked in order of time."""

    def __init__(self, scene: Scene, clock: ManualClock) -> None:
        """Start at the scene's beginning, which is the clock's present.

        Raises:
            SceneError: The recorded messages cannot be read.
        """
        self._scene = scene
        self._clock = clock
        self._begin = clock.now()
        self._messages = _messages(scene)
        self._next = 0
        self._feed = _feed(scene, self._messages, clock) if self._messages else None

    def state(self, at: Instant) -> PlantState:
        """The plant as of a frame; moves the clock there."""
        self._clock.advance(max(0.0, at.monotonic - self._clock.now().monotonic))
        elapsed = at.monotonic - self._begin.monotonic
        while self._next < len(self._messages) and self._messages[self._next][0] <= elapsed:
            self._hear(self._messages[self._next][1])
            self._next += 1
        machines = {key: _state(steps, elapsed) for key, steps in self._scene.machines.items()}
        if self._feed is None:
            return PlantState(machines=machines)
        port = self._feed.port
        poses = {key: pose for key in port.vehicle_ids if (pose := port.pose(key, at)) is not None}
        return PlantState(
            machines=machines,
            vehicles={key: extrapolated(pose, at) for key, pose in poses.items()},
            lost_vehicles=frozenset(port.vehicle_ids) - frozenset(poses),
        )

    def _hear(self, message: dict[str, object]) -> None:
        assert self._feed is not None
        topic = f"uagv/v2/{message['manufacturer']}/{message['serialNumber']}/state"
        try:
            self._feed.take(topic, json.dumps(message).encode(), retained=False)
        except Refused as refused:
            self._feed.port.refuse(refused.reason, refused.detail)


def _messages(scene: Scene) -> list[tuple[float, dict[str, object]]]:
    """(seconds since the first, message) of the recorded feed."""
    if scene.feed is None:
        return []
    try:
        lines = scene.feed.read_text(encoding="utf-8").splitlines()
        messages = [json.loads(line) for line in lines if line.strip()]
        times = [datetime.fromisoformat(str(message["timestamp"])) for message in messages]
    except (ValueError, KeyError, TypeError) as error:
        raise SceneError(
            "scene.feed",
            "{path} holds something that is no VDA 5050 message: {why}",
            path=str(scene.feed),
            why=str(error),
        ) from error
    return [
        ((at - times[0]).total_seconds(), message)
        for at, message in zip(times, messages, strict=True)
    ]


def _feed(
    scene: Scene, messages: list[tuple[float, dict[str, object]]], clock: ManualClock
) -> Vda5050Feed:
    """A feed for every vehicle that the messages name, its map being the floor plan itself."""
    names = {(str(m["manufacturer"]), str(m["serialNumber"])) for _, m in messages}
    maps = {str(_position(m).get("mapId")) for _, m in messages}
    vehicles = {serial: VehicleSpec(id=serial, name=serial, footprint_m=_outline(scene, serial))
                for _, serial in names}  # fmt: skip
    spec = Vda5050Spec(
        id="scene",
        name="Scene",
        host="localhost",
        vehicles=tuple(
            VdaVehicle(vehicle_id=serial, manufacturer=maker, serial=serial)
            for maker, serial in sorted(names)
        ),
        maps=tuple(
            VdaMap(
                map_id=map_id,
                points=(
                    MapPoint(map_m=(0, 0), plan_m=(0, 0)),
                    MapPoint(map_m=(10, 10), plan_m=(10, 10)),
                ),
            )
            for map_id in sorted(maps)
        ),
    )
    port = FeedPort(
        spec.id,
        spec.kind,
        machine_ids=(),
        vehicle_ids=spec.vehicle_ids,
        stale_after_s=spec.stale_after_s,
        clock=clock,
        changed=lambda: None,
    )
    return Vda5050Feed(spec, port, vehicles=vehicles, area=PlanArea(), clock=clock)


def _position(message: dict[str, object]) -> dict[str, object]:
    for key in ("agvPosition", "mobileRobotPosition"):
        if isinstance(position := message.get(key), dict):
            return position
    return {}


def _outline(scene: Scene, vehicle_id: str) -> tuple[tuple[float, float], ...] | None:
    """A vehicle's outline in its own frame, as its data sheet would have it."""
    for frame in scene.frames:
        for vehicle in frame.vehicles:
            if vehicle.id == vehicle_id:
                return tuple(vehicle.in_own_frame(corner) for corner in vehicle.footprint_m)
    return None


def _state(steps: tuple[tuple[float, str], ...], elapsed: float) -> MachineState:
    begun = [state for at, state in steps if at <= elapsed + 1e-6]
    try:
        return MachineState(begun[-1]) if begun else MachineState.UNKNOWN
    except ValueError:
        return MachineState.UNKNOWN
