"""HTTP for sirens: one request, its answer's status and text, failures in the sirens' words."""

import asyncio
import logging
import ssl
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import Field

from alerts.channels.siren_errors import (
    no_answer,
    not_understood,
    unreachable,
    wrong_credentials,
)
from safety.config import SecretRef, Spec, read_secret

# httpx would load this at its first request, in the middle of an alarm.
with suppress(ImportError):
    import_module("anyio._backends._asyncio")

# Both write whole addresses into the log, and an address can carry a password.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

TIMEOUT_S = 2.5
_MOST_BYTES = 256 * 1024


class LoginSpec(Spec):
    """Who we are at a device, if it asks."""

    username: str | None = Field(default=None, max_length=200)
    """User name at the device."""
    password: SecretRef | None = None
    """Where the password is kept: env:NAME or file:/path."""
    ca_file: Path | None = None
    """Certificate authority of the device, if it speaks https with its own certificate."""


class HttpDevice:
    """One device. Redirections are not followed, and no environment's proxy is used.

    Args:
        tls: Whether any of its addresses is https; reading the authorities takes a while.

    Raises:
        ConfigError: The password is missing.
        OSError: The certificate authority's file cannot be read.
    """

    def __init__(self, spec: LoginSpec, *, digest: bool, tls: bool) -> None:
        password = read_secret(spec.password) if spec.password else ""
        auth: httpx.Auth | None = None
        if spec.username is not None:
            auth = (httpx.DigestAuth if digest else httpx.BasicAuth)(spec.username, password)
        self._client = httpx.AsyncClient(
            auth=auth,
            trust_env=False,
            verify=ssl.create_default_context(cafile=spec.ca_file) if tls else False,
            limits=httpx.Limits(max_connections=4),
        )

    async def ask(
        self,
        method: str,
        url: str,
        *,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        bad: frozenset[int] = frozenset(),
    ) -> tuple[int, str]:
        """Status and text of the answer.

        Args:
            bad: Statuses above 299 whose text is wanted all the same (SOAP faults).

        Raises:
            ChannelError: No answer in time, or not a good one; nothing in it is secret.
        """
        device = origin(url)
        try:
            # httpx bounds each wait for bytes; only this ends a device that trickles.
            async with asyncio.timeout(TIMEOUT_S):
                status, text = await self._request(method, url, body, headers)
        except (TimeoutError, httpx.TimeoutException):
            raise no_answer(device, TIMEOUT_S) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise unreachable(device, type(error).__name__) from None
        if status in {401, 403}:
            raise wrong_credentials(device)
        if not 200 <= status < 300 and status not in bad:
            raise not_understood(device, f"HTTP {status}")
        return status, text

    async def close(self) -> None:
        """Close idle connections."""
        await self._client.aclose()

    async def _request(
        self, method: str, url: str, body: str | None, headers: dict[str, str] | None
    ) -> tuple[int, str]:
        async with self._client.stream(
            method, url, content=body, headers=headers, timeout=TIMEOUT_S
        ) as answer:
            content = bytearray()
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > _MOST_BYTES:
                    break
            return answer.status_code, content.decode(errors="replace")


def origin(url: str) -> str:
    """Scheme, host and port: all of an address that people and logs may see."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def base_url(host: str, port: int | None, *, tls: bool) -> str:
    """``scheme://host:port`` without a path."""
    bracketed = f"[{host}]" if ":" in host else host
    scheme = "https" if tls else "http"
    return f"{scheme}://{bracketed}" + (f":{port}" if port else "")
