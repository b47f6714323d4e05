"""Channel ``apprise``: Slack, Teams, Telegram, Discord, e-mail, ntfy and a hundred more.

Apprise (https://github.com/caronc/apprise) knows the services; an address says which one and
how, and nearly always carries a password or token. Addresses are therefore references, or have
references in the place of their secrets: ``tgram://{env:BOT_TOKEN}/12345``.

Apprise blocks and says of a failure only what it logs, so every address is told in a thread of
its own, and the HTTP status is taken from that log.
"""

import re
import threading
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from alerts.channels.apprise_log import told_by_apprise
from alerts.channels.base import ChannelBusy, Notice
from alerts.channels.blocking import BlockingCalls
from alerts.channels.messenger import MessengerSpec, TellingMessenger
from alerts.channels.posting import message_refused, not_taken, wrong_credentials
from alerts.channels.text import message_text
from safety.clock import Clock
from safety.config import read_secret
from safety.errors import ChannelError, ConfigError

if TYPE_CHECKING:
    from apprise import NotifyBase

TELEGRAM_CAPTION = 1024
"""Characters under a picture."""

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/\S+")
_PLACEHOLDER = re.compile(r"\{(env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\s{}]+)\}")
_SCHEME = re.compile(r"[a-z][a-z0-9]{1,24}s?://\S+", re.IGNORECASE)
_FINAL = {400, 404, 405, 410, 413, 414, 422}


def _without_secrets(url: str) -> str:
    if _REFERENCE.fullmatch(url) or (_SCHEME.match(url) and _PLACEHOLDER.search(url)):
        return url
    raise PydanticCustomError(
        "channels.apprise_address",
        "write env:NAME or file:/path where the address is kept, or the address with "
        "{{env:NAME}} or {{file:/path}} in the place of its secret",
    )


AppriseUrl = Annotated[str, Field(max_length=1000), AfterValidator(_without_secrets)]


class AppriseSpec(MessengerSpec):
    """Any service that Apprise knows."""

    kind: Literal["apprise"] = "apprise"
    urls: tuple[AppriseUrl, ...] = Field(min_length=1, max_length=20)
    """Apprise addresses: env:NAME or file:/path, or with {env:NAME} where the secret stands."""
    picture: Literal["none", "blurred"] = "none"
    """Whether a picture goes along in which nobody can be recognised."""


class AppriseMessenger(TellingMessenger):
    """Tells every address.

    Raises:
        ConfigError: A secret is missing, or Apprise does not understand an address.
    """

    def __init__(self, spec: AppriseSpec, *, clock: Clock) -> None:
        super().__init__(spec, clock=clock, receiver="Apprise")
        self._picture = spec.picture == "blurred"
        self._services = {
            str(number): _service(spec.id, number, url) for number, url in enumerate(spec.urls, 1)
        }
        self._calls = BlockingCalls(f"apprise-{spec.id}")

    async def _tell(self, notice: Notice, timeout_s: float) -> str:
        async def tell(number: str) -> None:
            await self._one(number, notice, timeout_s)

        return await self._each(notice, tuple(self._services), tell)

    async def _one(self, number: str, notice: Notice, timeout_s: float) -> None:
        service = self._services[number]
        if self._calls.full:
            raise not_taken(_label(service), "busy", "earlier messages still hang there")
        told = self._told_of(notice.id)
        error = await self._calls.run(
            f"{notice.id}-{number}",
            lambda: _send(service, notice, timeout_s, with_picture=self._picture),
            done=lambda: told.add(number),
        )
        if isinstance(error, ChannelError):
            raise error
        if error is not None:
            raise not_taken(_label(service), type(error).__name__, "")


_IMPORTING = threading.Lock()


def _service(channel_id: str, number: int, url: str) -> "NotifyBase":
    # A third of a second, and only for those who use it.
    with _IMPORTING:
        import apprise

    asset = apprise.AppriseAsset(app_id="Anjeon", app_desc="Anjeon", plugin_paths=[])
    with told_by_apprise():
        service = apprise.Apprise.instantiate(_resolved(url), asset=asset)
    if service is None:
        raise ConfigError(
            "channel.apprise_address",
            "address {number} of channel {channel} is not one that Apprise understands; compare "
            "it with the list of services of Apprise",
            number=number,
            channel=channel_id,
        )
    return service


def _resolved(url: str) -> str:
    if _REFERENCE.fullmatch(url):
        return read_secret(url)
    return _PLACEHOLDER.sub(lambda found: quote(read_secret(found.group(1)), safe=""), url)


def _send(service: "NotifyBase", notice: Notice, timeout_s: float, *, with_picture: bool) -> None:
    """One message to one service, blocking.

    Raises:
        ChannelError: It was not taken; as the HTTP status in Apprise's log says, if one is.
    """
    from apprise import AppriseAttachment, NotifyFormat
    from apprise.attachment.memory import AttachMemory

    attach = None
    if with_picture and notice.picture is not None and service.attachment_support:
        picture = AttachMemory(  # type: ignore[no-untyped-call]
            notice.picture, name="alert.jpg", mimetype="image/jpeg"
        )
        attach = AppriseAttachment(picture)
    service.socket_connect_timeout = service.socket_read_timeout = timeout_s
    with told_by_apprise() as said:
        taken = service.notify(
            body=message_text(notice, _limit(service, captioned=attach is not None)),
            title="Anjeon" if service.title_maxlen > 0 else "",
            body_format=NotifyFormat.TEXT,
            attach=attach,
        )
    if not taken:
        raise _failure(_label(service), said.status)


def _limit(service: "NotifyBase", *, captioned: bool) -> int:
    """Characters of ours; escaping makes some of them longer on the way."""
    longest = int(service.body_maxlen)
    if captioned and _label(service) == "tgram":
        longest = min(longest, TELEGRAM_CAPTION)
    return longest if longest <= 1000 else longest // 2


def _label(service: "NotifyBase") -> str:
    """All of an address that people may see."""
    # Either may be missing, one name or several.
    kinds: object = getattr(service, "secure_protocol", None) or getattr(service, "protocol", "")
    return str(kinds[0] if isinstance(kinds, tuple | list) else kinds)


def _failure(receiver: str, status: int | None) -> ChannelError:
    if status in {401, 403}:
        return wrong_credentials(receiver, f"HTTP {status}", "")
    if status == 429:
        return ChannelBusy(
            "channel.webhook_busy",
            "{receiver} answered HTTP {status}; it will be tried again",
            retry_after_s=None,
            receiver=receiver,
            status=status,
        )
    if status in _FINAL:
        return message_refused(receiver, f"HTTP {status}", "")
    return not_taken(receiver, f"HTTP {status}" if status else "no answer", "")
