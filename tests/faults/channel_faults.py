"""Faults of services and devices that speak HTTP, and what they are brought about with."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Certificate, self_signed
from tests.support.front import Fault, Front


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFault:
    """One fault.

    Attributes:
        how: For the table.
        fault: Of the server; None: only its name cannot be found.
        tls: Whether it is one of certificates.
    """

    how: str
    fault: Fault | None
    tls: bool = False


CHANNEL_FAULTS: Mapping[str, ChannelFault] = {
    "hangs": ChannelFault(how="takes the request, never answers", fault="hang"),
    "refuses connections": ChannelFault(how="its port is closed", fault="refused"),
    "answers 500": ChannelFault(how="status 500 to everything", fault="500"),
    "answers 429": ChannelFault(how="status 429 to everything", fault="429"),
    "trickles": ChannelFault(how="a byte of a header every 50 ms", fault="slow-loris"),
    "name unknown": ChannelFault(how="its name is in no DNS", fault=None),
    "certificate expired": ChannelFault(
        how="a trusted certificate that was valid until an hour ago", fault="expired", tls=True
    ),
    "certificate of another": ChannelFault(
        how="a trusted certificate of another address", fault="other-name", tls=True
    ),
}


class Fronts:
    """A front before every server, all with the same fault.

    Args:
        fault: Which.
        directory: Where certificates go.
        patch: Makes our processes trust them.
    """

    def __init__(self, fault: ChannelFault, directory: Path, patch: pytest.MonkeyPatch) -> None:
        self.fault = fault
        self._patch = patch
        self._fronts: list[Front] = []
        self._good: Certificate | None = None
        self._bad: dict[str, Certificate] = {}
        if fault.tls:
            self._good = self_signed(directory, name="good")
            self._bad = {
                "expired": self_signed(directory, name="old", expired=True),
                "other-name": self_signed(directory, "127.0.0.9", name="other"),
            }
            known = [each.certificate.read_text() for each in (self._good, *self._bad.values())]
            trusted = directory / "trusted.pem"
            trusted.write_text("".join(known))
            for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
                patch.setenv(variable, str(trusted))

    @property
    def scheme(self) -> str:
        return "https" if self.fault.tls else "http"

    @property
    def host(self) -> str:
        return "127.0.0.1" if self.fault.fault else "service.invalid"

    async def before(self, port: int) -> Front:
        """A front with the fault before the server on this port."""
        front = Front(port, certificate=self._good, bad=self._bad)
        await front.start(self.fault.fault)
        self._fronts.append(front)
        return front

    def moved(self, spec: Mapping[str, Any], port: int, front: Front) -> dict[str, Any]:
        """A channel's specification with the front's address in the place of the server's."""
        here, there = f"http://127.0.0.1:{port}", f"{self.scheme}://{self.host}:{front.port}"
        moved = {
            key: value.replace(here, there) if isinstance(value, str) else value
            for key, value in spec.items()
        }
        if "host" in spec:
            moved |= {"host": self.host, "port": front.port}
        if "host" in spec and self.fault.tls:
            moved["tls"] = True
        return moved

    async def mend(self) -> None:
        """End the fault."""
        if self.fault.fault is None:
            self._patch.setattr(socket, "getaddrinfo", _resolving(socket.getaddrinfo))
        for front in self._fronts:
            await front.start()

    async def stop(self) -> None:
        """Take the fronts away."""
        for front in self._fronts:
            await front.stop()


def _resolving(ordinary: Any) -> Any:
    """The system's resolver once the name is known again."""

    def resolve(host: str | bytes | None, *arguments: Any, **options: Any) -> Sequence[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        found = "127.0.0.1" if name == "service.invalid" else host
        answer: Sequence[Any] = ordinary(found, *arguments, **options)
        return answer

    return resolve
