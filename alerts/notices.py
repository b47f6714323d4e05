"""What messengers are told: the outbox's payload, in the site's language and time zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.channels.base import Notice, Recipient
from alerts.policy_calendar import Person
from alerts.policy_spec import PolicySpec
from safety.i18n import translator
from safety.store.tables import Alert, Delivery
from zones.plant import ShiftSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteContext:
    """What an alert's text needs to know of the site.

    Attributes:
        language: ``ko`` or ``en``.
        messengers: Ids of the enabled channels that carry notices.
        address: Where people reach the dashboard, without a slash at the end; empty: unknown.
        cameras, zones, rules, channels: Names for people, by id.
        rule_channels: Channels of every rule; None: all.
        policy: Who is told of what.
        shifts: Of the site's calendar.
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
    rule_channels: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    policy: PolicySpec = field(default_factory=PolicySpec)
    shifts: tuple[ShiftSpec, ...] = ()

    def told(self, channels: tuple[str, ...] | None) -> tuple[str, ...]:
        """The messengers among a rule's channels; None: all."""
        return tuple(key for key in self.messengers if channels is None or key in channels)

    def local(self, at: datetime) -> str:
        """Date and time as people on the site write them."""
        return at.astimezone(ZoneInfo(self.usable_timezone)).strftime("%Y-%m-%d %H:%M:%S %Z")

    @property
    def usable_timezone(self) -> str:
        """The site's time zone, or UTC: an alert with a time in UTC is better than none."""
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            return "UTC"
        return self.timezone


def notice_payload(
    alert: Alert,
    event: str,
    *,
    site: SiteContext,
    at: datetime,
    facts: Mapping[str, Any],
    people: Sequence[Person] = (),
    said: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """One event of an alert as the outbox keeps it, JSON types only.

    Args:
        alert: The alert.
        event: As in ``Notice.event``, with a number if it happens more than once.
        site: Where it happened.
        at: When the event happened, UTC.
        facts: What is known of the situation, for machines.
        people: Who is to be told by name; if all of them read one language, it is theirs.
        said: More values for the event's sentence.
    """
    language = _language(people, site)
    translate = translator(language)
    text = translate(alert.message_key, **alert.params)
    kind = plain_event(event)
    if kind != "raised":
        values = {"text": text, "time": site.local(at), **(said or {})}
        text = translate(f"alert.event.{kind}", **values)
    link = {"link": f"{site.address}/alerts/{alert.id}"} if site.address else {}
    return {
        "severity": alert.severity,
        "raised_at": alert.raised_at.timestamp(),
        "at": at.timestamp(),
        "text": f"[{site.name}] {text}",
        "language": language,
        "data": {
            "site": site.name,
            "kind": alert.kind,
            "camera_id": alert.camera_id,
            **link,
            **facts,
        },
        "recipients": [{"name": p.name, "phone": p.phone, "email": p.email} for p in people],
    }


def plain_event(event: str) -> str:
    """The event without its number: ``escalated`` for ``escalated:2``."""
    return event.partition(":")[0]


def notice_from(delivery: Delivery) -> Notice:
    """The notice behind a delivery; its id is the idempotency key."""
    payload = delivery.payload
    return Notice(
        id=delivery.id,
        event=plain_event(delivery.event),
        alert_id=delivery.alert_id,
        severity=payload["severity"],
        raised_at=payload["raised_at"],
        at=payload["at"],
        text=payload["text"],
        data=payload["data"],
        recipients=tuple(Recipient(**each) for each in payload.get("recipients", ())),
    )


def _language(people: Sequence[Person], site: SiteContext) -> str:
    spoken = {person.language or site.language for person in people}
    return spoken.pop() if len(spoken) == 1 else site.language
