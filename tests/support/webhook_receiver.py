"""A real HTTP server that takes webhooks: checks signatures, and misbehaves if told to."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.support.http_service import Answer, Asked, HttpService, Mode

__all__ = ["SECRET", "Mode", "Request", "WebhookReceiver"]

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came, and what became of it.

    Attributes:
        verified: Its signature is right.
        accepted: It was answered with success.
    """

    asked: Asked
    verified: bool
    accepted: bool

    @property
    def target(self) -> str:
        return self.asked.path

    @property
    def headers(self) -> dict[str, str]:
        return self.asked.headers

    @property
    def body(self) -> bytes:
        return self.asked.body

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent in it."""
        event: dict[str, Any] = self.asked.data
        return event


@dataclass(kw_only=True)
class WebhookReceiver(HttpService):
    """The server; what has a wrong signature is answered 401 while all is well."""

    requests: list[Request] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where it is; the query looks like a secret, and is one to whoever logs it."""
        return f"http://127.0.0.1:{self.port}/hook/path-token?sig=top-secret-signature"

    @property
    def taken(self) -> list[Request]:
        """Requests that were answered with success."""
        return [request for request in self.requests if request.accepted]

    def noted(self, asked: Asked) -> None:
        verified = _verified(asked.body, asked.headers)
        accepted = verified and self.mode == "ok"
        self.requests.append(Request(asked=asked, verified=verified, accepted=accepted))
        self.arrived.set()

    def well(self, asked: Asked) -> Answer:
        return (204 if self.requests[-1].verified else 401), {}, b""


def _verified(body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(SECRET).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


@pytest.fixture
async def webhook_receiver() -> AsyncIterator[WebhookReceiver]:
    """A running receiver in mode ``ok``."""
    receiver = WebhookReceiver()
    await receiver.start()
    yield receiver
    await receiver.stop()
