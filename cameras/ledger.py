"""What a shard still owes the engine, and which of its violations are open."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from cameras.messages import (
    EvidenceFailed,
    EvidenceReady,
    EvidenceStored,
    ViolationReport,
    ViolationStored,
)
from safety.types import Phase, Violation

EvidenceKind = Literal["clip", "picture"]
EVIDENCE_KINDS: tuple[EvidenceKind, ...] = ("clip", "picture")

EvidenceKey = tuple[EvidenceKind, str]
"""Kind, and which other camera made it."""

Record = ViolationReport | EvidenceReady | EvidenceFailed
"""What is sent until the engine confirms it."""

Confirmation = ViolationStored | EvidenceStored

LOST_REVISIONS = 1000
"""Added to the revision of a report that closes what a dead process left open: whatever that
process still sent after its last line on disk must count as older."""


@dataclass(slots=True)
class Episode:
    """One violation as the ledger knows it."""

    newest: Violation | None = None
    confirmed: set[EvidenceKey] = field(default_factory=set)
    evidence: dict[EvidenceKey, EvidenceReady | EvidenceFailed] = field(default_factory=dict)
    waiting: dict[int, Record] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """The violation has been reported and not closed."""
        return self.newest is not None and self.newest.phase is not Phase.CLOSED

    @property
    def missing(self) -> list[EvidenceKind]:
        """What is still owed of it; of another shard's violation, nothing."""
        if self.newest is None:
            return []
        return [kind for kind in EVIDENCE_KINDS if (kind, "") not in self.evidence]

    @property
    def settled(self) -> bool:
        """Nothing more will come of it and everything has been confirmed."""
        return not (self.open or self.waiting or self.missing)


class Ledger:
    """Reports and evidence in the order in which they came about, until they are confirmed.

    A violation stays in it until it is closed, both kinds of evidence exist or have failed,
    and the engine has confirmed all of that. Of the ``updated`` reports of one violation only
    the newest waits: an engine that is away for hours costs three reports per violation.

    Not safe for threads; ``Spool`` guards it.
    """

    def __init__(self) -> None:
        self._episodes: dict[str, Episode] = {}
        self._waiting: dict[int, Record] = {}
        self._sequence = 0

    @property
    def waiting(self) -> int:
        """Messages that the engine has not confirmed."""
        return len(self._waiting)

    @property
    def empty(self) -> bool:
        """Nothing is open and nothing waits."""
        return not self._episodes

    def put(self, record: Record) -> None:
        """Take one report or one piece of evidence; an older or repeated one is ignored."""
        if isinstance(record, ViolationReport):
            self._put_violation(record)
        else:
            self._put_evidence(record)

    def confirm(self, confirmation: Confirmation) -> None:
        """Forget what the engine has; what is unknown here is ignored."""
        episode = self._episodes.get(confirmation.violation_id)
        if episode is None:
            return
        for sequence, record in list(episode.waiting.items()):
            if _confirms(confirmation, record):
                self._drop(episode, sequence)
        self._settle(confirmation.violation_id, episode)

    def after(self, sequence: int) -> list[tuple[int, Record]]:
        """Waiting messages younger than ``sequence``, oldest first."""
        young: list[tuple[int, Record]] = []
        for number in reversed(self._waiting):
            if number <= sequence:
                break
            young.append((number, self._waiting[number]))
        return young[::-1]

    def open_violations(self) -> list[Violation]:
        """The newest state of every violation that has not been closed."""
        return [
            episode.newest
            for episode in self._episodes.values()
            if episode.newest is not None and episode.open
        ]

    def confirmed_open(self) -> list[ViolationReport]:
        """The newest reports of open violations whose newest report has been confirmed."""
        return [
            ViolationReport(violation=episode.newest)
            for episode in self._episodes.values()
            if episode.newest is not None
            and episode.open
            and not any(isinstance(record, ViolationReport) for record in episode.waiting.values())
        ]

    def farewell(self) -> list[Record]:
        """What is said of the violations that a dead or leaving process does not follow any more.

        Returns:
            A closing report (``shard_lost``) for every open violation and a failure for every
            missing piece of evidence; the caller puts them.
        """
        records: list[Record] = []
        for violation_id, episode in self._episodes.items():
            if episode.newest is None:
                continue
            if episode.open:
                records.append(ViolationReport(violation=closed(episode.newest)))
            records.extend(
                EvidenceFailed(violation_id=violation_id, kind=kind, reason="shard_lost")
                for kind in episode.missing
            )
        return records

    def messages(self) -> Iterator[Record | Confirmation]:
        """The shortest history that leads to this state."""
        for violation_id, episode in self._episodes.items():
            reports = [r for r in episode.waiting.values() if isinstance(r, ViolationReport)]
            newest = episode.newest
            yield from reports
            if newest is not None and not any(r.violation == newest for r in reports):
                yield ViolationReport(violation=newest)
                yield ViolationStored(violation_id=violation_id, revision=newest.revision)
            for (kind, camera_id), evidence in episode.evidence.items():
                yield evidence
                if (kind, camera_id) in episode.confirmed:
                    yield EvidenceStored(
                        violation_id=violation_id, kind=kind, other_camera=camera_id
                    )

    def _put_violation(self, report: ViolationReport) -> None:
        violation = report.violation
        episode = self._episodes.setdefault(violation.id, Episode())
        if episode.newest is not None and violation.revision <= episode.newest.revision:
            return
        for sequence, record in list(episode.waiting.items()):
            if isinstance(record, ViolationReport) and record.violation.phase is Phase.UPDATED:
                self._drop(episode, sequence)
        episode.newest = violation
        self._wait(episode, report)

    def _put_evidence(self, evidence: EvidenceReady | EvidenceFailed) -> None:
        episode = self._episodes.setdefault(evidence.violation_id, Episode())
        key = (evidence.kind, evidence.other_camera)
        if key in episode.evidence:
            return
        episode.evidence[key] = evidence
        self._wait(episode, evidence)

    def _wait(self, episode: Episode, record: Record) -> None:
        self._sequence += 1
        episode.waiting[self._sequence] = record
        self._waiting[self._sequence] = record

    def _drop(self, episode: Episode, sequence: int) -> None:
        record = episode.waiting.pop(sequence)
        del self._waiting[sequence]
        if not isinstance(record, ViolationReport):
            episode.confirmed.add((record.kind, record.other_camera))

    def _settle(self, violation_id: str, episode: Episode) -> None:
        if episode.settled:
            del self._episodes[violation_id]


def closed(violation: Violation) -> Violation:
    """The report that ends a violation that nobody follows any more.

    It ends at the last moment that is known, not now: the machine may have been restarted
    since, and its monotonic clock with it.
    """
    return replace(
        violation,
        revision=violation.revision + LOST_REVISIONS,
        phase=Phase.CLOSED,
        closed_at=violation.captured_at,
        end_reason="shard_lost",
        box=None,
    )


def _confirms(confirmation: Confirmation, record: Record) -> bool:
    if isinstance(record, ViolationReport):
        return (
            isinstance(confirmation, ViolationStored)
            and confirmation.revision == record.violation.revision
        )
    return isinstance(confirmation, EvidenceStored) and (
        (confirmation.kind, confirmation.other_camera) == (record.kind, record.other_camera)
    )
