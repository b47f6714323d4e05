"""A simulated machine: a Modbus TCP device with one holding register for its state."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

REGISTERS = 16
_HOLDING = 6
"""Function code by which the library names the holding registers."""


class SimulatedMachine:
    """Serves its state while ``running`` lasts.

    Attributes:
        value: What the register holds.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int, address: int = 0) -> None:
        self.value = 0
        self._host, self._port, self._address = host, port, address
        self._server: object | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["SimulatedMachine"]:
        """Listen; when the block ends all connections are cut."""
        from pymodbus.server import ModbusTcpServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        bits = [SimData(0, count=REGISTERS, values=False, datatype=DataType.BITS)]
        words = [SimData(0, count=REGISTERS, values=0, datatype=DataType.REGISTERS)]
        device = SimDevice(1, simdata=(bits, list(bits), words, list(words)))
        server = ModbusTcpServer(device, address=(self._host, self._port))
        await server.serve_forever(background=True)
        self._server = server
        try:
            await self.say(self.value)
            yield self
        finally:
            self._server = None
            await server.shutdown()  # type: ignore[no-untyped-call]

    async def say(self, value: int) -> None:
        """Put a value into the register."""
        from pymodbus.server import ModbusTcpServer

        self.value = value
        if isinstance(self._server, ModbusTcpServer):
            await self._server.async_setValues(1, _HOLDING, self._address, [value])
