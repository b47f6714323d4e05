"""Still pictures for who cannot have video: one request per camera, however many look."""

import asyncio
from dataclasses import dataclass

from dashboard.hub import Hub
from safety.clock import Clock

FRESH_FOR_S = 0.3
"""Who asks within this time gets the same picture."""
LINGER_S = 5.0
"""Boxes are fetched for as long after the last picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """One picture.

    Attributes:
        jpeg: None if there is none now.
        reason: ``ok``, or why there is none.
        overlay: What was seen in it, packed as in ``dashboard.overlay``; None if unknown.
    """

    jpeg: bytes | None
    reason: str
    overlay: str | None


class Stills:
    """The newest still pictures of the cameras that somebody looks at this way."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self._newest: dict[tuple[str, int], tuple[float, asyncio.Task[Still]]] = {}
        self._asked: dict[str, float] = {}
        self._attending: dict[str, asyncio.Task[None]] = {}

    async def newest(self, camera_id: str, width_px: int) -> Still:
        """A picture that is no older than ``FRESH_FOR_S``, plus the time it takes to get it."""
        now = self._clock.now().monotonic
        self._asked[camera_id] = now
        if camera_id not in self._attending:
            self._attending[camera_id] = asyncio.create_task(self._attend(camera_id))
        key = camera_id, width_px
        begun, task = self._newest.get(key, (0.0, None))
        if task is None or (task.done() and now - begun > FRESH_FOR_S):
            task = asyncio.create_task(self._fetch(camera_id, width_px))
            self._newest[key] = now, task
        # Shielded: whoever goes away must not take the picture from the others.
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """Let go of every camera."""
        tasks = [*self._attending.values(), *(task for _, task in self._newest.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, camera_id: str, width_px: int) -> Still:
        jpeg, header = await self._hub.still(camera_id, width_px)
        if jpeg is None or header.at is None:
            return Still(jpeg=None, reason=header.reason, overlay=None)
        overlay = self._hub.overlay_at(camera_id, header.at)
        return Still(jpeg=jpeg, reason="ok", overlay=overlay.packed if overlay else None)

    async def _attend(self, camera_id: str) -> None:
        """Have what is seen sent along while pictures of a camera are asked for."""
        with self._hub.watch(camera_id, relay=None):
            while (left_s := self._asked[camera_id] + LINGER_S - self._now()) > 0:
                await self._clock.sleep_async(left_s)
        del self._attending[camera_id], self._asked[camera_id]
        for key in [key for key in self._newest if key[0] == camera_id]:
            del self._newest[key]

    def _now(self) -> float:
        return self._clock.now().monotonic
