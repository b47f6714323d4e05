"""The shard process: some cameras, one inference thread, their rules, and two sockets."""

import asyncio
import contextlib
import faulthandler
import os
import resource
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog
from pydantic import TypeAdapter, ValidationError

from cameras.analysis import Analysis
from cameras.budget import NetworkCosts
from cameras.detectors import DetectorPool
from cameras.drills import DrillRoom
from cameras.evidence import ClipCase, EvidenceMaker, PictureCase
from cameras.fleet import Fleet
from cameras.inference import InferenceThread
from cameras.lane import Lane
from cameras.link import EngineLink, Order
from cameras.live import LiveServer
from cameras.messages import (
    CameraStatus,
    ClipRequest,
    Configure,
    Configured,
    FloorSighting,
    PlantUpdate,
    PlayDrill,
    PpeSums,
    ShardStats,
    ViolationReport,
)
from cameras.observation_log import ObservationLog
from cameras.plant import PlantBoard
from cameras.ppe import PpeThread
from cameras.ppe_sums import PpeSumming
from cameras.shardlock import ShardLock
from cameras.sidecar import camera_words, made_with, origin_of
from cameras.sightings import Sightings
from cameras.spool import Spool
from safety.clock import Clock
from safety.config import Settings, Slug
from safety.errors import AnjeonError, ConfigError, ModelError
from safety.perception.detector import Detector
from safety.perception.load import FellBack, load_pose_detector
from safety.perception.models import find_pose_model
from safety.perception.ppe_load import load_ppe_detector
from safety.perception.tracking import LEAST_SCORE
from safety.types import Phase, Violation

log = structlog.get_logger(__name__)

TICK_S = 0.2
"""How often the cameras' states are looked at."""

REPORT_S = 1.0
"""How often they are reported although nothing changed."""

HUNG_TICKS = 150
"""A network that is at one batch for so many ticks (30 s) will not come back: the process ends
and its supervisor starts another. Ticks, not seconds: a process that was stopped is not hung."""

EVIDENCE_S = 4.0
CONFIRMATION_S = 1.0
"""What a leaving shard spends on its last files and on the engine's last words."""


def run_shard(settings: Settings, shard_id: str, *, clock: Clock) -> None:
    """Run one shard until the engine or a signal (TERM, INT) ends it.

    Raises:
        ShardAlreadyRuns: Another process has this name.
        ConfigError: It can have no such name, or its socket cannot be made.
    """
    _check_name(shard_id)
    faulthandler.enable()
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(f"anjeon {shard_id}"[:15], encoding="utf-8")
    lock = ShardLock(settings, shard_id)
    lock.acquire()
    try:
        asyncio.run(Shard(settings, shard_id, clock=clock).run())
    finally:
        lock.release()


class Shard:
    """Puts the parts of a shard together; the event loop's side of it.

    The inference thread calls ``violated`` and ``analysed``. A violation goes to the spool,
    which wakes the link (the engine has it a moment later) and writes the disk beside that.
    """

    def __init__(self, settings: Settings, shard_id: str, *, clock: Clock) -> None:
        self._shard_id = shard_id
        self._clock = clock
        self._spool = Spool(settings.spool_dir / f"{shard_id}.jsonl", clock=clock)
        costs = NetworkCosts()
        self._detectors = DetectorPool(
            _loader(settings, self._fell_back, costs, clock), clock=clock
        )
        self._ppe = PpeThread(
            partial(load_ppe_detector, settings, fell_back=self._fell_back),
            clock=clock,
            whole=settings.ppe_mode == "full_frame",
        )
        self._plant = PlantBoard(clock=clock)
        self._drills = DrillRoom(
            self,
            clock=clock,
            inference=lambda: self._inference,
            lane=lambda camera_id: self._fleet.lane(camera_id),
            post=lambda played: self._link.post(played),
        )
        self._inference = InferenceThread(
            self._detectors, self._drills, clock=clock, ppe=self._ppe, plant=self._plant.state
        )
        self._fleet = Fleet(
            self._inference,
            self,
            clock=clock,
            costs=costs,
            notes=settings.looks_dir / f"{shard_id}.json",
        )
        self._live = LiveServer(settings.shard_socket(shard_id), lane=self._fleet.lane)
        self._evidence = EvidenceMaker(
            settings.evidence_dir,
            clock=clock,
            put=self._spool.put,
            made_with=made_with(settings),
        )
        self._link = EngineLink(
            settings.engine_socket,
            shard_id=shard_id,
            spool=self._spool,
            clock=clock,
            obey=self._obey,
            connected=self._report_all,
        )
        self._sightings = Sightings(self._post, clock=clock)
        self._ppe_sums = PpeSumming(self._post)
        self._observations = _observation_log(settings, clock)
        self._configured: Configure | None = None
        self._leave = asyncio.Event()
        self._wanted: asyncio.Queue[Configure] = asyncio.Queue()
        self._reported: dict[str, tuple[float, CameraStatus]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._busy_since: float | None = None
        self._busy_ticks = 0
        self._device_failed = False

    async def run(self) -> None:
        """Work until told to leave, then leave tidily within some seconds."""
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._leave.set)
        await self._live.start()
        self._spool.start()
        self._inference.start()
        self._ppe.start()
        if self._observations is not None:
            self._observations.start()
        log.info("shard_runs", shard=self._shard_id, pid=os.getpid())
        work = (
            self._link.run(),
            self._tick(),
            self._configure(),
            self._fleet.keep_planned(),
            self._leave.wait(),
        )
        tasks = [asyncio.create_task(part) for part in work]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await self._finish()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        log.info("shard_ends", shard=self._shard_id, waiting=self._spool.waiting)
        self._spool.close()
        for task in done:
            task.result()

    def violated(self, lane: Lane, violation: Violation, analysis: Analysis | None) -> None:
        """A violation opened, changed or closed; in the inference thread."""
        calibrated = analysis is not None and analysis.calibration is not None
        if violation.phase is Phase.OPENED and analysis is not None and calibrated:
            self._sight(lane, analysis, at_once=True)
        self._spool.put(ViolationReport(violation=violation))
        if violation.phase is Phase.OPENED and analysis is not None and self._loop is not None:
            picture = PictureCase(
                violation=violation,
                analysis=analysis,
                zone=lane.zones.get(violation.zone_id or ""),
            )
            clip = ClipCase(
                violation=violation,
                ring=lane.worker.ring,
                before_s=lane.spec.evidence_before_s,
                after_s=lane.spec.evidence_after_s,
                found_with=origin_of(violation, self._configured),
                camera=camera_words(lane.spec),
            )
            self._loop.call_soon_threadsafe(self._evidence.collect, picture, clip)

    def analysed(self, lane: Lane, analysis: Analysis) -> None:
        """A frame was analysed; in the inference thread."""
        if self._observations is not None:
            self._observations.put(analysis.observation, analysis.plant)
        self._ppe_sums.analysed(analysis.observation, lane.rules.ppe_duties)
        self._live.analysed(lane, analysis)
        if analysis.calibration is not None:
            self._sight(lane, analysis)

    def _sight(self, lane: Lane, analysis: Analysis, *, at_once: bool = False) -> None:
        passed_over = lane.rules.passed_over.items()
        unreal = [track_id for track_id, why in passed_over if why == "unreal"]
        self._sightings.analysed(lane.spec.id, analysis, unreal=unreal, at_once=at_once)

    def _post(self, figure: FloorSighting | PpeSums) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._link.post, figure)

    def _fell_back(self, _why: ModelError) -> None:
        """A network runs on the processor instead of its device; in whichever thread ran it."""
        self._device_failed = True

    async def _finish(self) -> None:
        await self._live.close()
        await self._drills.stop()
        await asyncio.gather(
            asyncio.to_thread(self._inference.stop), asyncio.to_thread(self._ppe.stop)
        )
        self._ppe_sums.flush()
        await self._evidence.finish(EVIDENCE_S)
        self._spool.leave()
        await asyncio.gather(self._fleet.stop(), self._link.drained(CONFIRMATION_S))
        await asyncio.to_thread(self._detectors.close)

    def _obey(self, order: Order) -> None:
        if isinstance(order, PlantUpdate):
            self._plant.take(order)
        elif isinstance(order, Configure):
            self._wanted.put_nowait(order)
        elif isinstance(order, ClipRequest):
            self._keep_clip(order)
        elif isinstance(order, PlayDrill):
            self._drills.play(order)
        else:
            self._leave.set()

    def _keep_clip(self, request: ClipRequest) -> None:
        """One of our cameras sees the place of a violation that another one found."""
        lane = self._fleet.lane(request.camera_id)
        if lane is None:
            self._evidence.refuse(request, "disabled")
            return
        self._evidence.collect_asked(
            ClipCase(
                violation=request.violation,
                ring=lane.worker.ring,
                before_s=request.before_s,
                after_s=request.after_s,
                found_with=request.found_with,
                camera=camera_words(lane.spec),
                other_camera=request.camera_id,
            )
        )

    async def _configure(self) -> None:
        """Put configurations in force, the newest only; a lost connection interrupts none."""
        while True:
            message = await self._wanted.get()
            while not self._wanted.empty():
                message = self._wanted.get_nowait()
            try:
                await self._fleet.configure(message)
            except AnjeonError as error:
                log.error("configuration_refused", revision=message.revision, error=str(error))
            except Exception:  # whatever it was, the cameras that run go on
                log.exception("configuration_failed", revision=message.revision)
            else:
                self._configured = message
                self._link.post(Configured(revision=message.revision))
            self._live.rewire()
            self._report_all()

    async def _tick(self) -> None:
        reported_at = 0.0
        while True:
            self._report_states()
            now = self._clock.now().monotonic
            if now - reported_at >= REPORT_S:
                reported_at = now
                self._link.post(self._stats())
            self._check_inference()
            await self._clock.sleep_async(TICK_S)

    def _report_all(self) -> None:
        self._reported.clear()
        self._report_states()

    def _report_states(self) -> None:
        now = self._clock.now().monotonic
        for status in self._fleet.statuses(self._shard_id):
            at, former = self._reported.get(status.camera_id, (0.0, None))
            changed = former is None or _state(former) != _state(status)
            if changed or now - at >= REPORT_S:
                self._reported[status.camera_id] = (now, status)
                self._link.post(status)

    def _stats(self) -> ShardStats:
        figures = self._inference.figures()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return ShardStats(
            shard=self._shard_id,
            at=self._clock.now(),
            inference_ms_p50=figures.ms_p50,
            inference_ms_p99=figures.ms_p99,
            batch_mean=figures.batch_mean,
            spool_waiting=self._spool.waiting,
            spool_degraded=self._spool.degraded,
            refused_messages=self._link.refused_messages + self._live.refused_messages,
            rss_bytes=_rss_bytes(),
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            ppe_pictures=self._ppe.pictures,
            ppe_ms=self._ppe.ms_per_picture,
            frame_to_report_s=self._link.take_latencies(),
            device_failed=self._device_failed,
        )

    def _check_inference(self) -> None:
        busy_since = self._inference.busy_since
        same = busy_since is not None and busy_since == self._busy_since
        self._busy_ticks = self._busy_ticks + 1 if same else 0
        self._busy_since = busy_since
        if self._busy_ticks > HUNG_TICKS:
            log.critical("inference_hung", seconds=round(self._busy_ticks * TICK_S))
            faulthandler.dump_traceback()
            os._exit(os.EX_SOFTWARE)


def _observation_log(settings: Settings, clock: Clock) -> ObservationLog | None:
    if not settings.observation_hours:
        return None
    return ObservationLog(
        settings.observations_dir,
        clock=clock,
        hours=settings.observation_hours,
        mb_per_camera=settings.observation_mb_per_camera,
    )


def _check_name(shard_id: str) -> None:
    """Names become file names: the same letters as all identifiers."""
    try:
        TypeAdapter(Slug).validate_python(shard_id)
    except ValidationError:
        raise ConfigError(
            "config.shard_name",
            "a shard cannot be called '{name}'; use lower-case letters, digits, - and _, "
            "such as shard-0",
            name=shard_id,
        ) from None


def _loader(
    settings: Settings, fell_back: FellBack, costs: NetworkCosts, clock: Clock
) -> Callable[[int, float], Detector]:
    def load(width: int, aspect: float) -> Detector:
        detector = load_pose_detector(
            find_pose_model(settings),
            width=width,
            aspect=aspect,
            backend=settings.backend,
            device=settings.device,
            cache_dir=settings.models_dir,
            confidence=LEAST_SCORE,
            fell_back=fell_back,
        )
        costs.measure(detector, clock)
        return detector

    return load


def _state(status: CameraStatus) -> tuple[str, str]:
    return status.state, status.reason


def _rss_bytes() -> int:
    resident_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return resident_pages * os.sysconf("SC_PAGE_SIZE")
