"""Channel ``apprise``: Slack, Teams, Telegram, Discord, e-mail, ntfy and a hundred more.

Apprise (https://github.com/caronc/apprise) knows the services; an address says which one and
how, and nearly always carries a password or token. Addresses are therefore references, or have
references in the place of their secrets: ``tgram://{env:BOT_TOKEN}/12345``.

Apprise blocks and says of a failure only what it logs, so every address is told in a thread of
its own, and the HTTP status is taken from that log.
"""

import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from alerts.channels.apprise_log import told_by_apprise
from alerts.channels.base import ChannelBusy, Notice, Paper
from alerts.channels.blocking import BlockingCalls
from alerts.channels.messenger import MessengerSpec, TellingMessenger
from alerts.channels.posting import message_refused, not_taken, wrong_credentials
from alerts.channels.text import message_text
from safety.clock import Clock
from safety.config import read_secret
from safety.errors import ChannelError, ChannelRefused

if TYPE_CHECKING:
    from apprise import AppriseAttachment, NotifyBase

LONGEST = 1000
"""Characters of a message, however many more a service would take."""

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
        "{env:NAME} or {file:/path} in the place of its secret",
    )


AppriseUrl = Annotated[str, Field(max_length=1000), AfterValidator(_without_secrets)]


class AppriseSpec(MessengerSpec):
    """Any service that Apprise knows."""

    kind: Literal["apprise"] = "apprise"
    urls: tuple[AppriseUrl, ...] = Field(min_length=1, max_length=20)
    """Apprise addresses: env:NAME or file:/path, or with {env:NAME} where the secret stands."""
    picture: Literal["none", "blurred"] = "none"
    """Whether a picture goes along in which nobody can be recognised."""
    report: Literal["link", "attached"] = "link"
    """Whether the monthly report goes along as PDF where the service carries files (e-mail)."""


class AppriseMessenger(TellingMessenger):
    """Tells every address.

    Raises:
        ConfigError: A secret is missing.
    """

    def __init__(self, spec: AppriseSpec, *, clock: Clock) -> None:
        super().__init__(spec, clock=clock, receiver="Apprise")
        self.takes_picture = spec.picture == "blurred"
        self.takes_report = spec.report == "attached"
        self._services = {
            str(number): _Service(spec.id, number, _resolved(url))
            for number, url in enumerate(spec.urls, 1)
        }
        self._calls = BlockingCalls(f"apprise-{spec.id}")

    async def _tell(self, notice: Notice, timeout_s: float) -> str:
        async def tell(number: str) -> None:
            await self._one(number, notice, timeout_s)

        return await self._each(notice, tuple(self._services), tell, one_service=False)

    async def _one(self, number: str, notice: Notice, timeout_s: float) -> None:
        service = self._services[number]
        notice = replace(
            notice,
            picture=notice.picture if self.takes_picture else None,
            paper=notice.paper if self.takes_report else None,
        )
        if self._calls.full:
            raise not_taken(service.label, "busy", "earlier messages still hang there")
        told = self._told_of(notice.id)
        error = await self._calls.run(
            f"{notice.id}-{number}",
            lambda: _send(service, notice, timeout_s),
            done=lambda: told.add(number),
        )
        if isinstance(error, ChannelError):
            raise error
        if error is not None:
            raise not_taken(service.label, type(error).__name__, "")


class _Service:
    """One address. Apprise is loaded and asked in threads only: that takes it a second."""

    _loading = threading.Lock()

    def __init__(self, channel_id: str, number: int, url: str) -> None:
        self._channel_id, self._number = channel_id, number
        self._url = url
        self._known: NotifyBase | None = None

    @property
    def label(self) -> str:
        """All of the address that people may see: ``slack``."""
        return self._url.partition(":")[0].lower()[:25]

    def ask(self) -> "NotifyBase":
        """Apprise's object for it, blocking.

        Raises:
            ChannelRefused: Apprise does not understand the address.
        """
        with self._loading, told_by_apprise():
            if self._known is None:
                import apprise

                asset = apprise.AppriseAsset(
                    app_id="Anjeon",
                    app_desc="Anjeon",
                    plugin_paths=[],
                    image_url_mask="",
                    image_url_logo="",
                )
                self._known = apprise.Apprise.instantiate(self._url, asset=asset)
            if self._known is None:
                raise ChannelRefused(
                    "channel.apprise_address",
                    "address {number} of channel {channel} is not one that Apprise understands; "
                    "compare it with Apprise's list of services",
                    number=self._number,
                    channel=self._channel_id,
                )
            return self._known


def _resolved(url: str) -> str:
    if _REFERENCE.fullmatch(url):
        return read_secret(url)
    return _PLACEHOLDER.sub(lambda found: quote(read_secret(found.group(1)), safe=""), url)


def _send(service: _Service, notice: Notice, timeout_s: float) -> None:
    """One message to one service, blocking.

    Raises:
        ChannelError: It was not taken; as the HTTP status in Apprise's log says, if one is.
    """
    asked = service.ask()
    from apprise import Apprise, NotifyFormat

    attach = _attachment(notice) if asked.attachment_support else None
    # How often we may write is the policy's business and the service's (429), not a sleep's.
    asked.request_rate_per_sec = 0.0
    asked.socket_connect_timeout = asked.socket_read_timeout = timeout_s
    with told_by_apprise() as said:
        # Through the container, which escapes plain text for services that take HTML.
        everything = Apprise(asset=asked.asset)
        everything.add(asked)
        taken = everything.notify(
            body=_words(notice, asked, service.label),
            title="Anjeon" if asked.title_maxlen > 0 else "",
            body_format=NotifyFormat.TEXT,
            attach=attach,
        )
    if not taken:
        raise _failure(service.label, said.status)


def _words(notice: Notice, asked: "NotifyBase", label: str) -> str:
    text = message_text(notice, min(int(asked.body_maxlen), LONGEST))
    # Discord calls everybody if a name says so.
    return text.replace("@", "@\u200b") if label == "discord" else text


def _attachment(notice: Notice) -> "AppriseAttachment | None":
    papers = [] if notice.paper is None else [notice.paper]
    if notice.picture is not None:
        papers.append(Paper(name="alert.jpg", media_type="image/jpeg", content=notice.picture))
    if not papers:
        return None
    from apprise import AppriseAttachment
    from apprise.attachment.memory import AttachMemory

    return AppriseAttachment(
        [
            AttachMemory(  # type: ignore[no-untyped-call]
                paper.content, name=paper.name, mimetype=paper.media_type
            )
            for paper in papers
        ]
    )


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
