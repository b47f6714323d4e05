"""Channel ``webpush``: notifications on the computers and telephones of whoever subscribed.

A browser subscribes on its owner's account page. Messages are encrypted for it; the push
service of the browser's maker carries them and cannot read them.
"""

import asyncio
import json
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from alerts.channels.base import Notice
from alerts.channels.messenger import Email, MessengerSpec, PostingMessenger
from alerts.channels.text import cleaned, one_line, shortened
from alerts.channels.webpush_crypto import authorization, encrypted, our_key
from safety.clock import Clock
from safety.errors import ChannelRefused
from safety.store import push
from safety.store.database import Database
from safety.store.push_tables import PushSubscription

TEXT_LIMIT = 800
"""Characters; a push message has room for 3993 bytes."""

_KEPT_S = 4 * 3600
"""How long a push service keeps a message for a device that is off."""

_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")

Host = Annotated[str, Field(pattern=r"^[a-z0-9.-]+$", max_length=253)]


class WebPushSpec(MessengerSpec):
    """Notifications in browsers."""

    kind: Literal["webpush"] = "webpush"
    contact: Email
    """E-mail address that push services may write to about trouble with our messages."""
    services: tuple[Host, ...] = Field(
        default=("googleapis.com", "mozilla.com", "push.apple.com", "notify.windows.com"),
        min_length=1,
        max_length=20,
    )
    """Push services that may be used, by domain; nothing is ever posted anywhere else."""


class WebPushMessenger(PostingMessenger):
    """Tells every subscribed browser.

    Raises:
        ConfigError: The installation's key cannot be used.
        OSError: It cannot be read or made.
    """

    def __init__(
        self, spec: WebPushSpec, *, clock: Clock, data_dir: Path, database: Database
    ) -> None:
        super().__init__(spec, clock=clock, receiver="web push", secrets=())
        self._spec = spec
        self._key = our_key(data_dir)
        self._database = database

    async def _tell(self, notice: Notice, timeout_s: float) -> str:
        found = await asyncio.to_thread(self._subscriptions)
        if not found:
            raise ChannelRefused(
                "channel.webpush_nobody",
                "no browser has subscribed to channel {channel}; people do that on their account "
                "page",
                channel=self.channel_id,
            )
        message = _message(notice)

        async def tell(browser: str) -> None:
            await self._one(found[browser], notice, message, timeout_s)

        return await self._each(notice, tuple(found), tell, one_service=False)

    async def _one(
        self, browser: PushSubscription, notice: Notice, message: bytes, timeout_s: float
    ) -> None:
        endpoint = browser.endpoint
        topic = {"topic": notice.alert_id} if _TOPIC.fullmatch(notice.alert_id) else {}
        answer = await self._poster.post(
            endpoint,
            body=encrypted(message, p256dh=browser.p256dh, auth=browser.auth),
            headers={
                "content-encoding": "aes128gcm",
                "content-type": "application/octet-stream",
                "ttl": str(_KEPT_S),
                "urgency": "high",
                **topic,
                **authorization(
                    self._key,
                    endpoint=endpoint,
                    contact=self._spec.contact,
                    now_wall=self._clock.now().wall,
                ),
            },
            timeout_s=timeout_s,
            read=False,
        )
        if answer.status in {404, 410}:
            # One browser is gone, not the channel.
            await asyncio.to_thread(self._forget, browser.id)
            return
        self._judge(answer, "")

    def _subscriptions(self) -> dict[str, PushSubscription]:
        with self._database.reading() as session:
            rows = push.subscriptions(session)
        return {row.id: row for row in rows if self._allowed(row.endpoint)}

    def _allowed(self, endpoint: str) -> bool:
        """A subscription comes from outside; it must not make us post into our own network."""
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        known = any(host == each or host.endswith(f".{each}") for each in self._spec.services)
        return known and (parts.scheme == "https" or host == "127.0.0.1")

    def _forget(self, subscription_id: str) -> None:
        with self._database.transaction() as session:
            push.forget(session, subscription_id)


def _message(notice: Notice) -> bytes:
    site = notice.data.get("site")
    body = {
        "title": one_line(site) if isinstance(site, str) else "Anjeon",
        "body": shortened(cleaned(notice.text), TEXT_LIMIT),
        "path": "/channels" if notice.event == "test" else f"/alerts/{notice.alert_id}",
        "tag": notice.alert_id,
        "severity": notice.severity,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
