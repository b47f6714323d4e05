"""What the dispatcher tells Prometheus."""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from safety.store.outbox import Backlog


class DispatchMetrics:
    """Metrics of all messengers, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        channel = ("channel",)
        self._deliveries = Counter(
            "anjeon_deliveries",
            "Delivery attempts by result, and deliveries given up (dead)",
            ("channel", "result"),
            registry=registry,
        )
        self._seconds = Histogram(
            "anjeon_delivery_seconds",
            "Length of one delivery attempt",
            channel,
            buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
            registry=registry,
        )
        self._waiting = Gauge(
            "anjeon_deliveries_waiting", "Deliveries pending", channel, registry=registry
        )
        self._age = Gauge(
            "anjeon_delivery_queue_age_seconds",
            "Age of the oldest pending delivery",
            channel,
            registry=registry,
        )
        self._dead = Gauge(
            "anjeon_deliveries_dead", "Deliveries given up", channel, registry=registry
        )
        self._summarised = Counter(
            "anjeon_deliveries_summarised",
            "Deliveries told together with others, because there were too many",
            channel,
            registry=registry,
        )
        self._seen: set[str] = set()

    def attempted(self, channel_id: str, result: str, seconds: float) -> None:
        """One attempt ended: ``delivered``, ``failed`` or ``refused``."""
        self._deliveries.labels(channel_id, result).inc()
        self._seconds.labels(channel_id).observe(seconds)

    def died(self, channel_id: str) -> None:
        """A delivery was given up."""
        self._deliveries.labels(channel_id, "dead").inc()

    def summarised(self, channel_id: str, number: int) -> None:
        """So many were put into one summary."""
        self._summarised.labels(channel_id).inc(number)

    def backlog(self, backlog: Mapping[str, Backlog], now: datetime) -> None:
        """Take over what the outbox holds."""
        self._seen |= set(backlog)
        for channel_id in self._seen:
            entry = backlog.get(channel_id, Backlog())
            age_s = (now - entry.oldest_at).total_seconds() if entry.oldest_at else 0.0
            self._waiting.labels(channel_id).set(entry.waiting)
            self._age.labels(channel_id).set(max(0.0, age_s))
            self._dead.labels(channel_id).set(entry.dead)
