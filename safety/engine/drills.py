"""Drills: the engine's part, from the report to the siren's confirmation."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from sqlmodel import Session

from alerts.channels.base import SirenLevel
from alerts.sirens import SirenControl
from cameras.messages import DrillPlayed, DrillRequest, DrillResult, PlayDrill
from safety.clock import Clock, Instant
from safety.engine.channels import ChannelDesk
from safety.engine.recorder import Entry, Recorder
from safety.errors import ChannelError
from safety.store import drills
from safety.store.tables import Drill
from safety.store.times import utc

log = structlog.get_logger(__name__)

SOUND_S = 2.0
"""How long a drilled siren shows its mildest level; then its time-to-live ends it."""

WAIT_S = 5.0
"""How long the siren may take to confirm."""

PLAY_S = 10.0
"""How much longer than the film the shard may take to say what became of it."""

_Played = tuple[DrillPlayed, Instant]
"""A shard's word, and when it came."""


class DrillDesk:
    """Holds a drill: has a shard play the film, and sounds one siren when its rule fires.

    One drill at a time, and none while a siren is needed for something real.

    Args:
        cameras: Ids of the site's cameras.
        send: Sends to the shard that runs the camera; whether it is there.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        recorder: Recorder,
        sirens: SirenControl,
        channels: ChannelDesk,
        cameras: Callable[[], frozenset[str]],
        send: Callable[[PlayDrill], bool],
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._sirens = sirens
        self._channels = channels
        self._cameras = cameras
        self._send = send
        self._held: tuple[str, asyncio.Future[_Played]] | None = None

    async def hold(self, request: DrillRequest) -> DrillResult:
        """Play the film, command the siren once at its mildest level, and put it on record.

        The command is never taken back: a real violation's own commands come every second and
        are stronger, and quiet comes by the time-to-live.
        """
        if self._held is not None:
            result = _refused(request, "another drill is being held; try again when it is over")
        else:
            self._held = request.drill_id, asyncio.get_running_loop().create_future()
            try:
                result = await self._outcome(request, self._held[1])
            finally:
                self._held = None
        log.info("drill", outcome=result.outcome, reason=result.reason, total_s=result.total_s)
        self._recorder.put(
            Entry(key=("drill", request.drill_id), write=partial(self._save, request, result))
        )
        return result

    def played(self, played: DrillPlayed) -> None:
        """A shard's word; one that nobody waits for any more is ignored: no siren sounds late."""
        if self._held is not None and self._held[0] == played.drill_id:
            waiting = self._held[1]
            if not waiting.done():
                waiting.set_result((played, self._clock.now()))

    async def _outcome(
        self, request: DrillRequest, outcome: "asyncio.Future[_Played]"
    ) -> DrillResult:
        if refusal := self._refusal(request):
            return _refused(request, refusal)
        if not self._send(_order(request)):
            return _refused(request, f"no shard runs the camera '{request.camera_id}' now")
        try:
            async with asyncio.timeout(request.seconds + PLAY_S):
                played, arrived = await outcome
        except TimeoutError:
            return _failed(request, "the shard did not say what became of the film; see its log")
        watched = {"watched": played.watched, "watched_frames": played.watched_frames}
        if played.captured_at is None:
            return _failed(request, played.reason).model_copy(update=watched)
        # Something real may have begun meanwhile.
        if refusal := self._refusal(request):
            return _refused(request, refusal).model_copy(update=watched)
        result = await self._sounded(request, played, played.captured_at, arrived)
        return result.model_copy(update=watched)

    async def _sounded(
        self, request: DrillRequest, played: DrillPlayed, captured_at: Instant, arrived: Instant
    ) -> DrillResult:
        siren = self._channels.siren(request.channel_id)
        assert siren is not None, "refused otherwise"
        try:
            async with asyncio.timeout(WAIT_S):
                receipt = await siren.set(SirenLevel.WARNING, ttl_s=SOUND_S, reason="drill")
        except (ChannelError, TimeoutError) as error:
            return _failed(request, str(error) or f"no confirmation within {WAIT_S:g} s")
        return DrillResult(
            drill_id=request.drill_id,
            outcome="sounded",
            analysis_s=played.reported_at.monotonic - captured_at.monotonic,
            engine_s=arrived.monotonic - played.reported_at.monotonic,
            siren_s=receipt.at.monotonic - arrived.monotonic,
            total_s=receipt.at.monotonic - captured_at.monotonic,
        )

    def _refusal(self, request: DrillRequest) -> str:
        """Why not; empty if nothing speaks against it."""
        if request.camera_id not in self._cameras():
            return f"there is no camera '{request.camera_id}'"
        if self._channels.siren(request.channel_id) is None:
            return f"'{request.channel_id}' is no siren in use"
        if not self._sirens.silent:
            return "a siren is sounding for something real; try again when that is over"
        return ""

    def _save(self, request: DrillRequest, result: DrillResult, session: Session) -> None:
        drills.save(
            session,
            Drill(
                id=request.drill_id,
                camera_id=request.camera_id,
                channel_id=request.channel_id,
                scene=request.scene,
                outcome=result.outcome,
                reason=result.reason,
                engine_s=result.engine_s,
                siren_s=result.siren_s,
                total_s=result.total_s,
                at=utc(self._clock.now()),
                by=request.by,
            ),
            rule_id=request.rule.id,
            watched=result.watched,
            watched_frames=result.watched_frames,
        )


def _order(request: DrillRequest) -> PlayDrill:
    return PlayDrill(
        drill_id=request.drill_id,
        camera_id=request.camera_id,
        film=request.film,
        seconds=request.seconds,
        zone=request.zone,
        rule=request.rule,
    )


def _refused(request: DrillRequest, why: str) -> DrillResult:
    return DrillResult(drill_id=request.drill_id, outcome="refused", reason=why)


def _failed(request: DrillRequest, why: str) -> DrillResult:
    return DrillResult(drill_id=request.drill_id, outcome="failed", reason=why)
