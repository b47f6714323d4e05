"""A simulated AMR: drives a round and speaks VDA 5050, as far as a monitor needs to hear it.

It pauses when told to (``startPause``), stops at once, and goes on only when ``resume`` is
called: nothing that comes over the network makes it.
"""

import asyncio
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import aiomqtt

from safety.clock import Clock
from zones.feeds.twins.route import Place, place_on

STATE_EVERY_S = 1.0


class SimulatedAmr:
    """One vehicle on a broker.

    Args:
        route_m: Corners of its round on its own map, metres.
        obeys: Whether it confirms and carries out ``startPause``.
        clock_error_s: How far its clock is ahead.

    Attributes:
        paused: Whether it stands because it was told to.
        requests: The instant actions that it got.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        clock: Clock,
        manufacturer: str = "anjeon",
        serial: str = "amr-1",
        prefix: str = "uagv/v2",
        version: Literal["2.0.0", "2.1.0", "3.0.0"] = "2.1.0",
        map_id: str = "hall",
        route_m: tuple[tuple[float, float], ...] = ((0.0, 0.0), (10.0, 0.0)),
        speed_mps: float = 1.0,
        rate_hz: float = 10.0,
        obeys: bool = True,
        clock_error_s: float = 0.0,
    ) -> None:
        self.paused = False
        self.requests: list[dict[str, Any]] = []
        self._host, self._port = host, port
        self._clock = clock
        self._names = {"manufacturer": manufacturer, "serialNumber": serial, "version": version}
        self._topic = f"{prefix}/{manufacturer}/{serial}"
        self._map_id, self._route_m, self._speed_mps = map_id, route_m, speed_mps
        self._period_s = 1 / rate_hz
        self._obeys = obeys
        self._clock_error_s = clock_error_s
        self._travelled_m = 0.0
        self._numbers: dict[str, int] = {}
        self._actions: dict[str, str] = {}

    async def run(self) -> None:
        """Drive and report until cancelled; a cancelled vehicle has lost its power.

        Raises:
            aiomqtt.MqttError: The broker is not there, or gone.
        """
        broken = self._message("connection", connectionState=self._named("CONNECTION_BROKEN"))
        will = aiomqtt.Will(f"{self._topic}/connection", broken, qos=1, retain=True)
        async with aiomqtt.Client(self._host, self._port, will=will, keepalive=5) as client:
            await client.subscribe(f"{self._topic}/instantActions")
            online = self._message("connection", connectionState="ONLINE")
            await client.publish(f"{self._topic}/connection", online, qos=1, retain=True)
            listening = asyncio.create_task(self._listen(client))
            try:
                await self._drive(client)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    def resume(self) -> None:
        """Somebody at the vehicle lets it go on."""
        self.paused = False

    @property
    def place(self) -> Place:
        """Where it is, on its map."""
        return place_on(self._route_m, self._travelled_m)

    async def _drive(self, client: aiomqtt.Client) -> None:
        last, told = self._clock.now().monotonic, float("-inf")
        while True:
            now = self._clock.now().monotonic
            if not self.paused:
                self._travelled_m += (now - last) * self._speed_mps
            last = now
            await client.publish(f"{self._topic}/visualization", self._moving("visualization"))
            if now - told >= STATE_EVERY_S:
                told = now
                await self._tell_state(client)
            await self._clock.sleep_async(self._period_s)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            request = json.loads(bytes(message.payload))
            self.requests.append(request)
            for action in request["actions"]:
                if action["actionType"] == "startPause" and self._obeys:
                    self.paused = True
                    self._actions[action["actionId"]] = "FINISHED"
            await self._tell_state(client)

    async def _tell_state(self, client: aiomqtt.Client) -> None:
        actions = [
            {"actionId": name, "actionType": "startPause", "actionStatus": status}
            for name, status in self._actions.items()
        ]
        name = "instantActionStates" if self._is_new else "actionStates"
        state = self._moving(
            "state", driving=not self.paused, paused=self.paused, **{name: actions}
        )
        await client.publish(f"{self._topic}/state", state)

    @property
    def _is_new(self) -> bool:
        return self._names["version"].startswith("3")

    def _named(self, state: str) -> str:
        """A connection state in the words of its version."""
        return state if self._is_new else state.replace("_", "")

    def _moving(self, topic: str, **fields: object) -> bytes:
        place = self.place
        localised = "localized" if self._is_new else "positionInitialized"
        position: Mapping[str, object] = {
            "x": round(place.x_m, 4),
            "y": round(place.y_m, 4),
            "theta": round(math.atan2(math.sin(place.heading_rad), math.cos(place.heading_rad)), 5),
            "mapId": self._map_id,
            localised: True,
        }
        speed = 0.0 if self.paused else self._speed_mps
        where = "mobileRobotPosition" if self._is_new else "agvPosition"
        velocity = {"vx": speed, "vy": 0.0, "omega": 0.0}
        return self._message(topic, **{where: position}, velocity=velocity, **fields)

    def _message(self, topic: str, **fields: object) -> bytes:
        number = self._numbers.get(topic, 0)
        self._numbers[topic] = number + 1
        at = datetime.fromtimestamp(self._clock.now().wall + self._clock_error_s, UTC)
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json.dumps(
            {"headerId": number, "timestamp": stamp, **self._names, **fields}
        ).encode()
