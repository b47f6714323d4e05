"""Channel ``onvif_relay``: relay outputs of a camera or I/O module, by ONVIF's device service.

In monostable mode the relay goes back by itself after the time-to-live: a dead Anjeon is quiet.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from xml.etree.ElementTree import Element

from pydantic import Field, StringConstraints

from alerts.channels import onvif_soap as soap
from alerts.channels.base import SirenLevel
from alerts.channels.siren_driver import SirenDriver
from alerts.channels.siren_errors import refused
from alerts.channels.siren_http import HttpDevice, LoginSpec, base_url
from alerts.channels.siren_spec import LatchingSpec
from safety.clock import Clock
from safety.config import read_secret
from safety.errors import ChannelRefused

Token = Annotated[str, StringConstraints(min_length=1, max_length=64)]

HOLD_S = 6
"""A monostable relay goes back after so many seconds, unless it is set again before."""

_FAULTS = frozenset({400, 500})


class OnvifRelaySpec(LoginSpec, LatchingSpec):
    """Relay outputs of an ONVIF device."""

    kind: Literal["onvif_relay"] = "onvif_relay"
    host: str = Field(min_length=1, max_length=253)
    """Name or address of the camera or module."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Port of its ONVIF service; empty: 80, or 443 with TLS."""
    tls: bool = False
    """Whether the connection is encrypted; the certificate is verified."""
    path: str = Field(default="/onvif/device_service", pattern=r"^/\S*$", max_length=200)
    """Path of its device service."""
    danger_relays: tuple[Token, ...] = Field(default=(), max_length=8)
    """Tokens of the relays that are on at danger; empty: the first one that the device has."""
    warning_relays: tuple[Token, ...] | None = Field(default=None, max_length=8)
    """Tokens of the relays that are on at warning; empty: those for danger."""
    mode: Literal["monostable", "bistable"] = "monostable"
    """Monostable goes back by itself; bistable is for devices that have no monostable mode."""

    @property
    def quiet_by_itself(self) -> bool:
        """Whether the relay goes back by itself."""
        return self.mode == "monostable"


class OnvifRelay(SirenDriver):
    """Switches the relays; delivered means that the device answered without a fault."""

    keeps_time = False

    def __init__(self, spec: OnvifRelaySpec, *, clock: Clock) -> None:
        super().__init__(spec, clock=clock)
        self.quiet_by_itself = spec.quiet_by_itself
        self._spec = spec
        self._device = base_url(spec.host, spec.port, tls=spec.tls)
        self._password = read_secret(spec.password) if spec.password else ""
        # Devices want the digest in the message, or in HTTP, or either.
        self._http = HttpDevice(spec, digest=True, tls=spec.tls)
        self._ahead: timedelta | None = None
        self._found: dict[str, int | None] = {}

    async def _command(self, level: SirenLevel, *, ttl_s: float, reason: str) -> str:
        if self._ahead is None:
            await self._get_ready()
        danger, warning = self._danger, self._warning
        on = {SirenLevel.DANGER: danger, SirenLevel.WARNING: warning}.get(level, ())
        for token in sorted({*danger, *warning}):
            await self._call(soap.set_state(token, active=token in on))
        return "relays set"

    async def _ask(self) -> str:
        await self._get_ready()
        return f"{len(self._found)} relays"

    async def _release(self) -> None:
        await self._http.close()

    @property
    def _danger(self) -> tuple[str, ...]:
        return self._spec.danger_relays or tuple(self._found)[:1]

    @property
    def _warning(self) -> tuple[str, ...]:
        return self._danger if self._spec.warning_relays is None else self._spec.warning_relays

    async def _get_ready(self) -> None:
        """Learn the device's time and relays, and set the relays' own timers if they are not.

        Every idle check does this, so that an alarm need not.
        """
        ahead = await self._time_difference()
        found = soap.relays(await self._call(soap.GET_RELAYS, ahead=ahead))
        wanted = {*self._spec.danger_relays, *(self._spec.warning_relays or ())}
        missing = sorted(wanted - found.keys())
        if missing or not found:
            have = ", ".join(found) or "none"
            raise refused(self._device, f"no relay {', '.join(missing)}; it has: {have}")
        self._found = found
        if self._spec.mode == "monostable":
            for token in sorted({*self._danger, *self._warning}):
                if found[token] != HOLD_S:
                    await self._call(soap.set_monostable(token, HOLD_S), ahead=ahead)
        self._ahead = ahead

    async def _time_difference(self) -> timedelta:
        """How far the device's clock is ahead of ours; a wrong one would refuse our digest."""
        try:
            text = await self._post(soap.envelope(soap.GET_TIME))
            said = soap.device_time(soap.read_body(self._device, text))
        except ChannelRefused:
            said = None  # some devices do not tell strangers
        return timedelta(0) if said is None else said - self._now()

    async def _call(self, body: str, *, ahead: timedelta | None = None) -> Element:
        security = ""
        if self._spec.username is not None:
            at = self._now() + (ahead or self._ahead or timedelta(0))
            security = soap.username_token(self._spec.username, self._password, at)
        answer = await self._post(soap.envelope(body, security))
        return soap.read_body(self._device, answer)

    async def _post(self, message: str) -> str:
        headers = {"content-type": "application/soap+xml; charset=utf-8"}
        status, text = await self._http.ask(
            "POST", self._device + self._spec.path, body=message, headers=headers, bad=_FAULTS
        )
        if status in _FAULTS and "Envelope" not in text:
            raise refused(self._device, f"HTTP {status}")
        return text

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now().wall, UTC)
