"""Channel ``kakaowork``: a KakaoWork bot writes to a room or to colleagues.

Web API of KakaoWork: ``messages.send_by_email`` and ``messages.send``, a bearer app key and
JSON; an answer with ``"success": false`` is a refusal although its status is 200.
"""

import json
from typing import Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alerts.channels.base import ChannelBusy, Notice
from alerts.channels.messenger import ApiUrl, Email, MessengerSpec, PostingMessenger, emails_of
from alerts.channels.posting import Answer, message_refused, not_taken, spoken, wrong_credentials
from alerts.channels.text import cleaned, message_text, notice_link, shortened
from safety.clock import Clock
from safety.config import SecretRef, read_secret

TEXT_LIMIT = 500
"""Characters of a text block."""


class KakaoWorkSpec(MessengerSpec):
    """A KakaoWork bot."""

    kind: Literal["kakaowork"] = "kakaowork"
    app_key: SecretRef
    """Where the bot's app key is kept: env:NAME or file:/path."""
    emails: tuple[Email, ...] = Field(default=(), max_length=100)
    """Colleagues by their KakaoWork e-mail addresses; an alert's own recipients come first."""
    conversation_id: str | None = Field(default=None, pattern=r"^[0-9]{1,20}$")
    """Room that the bot is in, by its number; instead of colleagues."""
    api_url: ApiUrl = "https://api.kakaowork.com"
    """Address of the service."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.emails and self.conversation_id is None:
            raise PydanticCustomError("channels.nobody", "name at least one recipient or a room")
        return self


class KakaoWorkMessenger(PostingMessenger):
    """Writes as the bot.

    Raises:
        ConfigError: The app key is missing.
    """

    def __init__(self, spec: KakaoWorkSpec, *, clock: Clock) -> None:
        self._spec = spec
        self._app_key = read_secret(spec.app_key)
        super().__init__(spec, clock=clock, receiver="KakaoWork", secrets=(self._app_key,))

    async def _tell(self, notice: Notice, timeout_s: float) -> str:
        message = _message(notice)
        room = self._spec.conversation_id
        if room is not None and not notice.recipients:
            body = {"conversation_id": room, **message}
            return await self._each(
                notice, [room], lambda _: self._call("messages.send", body, timeout_s)
            )
        emails = emails_of(self.channel_id, notice, self._spec.emails)

        async def tell(email: str) -> None:
            await self._call("messages.send_by_email", {"email": email, **message}, timeout_s)

        return await self._each(notice, emails, tell)

    async def _call(self, method: str, body: dict[str, Any], timeout_s: float) -> None:
        answer = await self._poster.post(
            f"{self._spec.api_url.rstrip('/')}/v1/{method}",
            body=json.dumps(body, ensure_ascii=False).encode(),
            headers={
                "authorization": f"Bearer {self._app_key}",
                "content-type": "application/json; charset=utf-8",
            },
            timeout_s=timeout_s,
        )
        error = answer.data.get("error")
        said = error if isinstance(error, dict) else {}
        self._judge(answer, said.get("message"))
        if answer.data.get("success") is not True:
            self._refuse(said, answer)

    def _refuse(self, said: dict[str, Any], answer: Answer) -> None:
        code = spoken(said.get("code"), self._secrets) or f"HTTP {answer.status}"
        reason = spoken(said.get("message"), self._secrets)
        if code in {"invalid_authentication", "unauthorized", "expired_authentication"}:
            raise wrong_credentials(self.receiver, code, reason)
        if code == "too_many_requests":
            raise ChannelBusy(
                "channel.webhook_busy",
                "{receiver} answered HTTP {status}; it will be tried again",
                retry_after_s=None,
                receiver=self.receiver,
                status=429,
            )
        if code.startswith(("invalid_", "missing_")) or code.endswith("not_found"):
            raise message_refused(self.receiver, code, reason)
        raise not_taken(self.receiver, code, reason)


def _message(notice: Notice) -> dict[str, Any]:
    """Push text, and blocks: the sentence, and a button if there is a link."""
    link = notice_link(notice)
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": shortened(cleaned(notice.text), TEXT_LIMIT)}
    ]
    if link:
        action = {"type": "open_system_browser", "name": "alert", "value": link}
        button = {"type": "button", "text": "Anjeon", "style": "default", "action": action}
        blocks.append(button)
    return {"text": message_text(notice, TEXT_LIMIT), "blocks": blocks}
