"""Posting over HTTP with a deadline, and what the answer means for a message."""

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from alerts.channels.text import one_line
from alerts.channels.webhook_answer import judge_answer
from safety.errors import ChannelError, ChannelRefused

# Both write whole addresses into the log, and an address can carry a signature.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_LONGEST_ANSWER = 64 * 1024
_LONGEST_REASON = 200


class WrongCredentials(ChannelRefused):
    """The receiver does not know us (any more): no message will be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        retry_after: The header, if there is one.
        body: The first 64 KiB, or nothing if it was not asked for.
    """

    status: int
    retry_after: str | None = None
    body: bytes = b""

    @property
    def data(self) -> Mapping[str, Any]:
        """The JSON object in it; empty if there is none."""
        try:
            data = json.loads(self.body)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}


class Poster:
    """Connections to one receiver, used again while they last.

    Args:
        ca_file: Certificate authority, if it is not a public one.

    Raises:
        OSError: The certificate authority's file cannot be read.
    """

    def __init__(self, *, ca_file: Path | None = None) -> None:
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(cafile=ca_file),
            follow_redirects=False,
            limits=httpx.Limits(max_connections=4),
        )

    async def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        timeout_s: float,
        read: bool = True,
    ) -> Answer:
        """Post, from name look-up to the answer within ``timeout_s``.

        Args:
            url: Only scheme, host and port of it are ever told to people or logs.
            body: What to post.
            headers: Besides the usual ones.
            timeout_s: Seconds.
            read: Whether the answer's body matters; its head always does.

        Raises:
            ChannelError: No answer in time, or nobody there.
        """
        # httpx bounds each wait for bytes; only the outer limit ends a receiver that trickles.
        request = self._client.stream(
            "POST",
            url,
            content=body,
            headers={"user-agent": "Anjeon", **headers},
            timeout=timeout_s,
        )
        try:
            async with asyncio.timeout(timeout_s), request as answer:
                return Answer(
                    status=answer.status_code,
                    retry_after=answer.headers.get("retry-after"),
                    body=await _beginning(answer) if read else b"",
                )
        except (TimeoutError, httpx.TimeoutException):
            raise too_late(origin(url), timeout_s) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ChannelError(
                "channel.webhook_unreachable",
                "{receiver} cannot be reached ({problem}); check its address, network, "
                "firewall and certificate",
                receiver=origin(url),
                problem=type(error).__name__,
            ) from None

    async def close(self) -> None:
        """Close idle connections."""
        await self._client.aclose()


async def _beginning(answer: httpx.Response) -> bytes:
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) >= _LONGEST_ANSWER:
            break
    return body[:_LONGEST_ANSWER]


def too_late(receiver: str, timeout_s: float) -> ChannelError:
    """Nothing came in time."""
    return ChannelError(
        "channel.webhook_timeout",
        "{receiver} did not answer within {seconds:g} s; it will be tried again",
        receiver=receiver,
        seconds=timeout_s,
    )


def judge_message(receiver: str, answer: Answer, *, reason: str, now_wall: float) -> None:
    """Return if the message was taken (2xx), raise otherwise.

    Args:
        receiver: The service's name or address, for people.
        answer: Its answer.
        reason: What the receiver says of it, without secrets.
        now_wall: Unix seconds, for a ``Retry-After`` that is a date.

    Raises:
        WrongCredentials: 401 or 403.
        ChannelRefused: Any other 4xx that trying again does not help.
        ChannelError: As ``judge_answer`` says.
    """
    if answer.status in {401, 403}:
        raise wrong_credentials(receiver, f"HTTP {answer.status}", reason)
    if 400 <= answer.status < 500 and answer.status not in {408, 410, 425, 429}:
        raise message_refused(receiver, f"HTTP {answer.status}", reason)
    judge_answer(receiver, answer.status, answer.retry_after, now_wall=now_wall)


def wrong_credentials(receiver: str, code: str, reason: str) -> WrongCredentials:
    """The receiver does not accept our keys."""
    return WrongCredentials(
        "channel.messenger_credentials",
        "{receiver} does not accept the keys of this channel ({code}{reason}); check them, "
        "whether they have expired, and this computer's clock",
        receiver=receiver,
        code=code,
        reason=_after_colon(reason),
    )


def message_refused(receiver: str, code: str, reason: str) -> ChannelRefused:
    """The receiver would refuse the same message again."""
    return ChannelRefused(
        "channel.messenger_refused",
        "{receiver} refused the message ({code}{reason}); check the channel's settings",
        receiver=receiver,
        code=code,
        reason=_after_colon(reason),
    )


def not_taken(receiver: str, code: str, reason: str) -> ChannelError:
    """The receiver answered, and not with yes; perhaps it does next time."""
    return ChannelError(
        "channel.messenger_not_taken",
        "{receiver} did not take the message ({code}{reason}); it will be tried again",
        receiver=receiver,
        code=code,
        reason=_after_colon(reason),
    )


def spoken(value: object, secrets: tuple[str, ...]) -> str:
    """A receiver's own words, short, on one line and without our secrets."""
    text = one_line(value) if isinstance(value, str) else ""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text[:_LONGEST_REASON]


def origin(url: str) -> str:
    """Scheme, host and port: all of an address that people and logs may see."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def _after_colon(reason: str) -> str:
    return f": {reason}" if reason else ""
