"""What the API answers with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from cameras.messages import CameraStatus
from safety.incidents.types import FalseAlarm
from safety.types import CameraState


def example(**values: JsonValue) -> ConfigDict:
    """Settings of a model whose description shows how it is filled in."""
    return ConfigDict(json_schema_extra={"examples": [values]})


NO_EXAMPLE: Final = ConfigDict(json_schema_extra=None)
"""Settings of an answer that says more than the request that it is made from."""


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class SiteInfo(Answer):
    """The site and the software."""

    name: str
    timezone: str
    language: str
    config_revision: int
    """Goes up by one at every change of the configuration."""
    version: str


class CameraInfo(Answer):
    """A camera and what it can honestly be said to watch now."""

    id: str
    name: str
    enabled: bool
    state: CameraState
    """``blind`` also means that nobody has confirmed anything within three seconds."""
    reason: str
    since: datetime | None
    status: CameraStatus | None = None
    """The engine's newest word; null if it is silent."""


class EvidenceInfo(Answer):
    """A file that shows a violation."""

    id: str
    kind: Literal["clip", "picture"]
    other_camera: str | None
    """Another camera that saw the same spot; null: the one that found the violation."""
    url: str
    sha256: str
    size_bytes: int


class AlertInfo(Answer):
    """A request for attention; its version is the ETag."""

    id: str
    kind: str
    state: str
    severity: str
    text: str
    """Its sentence in the language of the token's owner."""
    camera_id: str | None
    violation_id: str | None
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    decided_at: datetime | None
    decided_by: str | None
    note: str | None
    lead_id: str | None
    """The alert whose conversation it joined; null: it leads one of its own."""
    joined: int
    """How many alerts joined the conversation that it leads."""
    snoozed_until: datetime | None
    """Until then nobody else is told."""
    version: int
    evidence: Sequence[EvidenceInfo] = ()


class Decision(Answer):
    """Somebody's judgement of an alert."""

    model_config = example(verdict="false_positive", reason="other", note="a cat")

    verdict: Literal["confirmed", "false_positive"]
    reason: FalseAlarm | None = None
    """Why it was false; ``other`` needs a note."""
    note: str | None = Field(default=None, max_length=500)


class ViolationInfo(Answer):
    """One episode of one rule being broken."""

    id: str
    phase: str
    rule_id: str
    rule_revision: int
    rule_kind: str
    camera_id: str
    zone_id: str | None
    subject: str
    severity: str
    opened_at: datetime
    closed_at: datetime | None
    duration_s: float
    end_reason: str | None
    siren_latency_s: float | None
    details: dict[str, Any]


class CoverageInfo(Answer):
    """How long one camera was in each state within the window, seconds."""

    camera_id: str
    live_s: float
    degraded_s: float
    blind_s: float
    unrecorded_s: float
    """Anjeon did not run: nothing was watched."""


class ChangesInfo(Answer):
    """What applying a site changed."""

    added: Sequence[str]
    changed: Sequence[str]
    removed: Sequence[str]
    site: Sequence[str]
    revision: int


class TokenInfo(Answer):
    """An API token, without the token."""

    id: str
    name: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None


class NewToken(Answer):
    """A token to be made."""

    model_config = example(name="MES", scopes=["read", "acknowledge"], days=365)

    name: str = Field(min_length=1, max_length=120)
    scopes: Sequence[Literal["read", "acknowledge", "configure"]] = Field(min_length=1)
    days: int | None = Field(default=30, ge=1, le=3650)
    """Days until it expires; null: never."""


class MadeToken(TokenInfo):
    """A token that was just made."""

    token: str
    """Shown this once."""
