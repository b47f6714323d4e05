"""What every channel is: a siren, a messenger, or both; and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from safety.clock import Instant
from safety.errors import ChannelError, ChannelRefused


class ChannelBusy(ChannelError):
    """The receiver asked to be left alone for a while (HTTP 429 or 503 with Retry-After)."""

    def __init__(
        self, key: str, message: str, *, retry_after_s: float | None, **params: object
    ) -> None:
        super().__init__(key, message, **params)
        self.retry_after_s = retry_after_s


class ChannelGone(ChannelRefused):
    """The receiver wants nothing from us any more (HTTP 410): stop using the channel."""


QuietWhen = Literal["acknowledged", "light", "over"]
"""What somebody's acknowledgement does to a siren: it goes quiet; it goes down to its warning
level, which is the light without the sound where a device has both; or nothing, only the end of
the situation counts. A false alarm ends it in any case."""


class SirenLevel(StrEnum):
    """What a siren or stack light shows."""

    OFF = "off"
    WARNING = "warning"
    DANGER = "danger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A channel's word that it handed something over.

    Attributes:
        at: When the receiver confirmed (or, for QoS 0, when it was sent).
        latency_s: From the call to the confirmation, seconds.
        detail: The receiver's own words, for the log; no secrets.
    """

    at: Instant
    latency_s: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A person who is to be told, for channels that address persons.

    Attributes:
        name: As colleagues call them.
        phone: E.164 (``+8210…``), None if unknown.
        email: None if unknown.
    """

    name: str
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A file that goes along with a notice."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One event of one alert, as a messenger gets it; all text is already in one language.

    Attributes:
        id: Idempotency key: the delivery's id, the same at every retry.
        event: ``raised``, ``updated``, ``acknowledged``, ``escalated``, ``cleared``, ``summary``
            or ``test``.
        raised_at: When the alert was raised, Unix seconds, UTC.
        at: When this event happened, Unix seconds, UTC; None: when the alert was raised.
        text: One sentence for people.
        data: The alert as JSON (ids, names, times, link), for machines.
        recipients: Persons to tell; empty: those of the channel's own settings.
        picture: A JPEG in which nobody can be recognised; only for channels that ask for one.
        paper: The monthly report, if the notice is about one; only for channels that ask for it.
    """

    id: str
    event: str
    alert_id: str
    severity: str
    raised_at: float
    text: str
    at: float | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    recipients: tuple[Recipient, ...] = ()
    picture: bytes | None = field(default=None, repr=False)
    paper: Paper | None = None


class Siren(Protocol):
    """A siren or stack light.

    ``set`` is idempotent: asserting a level again prolongs it. It goes quiet ``ttl_s`` after
    the last assertion: by the device's own timer, so that a dead Anjeon is quiet, or, where a
    device has none, by the driver's.

    Attributes:
        quiet_by_itself: The device goes quiet if Anjeon dies.
        keeps_time: The device itself ends a command after its time-to-live, so that closing
            the driver cuts nothing short.
        quiet_when: What an acknowledgement does to it.
    """

    channel_id: str
    quiet_by_itself: bool
    keeps_time: bool
    quiet_when: QuietWhen

    async def set(self, level: SirenLevel, *, ttl_s: float, reason: str) -> Receipt:
        """Show ``level`` for ``ttl_s`` seconds.

        Raises:
            ChannelError: The siren cannot be reached.
        """
        ...

    async def check(self) -> Receipt:
        """Ask whether the siren can be reached, without changing what it shows.

        Raises:
            ChannelError: It cannot.
        """
        ...

    async def close(self) -> None:
        """Give back connections; what does not go quiet by itself is told to be quiet."""
        ...


@runtime_checkable
class TakesPicture(Protocol):
    """What a messenger has besides that can show a picture: whether it is to."""

    takes_picture: bool


@runtime_checkable
class TakesReport(Protocol):
    """What a messenger has besides that can carry files: whether monthly reports go along."""

    takes_report: bool


class Messenger(Protocol):
    """A channel that carries notices to people or programs."""

    channel_id: str

    async def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Hand the notice over.

        Raises:
            ChannelError: Not delivered; try again later.
            ChannelRefused: Refused for good; do not try again.
        """
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
