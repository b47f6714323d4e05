"""Where one feed reports to: its newest readings, and how well it does."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import structlog

from safety.clock import Clock, Instant
from safety.errors import AnjeonError
from safety.types import MachineState, VehiclePose
from zones.feeds.skew import ClockSkew

log = structlog.get_logger(__name__)

POSE_LIFE_S = 2.0
"""A pose is extrapolated for so long; then its vehicle is lost."""

FLAP_WINDOW_S = 10.0
FLAP_CHANGES = 6
"""A machine whose state changes more often than this in the window is not believed."""

REFUSALS_LOGGED_EVERY_S = 10.0

Refusal = Literal[
    "absurd",
    "bad_quality",
    "not_json",
    "off_plan",
    "retained",
    "schema",
    "stale",
    "too_large",
    "two_publishers",
    "unauthorized",
    "unknown_machine",
    "unknown_map",
    "unknown_value",
    "unknown_vehicle",
    "wrong_type",
]
"""Why a message, or a part of it, was not used."""

Lost = Literal[
    "never_heard", "silent", "offline", "not_localised", "unknown_map", "two_publishers", "refused"
]
"""Why nobody knows where a vehicle is."""


@dataclass(slots=True, kw_only=True)
class MachineReading:
    """What a machine said last.

    Attributes:
        state: As the table of states reads it.
        value: As the machine put it, for people.
        at: When that was true.
        changes: When its state changed lately, monotonic seconds.
    """

    machine_id: str
    state: MachineState
    value: str
    at: Instant
    changes: deque[float] = field(default_factory=lambda: deque(maxlen=FLAP_CHANGES + 1))

    def flaps(self, now: Instant) -> bool:
        """Whether it changes too often to be believed."""
        recent = [at for at in self.changes if now.monotonic - at <= FLAP_WINDOW_S]
        return len(recent) > FLAP_CHANGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something odd about a feed that people should know.

    Attributes:
        key: ``clock_skew``, ``two_publishers``, ``other_master``, ``two_masters``,
            ``unknown_map``, ``flapping`` or ``no_footprint``; a translation key.
        subject: The machine or vehicle concerned.
        params: Values for its sentence.
    """

    key: str
    subject: str
    params: Mapping[str, object]
    since: Instant


class FeedPort:
    """What one feed has reported; used in one event loop.

    Args:
        changed: Called when a state or a pose is another one than before.

    Attributes:
        connected: Whether there is a connection now.
        problem: Why not, or what is wrong with it.
        messages, failures: How many came; how often the feed itself broke.
        refusals: How many were not used, by reason.
        last_refusal: The newest one in words.
        notices: What people should know, by key and subject.
        residuals_m: How well its maps fit the floor plan, by map id.
    """

    def __init__(
        self,
        feed_id: str,
        kind: str,
        *,
        machine_ids: tuple[str, ...],
        vehicle_ids: tuple[str, ...],
        stale_after_s: float,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self.feed_id = feed_id
        self.kind = kind
        self.machine_ids = machine_ids
        self.vehicle_ids = vehicle_ids
        self.stale_after_s = stale_after_s
        self.connected = False
        self.problem: AnjeonError | None = None
        self.messages = 0
        self.failures = 0
        self.connections = 0
        self.refusals: Counter[str] = Counter()
        self.last_refusal = ""
        self.last_message: Instant | None = None
        self.notices: dict[tuple[str, str], Notice] = {}
        self.residuals_m: Mapping[str, float] = {}
        self._clock = clock
        self._changed = changed
        self._machines: dict[str, MachineReading] = {}
        self._poses: dict[str, VehiclePose] = {}
        self._lost: dict[str, Lost] = {}
        self._skews: dict[str, ClockSkew] = {}
        self._logged = float("-inf")

    # What the feed says of itself

    def is_connected(self) -> None:
        """The connection stands."""
        if not self.connected:
            log.info("feed_connected", feed=self.feed_id)
            self.connections += 1
        self.connected, self.problem = True, None

    def disconnected(self, error: AnjeonError) -> None:
        """There is no connection; what was reported grows old from now on."""
        if self.connected or self.problem is None or str(self.problem) != str(error):
            log.warning("feed_disconnected", feed=self.feed_id, why=str(error))
        self.connected, self.problem = False, error

    def received(self) -> None:
        """A message came, good or bad."""
        self.messages += 1
        self.last_message = self._clock.now()

    def refuse(self, reason: Refusal, detail: str) -> None:
        """A message, or a part of it, cannot be used."""
        self.refusals[reason] += 1
        self.last_refusal = f"{reason}: {detail}"[:300]
        now = self._clock.now().monotonic
        if now - self._logged >= REFUSALS_LOGGED_EVERY_S:
            self._logged = now
            log.warning("feed_refused", feed=self.feed_id, reason=reason, detail=detail[:300])

    def notice(self, key: str, subject: str = "", **params: object) -> None:
        """Something odd is the case, until ``settle``."""
        known = self.notices.get((key, subject))
        if known is None:
            log.warning("feed_notice", feed=self.feed_id, notice=key, subject=subject, **params)
        since = known.since if known else self._clock.now()
        self.notices[key, subject] = Notice(key=key, subject=subject, params=params, since=since)

    def settle(self, key: str, subject: str = "") -> None:
        """It is the case no more."""
        self.notices.pop((key, subject), None)

    def age_s(self, sender: str, sent_wall: float) -> float:
        """How old a message is, whatever its sender's clock says; a wrong clock is announced."""
        skew = self._skews.setdefault(sender, ClockSkew())
        age = skew.age_s(sent_wall, self._clock.now())
        if skew.announced:
            self.notice("clock_skew", sender, seconds=round(skew.skew_s, 1))
        else:
            self.settle("clock_skew", sender)
        return age

    # What it says of the plant

    def machine(
        self, machine_id: str, state: MachineState, value: str, *, age_s: float = 0.0
    ) -> None:
        """A machine's state, as of ``age_s`` seconds ago."""
        now = self._clock.now()
        known = self._machines.get(machine_id)
        if known is None:
            known = MachineReading(machine_id=machine_id, state=state, value=value, at=now)
            self._machines[machine_id] = known
            self._changed()
        elif known.state is not state:
            known.changes.append(now.monotonic)
            self._changed()
        known.state, known.value, known.at = state, value, now.shifted(-age_s)
        if known.flaps(now):
            self.notice("flapping", machine_id)

    def confirm(self, machine_id: str) -> None:
        """What a machine said last still holds."""
        if (known := self._machines.get(machine_id)) is not None:
            known.at = self._clock.now()

    def forget(self, machine_id: str) -> None:
        """What a machine said last holds no more."""
        if self._machines.pop(machine_id, None) is not None:
            self._changed()

    def vehicle(self, pose: VehiclePose) -> None:
        """Where a vehicle is; an older word than the one that is known changes nothing."""
        self._lost.pop(pose.vehicle_id, None)
        known = self._poses.get(pose.vehicle_id)
        if known is not None and pose.at.monotonic < known.at.monotonic:
            return
        self._poses[pose.vehicle_id] = pose
        self._changed()

    def vehicle_lost(self, vehicle_id: str, reason: Lost) -> None:
        """Nobody knows any more where a vehicle is."""
        self._lost[vehicle_id] = reason
        if self._poses.pop(vehicle_id, None) is not None:
            self._changed()

    # What is known

    def readings(self) -> Mapping[str, MachineReading]:
        """The newest word of every machine, however old."""
        return self._machines

    def state(self, machine_id: str, now: Instant) -> tuple[MachineState, str]:
        """A machine's state as it counts now, and why that is unknown if it is."""
        reading = self._machines.get(machine_id)
        if reading is None:
            return MachineState.UNKNOWN, "never_heard"
        if now.monotonic - reading.at.monotonic > self.stale_after_s:
            return MachineState.UNKNOWN, "stale"
        if reading.flaps(now):
            return MachineState.UNKNOWN, "flapping"
        self.settle("flapping", machine_id)
        return reading.state, "value" if reading.state is MachineState.UNKNOWN else ""

    def pose(self, vehicle_id: str, now: Instant) -> VehiclePose | None:
        """A vehicle's newest pose; None if it is lost."""
        pose = self._poses.get(vehicle_id)
        if pose is None or now.monotonic - pose.at.monotonic > POSE_LIFE_S:
            return None
        return pose

    def lost_reason(self, vehicle_id: str) -> Lost:
        """Why ``pose`` has none."""
        if vehicle_id in self._lost:
            return self._lost[vehicle_id]
        return "silent" if vehicle_id in self._poses else "never_heard"
