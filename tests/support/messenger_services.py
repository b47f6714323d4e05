"""Doubles of the services in Korea and of ntfy: they check keys and signatures as those do."""

import base64
import hashlib
import hmac
import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.messenger_service import Asked, MessengerService

KEY = "right-key-0123456789"
SECRET = "right-secret-abcdefghij"
SECRETS = (KEY, SECRET)

CLOCK_TOLERANCE_S = 300.0


@cache
def service_account_key() -> rsa.RSAPrivateKey:
    """A key as the developer console issues it."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_key_pem() -> str:
    """The key's file."""
    return (
        service_account_key()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


class KakaoWorkService(MessengerService):
    """KakaoWork's web API: refusals come with status 200."""

    def answer(self, asked: Asked) -> tuple[int, object]:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return 200, _kakao_error("invalid_authentication", f"no such key {KEY}")
        to = asked.data.get("email") or asked.data["conversation_id"]
        if to == "nobody@example.com":
            return 200, _kakao_error("user_not_found", "no such user")
        if not self.deliver(to, asked.data["text"]):
            return 500, {}
        return 200, {"success": True, "error": None, "message": {"id": "1"}}


def _kakao_error(code: str, message: str) -> dict[str, object]:
    return {"success": False, "error": {"code": code, "message": message}}


@dataclass(kw_only=True)
class NaverWorksService(MessengerService):
    """NAVER WORKS: issues tokens for signed assertions, and takes messages with the newest one.

    Attributes:
        tokens: How many were issued.
    """

    tokens: int = 0
    revoked: bool = False

    def answer(self, asked: Asked) -> tuple[int, object]:
        if asked.path == "/oauth2/v2.0/token":
            return self._issue(parse_qs(asked.body.decode()))
        if self.revoked or asked.headers.get("authorization") != f"Bearer token-{self.tokens}":
            return 401, {"code": "UNAUTHORIZED", "description": "Authentication failed"}
        found = re.fullmatch(r"/v1\.0/bots/77/(users|channels)/([^/]+)/messages", asked.path)
        assert found
        assert asked.data["content"]["type"] == "text"
        if not self.deliver(unquote(found.group(2)), asked.data["content"]["text"]):
            return 500, {}
        return 201, {}

    def _issue(self, form: dict[str, list[str]]) -> tuple[int, object]:
        claims = jwt.decode(
            form["assertion"][0], service_account_key().public_key(), algorithms=["RS256"]
        )
        if claims["iss"] != "client-1" or claims["sub"] != "abc.serviceaccount@example.com":
            return 400, {"error": "invalid_grant"}
        if form["client_secret"] != [SECRET]:
            said = f"wrong client_secret {form['client_secret'][0]}"
            return 401, {"error": "invalid_client", "error_description": said}
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        assert form["scope"] == ["bot.message"]
        self.tokens += 1
        answer = {"access_token": f"token-{self.tokens}", "token_type": "Bearer"}
        return 200, {**answer, "expires_in": "86400", "scope": "bot.message"}


@dataclass(kw_only=True)
class NhnService(MessengerService):
    """NHN Cloud: an idempotency key that was taken already is a failure."""

    taken: set[str] = field(default_factory=set)

    def answer(self, asked: Asked) -> tuple[int, object]:
        right = asked.path == f"/alimtalk/v2.2/appkeys/{KEY}/messages"
        if not right or asked.headers.get("x-secret-key") != SECRET:
            return 401, _nhn_header(-1000, f"wrong secret key {SECRET}")
        once = asked.headers["x-nc-api-idempotency-key"]
        if once in self.taken:
            return 200, _nhn_header(-1, "duplicated request")
        people = asked.data["recipientList"]
        if any(one["recipientNo"] in self.refuses for one in people):
            return 500, {}
        self.taken.add(once)
        results = []
        for number, one in enumerate(people):
            resend = one["resendParameter"]
            text = _filled(one["templateParameter"])
            self.deliver(one["recipientNo"], text, resend.get("resendContent", ""))
            ok = one["recipientNo"] != "01000000000"
            code, said = (0, "SUCCESS") if ok else (-2010, "invalid number")
            results.append({"recipientSeq": number, "resultCode": code, "resultMessage": said})
        return 200, {**_nhn_header(0, "SUCCESS"), "message": {"sendResults": results}}


def _nhn_header(code: int, message: str) -> dict[str, object]:
    return {"header": {"resultCode": code, "resultMessage": message, "isSuccessful": code == 0}}


def _filled(values: dict[str, str]) -> str:
    assert all(values.values()), "an empty variable is refused"
    return "\n".join(values.values())


class SensService(MessengerService):
    """NAVER Cloud: signatures over method, path, time and key, five minutes at most old."""

    def answer(self, asked: Asked) -> tuple[int, object]:
        stamp, key = asked.headers["x-ncp-apigw-timestamp"], asked.headers["x-ncp-iam-access-key"]
        signed = f"POST {asked.path}\n{stamp}\n{key}".encode()
        expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest())
        fresh = abs(time.time() - int(stamp) / 1000) < CLOCK_TOLERANCE_S
        if (
            key != KEY
            or asked.headers["x-ncp-apigw-signature-v2"] != expected.decode()
            or not fresh
        ):
            return 401, {"error": {"errorCode": "200", "message": f"Authentication Failed {KEY}"}}
        [one] = asked.data["messages"]
        if one["to"] == "01000000000":
            said = {"requestStatusCode": "M102", "requestStatusDesc": "invalid number"}
            return 202, {"statusCode": "202", "messages": [{**said, "to": one["to"]}]}
        fallback = one.get("failoverConfig", {}).get("content", "")
        assert one["useSmsFailover"] is bool(fallback)
        if not self.deliver(one["to"], one["content"], fallback):
            return 500, {}
        said = {"requestStatusCode": "A000", "requestStatusName": "success"}
        return 202, {"statusCode": "202", "messages": [{**said, "to": one["to"]}]}


class SolapiService(MessengerService):
    """SOLAPI: an HMAC over date and salt."""

    def answer(self, asked: Asked) -> tuple[int, object]:
        words = dict(re.findall(r"(\w+)=([^,\s]+)", asked.headers["authorization"]))
        signed = f"{words['Date']}{words['salt']}".encode()
        expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        age_s = time.time() - datetime.fromisoformat(words["Date"]).timestamp()
        if words["ApiKey"] != KEY or words["signature"] != expected or age_s > CLOCK_TOLERANCE_S:
            return 401, {"errorCode": "InvalidAPIKey", "errorMessage": f"no such key {KEY}"}
        [one] = asked.data["messages"]
        kakao = one["kakaoOptions"]
        assert all(name.startswith("#{") for name in kakao["variables"])
        if one["to"] == "01000000000":
            failed = [{"to": one["to"], "statusCode": "1062", "statusMessage": "invalid number"}]
            return 200, {"failedMessageList": failed, "groupInfo": {}}
        text = _filled(kakao["variables"])
        fallback = "" if kakao["disableSms"] else one["text"]
        if not self.deliver(one["to"], text, fallback):
            return 500, {}
        return 200, {"failedMessageList": [], "groupInfo": {}}


class NtfyService(MessengerService):
    """A self-hosted ntfy, for Apprise."""

    def answer(self, asked: Asked) -> tuple[int, object]:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return 401, {"code": 40101, "http": 401, "error": f"unauthorized {KEY}"}
        data: dict[str, Any] = asked.data
        if not self.deliver(data["topic"], data["message"]):
            return 500, {}
        return 200, {"id": "1", "topic": data["topic"]}
