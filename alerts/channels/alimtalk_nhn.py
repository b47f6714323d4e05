"""Channel ``alimtalk_nhn``: Alimtalk through NHN Cloud (KakaoTalk Bizmessage, API v2.2).

The request carries the notice's id as idempotency key, so that NHN Cloud takes it once in ten
minutes however often it is sent.
"""

import json
from typing import Any, Literal

from pydantic import Field

from alerts.channels.alimtalk import AlimtalkSpec, domestic, short_message, variables
from alerts.channels.base import Notice
from alerts.channels.messenger import ApiUrl, PostingMessenger, phones_of, some_refused
from alerts.channels.posting import Answer, message_refused, not_taken, spoken
from safety.clock import Clock
from safety.config import SecretRef, read_secret


class AlimtalkNhnSpec(AlimtalkSpec):
    """Alimtalk through NHN Cloud."""

    kind: Literal["alimtalk_nhn"] = "alimtalk_nhn"
    app_key: SecretRef
    """Where the product's app key is kept: env:NAME or file:/path."""
    secret_key: SecretRef
    """Where the product's secret key is kept: env:NAME or file:/path."""
    sender_key: str = Field(pattern=r"^[A-Za-z0-9]{1,40}$")
    """Sender key of the KakaoTalk channel, 40 characters."""
    template_code: str = Field(min_length=1, max_length=20, pattern=r"^\S+$")
    """Code of the approved template, 20 characters at most."""
    api_url: ApiUrl = "https://api-alimtalk.cloud.toast.com"
    """Address of the service."""


class AlimtalkNhnMessenger(PostingMessenger):
    """Sends Alimtalk messages.

    Raises:
        ConfigError: A key is missing.
    """

    def __init__(self, spec: AlimtalkNhnSpec, *, clock: Clock) -> None:
        self._spec = spec
        self._app_key = read_secret(spec.app_key)
        self._secret_key = read_secret(spec.secret_key)
        super().__init__(
            spec, clock=clock, receiver="NHN Cloud", secrets=(self._app_key, self._secret_key)
        )

    async def _tell(self, notice: Notice, timeout_s: float) -> str:
        phones = [domestic(p) for p in phones_of(self.channel_id, notice, self._spec.phones)]
        body = {
            "senderKey": self._spec.sender_key,
            "templateCode": self._spec.template_code,
            "recipientList": [self._recipient(phone, notice) for phone in phones],
        }
        path = f"/alimtalk/v2.2/appkeys/{self._app_key}/messages"
        answer = await self._poster.post(
            self._spec.api_url.rstrip("/") + path,
            body=json.dumps(body, ensure_ascii=False).encode(),
            headers={
                "x-secret-key": self._secret_key,
                "x-nc-api-idempotency-key": notice.id,
                "content-type": "application/json;charset=UTF-8",
            },
            timeout_s=timeout_s,
        )
        self._require_success(answer)
        return f"told {len(phones)}"

    def _recipient(self, phone: str, notice: Notice) -> dict[str, Any]:
        resend: dict[str, Any] = {"isResend": False}
        if sms := short_message(self._spec, notice):
            resend = {
                "isResend": True,
                "resendType": sms.kind,
                "resendContent": sms.text,
                "resendSendNo": sms.sender,
            }
        return {
            "recipientNo": phone,
            "templateParameter": variables(self._spec, notice),
            "resendParameter": resend,
        }

    def _require_success(self, answer: Answer) -> None:
        header = _mapping(answer.data.get("header"))
        reason = spoken(header.get("resultMessage"), self._secrets)
        self._judge(answer, reason)
        if header.get("isSuccessful") is not True:
            raise not_taken(self.receiver, str(header.get("resultCode", answer.status)), reason)
        results = _mapping(answer.data.get("message")).get("sendResults")
        each = [_mapping(one) for one in results] if isinstance(results, list) else []
        refused = [one for one in each if one.get("resultCode", 0) != 0]
        if refused:
            why = spoken(refused[0].get("resultMessage"), self._secrets)
            error = message_refused(self.receiver, str(refused[0]["resultCode"]), why)
            raise some_refused(error, told=len(each) - len(refused), refused=len(refused))


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
