"""Drills in a shard: a film goes through a camera's own chain, beside the camera.

The film's lane has everything that the camera's has: a reading thread, a decoder, the slot where
the newest frame waits, the camera's network, close-ups and rate, and a rule. It waits for the
network like any camera, and the camera itself is watched all the while. What its rule says goes
nowhere but to the drill: no violation, no evidence, no observation comes of it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from uuid import uuid4

import structlog

from cameras.analysis import Analysis
from cameras.inference import InferenceThread, Listener
from cameras.lane import Lane
from cameras.messages import DrillPlayed, PlayDrill
from cameras.region_plan import Outlook
from cameras.specs import FileSpec
from cameras.worker import CameraWorker
from safety.clock import Clock, Instant
from safety.types import Phase, Violation
from zones.engine import RuleEngine

log = structlog.get_logger(__name__)

GRACE_S = 6.0
"""How long after its film a drill may still fire: the network may have to be loaded first."""


class DrillRoom:
    """Plays one drill at a time, and hands on what the cameras' lanes report.

    It stands between the inference thread and its listener, so that nothing of a drill reaches
    the record.

    Args:
        listener: Told of all lanes but a drill's.
        inference: Analyses the film.
        lane: Finds a running camera.
        post: Takes the outcome; called in the event loop.
    """

    def __init__(
        self,
        listener: Listener,
        *,
        clock: Clock,
        inference: Callable[[], InferenceThread],
        lane: Callable[[str], Lane | None],
        post: Callable[[DrillPlayed], None],
    ) -> None:
        self._listener = listener
        self._clock = clock
        self._inference = inference
        self._lane = lane
        self._post = post
        self._playing: _Drill | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def violated(self, lane: Lane, violation: Violation, analysis: Analysis | None) -> None:
        """In the inference thread: the drill's own rule, or a camera's."""
        drill = self._playing
        if drill is None or lane is not drill.lane:
            self._listener.violated(lane, violation, analysis)
        elif violation.phase is Phase.OPENED:
            drill.fire(violation, self._clock.now())

    def analysed(self, lane: Lane, analysis: Analysis) -> None:
        """In the inference thread: a frame of the drill, or of a camera."""
        drill = self._playing
        if drill is None or lane is not drill.lane:
            self._listener.analysed(lane, analysis)

    def play(self, order: PlayDrill) -> None:
        """Begin; returns at once. The outcome is posted when the rule fires or the film is over."""
        task = asyncio.create_task(self._play(order))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End what plays, as far as it has come."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _play(self, order: PlayDrill) -> None:
        camera = self._lane(order.camera_id)
        if camera is None:
            self._refuse(order, "its camera does not run here")
            return
        if self._playing is not None:
            self._refuse(order, "another drill plays here")
            return
        drill = self._playing = _Drill(order, camera, self._inference().notify, clock=self._clock)
        try:
            await self._through(drill, camera)
        except Exception:  # the border of this task: the cameras go on
            log.exception("drill_failed", camera=order.camera_id)
            self._refuse(order, "the shard failed to play the film; see its log")
        finally:
            self._playing = None

    async def _through(self, drill: "_Drill", camera: Lane) -> None:
        inference, before = self._inference(), camera.frames_analysed
        name = f"drill {drill.order.drill_id}"
        await asyncio.wrap_future(inference.submit(lambda lanes: lanes.update({name: drill.lane})))
        try:
            drill.worker.start()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(drill.order.seconds + GRACE_S):
                    await drill.fired.wait()
            # At once: the siren waits for this.
            self._post(drill.played(camera, before, self._clock.now()))
        finally:
            removed = inference.submit(lambda lanes: lanes.pop(name, None))
            await asyncio.wrap_future(removed)
            await asyncio.to_thread(drill.worker.stop)

    def _refuse(self, order: PlayDrill, why: str) -> None:
        self._post(DrillPlayed(drill_id=order.drill_id, reported_at=self._clock.now(), reason=why))


class _Drill:
    """A film in a lane that is like the camera's."""

    def __init__(
        self, order: PlayDrill, camera: Lane, notify: Callable[[], None], *, clock: Clock
    ) -> None:
        spec = camera.spec.model_copy(
            update={
                "source": FileSpec(path=order.film, loop=False),
                "frozen_after_s": None,
                "calibration": None,
            }
        )
        rules = RuleEngine(
            camera_id=spec.id,
            zones=(order.zone,),
            rules=(order.rule,),
            rule_revisions={order.rule.id: 1},
            new_id=lambda: uuid4().hex,
        )
        self.order = order
        self.worker = CameraWorker(spec, clock=clock, notify=notify)
        self.lane = Lane(spec, self.worker, rules, {}, now=clock.now())
        self.lane.look(Outlook(plan=camera.plan))
        self.fired = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._report: tuple[Instant, Instant] | None = None

    def fire(self, violation: Violation, now: Instant) -> None:
        """The rule fired; in the inference thread. The first time counts."""
        if self._report is None:
            self._report = violation.captured_at, now
            self._loop.call_soon_threadsafe(self.fired.set)

    def played(self, camera: Lane, before: int, now: Instant) -> DrillPlayed:
        """What became of it, and of the camera itself meanwhile.

        Args:
            camera: The camera's own lane.
            before: How many of its frames had been analysed when the drill began.
        """
        captured_at, reported_at = self._report or (None, now)
        return DrillPlayed(
            drill_id=self.order.drill_id,
            captured_at=captured_at,
            reported_at=reported_at,
            reason="" if captured_at is not None else self._why_not(),
            watched=camera.watch(now).state.value,
            watched_frames=camera.frames_analysed - before,
        )

    def _why_not(self) -> str:
        frames, reason = self.lane.frames_analysed, self.worker.health().reason
        if not frames:
            return f"no picture of the film was analysed ({reason}); see the log of the shard"
        return (
            f"the rule did not fire in {frames} analysed pictures of the film; check the network"
            " with 'anjeon doctor', and whether the machine keeps up"
        )
