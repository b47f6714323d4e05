"""Access tokens of a NAVER WORKS service account (JWT bearer grant, RFC 7523)."""

from urllib.parse import urlencode

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from alerts.channels.messenger import ApiUrl
from alerts.channels.posting import Poster, judge_message, not_taken, spoken, wrong_credentials
from safety.clock import Clock
from safety.config import SecretRef, read_secret
from safety.errors import ConfigError

SCOPE = "bot.message"

_ASSERTION_S = 600
_EARLY_S = 60.0
"""A token is replaced this long before it ends."""


class ServiceAccount:
    """Gets a token when one is needed, and keeps it until shortly before it ends.

    Raises:
        ConfigError: A secret is missing, or the private key is not a PEM of an RSA key.
    """

    def __init__(
        self,
        *,
        channel_id: str,
        client_id: str,
        client_secret: SecretRef,
        account: str,
        private_key: SecretRef,
        auth_url: ApiUrl,
        clock: Clock,
    ) -> None:
        self._client_id = client_id
        self.client_secret = read_secret(client_secret)
        self._account = account
        # In an environment variable a PEM often has its line breaks written as \n.
        pem = read_secret(private_key).replace("\\n", "\n")
        self._url = f"{auth_url.rstrip('/')}/oauth2/v2.0/token"
        self._clock = clock
        self._token = ""
        self._ends_at = 0.0
        self._is_new = False
        try:
            # Once: checking a key takes longer than signing with it.
            self._private_key = _rsa_key(pem)
        except ValueError:
            raise ConfigError(
                "channel.private_key",
                "the private key of channel {channel}, kept in {reference}, is not an RSA key in "
                "PEM form; download it from the developer console again",
                channel=channel_id,
                reference=private_key,
            ) from None

    async def token(self, poster: Poster, timeout_s: float) -> str:
        """A token that is good now.

        Raises:
            WrongCredentials: The service does not know the account or its key.
            ChannelError: It did not issue one now.
        """
        self._is_new = False
        if not self._token or self._clock.now().monotonic >= self._ends_at:
            await self._fetch(poster, timeout_s)
        return self._token

    def forget(self) -> bool:
        """Use this token no more; True if a new one is worth a try."""
        self._token = ""
        return not self._is_new

    async def _fetch(self, poster: Poster, timeout_s: float) -> None:
        self._is_new = True
        fields = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": self._assertion(),
            "client_id": self._client_id,
            "client_secret": self.client_secret,
            "scope": SCOPE,
        }
        answer = await poster.post(
            self._url,
            body=urlencode(fields).encode(),
            headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
            timeout_s=timeout_s,
        )
        said = answer.data
        reason = spoken(said.get("error_description"), (self.client_secret,))
        if answer.status == 400:
            raise wrong_credentials("NAVER WORKS", "HTTP 400", reason)
        now = self._clock.now()
        judge_message("NAVER WORKS", answer, reason=reason, now_wall=now.wall)
        token = said.get("access_token")
        if not isinstance(token, str) or not token:
            raise not_taken("NAVER WORKS", f"HTTP {answer.status}", "no access token")
        self._token = token
        self._ends_at = now.monotonic + _seconds(said.get("expires_in")) - _EARLY_S

    def _assertion(self) -> str:
        now = int(self._clock.now().wall)
        claims = {
            "iss": self._client_id,
            "sub": self._account,
            "iat": now,
            "exp": now + _ASSERTION_S,
        }
        return jwt.encode(claims, self._private_key, algorithm="RS256")


def _rsa_key(pem: str) -> RSAPrivateKey:
    """The key in a PEM.

    Raises:
        ValueError: There is none, it is protected by a password, or it is of another kind.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError from error
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


def _seconds(value: object) -> float:
    """``expires_in``, which comes as a number or as text; an hour if it is neither."""
    try:
        return float(str(value))
    except ValueError:
        return 3600.0
