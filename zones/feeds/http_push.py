"""Feed ``http_push``: a PLC gateway or script posts machine states to the engine's port."""

import hmac
from typing import Any, Literal

from pydantic import Field

from safety.clock import Clock
from safety.config import SecretRef, Slug, Spec, read_secret
from zones.feeds.base import Feed, FeedBase, FeedError, StateMap, report_machine
from zones.feeds.payload import Refused, parse_json, unix_time
from zones.feeds.port import FeedPort

MAX_PUSH_BYTES = 64 * 1024
CHECK_S = 0.5


class PushedMachine(Spec):
    """A machine whose state is posted."""

    machine_id: Slug
    """The machine; its id is its key in the posted object."""
    states: StateMap
    """Which values mean which state."""


class HttpPushSpec(FeedBase):
    """Machine states posted to the engine: POST /feeds/ID on its metrics port."""

    kind: Literal["http_push"] = "http_push"
    token: SecretRef
    """Where the token is kept that must come as Authorization: Bearer …"""
    points: tuple[PushedMachine, ...] = Field(min_length=1, max_length=500)
    """The machines."""

    @property
    def machine_ids(self) -> tuple[str, ...]:
        return tuple(point.machine_id for point in self.points)


class HttpPushFeed(Feed):
    """Takes what is posted.

    Raises:
        ConfigError: The token is missing.
    """

    def __init__(self, spec: HttpPushSpec, port: FeedPort, *, clock: Clock) -> None:
        super().__init__(port, clock=clock)
        self._points = {point.machine_id: point for point in spec.points}
        self._token = read_secret(spec.token)
        self._stale_after_s = spec.stale_after_s

    async def session(self) -> None:
        """Watch whether somebody posts: there is no connection to lose."""
        await self.clock.sleep_async(self._stale_after_s)
        while True:
            last, now = self.port.last_message, self.clock.now()
            silent = last is None or now.monotonic - last.monotonic > self._stale_after_s
            if silent:
                raise FeedError(
                    "feed.nothing_posted",
                    "nobody has posted for {seconds} s; check the sender, its address and token",
                    seconds=self._stale_after_s,
                )
            await self.clock.sleep_async(CHECK_S)

    def push(self, token: str, body: bytes) -> int:
        """Take one posted body.

        Returns:
            How many machines it told of.

        Raises:
            Refused: Wrong token (``unauthorized``), or a body that cannot be used.
        """
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise self._refused(Refused("unauthorized", "wrong or missing token"))
        self.port.received()
        self.port.is_connected()
        try:
            document, age_s = self._document(body)
        except Refused as refusal:
            raise self._refused(refusal) from None
        for machine_id, value in document.items():
            states = self._points[machine_id].states
            report_machine(self.port, machine_id, states, value, age_s=age_s)
        return len(document)

    def _document(self, body: bytes) -> tuple[dict[str, Any], float]:
        document = parse_json(body)
        if not isinstance(document, dict) or not isinstance(document.get("machines"), dict):
            raise Refused("schema", 'send {"machines": {"ID": VALUE, ...}}')
        if set(document) - {"machines", "at"}:
            raise Refused("schema", "only the keys machines and at are known")
        for machine_id in document["machines"]:
            if machine_id not in self._points:
                raise Refused("unknown_machine", f"there is no machine {machine_id[:80]!r} here")
        age_s = self.port.age_s("sender", unix_time(document["at"])) if "at" in document else 0.0
        return document["machines"], age_s

    def _refused(self, refusal: Refused) -> Refused:
        self.port.refuse(refusal.reason, refusal.detail)
        return refusal
