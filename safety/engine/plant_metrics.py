"""What the engine tells Prometheus of machines, vehicles and feeds."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from cameras.messages import PlantStatus
from safety.types import MachineState


class PlantMetrics:
    """Metrics of the plant, in the engine's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"anjeon_{name}", text, labels, registry=registry)

        self._connected = gauge("feed_connected", "1: there is a connection", "feed")
        self._messages = gauge("feed_messages", "Messages received", "feed")
        self._refused = gauge("feed_refused", "Messages not used", "feed", "reason")
        self._age = gauge("feed_age_seconds", "Since its newest message", "feed")
        self._notices = gauge("feed_notices", "Oddities that last now", "feed", "notice")
        self._machine = gauge("machine_state", "1 for the state it counts as", "machine", "state")
        self._lost = gauge("vehicle_lost", "1: nobody knows where it is", "vehicle")
        self._muted = gauge("muted_zones", "Zones in which nothing opens a violation")
        self.pauses = Counter(
            "anjeon_pause_requests",
            "Vehicles asked to pause",
            ("vehicle", "outcome"),
            registry=registry,
        )

    def clear(self) -> None:
        """The configuration is another one: forget what is gone."""
        for each in (
            self._connected,
            self._messages,
            self._refused,
            self._age,
            self._notices,
            self._machine,
            self._lost,
        ):
            each.clear()

    def seen(self, status: PlantStatus) -> None:
        """Take over what dashboards are told."""
        self._muted.set(len(status.muted_zones))
        for machine in status.machines:
            for state in MachineState:
                self._machine.labels(machine.machine_id, state).set(state is machine.state)
        for vehicle in status.vehicles:
            self._lost.labels(vehicle.vehicle_id).set(0)
        for vehicle_id in status.lost_vehicles:
            self._lost.labels(vehicle_id).set(1)
        self._notices.clear()
        for feed in status.feeds:
            self._connected.labels(feed.feed_id).set(feed.connected)
            self._messages.labels(feed.feed_id).set(feed.messages)
            self._age.labels(feed.feed_id).set(float("nan") if feed.age_s is None else feed.age_s)
            for reason, count in feed.refused.items():
                self._refused.labels(feed.feed_id, reason).set(count)
            for notice in feed.notices:
                self._notices.labels(feed.feed_id, notice.key).inc()
