"""Channel ``webhook``: signed HTTP POSTs to a program of the customer's.

Headers and signature follow Standard Webhooks (https://www.standardwebhooks.com), the body is
a CloudEvents 1.0 event in structured JSON (https://cloudevents.io).
"""

import json
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from standardwebhooks.webhooks import Webhook

from alerts.channels.base import Notice, Receipt
from alerts.channels.posting import Poster, origin
from alerts.channels.webhook_answer import judge_answer
from safety.clock import Clock
from safety.config import Label, SecretRef, Slug, Spec, read_secret
from safety.errors import ConfigError


class WebhookSpec(Spec):
    """A program that gets every event of every alert as a signed HTTP request."""

    kind: Literal["webhook"] = "webhook"
    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""
    enabled: bool = True
    """A disabled channel is told nothing."""
    url: str = Field(max_length=2000, repr=False)
    """Address, https:// or http://; or env:NAME / file:/path if the address itself is secret."""
    secret: SecretRef
    """Where the signing secret (whsec_…) is kept: env:NAME or file:/path."""
    ca_file: Path | None = None
    """Certificate authority of the receiver, if it is not a public one."""

    @field_validator("url")
    @classmethod
    def _address_without_credentials(cls, url: str) -> str:
        if url.startswith(("env:", "file:/")):
            return url
        if not url.startswith(("https://", "http://")) or not urlsplit(url).hostname:
            raise ValueError("must start with https:// or http://, or be env:NAME or file:/path")
        if "@" in urlsplit(url).netloc:
            raise ValueError(
                "must not contain user name or password; keep the whole address in a secret "
                "and write env:NAME or file:/path"
            )
        return url


def cloud_event(notice: Notice) -> bytes:
    """The notice as a CloudEvents 1.0 event in structured JSON, UTF-8.

    The event's id is the delivery's: receivers drop what they have seen already.
    """
    at = notice.raised_at if notice.at is None else notice.at
    event = {
        "specversion": "1.0",
        "id": notice.id,
        "source": "/anjeon/alerts",
        "type": f"kr.anjeon.alert.{notice.event}.v1",
        "subject": notice.alert_id,
        "time": _rfc3339(at),
        "datacontenttype": "application/json",
        "data": {
            "alert_id": notice.alert_id,
            "event": notice.event,
            "severity": notice.severity,
            "raised_at": _rfc3339(notice.raised_at),
            "text": notice.text,
            **notice.data,
        },
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _rfc3339(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")


class WebhookMessenger:
    """Posts notices; at most one answer's head is read, never its body.

    Raises:
        ConfigError: The address or the signing secret is missing or unusable.
    """

    def __init__(self, spec: WebhookSpec, *, clock: Clock) -> None:
        self.channel_id = spec.id
        self._clock = clock
        self._url = _address(spec)
        self._signer = _signer(spec)
        self.receiver = origin(self._url)
        """Scheme, host and port: all of the address that people and logs may see."""
        self._poster = Poster(ca_file=spec.ca_file)

    async def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Post the notice; ``timeout_s`` covers everything from name look-up to answer."""
        body = cloud_event(notice)
        started = self._clock.now()
        signed_at = datetime.fromtimestamp(started.wall, UTC)
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": notice.id,
            "webhook-timestamp": str(int(started.wall)),
            "webhook-signature": self._signer.sign(notice.id, signed_at, body.decode()),
        }
        answer = await self._poster.post(
            self._url, body=body, headers=headers, timeout_s=timeout_s, read=False
        )
        now = self._clock.now()
        judge_answer(self.receiver, answer.status, answer.retry_after, now_wall=now.wall)
        latency_s = now.monotonic - started.monotonic
        return Receipt(at=now, latency_s=latency_s, detail=f"HTTP {answer.status}")

    async def close(self) -> None:
        """Close idle connections."""
        await self._poster.close()


def _address(spec: WebhookSpec) -> str:
    if not spec.url.startswith(("env:", "file:/")):
        return spec.url
    url = read_secret(spec.url)
    if not url.startswith(("https://", "http://")) or not urlsplit(url).hostname:
        raise ConfigError(
            "channel.webhook_address",
            "the address of channel {channel}, kept in {reference}, does not start with "
            "https:// or http://",
            channel=spec.id,
            reference=spec.url,
        )
    return url


def _signer(spec: WebhookSpec) -> Webhook:
    """The library would take nearly any text for a key; a mistyped secret must not pass."""
    prefix, _, encoded = read_secret(spec.secret).partition("_")
    try:
        key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        key = b""
    if prefix != "whsec" or not 24 <= len(key) <= 64:
        raise ConfigError(
            "channel.webhook_secret",
            "the signing secret of channel {channel}, kept in {reference}, is not a Standard "
            "Webhooks secret: whsec_ followed by 24 to 64 bytes in base64",
            channel=spec.id,
            reference=spec.secret,
        )
    return Webhook(key)
