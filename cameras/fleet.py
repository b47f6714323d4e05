"""The cameras of one shard, changed while they run."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import structlog

from cameras.budget import NetworkCosts
from cameras.inference import InferenceThread, Listener
from cameras.lane import Lane
from cameras.messages import CameraStatus, Configure
from cameras.region_notes import note_of, write_note
from cameras.region_planner import Part, Planner
from cameras.specs import CameraSpec
from cameras.thinning import first_free, phase_of
from cameras.worker import CameraWorker
from safety.clock import Clock, Instant
from safety.types import CameraState, Violation
from zones.engine import RuleEngine, polygon_of
from zones.rules.base import CameraRuleBase
from zones.specs import RuleSpec
from zones.survey import solve

log = structlog.get_logger(__name__)

WORDS = frozenset({"name", "blind_alert_after_s", "calibration", "analysis"})
"""Fields of a camera that can change without a new connection."""


PLAN_EVERY_S = 2.0
"""How often it is looked whether the cameras' pictures should be looked at in another way."""


class Fleet:
    """Makes the running cameras be those of the configuration; used in the event loop.

    A camera that did not change keeps its connection, its tracks and its open violations,
    whatever happens to the others; a rule that did not change keeps its state.
    """

    def __init__(
        self,
        inference: InferenceThread,
        listener: Listener,
        *,
        clock: Clock,
        costs: NetworkCosts | None = None,
        notes: Path | None = None,
    ) -> None:
        """Start without cameras.

        Args:
            inference: Analyses them.
            listener: Told what ends when a camera goes.
            clock: Where the time comes from.
            costs: What the networks cost; without it, whole pictures are looked at.
            notes: File in which it is noted what the plans are made from.
        """
        self._notes = notes
        self._planner = Planner(costs or NetworkCosts())
        self._parts: dict[str, Part] = {}
        self._cameras_in_all = 0
        self._inference = inference
        self._listener = listener
        self._clock = clock
        self._lanes: dict[str, Lane] = {}
        self._disabled: dict[str, Instant] = {}
        self._turns: dict[str, int] = {}

    def lane(self, camera_id: str) -> Lane | None:
        """A running camera."""
        return self._lanes.get(camera_id)

    def statuses(self, shard_id: str) -> list[CameraStatus]:
        """The state of every camera, those that are switched off too."""
        now = self._clock.now()
        off = [
            CameraStatus(
                camera_id=camera_id,
                shard=shard_id,
                state=CameraState.BLIND,
                reason="disabled",
                since=since,
                at=now,
            )
            for camera_id, since in self._disabled.items()
        ]
        return [lane.status(shard_id, now) for lane in self._lanes.values()] + off

    async def configure(self, message: Configure) -> None:
        """Put a configuration in force; returns when it is.

        Raises:
            ConfigError: A camera's rules cannot be used; the other cameras are as wanted.
        """
        parts = {camera.id: part_of(message, camera) for camera in message.cameras}
        now = self._clock.now()
        self._disabled = {
            camera_id: self._disabled.get(camera_id, now)
            for camera_id, part in parts.items()
            if not part.spec.enabled
        }
        wanted = {key: part for key, part in parts.items() if part.spec.enabled}
        self._parts, self._cameras_in_all = wanted, message.cameras_in_all
        self._planner.forget()
        gone = [key for key, lane in self._lanes.items() if not _may_stay(lane, wanted.get(key))]
        await asyncio.gather(*(self._remove(camera_id) for camera_id in gone))
        outcomes = await asyncio.gather(
            *(self._put(part) for part in wanted.values()), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def keep_planned(self) -> None:
        """As long as this runs, look at the pictures in the best way that is affordable."""
        while True:
            try:
                await self._plan()
            except Exception:  # whatever it was, pictures are looked at as before
                log.exception("planning_failed")
            await self._clock.sleep_async(PLAN_EVERY_S)

    async def _plan(self) -> None:
        parts = self._parts
        outlooks = await self._planner.plan(parts, self._lanes, cameras_in_all=self._cameras_in_all)
        if outlooks is None or parts is not self._parts:
            return

        def order(lanes: dict[str, Lane]) -> None:
            for camera_id, outlook in outlooks.items():
                if (lane := lanes.get(camera_id)) is not None:
                    lane.look(outlook)

        await asyncio.wrap_future(self._inference.submit(order))
        basis = self._planner.planned_with
        if self._notes is not None and basis is not None:
            await asyncio.to_thread(write_note, self._notes, note_of(basis))

    async def stop(self) -> None:
        """Stop all cameras; their violations are left as they are."""
        await asyncio.gather(
            *(asyncio.to_thread(lane.worker.stop) for lane in self._lanes.values())
        )

    async def _remove(self, camera_id: str) -> None:
        lane = self._lanes.pop(camera_id)
        del self._turns[camera_id]

        def order(lanes: dict[str, Lane]) -> list[Violation]:
            del lanes[camera_id]
            return lane.rules.end("rule_changed", self._clock.now())

        await self._carry_out(lane, order)
        await asyncio.to_thread(lane.worker.stop)
        log.info("camera_removed", camera=camera_id)

    async def _put(self, part: Part) -> None:
        lane = self._lanes.get(part.spec.id)
        if lane is None:
            await self._add(part)
            return

        def order(_: dict[str, Lane]) -> list[Violation]:
            ended = lane.rules.configure(
                part.zones,
                part.rules,
                part.rule_revisions,
                self._clock.now(),
                calibration=part.calibration,
            )
            lane.spec, lane.zones = part.spec, part.polygons
            lane.analyst.calibration = part.calibration
            # A close-up of the former zones may not show the new ones.
            lane.look_at_all()
            return ended

        await self._carry_out(lane, order)

    async def _add(self, part: Part) -> None:
        spec = part.spec
        rules = RuleEngine(
            camera_id=spec.id,
            zones=part.zones,
            rules=part.rules,
            rule_revisions=part.rule_revisions,
            new_id=lambda: uuid4().hex,
            calibration=part.calibration,
        )
        turn = self._turns[spec.id] = first_free(self._turns.values())
        worker = CameraWorker(
            spec, clock=self._clock, notify=self._inference.notify, phase=phase_of(turn)
        )
        lane = Lane(
            spec,
            worker,
            rules,
            part.polygons,
            now=self._clock.now(),
            calibration=part.calibration,
        )
        self._lanes[spec.id] = lane

        def order(lanes: dict[str, Lane]) -> list[Violation]:
            lanes[spec.id] = lane
            return []

        await self._carry_out(lane, order)
        worker.start()
        log.info("camera_added", camera=spec.id)

    async def _carry_out(
        self, lane: Lane, order: Callable[[dict[str, Lane]], list[Violation]]
    ) -> None:
        def and_report(lanes: dict[str, Lane]) -> None:
            for violation in order(lanes):
                self._listener.violated(lane, violation, None)

        await asyncio.wrap_future(self._inference.submit(and_report))


def part_of(message: Configure, camera: CameraSpec) -> Part:
    """The part of a configuration that concerns one camera: zones that it sees, their rules."""
    calibration = None if camera.calibration is None else solve(camera.calibration)
    polygons = {
        zone.id: polygon
        for zone in message.zones
        if zone.camera_id in {camera.id, None}
        and (polygon := polygon_of(zone, calibration)) is not None
    }
    zones = tuple(zone for zone in message.zones if zone.id in polygons)
    names = set(polygons)
    rules = tuple(rule for rule in message.rules if _concerns(rule, camera.id, names))
    revisions = {
        rule.id: message.rule_revisions[rule.id]
        for rule in rules
        if rule.id in message.rule_revisions
    }
    return Part(
        spec=camera,
        zones=zones,
        rules=rules,
        rule_revisions=revisions,
        polygons=polygons,
        calibration=calibration,
    )


def _concerns(rule: RuleSpec, camera_id: str, zone_ids: set[str]) -> bool:
    """Whether a rule is evaluated on a camera that sees these zones."""
    if isinstance(rule, CameraRuleBase):
        watched = rule.camera_ids is None or camera_id in rule.camera_ids
        return watched and (rule.zone_id is None or rule.zone_id in zone_ids)
    return rule.zone_id in zone_ids


def _may_stay(lane: Lane, part: Part | None) -> bool:
    """Whether a running camera can go on with its connection."""
    if part is None:
        return False
    return lane.spec.model_dump(exclude=set(WORDS)) == part.spec.model_dump(exclude=set(WORDS))
