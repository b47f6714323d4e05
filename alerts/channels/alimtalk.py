"""What the Alimtalk providers have in common: the approved template, and SMS where it fails.

An Alimtalk is a KakaoTalk message from a company to a telephone number. Its text is a template
that Kakao has approved, with variables; anything else is refused. Providers send a short
message instead if the person has no KakaoTalk.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from alerts.channels.base import Notice
from alerts.channels.messenger import MessengerSpec, Phone
from alerts.channels.text import (
    message_text,
    notice_link,
    one_line,
    shortened,
    sms_bytes,
    utf16_length,
)
from safety.errors import ChannelRefused
from safety.i18n import translator

TEXT_LIMIT = 1000
"""Characters of an Alimtalk, variables filled in."""

SMS_LIMIT, LMS_LIMIT = 90, 2000
"""Bytes of a short and of a long text message."""

VARIABLES = ("현장", "구역", "등급", "시각", "내용", "링크")
"""Site, zone, severity, time, sentence, link."""

DEFAULT_TEMPLATE = (
    "[안전 알림] #{현장}\n구역: #{구역}\n등급: #{등급}\n시각: #{시각}\n#{내용}\n#{링크}"
)

_FIXED_LIMIT = 500
_SHORTENABLE = ("내용", "구역", "현장")
_VARIABLE = re.compile(r"#\{([^{}]*)\}")
_KOREA = ZoneInfo("Asia/Seoul")


def _known_variables(template: str) -> str:
    """The template, if its variables are ours and it leaves room for them."""
    names = _VARIABLE.findall(template)
    for name in names:
        if name not in VARIABLES:
            raise PydanticCustomError(
                "channels.template_variable",
                "#{{name}} is no variable; there are {known}",
                {"name": name[:40], "known": ", ".join(VARIABLES)},
            )
    if len(names) != len(set(names)):
        raise PydanticCustomError(
            "channels.template_twice", "a variable may stand in the template once"
        )
    return template


Template = Annotated[
    str, Field(min_length=1, max_length=_FIXED_LIMIT), AfterValidator(_known_variables)
]


class AlimtalkSpec(MessengerSpec):
    """What every Alimtalk provider needs."""

    template_code: str = Field(min_length=1, max_length=60, pattern=r"^\S+$")
    """Code of the approved template."""
    template: Template = DEFAULT_TEMPLATE
    """The approved template's text, exactly as it was approved, with its variables."""
    phones: tuple[Phone, ...] = Field(default=(), max_length=100)
    """Telephone numbers to tell; an alert's own recipients come first."""
    sms_from: Phone | None = None
    """Registered sender of the short message for whoever has no KakaoTalk; empty: none is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """The short message that takes the Alimtalk's place.

    Attributes:
        kind: ``SMS`` or, if it is longer, ``LMS``.
        sender: Digits.
    """

    kind: str
    sender: str
    text: str


def variables(spec: AlimtalkSpec, notice: Notice) -> dict[str, str]:
    """Values of the template's variables; together they keep to the limit.

    No value is empty, for the providers refuse empty ones.
    """
    at = datetime.fromtimestamp(notice.raised_at if notice.at is None else notice.at, _KOREA)
    data = notice.data
    values = {
        "현장": _text(data.get("site")),
        "구역": _text(data.get("zone")) or _text(data.get("camera")),
        "등급": translator("ko")(f"severity.{notice.severity}"),
        "시각": at.strftime("%Y-%m-%d %H:%M:%S"),
        "내용": one_line(notice.text),
        "링크": notice_link(notice),
    }
    used = {name: values[name] or "-" for name in _VARIABLE.findall(spec.template)}
    for name in _SHORTENABLE:
        excess = utf16_length(filled(spec.template, used)) - TEXT_LIMIT
        if excess > 0 and name in used:
            used[name] = shortened(used[name], max(1, utf16_length(used[name]) - excess))
    return used


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its variables filled in."""
    return _VARIABLE.sub(lambda found: values[found.group(1)], template)


def short_message(spec: AlimtalkSpec, notice: Notice) -> Sms | None:
    """What is sent instead; None if nothing is to be."""
    if spec.sms_from is None:
        return None
    text = message_text(notice, LMS_LIMIT, length=sms_bytes)
    kind = "SMS" if sms_bytes(text) <= SMS_LIMIT else "LMS"
    return Sms(kind=kind, sender=domestic(spec.sms_from), text=text)


def domestic(phone: str) -> str:
    """A Korean number as it is dialled at home: 01012345678.

    Raises:
        ChannelRefused: It is in another country, where Alimtalk does not reach.
    """
    if phone.startswith("+82"):
        return "0" + phone.removeprefix("+82").removeprefix("0")
    if phone.startswith("+"):
        raise ChannelRefused(
            "channel.foreign_phone",
            "Alimtalk reaches Korean telephone numbers only; remove the foreign one (…{end})",
            end=phone[-2:],
        )
    return phone


def _text(value: object) -> str:
    return one_line(value) if isinstance(value, str) else ""
