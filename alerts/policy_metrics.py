"""What the policy tells Prometheus: ladders, and how long people leave alerts unanswered."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from safety.store.conversations import Unanswered


class PolicyMetrics:
    """Metrics of all ladders, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.steps = Counter(
            "anjeon_ladder_steps",
            "Steps of ladders taken because nobody had answered, repetitions included",
            registry=registry,
        )
        self.exhausted = Counter(
            "anjeon_ladders_exhausted",
            "Ladders that came to their end without an answer",
            registry=registry,
        )
        self._unacknowledged = Gauge(
            "anjeon_conversations_unacknowledged",
            "Situations that nobody has acknowledged, over or not",
            registry=registry,
        )
        self._age = Gauge(
            "anjeon_conversation_unacknowledged_age_seconds",
            "How long the longest unacknowledged one has been waiting",
            registry=registry,
        )

    def unanswered(self, found: Unanswered, now: datetime) -> None:
        """Take over how many wait for an answer, and since when."""
        age_s = (now - found.oldest_at).total_seconds() if found.oldest_at else 0.0
        self._unacknowledged.set(found.number)
        self._age.set(max(0.0, age_s))
