"""What a shard reports until the engine has it on record: violations and evidence."""

from typing import Any, Literal

from cameras.messages.base import Message
from safety.clock import Instant
from safety.types import Violation


class ViolationReport(Message):
    """Shard → engine: a violation opened, changed or closed. Sent until confirmed."""

    type: Literal["violation"] = "violation"
    violation: Violation


class ViolationStored(Message):
    """Engine → shard: this report is in the database; the shard may forget it."""

    type: Literal["violation_stored"] = "violation_stored"
    violation_id: str
    revision: int


class EvidenceReady(Message):
    """Shard → engine: a file of evidence is complete on disk. Sent until confirmed."""

    type: Literal["evidence"] = "evidence"
    violation_id: str
    kind: Literal["clip", "picture"]
    path: str
    """Relative to the evidence directory."""
    sha256: str
    size_bytes: int
    started_at: Instant
    ended_at: Instant
    sidecar_sha256: str | None = None
    """Of the file beside a clip that says what it was made from."""
    other_camera: str = ""
    """Which camera made it, if it is not the one that found the violation."""


class EvidenceFailed(Message):
    """Shard → engine: evidence could not be made, and why. Sent until confirmed."""

    type: Literal["evidence_failed"] = "evidence_failed"
    violation_id: str
    kind: Literal["clip", "picture"]
    reason: str
    other_camera: str = ""


class EvidenceStored(Message):
    """Engine → shard: this piece of evidence, or its failure, is in the database."""

    type: Literal["evidence_stored"] = "evidence_stored"
    violation_id: str
    kind: Literal["clip", "picture"]
    other_camera: str = ""


class ClipRequest(Message):
    """Engine → shard: one of its cameras sees the place of a violation that another one found.

    Answered by ``EvidenceReady`` or ``EvidenceFailed`` with that camera's name.
    """

    type: Literal["clip_request"] = "clip_request"
    camera_id: str
    violation: Violation
    before_s: float
    after_s: float
    found_with: dict[str, Any]
    """The configuration that the violation was found with, as JSON values."""
