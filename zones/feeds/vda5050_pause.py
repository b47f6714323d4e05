"""Asking an AMR to pause. Going on is a decision of people and is never sent."""

import asyncio
import json
from collections import deque
from datetime import UTC, datetime
from uuid import uuid4

import aiomqtt
import structlog

from safety.clock import Clock
from zones.feeds.vda5050_messages import VdaMessage

log = structlog.get_logger(__name__)

CONFIRMED_WITHIN_S = 2.0


class PauseDesk:
    """Sends ``startPause`` and watches for its confirmation."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._sent: deque[bytes] = deque(maxlen=100)
        self._number = -1
        self._waiting: dict[str, tuple[str, asyncio.Event]] = {}
        self._finished: dict[str, bool] = {}

    def is_own(self, payload: bytes) -> bool:
        """Whether this message is one of ours, come back from the broker."""
        return payload in self._sent

    async def ask(
        self,
        client: aiomqtt.Client | None,
        topic: str,
        *,
        vehicle_id: str,
        manufacturer: str,
        serial: str,
        version: str,
        after: int | None,
    ) -> bool:
        """Publish the request and wait for ``FINISHED`` together with ``paused``.

        Args:
            client: The connection; None if there is none.
            after: Newest header id of another sender on this topic, to go on from.

        Returns:
            Whether the vehicle confirmed within ``CONFIRMED_WITHIN_S``.
        """
        if client is None:
            return False
        action_id, confirmed = str(uuid4()), asyncio.Event()
        self._number = max(self._number, -1 if after is None else after) + 1
        payload = json.dumps(
            {
                "headerId": self._number,
                "timestamp": datetime.fromtimestamp(self._clock.now().wall, UTC)
                .isoformat(timespec="milliseconds")
                .replace("+00:00", "Z"),
                "version": version,
                "manufacturer": manufacturer,
                "serialNumber": serial,
                "actions": [
                    {
                        "actionType": "startPause",
                        "actionId": action_id,
                        "blockingType": "HARD",
                        "actionParameters": [],
                    }
                ],
            }
        ).encode()
        self._sent.append(payload)
        self._waiting[vehicle_id] = action_id, confirmed
        self._finished[vehicle_id] = False
        try:
            async with asyncio.timeout(CONFIRMED_WITHIN_S):
                await client.publish(topic, payload, qos=0)
                await confirmed.wait()
        except (aiomqtt.MqttError, TimeoutError) as error:
            why = str(error) or "no confirmation"
            log.warning("pause_not_confirmed", vehicle=vehicle_id, why=why)
            return False
        finally:
            self._waiting.pop(vehicle_id, None)
        log.info("pause_confirmed", vehicle=vehicle_id)
        return True

    def heard(self, vehicle_id: str, message: VdaMessage) -> None:
        """Take a state: it may be the confirmation."""
        if vehicle_id not in self._waiting:
            return
        action_id, confirmed = self._waiting[vehicle_id]
        if message.actions.get(action_id) == "FINISHED":
            self._finished[vehicle_id] = True
        if self._finished[vehicle_id] and message.paused:
            confirmed.set()
