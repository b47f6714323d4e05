"""What messengers that talk HTTP have in common: deadline, receipt, each person told once."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from alerts.channels.base import ChannelBusy, ChannelGone, Notice, Receipt, Recipient
from alerts.channels.posting import (
    Answer,
    Poster,
    WrongCredentials,
    judge_message,
    spoken,
    too_late,
)
from safety.clock import Clock
from safety.config import Label, Slug, Spec
from safety.errors import ChannelError, ChannelRefused

_REMEMBERED = 1000


class MessengerSpec(Spec):
    """What every messenger has."""

    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""
    enabled: bool = True
    """A disabled channel is told nothing."""


def _digits(phone: str) -> str:
    plus = "+" if phone.startswith("+") else ""
    return plus + re.sub(r"\D", "", phone)


Phone = Annotated[
    str, StringConstraints(pattern=r"^\+?[0-9][0-9 ().-]{5,22}$"), AfterValidator(_digits)
]
"""A telephone number as people write it; kept as digits, with ``+`` where it has one."""

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$", max_length=254)]

ApiUrl = Annotated[
    str, Field(pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+(/[^\s?#]*)?$", max_length=300)
]
"""Address of a service, without anything secret in it."""


class TellingMessenger:
    """Base of messengers that tell one person, room or service after the other.

    Args:
        spec: The channel.
        clock: The time.
        receiver: The service's name, for people.
    """

    def __init__(self, spec: MessengerSpec, *, clock: Clock, receiver: str) -> None:
        self.channel_id = spec.id
        self.receiver = receiver
        self._clock = clock
        self._told: OrderedDict[str, set[str]] = OrderedDict()

    async def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Tell everybody whom the notice is for; ``timeout_s`` covers all of it."""
        started = self._clock.now()
        try:
            async with asyncio.timeout(timeout_s):
                detail = await self._tell(notice, timeout_s)
        except TimeoutError:
            raise too_late(self.receiver, timeout_s) from None
        now = self._clock.now()
        return Receipt(at=now, latency_s=now.monotonic - started.monotonic, detail=detail)

    async def close(self) -> None:
        """Give back connections."""

    async def _tell(self, notice: Notice, timeout_s: float) -> str:
        """Hand the notice over, and say how for the log."""
        raise NotImplementedError

    async def _each(
        self,
        notice: Notice,
        targets: Sequence[str],
        tell: Callable[[str], Awaitable[None]],
        *,
        one_service: bool = True,
    ) -> str:
        """Tell one after the other; whoever has the notice already is left out at a retry.

        Args:
            notice: What to tell.
            targets: Whom.
            tell: Tells one of them.
            one_service: What the service says of our keys, or that it is busy, goes for all.

        Raises:
            ChannelError: Somebody could not be told now; try again.
            ChannelRefused: Everybody else has it, and somebody never will.
        """
        told = self._told_of(notice.id)
        pending = [target for target in targets if target not in told]
        if one_service:
            errors = await self._in_turn(pending, tell, told)
        else:
            # Of several services one that hangs must not keep it from the others.
            tries = (self._attempt(target, tell, told) for target in pending)
            errors = [error for error in await asyncio.gather(*tries) if error is not None]
        refused = [error for error in errors if isinstance(error, ChannelRefused)]
        failed = [error for error in errors if not isinstance(error, ChannelRefused)]
        if failed:
            raise failed[0]
        if refused:
            raise some_refused(refused[0], told=len(told), refused=len(refused))
        return f"told {len(targets)}"

    async def _in_turn(
        self, targets: Sequence[str], tell: Callable[[str], Awaitable[None]], told: set[str]
    ) -> list[ChannelError]:
        errors: list[ChannelError] = []
        for target in targets:
            error = await self._attempt(target, tell, told)
            if isinstance(error, WrongCredentials | ChannelGone) or (
                isinstance(error, ChannelBusy) and error.retry_after_s is not None
            ):
                raise error  # It would be the same for everybody else.
            errors += [] if error is None else [error]
        return errors

    async def _attempt(
        self, target: str, tell: Callable[[str], Awaitable[None]], told: set[str]
    ) -> ChannelError | None:
        try:
            await tell(target)
        except ChannelError as error:
            return error
        told.add(target)
        return None

    def _told_of(self, notice_id: str) -> set[str]:
        known = self._told.setdefault(notice_id, set())
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return known


class PostingMessenger(TellingMessenger):
    """Base of messengers that post to a service over HTTP.

    Args:
        spec: The channel.
        clock: The time.
        receiver: The service's name, for people.
        secrets: What must never be repeated to anybody.
    """

    def __init__(
        self, spec: MessengerSpec, *, clock: Clock, receiver: str, secrets: tuple[str, ...]
    ) -> None:
        super().__init__(spec, clock=clock, receiver=receiver)
        self._secrets = secrets
        self._poster = Poster()

    async def close(self) -> None:
        """Close idle connections."""
        await self._poster.close()

    def _judge(self, answer: Answer, reason: object) -> None:
        """Raise unless the answer is a yes."""
        judge_message(
            self.receiver,
            answer,
            reason=spoken(reason, self._secrets),
            now_wall=self._clock.now().wall,
        )


def some_refused(error: ChannelRefused, *, told: int, refused: int) -> ChannelRefused:
    """Not everybody was told; the first refusal says why."""
    if told == 0:
        return error
    return ChannelRefused(
        "channel.some_refused",
        "{told} were told, {refused} were refused: {why}",
        told=told,
        refused=refused,
        why=str(error),
    )


def phones_of(channel_id: str, notice: Notice, own: Sequence[str]) -> tuple[str, ...]:
    """Whom to call: the notice's persons, else the channel's own list.

    Raises:
        ChannelRefused: Nobody has a number.
    """
    named = _addresses(notice.recipients, lambda person: person.phone, own)
    return named or _nobody(channel_id, "phone")


def emails_of(channel_id: str, notice: Notice, own: Sequence[str]) -> tuple[str, ...]:
    """Whom to write to: the notice's persons, else the channel's own list.

    Raises:
        ChannelRefused: Nobody has an address.
    """
    named = _addresses(notice.recipients, lambda person: person.email, own)
    return named or _nobody(channel_id, "email")


def _addresses(
    persons: Sequence[Recipient], address: Callable[[Recipient], str | None], own: Sequence[str]
) -> tuple[str, ...]:
    found = [address(person) for person in persons] if persons else list(own)
    return tuple(dict.fromkeys(each for each in found if each))


def _nobody(channel_id: str, what: str) -> tuple[str, ...]:
    raise ChannelRefused(
        f"channel.nobody_with_{what}",
        "channel {channel} has nobody to tell: none of the persons has the address that it needs "
        f"({what}); complete their entries or the channel's own list",
        channel=channel_id,
    )
