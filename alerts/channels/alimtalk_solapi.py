"""Channel ``alimtalk_solapi``: Alimtalk through SOLAPI (messages v4).

Requests are authorised with HMAC-SHA256 over date and salt. SOLAPI sends a text message by
itself where an Alimtalk fails, unless it is told not to.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, Literal

from pydantic import Field

from alerts.channels.alimtalk import AlimtalkSpec, domestic, short_message, variables
from alerts.channels.base import Notice
from alerts.channels.messenger import ApiUrl, PostingMessenger, phones_of
from alerts.channels.posting import Answer, message_refused, spoken
from safety.clock import Clock
from safety.config import SecretRef, read_secret


class AlimtalkSolapiSpec(AlimtalkSpec):
    """Alimtalk through SOLAPI."""

    kind: Literal["alimtalk_solapi"] = "alimtalk_solapi"
    api_key: SecretRef
    """Where the API key is kept: env:NAME or file:/path."""
    api_secret: SecretRef
    """Where the API secret is kept: env:NAME or file:/path."""
    channel: str = Field(min_length=1, max_length=60, pattern=r"^\S+$")
    """Id of the KakaoTalk channel (pfId)."""
    api_url: ApiUrl = "https://api.solapi.com"
    """Address of the service."""


def authorization(api_key: str, api_secret: str, *, date: str, salt: str) -> str:
    """The ``Authorization`` header."""
    signed = hmac.new(api_secret.encode(), f"{date}{salt}".encode(), hashlib.sha256).hexdigest()
    return f"HMAC-SHA256 ApiKey={api_key}, Date={date}, salt={salt}, signature={signed}"


class AlimtalkSolapiMessenger(PostingMessenger):
    """Sends Alimtalk messages.

    Raises:
        ConfigError: A key is missing.
    """

    def __init__(self, spec: AlimtalkSolapiSpec, *, clock: Clock) -> None:
        self._spec = spec
        self._api_key = read_secret(spec.api_key)
        self._api_secret = read_secret(spec.api_secret)
        super().__init__(
            spec, clock=clock, receiver="SOLAPI", secrets=(self._api_key, self._api_secret)
        )

    async def _tell(self, notice: Notice, timeout_s: float) -> str:
        phones = phones_of(self.channel_id, notice, self._spec.phones)
        return await self._each(notice, phones, lambda to: self._one(to, notice, timeout_s))

    async def _one(self, phone: str, notice: Notice, timeout_s: float) -> None:
        now = datetime.fromtimestamp(self._clock.now().wall, UTC)
        answer = await self._poster.post(
            f"{self._spec.api_url.rstrip('/')}/messages/v4/send-many/detail",
            body=json.dumps(
                {"messages": [self._message(phone, notice)]}, ensure_ascii=False
            ).encode(),
            headers={
                "content-type": "application/json; charset=utf-8",
                "authorization": authorization(
                    self._api_key,
                    self._api_secret,
                    date=now.isoformat(timespec="milliseconds"),
                    salt=token_hex(16),
                ),
            },
            timeout_s=timeout_s,
        )
        self._require_success(answer)

    def _message(self, phone: str, notice: Notice) -> dict[str, Any]:
        sms = short_message(self._spec, notice)
        values = variables(self._spec, notice)
        message: dict[str, Any] = {
            "to": domestic(phone),
            "kakaoOptions": {
                "pfId": self._spec.channel,
                "templateId": self._spec.template_code,
                "variables": {f"#{{{name}}}": value for name, value in values.items()},
                "disableSms": sms is None,
            },
        }
        if sms is not None:
            message |= {"from": sms.sender, "text": sms.text}
        return message

    def _require_success(self, answer: Answer) -> None:
        self._judge(answer, answer.data.get("errorMessage"))
        failed = answer.data.get("failedMessageList")
        if isinstance(failed, list) and failed and isinstance(failed[0], dict):
            why = spoken(failed[0].get("statusMessage"), self._secrets)
            raise message_refused(self.receiver, str(failed[0].get("statusCode")), why)
