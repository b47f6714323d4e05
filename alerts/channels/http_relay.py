"""Channel ``http_relay``: any relay or siren that is switched by calling web addresses.

For Shelly, Tasmota, ESPHome and the like; ``docs/sirens.md`` has the addresses.
"""

import math
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from alerts.channels.base import SirenLevel
from alerts.channels.siren_driver import SirenDriver
from alerts.channels.siren_http import HttpDevice, LoginSpec
from alerts.channels.siren_spec import LatchingSpec
from alerts.channels.siren_tcp import reach
from safety.clock import Clock
from safety.config import read_secret
from safety.errors import ConfigError

TTL = "{ttl_s}"
"""Stands for the whole seconds after which the device is to switch itself off."""

_REFERENCES = ("env:", "file:/")


def _address(url: str) -> str:
    if url.startswith(_REFERENCES):
        return url
    if not _usable(url):
        raise PydanticCustomError(
            "channel.address_start",
            "an address starts with https:// or http://, or is kept at env:NAME or file:/path",
        )
    if "@" in urlsplit(url).netloc:
        raise PydanticCustomError(
            "channel.address_login",
            "an address has no user name or password in it; there are fields for them",
        )
    if "{" in url.replace(TTL, "") or "}" in url.replace(TTL, ""):
        raise PydanticCustomError(
            "channel.address_braces",
            "an address may contain {ttl} and no other braces",
            {"ttl": TTL},
        )
    return url


def _usable(url: str) -> bool:
    return url.startswith(("https://", "http://")) and bool(urlsplit(url).hostname)


Address = Annotated[str, Field(max_length=2000), AfterValidator(_address)]


class HttpRelaySpec(LoginSpec, LatchingSpec):
    """A relay or siren that is switched by calling web addresses."""

    kind: Literal["http_relay"] = "http_relay"
    danger_url: Address = Field(repr=False)
    """Address that shows danger; {ttl_s} in it is replaced by the seconds it shall last."""
    warning_url: Address | None = Field(default=None, repr=False)
    """Address that shows a warning; empty: the one for danger."""
    off_url: Address = Field(repr=False)
    """Address that makes it quiet."""
    check_url: Address | None = Field(default=None, repr=False)
    """Address that changes nothing, to see whether it is there; empty: only its port is tried."""
    method: Literal["GET", "POST", "PUT"] = "GET"
    """How the addresses are called."""
    login: Literal["basic", "digest"] = "digest"
    """How the device takes user name and password."""

    @property
    def quiet_by_itself(self) -> bool:
        """Whether the device is told how long to sound."""
        return TTL in self.danger_url and (self.warning_url is None or TTL in self.warning_url)


class HttpRelay(SirenDriver):
    """Calls the addresses; 2xx means delivered."""

    def __init__(self, spec: HttpRelaySpec, *, clock: Clock) -> None:
        super().__init__(spec, clock=clock)
        self.quiet_by_itself = self.keeps_time = spec.quiet_by_itself
        danger = _read(spec, spec.danger_url)
        self._urls = {
            SirenLevel.DANGER: danger,
            SirenLevel.WARNING: _read(spec, spec.warning_url) if spec.warning_url else danger,
            SirenLevel.OFF: _read(spec, spec.off_url),
        }
        self._check_url = _read(spec, spec.check_url) if spec.check_url else None
        self._method = spec.method
        addresses = (*self._urls.values(), self._check_url or "")
        tls = any(each.startswith("https:") for each in addresses)
        self._http = HttpDevice(spec, digest=spec.login == "digest", tls=tls)

    async def _command(self, level: SirenLevel, *, ttl_s: float, reason: str) -> str:
        url = self._urls[level].replace(TTL, str(math.ceil(ttl_s)))
        status, _ = await self._http.ask(self._method, url)
        return f"HTTP {status}"

    async def _ask(self) -> str:
        if self._check_url is not None:
            status, _ = await self._http.ask("GET", self._check_url)
            return f"HTTP {status}"
        parts = urlsplit(self._urls[SirenLevel.OFF])
        return await reach(
            parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        )

    async def _release(self) -> None:
        await self._http.close()


def _read(spec: HttpRelaySpec, url: str) -> str:
    if not url.startswith(_REFERENCES):
        return url
    address = read_secret(url)
    if not _usable(address):
        raise ConfigError(
            "channel.webhook_address",
            "the address of channel {channel}, kept in {reference}, does not start with "
            "https:// or http://",
            channel=spec.id,
            reference=url,
        )
    return address
