"""One camera of a shard between its worker and its rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cameras.analysis import Analysis, AnalysisRate
from cameras.analyst import Analyst
from cameras.gaze import Gaze
from cameras.health import CameraHealth
from cameras.intake import PacketSubscriber
from cameras.messages import CameraStatus
from cameras.packets import PacketRing
from cameras.ppe_watch import PpeWatch
from cameras.region_plan import CameraPlan, Outlook
from cameras.region_plan_heights import HeightsSeen
from cameras.regions import Region
from cameras.slot import FrameSlot
from cameras.specs import CameraSpec
from safety.clock import Instant
from safety.perception.detector import Detector
from safety.types import (
    CameraState,
    Frame,
    Observation,
    PpeItem,
    PpeState,
    TrackedPerson,
    Violation,
)
from zones.calibration import FloorCalibration
from zones.engine import RuleEngine
from zones.geometry import Polygon

UNSEEN_S = 2.0
"""A camera of which no frame was analysed for so long is blind, whatever the reason."""

FAILURES_TO_BLIND = 3
"""Frames in a row on which the analysis failed."""


class Worker(Protocol):
    """What keeps a camera connected; see ``cameras.worker``."""

    slot: FrameSlot
    ring: PacketRing

    def health(self) -> CameraHealth:
        """The camera as of now; never blocks."""
        ...

    def on_packet(self, subscriber: PacketSubscriber) -> Callable[[], None]:
        """Hand every packet to ``subscriber``; returns how to end that."""
        ...

    def stop(self) -> None:
        """End reading."""
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """Whether a camera is watched now."""

    state: CameraState
    reason: str


class Lane:
    """Everything that the analysis of one camera needs and keeps.

    The inference thread alone uses ``rules`` and calls what changes the analysis; the rest
    may be read from any thread.

    Attributes:
        spec: The camera; replaced while it runs if only words changed.
        zones: Polygons of the camera's zones by id.
        analyst: Makes persons, vehicles and violations of what the network found.
        newest: The newest frame that was taken for analysis.
        served_at: When it was taken, monotonic seconds.
        latest: The newest analysed frame.
        ended: Its open violations have been closed because it is blind.
        loading: Its network is being loaded.
        detector: The network that its last frame was given to.
        gaze: How its pictures are looked at.
        wanted: The plan that follows as soon as its network is there.
        missed: Zones with rules in which people are too small to be found.
        heights: How tall people have looked in its pictures.
    """

    def __init__(
        self,
        spec: CameraSpec,
        worker: Worker,
        rules: RuleEngine,
        zones: dict[str, Polygon],
        *,
        now: Instant,
        calibration: FloorCalibration | None = None,
    ) -> None:
        self.spec = spec
        self.worker = worker
        self.analyst = Analyst(rules, calibration=calibration)
        self.zones = zones
        self.latest: Analysis | None = None
        self.ended = True
        self.loading = False
        self.detector: Detector | None = None
        self.frames_unused = 0
        self.frames_analysed = 0
        self.newest: Frame | None = None
        self.served_at = 0.0
        self.gaze = Gaze(CameraPlan(width=spec.network_width))
        self.wanted: CameraPlan | None = None
        self.missed: frozenset[str] = frozenset()
        self._doubtful_rules: frozenset[str] = frozenset()
        self.heights = HeightsSeen()
        self._beside: tuple[TrackedPerson, ...] = ()
        self._rate = AnalysisRate(spec.min_fps)
        self._failures = 0
        self._doubtful = False
        self._seeing_since: float | None = None
        self._state = CameraState.BLIND
        self._since = now

    @property
    def rules(self) -> RuleEngine:
        """The camera's rules."""
        return self.analyst.rules

    @property
    def ppe(self) -> PpeWatch:
        """What its persons wear."""
        return self.analyst.ppe

    @property
    def plan(self) -> CameraPlan:
        """How its pictures are looked at."""
        return self.gaze.plan

    def look(self, outlook: Outlook) -> None:
        """Look at the pictures in this way, from now on or as soon as its network is there."""
        self.missed, self._doubtful_rules = outlook.missed, outlook.doubtful_rules
        if outlook.plan.width == self.plan.width:
            self.gaze.plan, self.wanted = outlook.plan, None
        else:
            self.wanted = outlook.plan

    def look_at_all(self) -> None:
        """The zones are others: look at the whole picture until there is a plan for them."""
        self.gaze.plan, self.wanted = replace(self.plan, regions=(), context_s=0.0), None

    def settle(self) -> None:
        """The network of the plan that is wanted is there."""
        self.gaze.plan, self.wanted = self.wanted or self.plan, None

    def beside(self, observation: Observation) -> tuple[TrackedPerson, ...]:
        """Whom this frame's close-ups do not show; see ``Analysis``. Ask once for each frame."""
        regions = self.plan.regions
        if self.gaze.was_whole(observation.at.monotonic):
            self._beside = tuple(p for p in observation.persons if not _is_in(p, regions))
            return ()
        here = {person.track_id for person in observation.persons}
        return tuple(person for person in self._beside if person.track_id not in here)

    def end(self, now: Instant) -> list[Violation]:
        """Close the open violations of a camera that is blind now; once per blindness."""
        if self.ended:
            return []
        self.ended = True
        self._rate.restart()
        return self.rules.end("camera_blind", now)

    def analysed(self, analysis: Analysis, now: Instant, *, doubtful: bool) -> None:
        """A frame has been through network, tracker and rules.

        Args:
            doubtful: The network gave some values that are no numbers.
        """
        self.latest = analysis
        self.frames_analysed += 1
        self._rate.add(now.monotonic)
        self._failures = 0
        self._doubtful = doubtful
        self.ended = False
        if not self.plan.regions and analysis.calibration is None:
            observation = analysis.observation
            at = observation.at.monotonic
            self.heights.add(observation.persons, observation.aspect, at)

    def failed(self) -> None:
        """The network or the rules failed on a frame."""
        self.frames_unused += 1
        self._failures += 1

    def unused(self) -> None:
        """A frame came before its network was there."""
        self.frames_unused += 1

    def watch(self, now: Instant) -> Watch:
        """Whether it is watched, from its health and from what was analysed."""
        return self._judge(self.worker.health(), now)

    def status(self, shard_id: str, now: Instant) -> CameraStatus:
        """Its state for engine and dashboard; call it from one thread only."""
        health = self.worker.health()
        watch = self._judge(health, now)
        if watch.state is not self._state:
            self._state, self._since = watch.state, now
        return CameraStatus(
            camera_id=self.spec.id,
            shard=shard_id,
            state=watch.state,
            reason=watch.reason,
            since=self._since,
            at=now,
            codec=health.codec,
            width_px=health.width_px,
            height_px=health.height_px,
            capture_fps=health.capture_fps,
            analysis_fps=self._rate.fps(now.monotonic),
            frame_age_s=self._age_s(now),
            frames_captured=health.frames_captured,
            frames_analysed=self.frames_analysed,
            frames_dropped=health.frames_dropped + self.frames_unused,
            reconnects=health.reconnects,
            ppe_seconds=self._ppe_seconds(),
            rules=self.rules.states(),
            doubts=self._doubts(),
            unresolved_zones=self.plan.unresolved,
            zone_heights_px=dict(self.plan.zone_px),
            regions=tuple((r.left, r.top, r.right, r.bottom) for r in self.plan.regions),
        )

    def _doubts(self) -> dict[str, tuple[str, ...]]:
        doubts = dict(self.rules.doubts())
        for rule_id in self._doubtful_rules & self.rules.states().keys():
            doubts[rule_id] = doubts.get(rule_id, frozenset()) | {"cannot_resolve"}
        return {rule_id: tuple(sorted(why)) for rule_id, why in doubts.items()}

    def _ppe_seconds(self) -> dict[PpeItem, dict[PpeState, float]]:
        asked = self.rules.ppe_items
        return {item: dict(self.ppe.seconds[item]) for item in PpeItem if item in asked}

    def _judge(self, health: CameraHealth, now: Instant) -> Watch:
        if health.state is CameraState.BLIND:
            self._seeing_since = None
            return Watch(health.state, health.reason)
        if self._seeing_since is None:
            self._seeing_since = now.monotonic
        unanalysed = self._unanalysed(self._age_s(now), now.monotonic - self._seeing_since)
        if unanalysed is not None:
            return Watch(CameraState.BLIND, unanalysed)
        if self._failures or self._doubtful:
            return Watch(CameraState.DEGRADED, "model_error")
        now_s = now.monotonic
        if self._rate.measured(now_s) and self._rate.fps(now_s) < self.spec.min_fps:
            return Watch(CameraState.DEGRADED, "slow")
        if self.ppe.unavailable:
            return Watch(CameraState.DEGRADED, "ppe_unavailable")
        if self.missed and health.state is CameraState.LIVE:
            return Watch(CameraState.DEGRADED, "cannot_resolve")
        return Watch(health.state, health.reason)

    def _age_s(self, now: Instant) -> float | None:
        if self.latest is None:
            return None
        return max(0.0, now.monotonic - self.latest.frame.captured_at.monotonic)

    def _unanalysed(self, age_s: float | None, seeing_s: float) -> str | None:
        """Why the newest frames say nothing; None if they have been analysed."""
        limit_s = max(UNSEEN_S, 2 / self.spec.min_fps)
        if age_s is not None and age_s <= limit_s and self._failures < FAILURES_TO_BLIND:
            return None
        if self._failures:
            return "model_error"
        return "starting" if self.loading or seeing_s <= limit_s else "slow"


def _is_in(person: TrackedPerson, regions: Sequence[Region]) -> bool:
    """Whether the feet are where a close-up shows them."""
    left, _, right, bottom = (float(edge) for edge in person.box)
    x = (left + right) / 2
    return any(r.left <= x <= r.right and r.top <= bottom <= r.bottom for r in regions)
