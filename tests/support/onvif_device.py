"""An ONVIF device with two relays, which checks who commands it by its own clock."""

import base64
import hashlib
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.support.siren_servers import HttpServer

_CLOCK_AHEAD_S = 3600.0
_TOLERANCE_S = 5.0
_HEAD = (
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:tds="http://www.onvif.org/ver10/device/wsdl"'
    ' xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error">'
    "<SOAP-ENV:Body>"
)
_TAIL = "</SOAP-ENV:Body></SOAP-ENV:Envelope>"


@dataclass(slots=True)
class Relay:
    """One relay output."""

    mode: str = "Bistable"
    delay_s: float = 1.0
    active: bool = False
    until: float = 0.0


class OnvifDevice(HttpServer):
    """The device. Its clock is an hour ahead, as clocks of cameras are.

    Attributes:
        calls: Names of the operations that it was asked for, in order.
    """

    def __init__(self, username: str, password: str) -> None:
        super().__init__(self._serve_soap)
        self.relays = {"R1": Relay(), "R2": Relay()}
        self.calls: list[str] = []
        self._username, self._password = username, password

    def is_active(self, token: str) -> bool:
        """Whether the relay is on now."""
        relay = self.relays[token]
        over = relay.mode == "Monostable" and time.monotonic() >= relay.until
        return relay.active and not over

    def _serve_soap(self, method: str, target: str, body: str) -> tuple[int, str]:
        name = re.search(r"<tds:(\w+)", body)
        assert target == "/onvif/device_service"
        assert name is not None
        self.calls.append(name[1])
        if name[1] == "GetSystemDateAndTime":
            return 200, _HEAD + self._time() + _TAIL
        if not self._knows(body):
            return 400, _fault("ter:NotAuthorized", "Sender not Authorized")
        token = (re.search(r"<tds:RelayOutputToken>(\w+)<", body) or [""] * 2)[1]
        if token and token not in self.relays:
            return 500, _fault("ter:RelayToken", "Unknown relay token reference")
        match name[1]:
            case "GetRelayOutputs":
                return 200, _HEAD + self._outputs() + _TAIL
            case "SetRelayOutputSettings":
                relay = self.relays[token]
                relay.mode = _text(body, "Mode")
                relay.delay_s = float(_text(body, "DelayTime")[2:-1])
            case "SetRelayOutputState":
                relay = self.relays[token]
                relay.active = "<tds:LogicalState>active<" in body
                relay.until = time.monotonic() + relay.delay_s
        return 200, f"{_HEAD}<tds:{name[1]}Response/>{_TAIL}"

    def _knows(self, body: str) -> bool:
        try:
            nonce = base64.b64decode(_text(body, "Nonce"))
            created = _text(body, "Created")
            said = _text(body, "Password")
        except LookupError:
            return False
        at = datetime.fromisoformat(created).timestamp()
        if abs(at - time.time() - _CLOCK_AHEAD_S) > _TOLERANCE_S:
            return False
        digest = hashlib.sha1(nonce + created.encode() + self._password.encode()).digest()
        right = base64.b64encode(digest).decode()
        return said == right and _text(body, "Username") == self._username

    def _time(self) -> str:
        now = datetime.fromtimestamp(time.time() + _CLOCK_AHEAD_S, UTC)
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time>"
            f"<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
            f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _outputs(self) -> str:
        each = (
            f'<tds:RelayOutputs token="{token}"><tt:Properties><tt:Mode>{relay.mode}</tt:Mode>'
            f"<tt:DelayTime>PT0H0M{relay.delay_s}S</tt:DelayTime><tt:IdleState>open</tt:IdleState>"
            "</tt:Properties></tds:RelayOutputs>"
            for token, relay in self.relays.items()
        )
        return f"<tds:GetRelayOutputsResponse>{''.join(each)}</tds:GetRelayOutputsResponse>"


def _text(body: str, name: str) -> str:
    found = re.search(rf"<\w+:{name}(?:\s[^>]*)?>([^<]*)<", body)
    if found is None:
        raise LookupError(name)
    return found[1]


def _fault(subcode: str, reason: str) -> str:
    return (
        f"{_HEAD}<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value>"
        f"<SOAP-ENV:Subcode><SOAP-ENV:Value>{subcode}</SOAP-ENV:Value></SOAP-ENV:Subcode>"
        f'</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">{reason}</SOAP-ENV:Text>'
        f"</SOAP-ENV:Reason></SOAP-ENV:Fault>{_TAIL}"
    )
