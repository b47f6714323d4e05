"""Channel ``patlite``: PATLITE signal towers with a network port (NH and LA6-POE families).

None of their protocols has a timer: a tower keeps showing the last command for ever.
"""

from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alerts.channels import patlite_frames as frames
from alerts.channels.base import SirenLevel
from alerts.channels.patlite_frames import FLASH, KEEP, LA6, NH, OFF, ON, Show
from alerts.channels.siren_driver import SirenDriver
from alerts.channels.siren_errors import not_understood, refused
from alerts.channels.siren_http import HttpDevice, LoginSpec, base_url
from alerts.channels.siren_modbus import modbus, require_done
from alerts.channels.siren_spec import LatchingSpec
from alerts.channels.siren_tcp import exchange
from safety.clock import Clock

Lamp = Literal["red", "amber", "green", "blue", "white"]
Light = Literal["on", "flash"]
Protocol = Literal["pns_nh", "pns_la6", "phn", "http", "modbus"]

LAMPS: tuple[Lamp, ...] = ("red", "amber", "green", "blue", "white")
_PORTS = {"pns_nh": 10000, "pns_la6": 10000, "phn": 10000, "http": 80, "modbus": 502}
_BUZZERS = {"pns_nh": 4, "pns_la6": 3, "phn": 2, "http": 3, "modbus": 3}
_BUZZER_WITH_COLOURS = 11


class PatliteSpec(LatchingSpec):
    """A PATLITE signal tower on the network."""

    kind: Literal["patlite"] = "patlite"
    protocol: Protocol = "pns_nh"
    """PNS of the NH or of the LA6 family, PHN (older commands, three lamps), HTTP or Modbus/TCP
    (both LA6)."""
    host: str = Field(min_length=1, max_length=253)
    """Name or address of the tower."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Port; empty: 10000 for PNS and PHN, 80 for HTTP, 502 for Modbus."""
    danger_lamps: tuple[Lamp, ...] = ("red",)
    """Lamps that show danger."""
    danger_light: Light = "flash"
    """Whether they are on or flash."""
    danger_buzzer: int = Field(default=1, ge=0, le=11)
    """Buzzer pattern at danger; 0 is silent. How many there are depends on the protocol."""
    danger_colours: str | None = Field(default=None, pattern=r"^[0-9]{5}$")
    """LA6 by PNS or HTTP: colours of the five tiers at danger, instead of lamps; 11111 is all
    red."""
    warning_lamps: tuple[Lamp, ...] = ("amber",)
    """Lamps that show a warning."""
    warning_light: Light = "on"
    """Whether they are on or flash."""
    warning_buzzer: int = Field(default=0, ge=0, le=11)
    """Buzzer pattern at warning; 0 is silent."""
    warning_colours: str | None = Field(default=None, pattern=r"^[0-9]{5}$")
    """LA6 by PNS or HTTP: colours of the five tiers at warning, instead of lamps."""
    other_lamps: Literal["off", "keep"] = "off"
    """Lamps named in neither: switched off, or left to whoever else uses the tower."""

    @model_validator(mode="after")
    def _possible(self) -> "PatliteSpec":
        colours = self.danger_colours is not None or self.warning_colours is not None
        if colours and self.protocol not in {"pns_la6", "http"}:
            raise PydanticCustomError(
                "channel.patlite_colours", "colours need the protocol pns_la6 or http"
            )
        if colours and self.other_lamps == "keep":
            raise PydanticCustomError(
                "channel.patlite_whole", "colours command the whole tower; set other_lamps to off"
            )
        if self.protocol == "phn":
            if {"blue", "white"} & {*self.danger_lamps, *self.warning_lamps}:
                raise PydanticCustomError(
                    "channel.patlite_phn", "phn has the lamps red, amber and green only"
                )
            if self.other_lamps == "keep":
                raise PydanticCustomError(
                    "channel.patlite_together",
                    "phn commands all lamps together; set other_lamps to off",
                )
        for buzzer, chosen in (
            (self.danger_buzzer, self.danger_colours),
            (self.warning_buzzer, self.warning_colours),
        ):
            most = _BUZZERS[self.protocol] if chosen is None else _BUZZER_WITH_COLOURS
            if buzzer > most:
                raise PydanticCustomError(
                    "channel.patlite_buzzer",
                    "this protocol has the buzzer patterns 0 to {most} here",
                    {"most": most},
                )
        return self

    def show(self, level: SirenLevel) -> Show:
        """What the tower shows at a level."""
        if level is SirenLevel.DANGER:
            lit, light = self.danger_lamps, self.danger_light
            buzzer, colours = self.danger_buzzer, self.danger_colours
        elif level is SirenLevel.WARNING:
            lit, light = self.warning_lamps, self.warning_light
            buzzer, colours = self.warning_buzzer, self.warning_colours
        else:
            lit, light, buzzer, colours = (), "on", 0, None
        if colours is not None:
            digits = tuple(map(int, colours))
            return Show(colours=digits, flash=light == "flash", buzzer=buzzer)
        state = FLASH if light == "flash" else ON
        ours = {*self.danger_lamps, *self.warning_lamps}
        rest = {
            lamp: KEEP if self.other_lamps == "keep" and lamp not in ours else OFF for lamp in LAMPS
        }
        return Show(
            lamps=tuple(state if lamp in lit else rest[lamp] for lamp in LAMPS), buzzer=buzzer
        )


class PatliteSiren(SirenDriver):
    """Commands a tower, a connection per command: an LA6 takes eight at the most."""

    quiet_by_itself = False
    keeps_time = False

    def __init__(self, spec: PatliteSpec, *, clock: Clock) -> None:
        super().__init__(spec, clock=clock)
        self._spec = spec
        self._port = spec.port or _PORTS[spec.protocol]
        self._device = f"{spec.host}:{self._port}"
        self._family = NH if spec.protocol == "pns_nh" else LA6
        self._http = (
            HttpDevice(LoginSpec(), digest=False, tls=False) if spec.protocol == "http" else None
        )

    async def _command(self, level: SirenLevel, *, ttl_s: float, reason: str) -> str:
        show = self._spec.show(level)
        match self._spec.protocol:
            case "pns_nh" | "pns_la6":
                return await self._pns(frames.pns(self._family, show))
            case "phn":
                return await self._phn(show)
            case "http":
                return await self._get(f"/api/control?{frames.query(show)}")
            case "modbus":
                return await self._write(show)

    async def _ask(self) -> str:
        match self._spec.protocol:
            case "pns_nh" | "pns_la6":
                return await self._pns(frames.pns_status(self._family), status=True)
            case "phn":
                answer = await exchange(self._spec.host, self._port, frames.PHN_READ, size=2)
                if answer[:1] != frames.PHN_READ:
                    raise not_understood(self._device, answer.hex(" "))
                return answer.hex(" ")
            case "http":
                return await self._get("/")
            case "modbus":
                async with modbus(self._spec.host, self._port) as client:
                    require_done(self._device, await client.read_holding_registers(0, count=6))
                return "registers read"

    async def _release(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _pns(self, frame: bytes, *, status: bool = False) -> str:
        """One byte answers a command; a status is longer, and its first byte enough."""
        answer = (await exchange(self._spec.host, self._port, frame, size=1))[0]
        if answer == frames.NAK:
            raise refused(self._device, "NAK")
        if answer != frames.ACK and not status:
            raise not_understood(self._device, f"{answer:02x}")
        return "status" if status else "ACK"

    async def _phn(self, show: Show) -> str:
        answer = await exchange(self._spec.host, self._port, frames.phn(show), size=3)
        if answer == b"NAK":
            raise refused(self._device, "NAK")
        if answer != b"ACK":
            raise not_understood(self._device, answer.hex(" "))
        return "ACK"

    async def _get(self, target: str) -> str:
        assert self._http is not None
        url = base_url(self._spec.host, self._port, tls=False)
        status, text = await self._http.ask("GET", url + target)
        if "control" in target and not text.strip().lower().startswith("success"):
            raise refused(self._device, text.strip()[:40])
        return f"HTTP {status}"

    async def _write(self, show: Show) -> str:
        async with modbus(self._spec.host, self._port) as client:
            for address, value in frames.registers(show):
                require_done(self._device, await client.write_register(address, value))
        return "registers written"
