"""What people get when too much happens at once: a few messages, then summaries, never silence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from alerts.dispatch_metrics import DispatchMetrics
from alerts.notices import SiteContext, plain_event
from alerts.policy_spec import LimitSpec
from safety.clock import Clock, Instant
from safety.i18n import translator
from safety.store import outbox
from safety.store.tables import Delivery
from safety.types import Severity

LOOKED_AT = 500
"""Deliveries of one channel that one summary can hold."""

NAMED = 3
"""Sentences that a summary repeats; the others are counted, and listed for programs."""

Addressee = tuple[str, str]
"""A channel and the persons whom it is to tell, as one text; empty: its own settings'."""


class TokenBucket:
    """So many at once, so many a minute after that."""

    def __init__(self, limit: LimitSpec, now: Instant) -> None:
        self._limit = limit
        self._level = float(limit.burst)
        self._at = now.monotonic

    def level(self, now: Instant) -> int:
        """How many may go now."""
        gained = (now.monotonic - self._at) * self._limit.per_minute / 60.0
        self._level = min(float(self._limit.burst), self._level + max(0.0, gained))
        self._at = now.monotonic
        return int(self._level)

    def take(self, number: int) -> None:
        """So many went."""
        self._level -= number


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What goes now: some as they are, and the rest as one summary (or nothing of it yet)."""

    single: Sequence[Delivery] = ()
    folded: Sequence[Delivery] = ()

    @property
    def messages(self) -> int:
        """How many messages this is."""
        return len(self.single) + bool(self.folded)


def choose(waiting: Sequence[Delivery], *, tokens: int, appetite: int) -> Choice:
    """What may go of what waits for one addressee.

    What was tried before goes as it is: it may have arrived. Otherwise the most urgent first.

    Args:
        waiting: Longest due first.
        tokens: Messages that may go now.
        appetite: Deliveries that the channel takes now.
    """
    room = min(tokens, appetite)
    if room < 1:
        return Choice()
    ordered = sorted(waiting, key=_urgency)
    if len(ordered) <= tokens:
        return Choice(single=ordered[:room])
    whole = [each for each in ordered if not _can_fold(each)]
    loose = [each for each in ordered if _can_fold(each)]
    if len(whole) >= room or len(loose) < 2:
        return Choice(single=[*whole, *loose][:room])
    kept = room - 1 - len(whole)
    if len(loose) - kept < 2:
        kept -= 1
    kept = max(0, kept)
    return Choice(single=[*whole, *loose[:kept]], folded=loose[kept:])


class StormGuard:
    """Keeps the messages of every addressee within the policy's limit."""

    def __init__(self, clock: Clock, metrics: DispatchMetrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._site: SiteContext | None = None
        self._buckets: dict[Addressee, TokenBucket] = {}

    def configure(self, site: SiteContext) -> None:
        """Take over the limit, and the words of summaries."""
        if self._site is None or self._site.policy.limit != site.policy.limit:
            self._buckets = {}
        self._site = site

    def limits(self, channel_id: str) -> bool:
        """Whether this channel's messages are limited at all."""
        return self._site is not None and channel_id not in self._site.policy.unlimited

    def next_batch(
        self, session: Session, channel_id: str, *, appetite: int, at: datetime
    ) -> list[Delivery]:
        """What this channel is to deliver now; folds what is too much into summaries.

        Args:
            session: An open transaction.
            channel_id: Which channel.
            appetite: How many deliveries it takes.
            at: UTC.
        """
        assert self._site is not None
        now = self._clock.now()
        batch: list[Delivery] = []
        for addressee, waiting in _by_addressee(
            channel_id, outbox.due(session, at, LOOKED_AT, channel_id=channel_id)
        ).items():
            bucket = self._buckets.setdefault(addressee, TokenBucket(self._site.policy.limit, now))
            room = appetite - len(batch)
            choice = choose(waiting, tokens=bucket.level(now), appetite=room)
            bucket.take(choice.messages)
            batch += choice.single
            if choice.folded:
                payload = summary_of(choice.folded, self._site, at)
                batch.append(outbox.fold(session, choice.folded, payload, at))
                self._metrics.summarised(channel_id, len(choice.folded))
        return batch


def summary_of(folded: Sequence[Delivery], site: SiteContext, at: datetime) -> dict[str, Any]:
    """One message's payload that stands for many; every alert is listed in its data."""
    first = folded[0].payload
    translate = translator(first.get("language") or site.language)
    shown = list(dict.fromkeys(str(each.payload["text"]) for each in folded))[:NAMED]
    prefix = f"[{site.name}] "
    sentences = " / ".join(text.removeprefix(prefix) for text in shown)
    text = translate("alert.event.summary", count=len(folded), text=sentences)
    worst = min(folded, key=_severity_rank)
    return {
        "severity": worst.payload["severity"],
        "raised_at": min(each.payload["raised_at"] for each in folded),
        "at": at.timestamp(),
        "text": prefix + text,
        "language": first.get("language"),
        "data": {
            "site": site.name,
            "kind": "summary",
            "count": len(folded),
            "alerts": [_line(each) for each in folded],
        },
        "recipients": first.get("recipients", []),
    }


def _line(delivery: Delivery) -> Mapping[str, Any]:
    payload = delivery.payload
    joined = [each["alert_id"] for each in payload["data"].get("alerts", ())]
    return {
        "alert_id": delivery.alert_id,
        "delivery_id": delivery.id,
        "event": plain_event(delivery.event),
        "severity": payload["severity"],
        "at": payload["at"],
        "text": payload["text"],
        **({"joined": joined} if joined else {}),
    }


def _by_addressee(channel_id: str, due: Sequence[Delivery]) -> dict[Addressee, list[Delivery]]:
    found: dict[Addressee, list[Delivery]] = {}
    for delivery in due:
        people = sorted(
            "|".join(str(value) for value in each.values())
            for each in delivery.payload.get("recipients", ())
        )
        found.setdefault((channel_id, "\n".join(people)), []).append(delivery)
    return found


def _can_fold(delivery: Delivery) -> bool:
    return delivery.attempts == 0 and plain_event(delivery.event) != "summary"


def _urgency(delivery: Delivery) -> tuple[bool, int, datetime]:
    return _can_fold(delivery), _severity_rank(delivery), delivery.created_at


def _severity_rank(delivery: Delivery) -> int:
    ranks = [each.value for each in reversed(Severity)]
    severity = delivery.payload.get("severity")
    return ranks.index(severity) if severity in ranks else len(ranks)
