"""What the sirens tell Prometheus."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from alerts.channels.base import SirenLevel


class SirenMetrics:
    """Metrics of all sirens, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._commands = Counter(
            "anjeon_siren_commands",
            "Siren commands and checks, by result",
            ("channel", "result"),
            registry=registry,
        )
        self._confirmation = Histogram(
            "anjeon_siren_confirmation_seconds",
            "Siren command sent to confirmed",
            ("channel",),
            buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
            registry=registry,
        )
        self._sounding = Gauge(
            "anjeon_siren_sounding", "1: commanded to sound", ("channel",), registry=registry
        )
        self._reachable = Gauge(
            "anjeon_siren_reachable", "1: it answered last time", ("channel",), registry=registry
        )

    def confirmed(self, channel_id: str, level: SirenLevel, latency_s: float) -> None:
        """A command was confirmed."""
        self._commands.labels(channel_id, "confirmed").inc()
        self._confirmation.labels(channel_id).observe(latency_s)
        self._sounding.labels(channel_id).set(level is not SirenLevel.OFF)

    def failed(self, channel_id: str) -> None:
        """A command or a check failed."""
        self._commands.labels(channel_id, "failed").inc()

    def reachable(self, channel_id: str, ok: bool) -> None:
        """What the last answer says."""
        self._reachable.labels(channel_id).set(ok)

    def forget(self, channel_id: str) -> None:
        """The channel was removed."""
        for metric in (self._sounding, self._reachable):
            with suppress(KeyError):
                metric.remove(channel_id)
