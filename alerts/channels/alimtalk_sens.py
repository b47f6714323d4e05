"""Channel ``alimtalk_sens``: Alimtalk through NAVER Cloud (SENS, alimtalk v2).

Requests are signed with HMAC-SHA256 over method, path, time and access key; NAVER Cloud takes
them within five minutes of that time. The whole text is sent, and must be the approved
template with its variables filled in.
"""

import base64
import hashlib
import hmac
import json
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field

from alerts.channels.alimtalk import AlimtalkSpec, domestic, filled, short_message, variables
from alerts.channels.base import Notice
from alerts.channels.messenger import ApiUrl, PostingMessenger, phones_of
from alerts.channels.posting import Answer, message_refused, spoken
from safety.clock import Clock
from safety.config import SecretRef, read_secret

_ACCEPTED = "A000"


class AlimtalkSensSpec(AlimtalkSpec):
    """Alimtalk through NAVER Cloud SENS."""

    kind: Literal["alimtalk_sens"] = "alimtalk_sens"
    service_id: str = Field(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9:._-]+$")
    """Id of the Biz Message project, such as ncp:kkobizmsg:kr:…"""
    access_key: SecretRef
    """Where the access key is kept: env:NAME or file:/path."""
    secret_key: SecretRef
    """Where the secret key is kept: env:NAME or file:/path."""
    channel: str = Field(min_length=1, max_length=60, pattern=r"^\S+$")
    """KakaoTalk channel, such as @anjeon."""
    api_url: ApiUrl = "https://sens.apigw.ntruss.com"
    """Address of the service; the government cloud has its own."""


def signature(secret: str, *, path: str, timestamp_ms: str, access_key: str) -> str:
    """``x-ncp-apigw-signature-v2`` of a POST."""
    message = f"POST {path}\n{timestamp_ms}\n{access_key}"
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class AlimtalkSensMessenger(PostingMessenger):
    """Sends Alimtalk messages.

    Raises:
        ConfigError: A key is missing.
    """

    def __init__(self, spec: AlimtalkSensSpec, *, clock: Clock) -> None:
        self._spec = spec
        self._access_key = read_secret(spec.access_key)
        self._secret_key = read_secret(spec.secret_key)
        path = f"/alimtalk/v2/services/{quote(spec.service_id, safe=':')}/messages"
        self._url = spec.api_url.rstrip("/") + path
        super().__init__(
            spec, clock=clock, receiver="NAVER Cloud", secrets=(self._access_key, self._secret_key)
        )

    async def _tell(self, notice: Notice, timeout_s: float) -> str:
        phones = phones_of(self.channel_id, notice, self._spec.phones)
        return await self._each(notice, phones, lambda to: self._one(to, notice, timeout_s))

    async def _one(self, phone: str, notice: Notice, timeout_s: float) -> None:
        body = {
            "plusFriendId": self._spec.channel,
            "templateCode": self._spec.template_code,
            "messages": [self._message(phone, notice)],
        }
        timestamp_ms = str(round(self._clock.now().wall * 1000))
        answer = await self._poster.post(
            self._url,
            body=json.dumps(body, ensure_ascii=False).encode(),
            headers={
                "content-type": "application/json; charset=utf-8",
                "x-ncp-apigw-timestamp": timestamp_ms,
                "x-ncp-iam-access-key": self._access_key,
                "x-ncp-apigw-signature-v2": signature(
                    self._secret_key,
                    path=urlsplit(self._url).path,
                    timestamp_ms=timestamp_ms,
                    access_key=self._access_key,
                ),
            },
            timeout_s=timeout_s,
        )
        self._require_success(answer)

    def _message(self, phone: str, notice: Notice) -> dict[str, Any]:
        content = filled(self._spec.template, variables(self._spec, notice))
        message: dict[str, Any] = {"to": domestic(phone), "content": content}
        sms = short_message(self._spec, notice)
        message["useSmsFailover"] = sms is not None
        if sms is not None:
            failover = {"type": sms.kind, "from": sms.sender, "content": sms.text}
            message["failoverConfig"] = failover
        return message

    def _require_success(self, answer: Answer) -> None:
        error = answer.data.get("error")
        said = error.get("message") if isinstance(error, dict) else answer.data.get("errorMessage")
        self._judge(answer, said)
        results = answer.data.get("messages")
        for one in results if isinstance(results, list) else []:
            code = one.get("requestStatusCode", _ACCEPTED) if isinstance(one, dict) else _ACCEPTED
            if code != _ACCEPTED:
                why = spoken(one.get("requestStatusDesc"), self._secrets)
                raise message_refused(self.receiver, str(code), why)
