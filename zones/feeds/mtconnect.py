"""Feed ``mtconnect``: machine states of an MTConnect agent, polled over HTTP."""

from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

from pydantic import Field

from safety.clock import Clock
from safety.config import Slug, Spec
from safety.types import MachineState
from zones.feeds.base import Feed, FeedBase, FeedError, StateMap
from zones.feeds.payload import Refused, unix_time
from zones.feeds.port import FeedPort

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 3.0
MAX_BYTES = 4 * 1024 * 1024

EXECUTION = StateMap(
    running=("ACTIVE", "PROGRAM_STOPPED", "OPTIONAL_STOP", "FEED_HOLD", "INTERRUPTED", "WAIT"),
    idle=("READY", "STOPPED", "PROGRAM_COMPLETED"),
)
"""What an agent's Execution means if nothing else is said. A hold is no end: the machine goes
on by itself or at the press of a key, so only what has ended counts as idle."""


class MtConnectPoint(Spec):
    """Where one machine's state stands."""

    machine_id: Slug
    """The machine."""
    device: str = Field(min_length=1, max_length=100)
    """Name or uuid of the device in the agent."""
    item: str | None = Field(default=None, max_length=100)
    """Data item id of its Execution; needed only where the device has several."""
    states: StateMap = EXECUTION
    """Which values of Execution mean which state."""


class MtConnectSpec(FeedBase):
    """Machine states of an MTConnect agent."""

    kind: Literal["mtconnect"] = "mtconnect"
    url: str = Field(pattern=r"^https?://[^\s@]+$", max_length=300)
    """Address of the agent, such as http://agent:5000; without user or password."""
    poll_s: float = Field(default=1.0, ge=0.1, le=60)
    """Seconds between two polls."""
    points: tuple[MtConnectPoint, ...] = Field(min_length=1, max_length=100)
    """The machines and where their states stand."""

    @property
    def machine_ids(self) -> tuple[str, ...]:
        return tuple(point.machine_id for point in self.points)


class MtConnectFeed(Feed):
    """Polls ``/current``.

    Execution is read with the device's availability: UNAVAILABLE in either makes the machine
    unknown. A triggered emergency stop does not make it safe: its zones stay armed.
    """

    def __init__(self, spec: MtConnectSpec, port: FeedPort, *, clock: Clock) -> None:
        super().__init__(port, clock=clock)
        self._spec = spec

    async def session(self) -> None:
        import httpx

        address = f"{self._spec.url.rstrip('/')}/current"
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            while True:
                try:
                    content = await _fetch(client, address)
                except httpx.HTTPError as error:
                    raise ConnectionError(str(error) or type(error).__name__) from None
                self.port.received()
                self.port.is_connected()
                try:
                    self.take(content)
                except Refused as refusal:
                    self.port.refuse(refusal.reason, refusal.detail)
                await self.clock.sleep_async(self._spec.poll_s)

    def take(self, content: bytes) -> None:
        """Take one answer of the agent.

        Raises:
            Refused: It is no MTConnect streams document.
        """
        root = _document(content)
        header = root.find("{*}Header")
        if header is not None and (created := header.get("creationTime")):
            self.port.age_s("agent", unix_time(created))
        for point in self._spec.points:
            self._read(point, root)

    def _read(self, point: MtConnectPoint, root: ET.Element) -> None:
        device = next(
            (
                each
                for each in root.iterfind(".//{*}DeviceStream")
                if point.device in {each.get("name"), each.get("uuid")}
            ),
            None,
        )
        if device is None:
            self.port.refuse("unknown_machine", f"the agent has no device {point.device!r}")
            self.port.forget(point.machine_id)
            return
        available = _texts(device, "Availability", None)
        execution = _texts(device, "Execution", point.item)
        if len(execution) != 1:
            self.port.refuse(
                "schema", f"{point.device} has {len(execution)} Execution items; name one"
            )
            self.port.forget(point.machine_id)
            return
        value = "UNAVAILABLE" if "UNAVAILABLE" in available else execution[0]
        self._report(point, value, stopped="TRIGGERED" in _texts(device, "EmergencyStop", None))

    def _report(self, point: MtConnectPoint, value: str, *, stopped: bool) -> None:
        state = point.states.state(value)
        if state is None and value != "UNAVAILABLE":
            self.port.refuse("unknown_value", f"{point.machine_id}: {value[:80]!r}")
        if stopped and state is not MachineState.RUNNING:
            state, value = MachineState.UNKNOWN, f"{value}, emergency stop"
        self.port.machine(point.machine_id, state or MachineState.UNKNOWN, value[:80])


async def _fetch(client: "httpx.AsyncClient", address: str) -> bytes:
    content = bytearray()
    async with client.stream("GET", address) as answer:
        if answer.status_code != 200:
            raise FeedError(
                "feed.http_status",
                "the agent answers with status {status}; check its address",
                status=answer.status_code,
            )
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > MAX_BYTES:
                raise FeedError(
                    "feed.too_large",
                    "the answer is larger than {limit} bytes; this is no agent's",
                    limit=MAX_BYTES,
                )
    return bytes(content)


def _document(content: bytes) -> ET.Element:
    # Entities are what XML is attacked with; agents have no use for them.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise Refused("schema", "a document with its own entities is not read")
    try:
        root = ET.fromstring(content)  # noqa: S314 - without DOCTYPE nothing can be expanded
    except ET.ParseError as error:
        raise Refused("schema", f"no XML: {error}") from None
    if not root.tag.endswith("MTConnectStreams"):
        raise Refused("schema", f"a document of type {root.tag[-60:]}, not MTConnectStreams")
    return root


def _texts(device: ET.Element, name: str, item: str | None) -> list[str]:
    return [
        (each.text or "").strip()
        for each in device.iterfind(f".//{{*}}{name}")
        if item is None or each.get("dataItemId") == item
    ]
