"""Feed ``modbus``: machine states in coils and registers, polled over Modbus TCP."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from safety.clock import Clock
from safety.config import Slug, Spec
from zones.feeds.base import Feed, FeedBase, FeedError, StateMap, report_machine
from zones.feeds.port import FeedPort

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

TIMEOUT_S = 2.0

Table = Literal["coil", "discrete_input", "holding_register", "input_register"]


class ModbusPoint(Spec):
    """Where one machine's state stands."""

    machine_id: Slug
    """The machine."""
    table: Table = "coil"
    """Coils and discrete inputs are read as 0 or 1, registers as 0 to 65535."""
    address: int = Field(ge=0, le=65535)
    """Address as on the wire, from 0; manuals often count from 1."""
    bit: int | None = Field(default=None, ge=0, le=15)
    """Of a register: only this bit, 0 is the lowest."""
    states: StateMap
    """Which values mean which state."""


class ModbusSpec(FeedBase):
    """Machine states in coils and registers of a Modbus TCP device."""

    kind: Literal["modbus"] = "modbus"
    host: str = Field(min_length=1, max_length=253)
    """Name or address of the device or gateway."""
    port: int = Field(default=502, ge=1, le=65535)
    """TCP port."""
    device_id: int = Field(default=1, ge=0, le=255)
    """Unit behind a gateway; 1 where there is only one."""
    poll_s: float = Field(default=0.5, ge=0.05, le=60)
    """Seconds between two polls."""
    points: tuple[ModbusPoint, ...] = Field(min_length=1, max_length=200)
    """The machines and where their states stand."""

    @property
    def machine_ids(self) -> tuple[str, ...]:
        return tuple(point.machine_id for point in self.points)


class ModbusFeed(Feed):
    """Polls one device."""

    def __init__(self, spec: ModbusSpec, port: FeedPort, *, clock: Clock) -> None:
        super().__init__(port, clock=clock)
        self._spec = spec

    async def session(self) -> None:
        from pymodbus.client import AsyncModbusTcpClient

        # What it would log, the feed says already, once.
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        spec = self._spec
        client = AsyncModbusTcpClient(
            spec.host, port=spec.port, timeout=TIMEOUT_S, retries=0, reconnect_delay=0
        )
        try:
            if not await client.connect():
                raise ConnectionError("no connection")
            while True:
                for point in spec.points:
                    await self._poll(client, point)
                await self.clock.sleep_async(spec.poll_s)
        finally:
            client.close()

    async def _poll(self, client: "AsyncModbusTcpClient", point: ModbusPoint) -> None:
        from pymodbus.exceptions import ModbusException

        reads: dict[Table, Callable[..., Awaitable[Any]]] = {
            "coil": client.read_coils,
            "discrete_input": client.read_discrete_inputs,
            "holding_register": client.read_holding_registers,
            "input_register": client.read_input_registers,
        }
        try:
            async with asyncio.timeout(TIMEOUT_S * 2):
                answer = await reads[point.table](
                    point.address, count=1, device_id=self._spec.device_id
                )
        except ModbusException as error:
            raise FeedError(
                "feed.modbus", "the device does not answer ({why})", why=str(error)[:200]
            ) from None
        self.port.received()
        self.port.is_connected()
        if answer.isError():
            # The device is there and refuses this address: the others may be right.
            where = f"{point.machine_id}: {point.table} {point.address}"
            self.port.refuse("bad_quality", f"{where}: {answer}"[:200])
            return
        report_machine(self.port, point.machine_id, point.states, _value(point, answer))


def _value(point: ModbusPoint, answer: Any) -> object:
    if point.table in {"coil", "discrete_input"}:
        return bool(answer.bits[0])
    register = int(answer.registers[0])
    return register if point.bit is None else (register >> point.bit) & 1
