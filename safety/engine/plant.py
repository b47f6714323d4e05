"""What the plant says: from the feeds to shards and dashboards; and asking a vehicle to pause."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry

from cameras.messages import FeedInfo, FeedNotice, MachineInfo, PlantStatus, PlantUpdate
from cameras.plant import reported
from safety.clock import Clock, Instant
from safety.engine.muting import MuteBook
from safety.engine.plant_metrics import PlantMetrics
from safety.engine.violations import ORPHAN_S
from safety.errors import StoreUnavailable
from safety.site.spec import SiteSpec
from safety.store import mutes
from safety.store.database import Database
from safety.store.tables import Mute
from safety.store.times import utc
from safety.types import Phase, SharedZone, Violation
from zones.feeds.http_push import HttpPushFeed
from zones.feeds.hub import FeedHub
from zones.feeds.port import FeedPort
from zones.feeds.poses import extrapolated
from zones.shifts import active

log = structlog.get_logger(__name__)

EVERY_S = 0.5
"""How often shards and dashboards are told although nothing changed."""

SPACING_S = 0.1
"""How often they are told at most."""

MUTES_EVERY_S = 1.0

UNKNOWN_FOR_S = 5.0
"""After the start nobody knows for so long which violations are open."""


class PlantDesk:
    """Everything the engine knows about the plant.

    Args:
        to_shards: Sends to every shard.
        to_dashboards: Sends to every dashboard.
        not_paused: Called when a vehicle has not confirmed that it paused.
        shared_zones: Who is in zones that several cameras see, by zone id.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        database: Database,
        registry: CollectorRegistry,
        to_shards: Callable[[PlantUpdate], None],
        to_dashboards: Callable[[PlantStatus], None],
        not_paused: Callable[[str, Violation], None],
        shared_zones: Callable[[], dict[str, SharedZone]],
    ) -> None:
        self._clock = clock
        self._database = database
        self._metrics = PlantMetrics(registry)
        self._to_shards = to_shards
        self._to_dashboards = to_dashboards
        self._not_paused = not_paused
        self._shared_zones = shared_zones
        self._began = clock.now()
        self._spec = SiteSpec(name="Anjeon")
        self._changed = asyncio.Event()
        self._look = asyncio.Event()
        self._hub = FeedHub(clock=clock, changed=self._changed.set)
        self._mutes = MuteBook()
        self._open: dict[str, tuple[str, float]] = {}
        self._asked: set[str] = set()
        self._pausing: dict[str, asyncio.Task[None]] = {}

    async def configure(self, spec: SiteSpec) -> None:
        """Use this site's plant."""
        self._spec = spec
        self._metrics.clear()
        await self._hub.configure(spec.plant)

    def violation(self, violation: Violation) -> None:
        """Take a report: other rules may wait for it, and a vehicle may have to be asked."""
        if violation.phase is Phase.CLOSED:
            if self._open.pop(violation.id, None) is not None:
                self._changed.set()
            self._asked.discard(violation.id)
            return
        if violation.id not in self._open:
            self._changed.set()
        self._open[violation.id] = violation.rule_id, self._clock.now().monotonic
        self._ask_to_pause(violation)

    def tell_now(self) -> None:
        """Something that shards have to know has changed."""
        self._changed.set()

    def look_at_mutes(self) -> None:
        """Somebody has muted a zone, or ended that."""
        self._look.set()

    def pusher(self, feed_id: str) -> HttpPushFeed | None:
        """The feed that takes what is posted under this id."""
        return self._hub.pusher(feed_id)

    def problems(self) -> dict[str, str]:
        """Feed id → why it does not work, or an empty text."""
        return {
            feed_id: "" if port.connected else port.problem.key if port.problem else "connecting"
            for feed_id, port in self._hub.ports.items()
        }

    async def run(self) -> None:
        """Tell shards and dashboards; cancel to stop."""
        reading = asyncio.create_task(self._follow_mutes(), name="mutes")
        try:
            while True:
                self._changed.clear()
                try:
                    self._tell()
                except Exception:  # shards that hear nothing arm everything
                    log.exception("plant_not_told")
                await self._clock.sleep_async(SPACING_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_S - SPACING_S):
                        await self._changed.wait()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def _tell(self) -> None:
        now = self._clock.now()
        self._to_shards(self.update(now))
        status = self.status(now)
        self._metrics.seen(status)
        self._to_dashboards(status)

    async def close(self) -> None:
        """End all feeds."""
        for task in self._pausing.values():
            task.cancel()
        await asyncio.gather(*self._pausing.values(), return_exceptions=True)
        await self._hub.close()

    def update(self, now: Instant) -> PlantUpdate:
        """What shards are told."""
        shifts = self._active_shifts(now)
        return PlantUpdate(
            machines={each.machine_id: each.state for each in self._hub.machines(now)},
            vehicles=tuple(reported(pose, now) for pose in self._hub.poses(now).values()),
            lost_vehicles=tuple(sorted(self._hub.lost(now))),
            muted_zones=tuple(sorted(self._mutes.zones(now))),
            open_rules=self._open_rules(now),
            active_shifts=None if shifts is None else tuple(sorted(shifts)),
            shared_zones=self._shared_zones(),
        )

    def status(self, now: Instant) -> PlantStatus:
        """What dashboards are told."""
        return PlantStatus(
            at=now,
            machines=tuple(
                MachineInfo(
                    machine_id=each.machine_id,
                    state=each.state,
                    value=each.value,
                    age_s=each.age_s,
                    reason=each.reason,
                    feed_id=each.feed_id,
                )
                for each in self._hub.machines(now)
            ),
            vehicles=tuple(
                reported(extrapolated(pose, now), now).model_copy(
                    update={"age_s": max(0.0, now.monotonic - pose.at.monotonic)}
                )
                for pose in self._hub.poses(now).values()
            ),
            lost_vehicles=self._hub.lost(now),
            feeds=tuple(_feed_info(port, now) for port in self._hub.ports.values()),
            active_shifts=tuple(sorted(self._active_shifts(now) or ())),
            muted_zones=tuple(sorted(self._mutes.zones(now))),
        )

    def _open_rules(self, now: Instant) -> tuple[str, ...] | None:
        if now.monotonic - self._began.monotonic < UNKNOWN_FOR_S:
            return None
        oldest = now.monotonic - ORPHAN_S
        self._open = {key: value for key, value in self._open.items() if value[1] >= oldest}
        return tuple(sorted({rule_id for rule_id, _ in self._open.values()}))

    def _active_shifts(self, now: Instant) -> frozenset[str] | None:
        try:
            return active(self._spec.plant.shifts, now.wall, self._spec.timezone)
        except Exception:  # a calendar that cannot be read arms everything
            log.exception("shifts_unknown")
            return None

    async def _follow_mutes(self) -> None:
        while True:
            self._look.clear()
            try:
                found = await asyncio.to_thread(self._read_mutes)
            except StoreUnavailable as error:
                log.debug("mutes_unavailable", why=str(error))
            except Exception:  # a mute that somebody ended must not last until its own end
                log.exception("mutes_unreadable")
            else:
                now = self._clock.now()
                before = self._mutes.zones(now)
                self._mutes.read(found, now)
                if self._mutes.zones(now) != before:
                    self._changed.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MUTES_EVERY_S):
                    await self._look.wait()

    def _read_mutes(self) -> list[Mute]:
        with self._database.reading() as session:
            return list(mutes.active(session, utc(self._clock.now())))

    def _ask_to_pause(self, violation: Violation) -> None:
        """Somebody is within a vehicle's stop distance: ask it, once per violation."""
        vehicle_id = violation.subject.rpartition("+")[2]
        wanted = (
            violation.rule_kind == "proximity"
            and violation.details.get("level") == "stop"
            and not violation.shadow
            and any(each.id == vehicle_id and each.may_pause for each in self._spec.plant.vehicles)
        )
        if not wanted or violation.id in self._asked or vehicle_id in self._pausing:
            return
        self._asked.add(violation.id)
        task = asyncio.create_task(self._pause(vehicle_id, violation), name=f"pause-{vehicle_id}")
        self._pausing[vehicle_id] = task
        task.add_done_callback(lambda _: self._pausing.pop(vehicle_id, None))

    async def _pause(self, vehicle_id: str, violation: Violation) -> None:
        try:
            confirmed = await self._hub.pause(vehicle_id)
        except Exception:  # whatever it was, somebody has to know that it may not have stopped
            log.exception("pause_failed", vehicle=vehicle_id)
            confirmed = False
        outcome = "confirmed" if confirmed else "not_confirmed"
        self._metrics.pauses.labels(vehicle_id, outcome).inc()
        if not confirmed:
            self._not_paused(vehicle_id, violation)


def _feed_info(port: FeedPort, now: Instant) -> FeedInfo:
    problem, last = port.problem, port.last_message
    return FeedInfo(
        feed_id=port.feed_id,
        kind=port.kind,
        connected=port.connected,
        problem_key=problem.key if problem else None,
        problem=str(problem) if problem else None,
        problem_params={k: str(v) for k, v in problem.params.items()} if problem else {},
        messages=port.messages,
        refused=dict(port.refusals),
        last_refusal=port.last_refusal,
        age_s=max(0.0, now.monotonic - last.monotonic) if last else None,
        map_residuals_m=dict(port.residuals_m),
        notices=tuple(
            FeedNotice(
                key=notice.key,
                subject=notice.subject,
                params={
                    name: value if isinstance(value, int | float) else str(value)
                    for name, value in notice.params.items()
                },
            )
            for notice in port.notices.values()
        ),
    )
