"""Channel ``modbus_relay``: relays behind coils of a Modbus TCP module."""

from typing import Annotated, Literal

from pydantic import Field

from alerts.channels.base import SirenLevel
from alerts.channels.siren_driver import SirenDriver
from alerts.channels.siren_errors import refused
from alerts.channels.siren_modbus import modbus, require_done
from alerts.channels.siren_spec import LatchingSpec
from safety.clock import Clock

Coil = Annotated[int, Field(ge=0, le=65535)]


class ModbusRelaySpec(LatchingSpec):
    """Relays of a Modbus TCP module that switch sirens and lamps."""

    kind: Literal["modbus_relay"] = "modbus_relay"
    host: str = Field(min_length=1, max_length=253)
    """Name or address of the module."""
    port: int = Field(default=502, ge=1, le=65535)
    """TCP port."""
    device_id: int = Field(default=1, ge=0, le=255)
    """Unit behind a gateway; 1 where there is only one."""
    danger_coils: tuple[Coil, ...] = Field(default=(0,), min_length=1, max_length=32)
    """Coils that are on at danger; addresses as on the wire, from 0."""
    warning_coils: tuple[Coil, ...] = Field(default=(0,), max_length=32)
    """Coils that are on at warning."""
    device_watchdog_s: float | None = Field(default=None, ge=4, le=60)
    """The module's own watchdog, as set there: after so many seconds without word it switches its
    relays off. Empty: it has none."""

    @property
    def quiet_by_itself(self) -> bool:
        """Whether the module's watchdog makes it quiet."""
        return self.device_watchdog_s is not None

    def coils(self, level: SirenLevel) -> dict[int, bool]:
        """Every coil of this siren, in order, and whether it is on."""
        by_level = {SirenLevel.DANGER: self.danger_coils, SirenLevel.WARNING: self.warning_coils}
        on = by_level.get(level, ())
        return {coil: coil in on for coil in sorted({*self.danger_coils, *self.warning_coils})}


class ModbusRelay(SirenDriver):
    """Writes the coils and reads them back: delivered means that they are as commanded."""

    keeps_time = False

    def __init__(self, spec: ModbusRelaySpec, *, clock: Clock) -> None:
        super().__init__(spec, clock=clock)
        self.quiet_by_itself = spec.quiet_by_itself
        self._spec = spec
        self._device = f"{spec.host}:{spec.port}"

    async def _command(self, level: SirenLevel, *, ttl_s: float, reason: str) -> str:
        unit = self._spec.device_id
        async with modbus(self._spec.host, self._spec.port) as client:
            for first, states in _runs(self._spec.coils(level)):
                if len(states) == 1:
                    done = await client.write_coil(first, states[0], device_id=unit)
                else:
                    done = await client.write_coils(first, states, device_id=unit)
                require_done(self._device, done)
                read = await client.read_coils(first, count=len(states), device_id=unit)
                require_done(self._device, read)
                if list(read.bits[: len(states)]) != states:
                    raise refused(self._device, f"coil {first} did not change")
        return "coils read back"

    async def _ask(self) -> str:
        first, states = _runs(self._spec.coils(SirenLevel.OFF))[0]
        async with modbus(self._spec.host, self._spec.port) as client:
            unit = self._spec.device_id
            read = await client.read_coils(first, count=len(states), device_id=unit)
            require_done(self._device, read)
        return "coils read"


def _runs(coils: dict[int, bool]) -> list[tuple[int, list[bool]]]:
    """Neighbouring coils together: first address and states."""
    runs: list[tuple[int, list[bool]]] = []
    for coil, state in coils.items():
        if runs and coil == runs[-1][0] + len(runs[-1][1]):
            runs[-1][1].append(state)
        else:
            runs.append((coil, [state]))
    return runs
