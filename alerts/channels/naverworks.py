"""Channel ``naverworks``: a NAVER WORKS bot writes to a room or to colleagues.

API 2.0 of NAVER WORKS (LINE WORKS): a service account signs a JWT (RS256) and gets an access
token for the scope ``bot.message``; messages go to ``/bots/{id}/channels|users/{id}/messages``.
In rooms of 500 people and more NAVER WORKS shows messages without notifying anybody.
"""

import json
from typing import Literal, Self
from urllib.parse import quote

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alerts.channels.base import Notice
from alerts.channels.messenger import ApiUrl, Email, MessengerSpec, PostingMessenger, emails_of
from alerts.channels.naverworks_token import ServiceAccount
from alerts.channels.posting import WrongCredentials
from alerts.channels.text import message_text
from safety.clock import Clock
from safety.config import SecretRef

TEXT_LIMIT = 2000
"""Characters of a text message."""


class NaverWorksSpec(MessengerSpec):
    """A NAVER WORKS bot."""

    kind: Literal["naverworks"] = "naverworks"
    bot_id: str = Field(pattern=r"^[0-9]{1,20}$")
    """Number of the bot."""
    client_id: str = Field(min_length=1, max_length=100, pattern=r"^\S+$")
    """Client id of the app in the developer console."""
    client_secret: SecretRef
    """Where the app's client secret is kept: env:NAME or file:/path."""
    service_account: str = Field(min_length=1, max_length=200, pattern=r"^\S+$")
    """Service account of the app, such as abcde.serviceaccount@example.com."""
    private_key: SecretRef
    """Where the service account's private key (PEM) is kept: file:/path, or env:NAME."""
    users: tuple[Email, ...] = Field(default=(), max_length=100)
    """Colleagues by their NAVER WORKS addresses; an alert's own recipients come first."""
    room_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,64}$")
    """Room that the bot is in, by its channel id; instead of colleagues."""
    api_url: ApiUrl = "https://www.worksapis.com"
    """Address of the service."""
    auth_url: ApiUrl = "https://auth.worksmobile.com"
    """Address where access tokens are issued."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.users and self.room_id is None:
            raise PydanticCustomError("channels.nobody", "name at least one recipient or a room")
        return self


class NaverWorksMessenger(PostingMessenger):
    """Writes as the bot.

    Raises:
        ConfigError: A secret is missing, or the private key cannot be used.
    """

    def __init__(self, spec: NaverWorksSpec, *, clock: Clock) -> None:
        self._spec = spec
        self._account = ServiceAccount(
            channel_id=spec.id,
            client_id=spec.client_id,
            client_secret=spec.client_secret,
            account=spec.service_account,
            private_key=spec.private_key,
            auth_url=spec.auth_url,
            clock=clock,
        )
        super().__init__(
            spec, clock=clock, receiver="NAVER WORKS", secrets=(self._account.client_secret,)
        )

    async def _tell(self, notice: Notice, timeout_s: float) -> str:
        content = {"content": {"type": "text", "text": message_text(notice, TEXT_LIMIT)}}
        body = json.dumps(content, ensure_ascii=False).encode()
        if self._spec.room_id is not None and not notice.recipients:
            targets: tuple[str, ...] = (f"channels/{self._spec.room_id}",)
        else:
            users = emails_of(self.channel_id, notice, self._spec.users)
            targets = tuple(f"users/{quote(user, safe='@')}" for user in users)
        return await self._each(notice, targets, lambda to: self._post(to, body, timeout_s))

    async def _post(self, target: str, body: bytes, timeout_s: float) -> None:
        """Post once, and once more with a new token if the one we had is no good any more."""
        try:
            await self._try(target, body, timeout_s)
        except WrongCredentials:
            if not self._account.forget():
                raise
            await self._try(target, body, timeout_s)

    async def _try(self, target: str, body: bytes, timeout_s: float) -> None:
        token = await self._account.token(self._poster, timeout_s)
        answer = await self._poster.post(
            f"{self._spec.api_url.rstrip('/')}/v1.0/bots/{self._spec.bot_id}/{target}/messages",
            body=body,
            headers={
                "authorization": f"Bearer {token}",
                "content-type": "application/json; charset=utf-8",
            },
            timeout_s=timeout_s,
        )
        reason = str(answer.data.get("description", "")).replace(token, "***")
        self._judge(answer, reason)
