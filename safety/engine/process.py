"""The engine: supervises shards, sounds sirens, writes the record, tells dashboards."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial

import structlog
from prometheus_client import CollectorRegistry

from alerts.dispatcher import Dispatcher
from alerts.sirens import SirenControl
from cameras.messages import (
    AnyMessage,
    CameraStatus,
    ClipRequest,
    DrillPlayed,
    DrillRequest,
    EngineStatus,
    EvidenceFailed,
    EvidenceReady,
    EvidenceStored,
    FloorSighting,
    Nudge,
    PlayDrill,
    PpeSums,
    ShardStats,
    ViolationReport,
    ViolationStored,
)
from cameras.placement import place
from cameras.runners import Runner
from cameras.spool import unfinished_shards
from cameras.supervisor import Supervisor
from safety.clock import Clock, Instant
from safety.config import Settings
from safety.engine.cameras import CameraDesk
from safety.engine.channels import ChannelDesk
from safety.engine.doubles import Doubles
from safety.engine.drills import DrillDesk
from safety.engine.events import EventDesk
from safety.engine.exposure import ExposureDesk
from safety.engine.following import SiteFollower
from safety.engine.handover import Handover
from safety.engine.keeping import KeepingDesk
from safety.engine.links import Link, LinkServer
from safety.engine.metrics import EngineMetrics
from safety.engine.other_views import OtherViews
from safety.engine.plan import PlanDesk
from safety.engine.plant import PlantDesk
from safety.engine.policy import PolicyDesk
from safety.engine.ppe_sums import PpeSumDesk
from safety.engine.recorder import Recorder
from safety.engine.reminders import ReminderDesk
from safety.engine.report_papers import ReportPapers
from safety.engine.reporting import ReportDesk
from safety.engine.self_tests import SelfTestDesk
from safety.engine.sharing import SharedZones
from safety.engine.site import EngineSite, SiteKeeper
from safety.engine.violations import Reply, ViolationDesk
from safety.evidence.copies import Copies, detector_maker
from safety.evidence.sharing import SharedPictures
from safety.site.spec import SiteSpec
from safety.store import alerts, coverage
from safety.store.database import Database
from zones.feeds.http_push import HttpPushFeed

log = structlog.get_logger(__name__)

NO_SITE = SiteSpec(name="Anjeon")
STATUS_EVERY_S = 1.0
LAST_WRITES_S = 5.0
"""How long the end waits for the database; what is not written by then is in the spools."""


class Engine:
    """All parts of the engine, wired; ``running`` starts and ends them.

    Args:
        runner: Where shards run.
        registry: Where all metrics go.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        clock: Clock,
        runner: Runner,
        registry: CollectorRegistry,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._database = database
        self._metrics = EngineMetrics(registry)
        self._recorder = Recorder(database, clock=clock)
        self._site = EngineSite(spec=NO_SITE, revision=-1, rule_revisions={})
        self._follower = SiteFollower(
            SiteKeeper(database, settings.data_dir / "site-copy.json"),
            self._recorder,
            look_back=self._look_back,
            apply=self._apply,
            known=lambda: self._site.revision if self._site.revision >= 0 else None,
        )
        self._events = EventDesk(
            clock=clock,
            recorder=self._recorder,
            site=lambda: self._site,
            recorded=lambda: self._dispatcher.nudge(),
        )
        self._early: list[tuple[ViolationReport, Reply]] = []
        self._shards: dict[str, Link] = {}
        self._device_failed: dict[str, bool] = {}
        self._placed: dict[str, str] = {}
        self._sirens = SirenControl(
            {},
            clock=clock,
            registry=registry,
            on_first_command=lambda violation_id, s: self._violations.sounded(violation_id, s),
            on_channel_health=self._events.channel_health,
        )
        copies = Copies(settings.evidence_dir, detector_maker(settings))
        self._pictures = SharedPictures(database, copies, clock=clock)
        self._dispatcher = Dispatcher(
            database,
            {},
            clock=clock,
            registry=registry,
            on_channel_health=self._events.channel_health,
            picture_of=self._pictures.blurred_picture,
            report_of=ReportPapers(database, language=lambda: self._site.spec.language).pdf,
        )
        self._channels = ChannelDesk(
            self._sirens,
            self._dispatcher,
            clock=clock,
            data_dir=settings.data_dir,
            database=database,
        )
        self._plan = PlanDesk(
            clock=clock, tell=lambda update: self._links.broadcast(update, "dashboard")
        )
        self._exposure = ExposureDesk(
            clock=clock,
            database=database,
            people=self._plan.people,
            person_of=self._plan.person_of,
            timezone=lambda: self._site.spec.timezone,
        )
        doubles = Doubles(
            self._plan.person_of,
            Handover(
                clock=clock,
                spot_of=self._plan.spot_of,
                is_seen=self._plan.is_seen,
                cooldown_s=lambda rule_id: self._site.cooldowns_s.get(rule_id, 0.0),
            ),
        )
        self._other_views = OtherViews(
            recorder=self._recorder,
            site=lambda: self._site,
            place_of=self._plan.place_of,
            first_of=doubles.first_known,
            send=self._to_camera,
        )
        self._ppe_sums = PpeSumDesk(clock=clock, database=database)
        self._violations = ViolationDesk(
            clock=clock,
            database=database,
            recorder=self._recorder,
            sirens=self._sirens,
            metrics=self._metrics,
            site=lambda: self._site,
            recorded=self._dispatcher.nudge,
            doubles=doubles,
        )
        self._policy = PolicyDesk(
            clock=clock,
            database=database,
            site=lambda: self._site,
            told=self._dispatcher.nudge,
            registry=registry,
        )
        self._reminders = ReminderDesk(
            clock=clock,
            database=database,
            site=lambda: self._site,
            told=self._dispatcher.nudge,
        )
        self._reports = ReportDesk(
            clock=clock,
            database=database,
            site=lambda: self._site,
            told=self._dispatcher.nudge,
        )
        self._keeping = KeepingDesk(
            clock=clock,
            database=database,
            settings=settings,
            metrics=self._metrics,
            site=lambda: self._site,
            told=self._dispatcher.nudge,
        )
        self._cameras = CameraDesk(
            clock=clock,
            recorder=self._recorder,
            metrics=self._metrics,
            alert=self._events.blindness,
        )
        self._shared_zones = SharedZones(
            clock=clock,
            site=lambda: self._site,
            people=self._plan.people,
            statuses=lambda: self._cameras.statuses,
        )
        self._plant = PlantDesk(
            clock=clock,
            database=database,
            registry=registry,
            to_shards=lambda update: self._links.broadcast(update, "shard"),
            to_dashboards=lambda status: self._links.broadcast(status, "dashboard"),
            not_paused=self._events.not_paused,
            shared_zones=self._shared_zones.look,
        )
        self._drills = DrillDesk(
            clock=clock,
            recorder=self._recorder,
            sirens=self._sirens,
            channels=self._channels,
            cameras=lambda: frozenset(camera.id for camera in self._site.spec.cameras),
            send=self._to_camera,
        )
        self._self_tests = SelfTestDesk(
            clock=clock,
            database=database,
            recorder=self._recorder,
            sirens=self._sirens,
            channels=self._channels,
            site=lambda: self._site,
            health=self._events.channel_health,
        )
        self._links = LinkServer(
            settings.engine_socket,
            connected=self._connected,
            message=self._message,
            lost=self._lost,
        )
        self._supervisor = Supervisor(
            runner, clock=clock, started=self._shard_started, died=self._shard_died
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run all parts; leaving the block ends shards, writes and channels, in that order."""
        await self._links.start()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work, name=name)
                for name, work in {
                    "recorder": self._recorder.run(),
                    "sirens": self._sirens.run(),
                    "dispatcher": self._dispatcher.run(),
                    "cameras": self._cameras.run(),
                    "violations": self._violations.run(),
                    "policy": self._policy.run(),
                    "reminders": self._reminders.run(),
                    "reports": self._reports.run(),
                    "keeping": self._keeping.run(),
                    "self-tests": self._self_tests.run(),
                    "plan": self._plan.run(),
                    "exposure": self._exposure.run(),
                    "ppe-sums": self._ppe_sums.run(),
                    "plant": self._plant.run(),
                    "configuration": self._follower.run(),
                    "status": self._tell_dashboards(),
                }.items()
            ]
            try:
                yield
            finally:
                await self._finish()
                for task in tasks:
                    task.cancel()

    def pusher(self, feed_id: str) -> HttpPushFeed | None:
        """The feed that takes what is posted under this id."""
        return self._plant.pusher(feed_id)

    def readiness(self) -> dict[str, str]:
        """Part → ``"ok"`` or what is wrong with it."""
        parts = {"store": "ok" if self._recorder.available else "unavailable"}
        parts["configuration"] = "ok" if self._site.revision >= 0 else "not loaded"
        for shard_id, alive in self._supervisor.alive.items():
            parts[f"shard {shard_id}"] = "ok" if alive else "down"
        for channel_id, state in self._channel_states().items():
            parts[f"channel {channel_id}"] = "ok" if state in {"ok", "unknown"} else state
        for feed_id, problem in self._plant.problems().items():
            parts[f"feed {feed_id}"] = problem or "ok"
        for camera_id, interval in self._cameras.intervals.items():
            if interval.reason != "disabled":
                state = interval.state
                parts[f"camera {camera_id}"] = "ok" if state == "live" else interval.reason
        return parts

    async def _finish(self) -> None:
        await self._supervisor.stop()
        self._cameras.finish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WRITES_S):
                await self._recorder.drained()
                await self._exposure.flush()
                await self._ppe_sums.flush()
        await self._links.stop()
        await self._plant.close()
        await self._channels.close()
        await self._pictures.close()

    # Configuration

    def _look_back(self) -> list[Callable[[], None]]:
        self._database.migrate()
        with self._database.transaction() as session:
            coverage.close_abandoned(session)
            lasting = alerts.uncleared(session, kind="camera_blind")
        left = self._violations.left_open()
        now = self._clock.now()
        since = {
            alert.camera_id: (alert.dedupe_key, _instant(alert.raised_at.timestamp(), now))
            for alert in lasting
            if alert.camera_id is not None
        }
        return [
            partial(self._cameras.resume, since),
            partial(self._violations.resume, left),
        ]

    async def _apply(self, site: EngineSite) -> None:
        self._site = site
        enabled = [camera.id for camera in site.spec.cameras if camera.enabled]
        self._placed = place(enabled, self._placed, per_shard=self._settings.cameras_per_shard)
        self._cameras.configure(site.spec.cameras)
        self._dispatcher.obey(site.context)
        await self._channels.configure(site.channels)
        await self._take_early()
        for name, link in self._shards.items():
            link.send(site.part(self._cameras_of(name)))
        # A shard without cameras may still have reports to hand in from an earlier life.
        unfinished = await asyncio.to_thread(unfinished_shards, self._settings.spool_dir)
        await self._supervisor.want({*self._placed.values(), *unfinished})
        # Last: leaving a feed whose server is gone may take seconds.
        await self._plant.configure(site.spec)
        log.info("configuration_applied", revision=site.revision, cameras=len(enabled))
        if site.unwatched_zones:
            log.warning("zones_not_watched", zones=site.unwatched_zones)

    def _cameras_of(self, shard_id: str) -> frozenset[str]:
        return frozenset(camera for camera, shard in self._placed.items() if shard == shard_id)

    # Peers

    async def _connected(self, link: Link) -> None:
        log.info("peer_connected", role=link.role, name=link.name)
        if link.role == "shard":
            self._shards[link.name] = link
            link.send(self._plant.update(self._clock.now()))
            if self._site.revision >= 0:
                link.send(self._site.part(self._cameras_of(link.name)))
            return
        link.send(self._status())
        for status in self._cameras.statuses.values():
            link.send(status)

    async def _lost(self, link: Link) -> None:
        log.info("peer_lost", role=link.role, name=link.name)
        if self._shards.get(link.name) is link:
            del self._shards[link.name]
            self._cameras.lost(self._cameras_of(link.name))

    async def _message(self, link: Link, message: AnyMessage) -> None:
        if link.role == "shard":
            self._supervisor.heard(link.name)
        reply = partial(self._reply, link.name)
        match message:
            case ViolationReport() if self._site.revision < 0:
                self._early.append((message, reply))
            case ViolationReport():
                await self._take_report(message, reply)
            case EvidenceReady() | EvidenceFailed():
                await self._violations.evidence(message, reply)
            case CameraStatus() | FloorSighting() | PpeSums() | ShardStats():
                self._take_figures(message)
            case DrillRequest():
                link.send(await self._drills.hold(message))
            case DrillPlayed():
                self._drills.played(message)
            case Nudge(what="config"):
                self._follower.look_now()
            case Nudge(what="mutes"):
                self._plant.look_at_mutes()
            case Nudge():
                self._policy.look_now()
                await self._violations.look_for_attention()
                self._dispatcher.nudge()
            case _:
                log.debug("message_ignored", type=message.type, peer=link.name)

    def _take_figures(self, message: CameraStatus | FloorSighting | PpeSums | ShardStats) -> None:
        match message:
            case CameraStatus():
                self._cameras.observe(message)
                self._links.broadcast(message, "dashboard")
            case FloorSighting():
                self._plan.sight(message)
                if self._shared_zones.changed():
                    self._plant.tell_now()
            case PpeSums():
                self._ppe_sums.take(message)
            case ShardStats():
                self._metrics.shard_seen(message)
                self._device_failed[message.shard] = message.device_failed

    async def _take_report(self, message: ViolationReport, reply: Reply) -> None:
        await self._violations.report(message, reply)
        self._other_views.violation(message.violation)
        self._plant.violation(message.violation)
        self._exposure.violation(message.violation)

    async def _take_early(self) -> None:
        """Reports that came before the first configuration, which says whom to tell of them.

        A shard that outlived the last engine hands in what it has as soon as we listen.
        """
        early, self._early = self._early, []
        for message, reply in early:
            await self._take_report(message, reply)

    def _to_camera(self, request: ClipRequest | PlayDrill) -> bool:
        """Send to the shard that runs a camera; whether it is there."""
        link = self._shards.get(self._placed.get(request.camera_id, ""))
        if link is not None:
            link.send(request)
        return link is not None

    def _reply(self, shard_id: str, message: ViolationStored | EvidenceStored) -> None:
        link = self._shards.get(shard_id)
        if link is not None:
            link.send(message)

    async def _tell_dashboards(self) -> None:
        while True:
            self._metrics.recorder_waiting.set(len(self._recorder))
            self._metrics.recorder_refused.set(self._recorder.refused)
            self._metrics.store_available.set(self._recorder.available)
            self._metrics.refused.set(self._links.refused_messages)
            self._links.broadcast(self._status(), "dashboard")
            await self._clock.sleep_async(STATUS_EVERY_S)

    def _status(self) -> EngineStatus:
        return EngineStatus(
            at=self._clock.now(),
            shards=self._supervisor.alive,
            store_ok=self._recorder.available,
            channels=self._channel_states(),
            siren_silent=self._sirens.silent,
            device_failed=tuple(name for name, failed in self._device_failed.items() if failed),
            unwatched_zones=self._site.unwatched_zones,
        )

    def _channel_states(self) -> dict[str, str]:
        return dict.fromkeys(self._site.disabled_channels, "disabled") | self._channels.states()

    # Shards

    def _shard_started(self, shard_id: str) -> None:
        self._metrics.shard_restarts.labels(shard_id).inc()

    def _shard_died(self, shard_id: str, status: int | None) -> None:
        self._cameras.lost(self._cameras_of(shard_id))


def _instant(wall: float, now: Instant) -> Instant:
    return now.shifted(wall - now.wall)
