"""Every kind of siren with a device that it can be tried on."""

import asyncio
import re
import time
from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gpiozero
from gpiozero.pins.mock import MockFactory

from alerts.channels.base import SirenLevel
from alerts.channels.patlite_frames import FLASH, Show
from alerts.channels.patlite_twin import TowerTwin
from tests.support.onvif_device import OnvifDevice
from tests.support.siren_servers import HttpServer, ModbusDevice, Server

PASSWORD = "pass-7f3a"
LOGIN = f"anjeon:{PASSWORD}"
VARIABLE = "ANJEON_TEST_SIREN_PASSWORD"
LOGIN_FIELDS = {"username": "anjeon", "password": f"env:{VARIABLE}"}
LATCHES = {"stays_on_if_anjeon_dies": True}


class Rig(ABC):
    """One device.

    Attributes:
        spec: The channel's specification, but for ``id`` and ``name``; known once started.
        server: What it answers with; None: there is no network between.
    """

    server: Server | None = None

    async def start(self) -> None:
        """Power on."""
        assert self.server is not None
        await self.server.start()

    async def stop(self) -> None:
        """Power off."""
        assert self.server is not None
        await self.server.stop()

    @property
    def address(self) -> dict[str, Any]:
        """Where the device is."""
        assert self.server is not None
        return {"host": self.server.host, "port": self.server.port}

    @property
    @abstractmethod
    def spec(self) -> dict[str, Any]: ...

    @property
    @abstractmethod
    def level(self) -> SirenLevel:
        """What it shows now."""


class _Tower(Server):
    def __init__(self, protocol: str) -> None:
        super().__init__()
        self.twin = TowerTwin(protocol)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.hang()
        if self.mode == "refuse":
            await reader.read(64)
            writer.write(b"\x15AK")
            await writer.drain()
            return
        await self.twin.serve(reader, writer)


def _tower_level(show: Show) -> SirenLevel:
    if show.lamps[0] == FLASH and show.buzzer == 1:
        return SirenLevel.DANGER
    return SirenLevel.WARNING if show.lamps[1] else SirenLevel.OFF


class TowerRig(Rig):
    """A PATLITE tower that speaks PNS or PHN."""

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self.server: _Tower = _Tower(protocol)

    @property
    def spec(self) -> dict[str, Any]:
        return {"kind": "patlite", "protocol": self._protocol, **self.address, **LATCHES}

    @property
    def level(self) -> SirenLevel:
        return _tower_level(self.server.twin.show)


class TowerHttpRig(Rig):
    """An LA6 tower that speaks HTTP."""

    def __init__(self) -> None:
        self.server: HttpServer = HttpServer(self._answer)
        self.show = Show()

    @property
    def spec(self) -> dict[str, Any]:
        return {"kind": "patlite", "protocol": "http", **self.address, **LATCHES}

    @property
    def level(self) -> SirenLevel:
        return _tower_level(self.show)

    def _answer(self, method: str, target: str, body: str) -> tuple[int, str]:
        asked = re.fullmatch(r"/api/control\?alert=([0129]{5})([01239])", target)
        if asked is None:
            return 200, "<html>" if target == "/" else "Error."
        self.show = Show(lamps=tuple(map(int, asked[1])), buzzer=int(asked[2]))
        return 200, "Success."


class TowerModbusRig(Rig):
    """An LA6 tower that speaks Modbus."""

    def __init__(self) -> None:
        self.server: ModbusDevice = ModbusDevice()

    @property
    def spec(self) -> dict[str, Any]:
        return {"kind": "patlite", "protocol": "modbus", **self.address, **LATCHES}

    @property
    def level(self) -> SirenLevel:
        values = [self.server.registers.get(i, 0) & 0xFF for i in range(6)]
        return _tower_level(Show(lamps=tuple(values[:5]), buzzer=values[5]))


class ModbusRig(Rig):
    """A Modbus module: coil 3 is a lamp, coil 4 a horn."""

    def __init__(self) -> None:
        self.server: ModbusDevice = ModbusDevice()

    @property
    def spec(self) -> dict[str, Any]:
        coils = {"danger_coils": [3, 4], "warning_coils": [3]}
        return {"kind": "modbus_relay", **self.address, **coils, **LATCHES}

    @property
    def level(self) -> SirenLevel:
        return _two_outputs(self.server.coils.get(3), self.server.coils.get(4))


class GpioRig(Rig):
    """Two pins of a machine that there is not."""

    @property
    def spec(self) -> dict[str, Any]:
        return {"kind": "gpio", "danger_pins": [17, 27], "warning_pins": [17], **LATCHES}

    @property
    def level(self) -> SirenLevel:
        return _two_outputs(*(self._factory.pin(number).state for number in (17, 27)))

    async def start(self) -> None:
        self._factory = gpiozero.Device.pin_factory = MockFactory()

    async def stop(self) -> None:
        self._factory.reset()
        gpiozero.Device.pin_factory = None


class HttpRelayRig(Rig):
    """A relay with web addresses, with or without a timer of its own."""

    def __init__(self, *, timer: bool, basic: bool = False) -> None:
        self.server: HttpServer = HttpServer(self._answer, login=LOGIN, basic=basic)
        self._timer, self._basic = timer, basic
        self._shows = SirenLevel.OFF
        self._until = float("inf")

    @property
    def spec(self) -> dict[str, Any]:
        base = f"http://{self.server.host}:{self.server.port}/relay"
        timer = "&timer={ttl_s}" if self._timer else ""
        return {
            "kind": "http_relay",
            "danger_url": f"{base}?show=danger{timer}",
            "warning_url": f"{base}?show=warning{timer}",
            "off_url": f"{base}?show=off",
            "check_url": f"{base}/status",
            "login": "basic" if self._basic else "digest",
            **LOGIN_FIELDS,
            **({} if self._timer else LATCHES),
        }

    @property
    def level(self) -> SirenLevel:
        return self._shows if time.monotonic() < self._until else SirenLevel.OFF

    def _answer(self, method: str, target: str, body: str) -> tuple[int, str]:
        said = parse_qs(urlsplit(target).query)
        if "show" in said:
            self._shows = SirenLevel(said["show"][0])
            self._until = float("inf")
        if "timer" in said:
            self._until = time.monotonic() + int(said["timer"][0])
        return 200, "{}"


class AxisRig(Rig):
    """A speaker with clip 1 for danger and clip 2 for warning."""

    def __init__(self) -> None:
        self.server: HttpServer = HttpServer(self._answer, login=LOGIN)
        self._clip: str | None = None

    @property
    def spec(self) -> dict[str, Any]:
        clips = {"danger_clip": 1, "warning_clip": 2, "warning_volume": 20, "clip_s": 30.0}
        return {"kind": "axis_speaker", **self.address, **clips, **LOGIN_FIELDS}

    @property
    def level(self) -> SirenLevel:
        shows = {"1": SirenLevel.DANGER, "2": SirenLevel.WARNING}
        return shows.get(self._clip or "", SirenLevel.OFF)

    def _answer(self, method: str, target: str, body: str) -> tuple[int, str]:
        said = urlsplit(target)
        match said.path:
            case "/axis-cgi/playclip.cgi":
                self._clip = parse_qs(said.query)["clip"][0]
                return 200, f"OK\nplaying={self._clip}"
            case "/axis-cgi/stopclip.cgi":
                self._clip = None
                return 200, "OK\nstopping"
            case "/axis-cgi/param.cgi":
                return 200, "root.Properties.AudioClip.StopClip=yes"
        return 404, ""


class OnvifRig(Rig):
    """A camera with two relays."""

    def __init__(self) -> None:
        self.server: OnvifDevice = OnvifDevice("anjeon", PASSWORD)

    @property
    def spec(self) -> dict[str, Any]:
        relays = {"danger_relays": ["R1", "R2"], "warning_relays": ["R1"]}
        return {"kind": "onvif_relay", **self.address, **relays, **LOGIN_FIELDS}

    @property
    def level(self) -> SirenLevel:
        return _two_outputs(self.server.is_active("R1"), self.server.is_active("R2"))


def _two_outputs(lamp: bool | None, horn: bool | None) -> SirenLevel:
    if lamp and horn:
        return SirenLevel.DANGER
    return SirenLevel.WARNING if lamp else SirenLevel.OFF


RIGS: dict[str, Any] = {
    "patlite pns_nh": lambda: TowerRig("pns_nh"),
    "patlite pns_la6": lambda: TowerRig("pns_la6"),
    "patlite phn": lambda: TowerRig("phn"),
    "patlite http": TowerHttpRig,
    "patlite modbus": TowerModbusRig,
    "modbus_relay": ModbusRig,
    "onvif_relay": OnvifRig,
    "http_relay with timer": lambda: HttpRelayRig(timer=True),
    "http_relay": lambda: HttpRelayRig(timer=False, basic=True),
    "gpio": GpioRig,
    "axis_speaker": AxisRig,
}
"""A new device of every kind, by name."""
