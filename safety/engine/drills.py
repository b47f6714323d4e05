"""Drills: the engine's part, from the report to the siren's confirmation."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from sqlmodel import Session

from alerts.channels.base import SirenLevel
from alerts.sirens import SirenControl
from cameras.messages import DrillRequest, DrillResult
from safety.clock import Clock
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

BY = "command line"


class DrillDesk:
    """Sounds one siren for a drill, unless it is needed for something real.

    Args:
        cameras: Ids of the site's cameras.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        recorder: Recorder,
        sirens: SirenControl,
        channels: ChannelDesk,
        cameras: Callable[[], frozenset[str]],
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._sirens = sirens
        self._channels = channels
        self._cameras = cameras

    async def sound(self, request: DrillRequest) -> DrillResult:
        """Command the siren once, at its mildest level, and put the drill on record.

        The command is never taken back: a real violation's own commands come every second and
        are stronger, and quiet comes by the time-to-live.
        """
        arrived = self._clock.now().monotonic
        result = await self._sounded(request, arrived)
        log.info("drill", outcome=result.outcome, reason=result.reason, total_s=result.total_s)
        self._recorder.put(
            Entry(key=("drill", request.drill_id), write=partial(self._save, request, result))
        )
        return result

    async def _sounded(self, request: DrillRequest, arrived: float) -> DrillResult:
        siren = self._channels.siren(request.channel_id)
        refusal = self._refusal(request, siren is not None)
        if refusal or siren is None:
            return DrillResult(drill_id=request.drill_id, outcome="refused", reason=refusal)
        try:
            async with asyncio.timeout(WAIT_S):
                receipt = await siren.set(SirenLevel.WARNING, ttl_s=SOUND_S, reason="drill")
        except (ChannelError, TimeoutError) as error:
            why = str(error) or f"no confirmation within {WAIT_S:g} s"
            return DrillResult(drill_id=request.drill_id, outcome="failed", reason=why)
        return DrillResult(
            drill_id=request.drill_id,
            outcome="sounded",
            engine_s=arrived - request.reported_at.monotonic,
            siren_s=receipt.at.monotonic - arrived,
            total_s=receipt.at.monotonic - request.captured_at.monotonic,
        )

    def _refusal(self, request: DrillRequest, is_siren: bool) -> str:
        """Why not; empty if nothing speaks against it."""
        if request.camera_id not in self._cameras():
            return f"there is no camera '{request.camera_id}'"
        if not is_siren:
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
                by=BY,
            ),
        )
