"""What messengers are told: the outbox's payload, in the site's language and time zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.channels.base import Notice
from safety.i18n import translator
from safety.store.tables import Alert, Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteContext:
    """What an alert's text needs to know of the site.

    Attributes:
        language: ``ko`` or ``en``.
        messengers: Ids of the enabled channels that carry notices.
        address: Where people reach the dashboard, without a slash at the end; empty: unknown.
        cameras, zones, rules, channels: Names for people, by id.
    """

    name: str
    timezone: str
    language: str
    messengers: tuple[str, ...] = ()
    address: str = ""
    cameras: Mapping[str, str] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)

    def told(self, channels: tuple[str, ...] | None) -> tuple[str, ...]:
        """The messengers among a rule's channels; None: all."""
        return tuple(key for key in self.messengers if channels is None or key in channels)

    def local(self, at: datetime) -> str:
        """Date and time as people on the site write them."""
        return at.astimezone(_zone(self.timezone)).strftime("%Y-%m-%d %H:%M:%S %Z")


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        # An alert with a time in UTC is better than none.
        return UTC


def notice_payload(
    alert: Alert,
    event: str,
    *,
    site: SiteContext,
    at: datetime,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """One event of an alert as the outbox keeps it, JSON types only.

    Args:
        alert: The alert.
        event: ``raised`` or ``cleared``.
        site: Where it happened.
        at: When the event happened, UTC.
        facts: What is known of the situation, for machines.
    """
    translate = translator(site.language)
    text = translate(alert.message_key, **alert.params)
    if event != "raised":
        text = translate(f"alert.event.{event}", text=text, time=site.local(at))
    link = {"link": f"{site.address}/alerts/{alert.id}"} if site.address else {}
    return {
        "severity": alert.severity,
        "raised_at": alert.raised_at.timestamp(),
        "at": at.timestamp(),
        "text": f"[{site.name}] {text}",
        "data": {
            "site": site.name,
            "kind": alert.kind,
            "camera_id": alert.camera_id,
            **link,
            **facts,
        },
    }


def notice_from(delivery: Delivery) -> Notice:
    """The notice behind a delivery; its id is the idempotency key."""
    payload = delivery.payload
    return Notice(
        id=delivery.id,
        event=delivery.event,
        alert_id=delivery.alert_id,
        severity=payload["severity"],
        raised_at=payload["raised_at"],
        at=payload["at"],
        text=payload["text"],
        data=payload["data"],
    )
