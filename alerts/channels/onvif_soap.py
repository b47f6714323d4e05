"""SOAP for ONVIF's device service: relay outputs, and the authentication that devices want.

Source: ONVIF Core Specification (device management, relay outputs) and WS-UsernameToken Profile.
"""

import base64
import hashlib
import re
import secrets
from datetime import UTC, datetime
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from alerts.channels.siren_errors import not_understood, refused, wrong_credentials

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_TDS = "http://www.onvif.org/ver10/device/wsdl"
_TT = "http://www.onvif.org/ver10/schema"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
_BASE64 = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)

_DURATION = re.compile(r"P(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)")


def envelope(body: str, security: str = "") -> str:
    """A SOAP 1.2 message."""
    header = f"<s:Header>{security}</s:Header>" if security else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<s:Envelope xmlns:s={quoteattr(_SOAP)} xmlns:tds={quoteattr(_TDS)}"
        f" xmlns:tt={quoteattr(_TT)}>{header}<s:Body>{body}</s:Body></s:Envelope>"
    )


def username_token(username: str, password: str, at: datetime, nonce: bytes = b"") -> str:
    """The security header: a digest of nonce, time and password instead of the password.

    Args:
        at: The time by the device's clock; it refuses what seems to be of another time.
        nonce: Random bytes; empty: new ones.
    """
    nonce = nonce or secrets.token_bytes(16)
    created = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return (
        f"<wsse:Security xmlns:wsse={quoteattr(_WSSE)} xmlns:wsu={quoteattr(_WSU)}>"
        f"<wsse:UsernameToken><wsse:Username>{escape(username)}</wsse:Username>"
        f"<wsse:Password Type={quoteattr(_PROFILE + '#PasswordDigest')}>"
        f"{password_digest(nonce, created, password)}</wsse:Password>"
        f"<wsse:Nonce EncodingType={quoteattr(_BASE64)}>{base64.b64encode(nonce).decode()}"
        f"</wsse:Nonce><wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>"
    )


def password_digest(nonce: bytes, created: str, password: str) -> str:
    """Base64 of SHA-1 over nonce, time and password."""
    # SHA-1 is what the profile prescribes.
    sha1 = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False)
    return base64.b64encode(sha1.digest()).decode()


GET_TIME = "<tds:GetSystemDateAndTime/>"
GET_RELAYS = "<tds:GetRelayOutputs/>"


def set_monostable(token: str, seconds: int) -> str:
    """The relay goes back by itself after ``seconds``."""
    return (
        f"<tds:SetRelayOutputSettings><tds:RelayOutputToken>{escape(token)}"
        "</tds:RelayOutputToken><tds:Properties><tt:Mode>Monostable</tt:Mode>"
        f"<tt:DelayTime>PT{seconds}S</tt:DelayTime><tt:IdleState>open</tt:IdleState>"
        "</tds:Properties></tds:SetRelayOutputSettings>"
    )


def set_state(token: str, *, active: bool) -> str:
    """Switch the relay."""
    return (
        f"<tds:SetRelayOutputState><tds:RelayOutputToken>{escape(token)}</tds:RelayOutputToken>"
        f"<tds:LogicalState>{'active' if active else 'inactive'}</tds:LogicalState>"
        "</tds:SetRelayOutputState>"
    )


def read_body(device: str, text: str) -> Element:
    """The answer's body.

    Raises:
        ChannelRefused: The device does not know us.
        ChannelError: A fault, or no SOAP message.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise not_understood(device, "XML with a DOCTYPE")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without DOCTYPE nothing can be expanded
    except ET.ParseError:
        raise not_understood(device, "no XML") from None
    body = root.find(f"{{{_SOAP}}}Body")
    if body is None:
        raise not_understood(device, "no SOAP 1.2 message")
    fault = body.find(f"{{{_SOAP}}}Fault")
    if fault is not None:
        said = " ".join(part.strip() for part in fault.itertext() if part.strip())
        if "NotAuthorized" in said or "FailedAuthentication" in said:
            raise wrong_credentials(device)
        raise refused(device, said[:120])
    return body


def relays(body: Element) -> dict[str, int | None]:
    """The relay outputs of the device: seconds after which each goes back by itself, or None."""
    found: dict[str, int | None] = {}
    for each in body.iter(f"{{{_TDS}}}RelayOutputs"):
        mode = each.findtext(f".//{{{_TT}}}Mode", "")
        delay = each.findtext(f".//{{{_TT}}}DelayTime", "")
        found[each.get("token", "")] = _seconds(delay) if mode == "Monostable" else None
    return found


def _seconds(duration: str) -> int | None:
    """Of an XML duration such as ``PT6S`` or ``PT0H0M6.0S``, below a day."""
    parts = _DURATION.fullmatch(duration.strip())
    if parts is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return round(hours * 3600 + minutes * 60 + seconds)


def device_time(body: Element) -> datetime | None:
    """The device's UTC time; None if it does not say."""
    utc = body.find(f".//{{{_TT}}}UTCDateTime")
    if utc is None:
        return None
    try:
        year, month, day, hour, minute, second = (
            int(utc.findtext(f"{{{_TT}}}{part}/{{{_TT}}}{name}", ""))
            for part, name in (
                ("Date", "Year"),
                ("Date", "Month"),
                ("Date", "Day"),
                ("Time", "Hour"),
                ("Time", "Minute"),
                ("Time", "Second"),
            )
        )
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
