"""A violation's way through the engine: siren at once, record beside it, confirmation after."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlmodel import Session

from alerts.episodes import Attention
from alerts.intake import close_lost, record_violation
from alerts.sirens import SirenControl
from cameras.messages import (
    EvidenceFailed,
    EvidenceReady,
    EvidenceStored,
    ViolationReport,
    ViolationStored,
)
from safety.clock import Clock
from safety.engine.doubles import Doubles
from safety.engine.metrics import EngineMetrics
from safety.engine.recorder import Entry, Recorder
from safety.engine.site import EngineSite
from safety.errors import StoreUnavailable
from safety.store import alerts, evidence, violations
from safety.store.alerts import AlertState
from safety.store.database import Database
from safety.store.times import utc
from safety.types import Phase, Violation

Reply = Callable[[ViolationStored | EvidenceStored], None]
"""Sends a confirmation to the shard that reported, if it is still connected."""

ATTENTION_EVERY_S = 0.5
"""How often the record is asked whether somebody has acknowledged."""

ORPHAN_S = 60.0
"""An open violation of which nothing was heard for so long is closed as lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOpen:
    """Violations that an earlier life of the engine left open.

    Attributes:
        firsts: Violation → the one whose alert stands for it; mostly itself.
        attended: What people have said of their alerts, where they have.
    """

    firsts: Mapping[str, str]
    attended: Mapping[str, Attention]


class ViolationDesk:
    """Takes reports of violations and of their evidence.

    Args:
        site: The configuration in force, asked anew for every report.
        recorded: Called after a report is in the database: the outbox may have work.
        doubles: Knows which violations are one situation seen by two cameras.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        database: Database,
        recorder: Recorder,
        sirens: SirenControl,
        metrics: EngineMetrics,
        site: Callable[[], EngineSite],
        recorded: Callable[[], None],
        doubles: Doubles,
    ) -> None:
        self._clock = clock
        self._database = database
        self._recorder = recorder
        self._sirens = sirens
        self._metrics = metrics
        self._site = site
        self._recorded = recorded
        self._doubles = doubles
        self._reported: dict[str, float] = {}
        self._attended: dict[str, Attention] = {}
        self._unwritten: set[str] = set()

    async def report(self, message: ViolationReport, reply: Reply) -> None:
        """Sound the siren, then queue the record; ``reply`` confirms once it is written.

        What a rule in shadow reports is recorded only.
        """
        violation = message.violation
        on_floor = violation.zone_id in self._site().floor_zones
        first = self._doubles.first_of(violation, on_floor=on_floor)
        if not violation.shadow:
            await self._sirens.report(
                violation,
                self._channels(violation),
                max(self._attended.get(key or "", Attention.NONE) for key in (violation.id, first)),
            )
            self._metrics.violation_seen(violation)
        if violation.phase is Phase.CLOSED:
            self._reported.pop(violation.id, None)
        else:
            self._reported[violation.id] = self._clock.now().monotonic
        stored = ViolationStored(violation_id=violation.id, revision=violation.revision)
        if self._recorder.put(
            Entry(
                key=("violation", violation.id, str(violation.revision)),
                write=partial(self._record, violation, first),
                stored=partial(self._confirm, reply, stored),
            )
        ):
            self._unwritten.add(violation.id)

    async def evidence(self, message: EvidenceReady | EvidenceFailed, reply: Reply) -> None:
        """Queue the record of a piece of evidence."""
        stored = EvidenceStored(
            violation_id=message.violation_id,
            kind=message.kind,
            other_camera=message.other_camera,
        )
        self._recorder.put(
            Entry(
                key=(message.type, message.violation_id, message.kind, message.other_camera),
                write=partial(self._save_evidence, message),
                stored=partial(self._confirm, reply, stored),
            )
        )

    def sounded(self, violation_id: str, seconds: float) -> None:
        """A siren was first commanded for this violation, so long after its picture."""
        self._metrics.siren_latency.observe(seconds)
        if violation_id in self._unwritten:
            return  # Whoever writes the report will ask the sirens.
        self._recorder.put(
            Entry(
                key=("siren_latency", violation_id),
                write=partial(self._save_latency, violation_id, seconds),
            )
        )

    async def run(self) -> None:
        """Notice acknowledgements and violations that nobody reports any more."""
        while True:
            await self.look_for_attention()
            await self._clock.sleep_async(ATTENTION_EVERY_S)
            self._close_orphans()

    async def look_for_attention(self) -> None:
        """Silence what somebody has acknowledged or judged; without the record nothing changes."""
        open_ones = {key: self._doubles.first_known(key) for key in self._reported}
        waiting = {
            key: first
            for key, first in open_ones.items()
            if self._attended.get(key) is not Attention.DISMISSED
        }
        if not waiting:
            return
        try:
            said = await asyncio.to_thread(self._said_of, set(waiting.values()))
        except StoreUnavailable:
            return
        for key, first in waiting.items():
            if said.get(first, Attention.NONE) > self._attended.get(key, Attention.NONE):
                self._attended[key] = said[first]
                await self._sirens.attend(key, said[first])
        kept = open_ones.keys() | set(open_ones.values()) | self._reported.keys()
        self._attended = {key: each for key, each in self._attended.items() if key in kept}

    def left_open(self) -> LeftOpen:
        """What an earlier life left open; blocking.

        Raises:
            StoreUnavailable: The database cannot be read.
        """
        with self._database.reading() as session:
            firsts = {
                row.id: str(row.details.get(violations.SAME_AS, row.id))
                for row in violations.open_violations(session)
            }
            said = _said(session, set(firsts.values()))
        return LeftOpen(
            firsts=firsts,
            attended={key: said[first] for key, first in firsts.items() if first in said},
        )

    def resume(self, left: LeftOpen) -> None:
        """Take over what ``left_open`` found; what was reported meanwhile stays as it is."""
        now = self._clock.now().monotonic
        self._reported = dict.fromkeys(left.firsts, now) | self._reported
        self._attended = {**left.attended, **self._attended}
        self._doubles.resume({key: first for key, first in left.firsts.items() if key != first})

    def _close_orphans(self) -> None:
        """Open violations report every second; one that is silent has lost its shard for good."""
        limit = self._clock.now().monotonic - ORPHAN_S
        for violation_id in [key for key, at in self._reported.items() if at < limit]:
            del self._reported[violation_id]
            self._doubles.forget(violation_id)
            self._recorder.put(
                Entry(key=("orphan", violation_id), write=partial(self._close_lost, violation_id))
            )

    def _close_lost(self, violation_id: str, session: Session) -> None:
        close_lost(session, violation_id, site=self._site().context, now=self._clock.now())

    def _channels(self, violation: Violation) -> tuple[str, ...] | None:
        return self._site().rule_channels.get(violation.rule_id)

    async def _confirm(self, reply: Reply, stored: ViolationStored | EvidenceStored) -> None:
        reply(stored)
        self._recorded()

    def _record(self, violation: Violation, first: str | None, session: Session) -> None:
        # In this order: a siren that sounds after the second line writes for itself.
        self._unwritten.discard(violation.id)
        latencies = self._sirens.latencies(violation.id).values()
        record_violation(
            session,
            violation,
            rule_channels=self._channels(violation),
            site=self._site().context,
            siren_latency_s=min(latencies, default=None),
            now=self._clock.now(),
            same_as=first,
        )

    @staticmethod
    def _save_latency(violation_id: str, seconds: float, session: Session) -> None:
        violations.set_siren_latency(session, violation_id, seconds)

    def _save_evidence(self, message: EvidenceReady | EvidenceFailed, session: Session) -> None:
        if isinstance(message, EvidenceFailed):
            evidence.failed(
                session,
                violation_id=message.violation_id,
                kind=message.kind,
                reason=message.reason,
                other_camera=message.other_camera,
            )
            return
        evidence.ready(
            session,
            violation_id=message.violation_id,
            kind=message.kind,
            path=message.path,
            sha256=message.sha256,
            size_bytes=message.size_bytes,
            started_at=utc(message.started_at),
            ended_at=utc(message.ended_at),
            sidecar_sha256=message.sidecar_sha256,
            at=utc(self._clock.now()),
            other_camera=message.other_camera,
        )

    def _said_of(self, violation_ids: set[str]) -> dict[str, Attention]:
        with self._database.reading() as session:
            return _said(session, violation_ids)


def _said(session: Session, violation_ids: set[str]) -> dict[str, Attention]:
    """What people have said of these violations, as far as they have said anything."""
    return {
        key: Attention.DISMISSED if state is AlertState.FALSE_POSITIVE else Attention.SEEN
        for key, state in alerts.attended_violations(session, violation_ids).items()
    }
