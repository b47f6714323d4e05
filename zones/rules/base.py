"""What all rule kinds share: the fields of their specs and the shape of their state machines."""

from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import Field

from safety.clock import Instant
from safety.config import Label, Slug, Spec
from safety.types import Observation, PlantState, Severity, Violation


class RuleBase(Spec):
    """Fields of every rule."""

    id: Slug
    """Identifier, unique in the site."""
    name: Label
    """What people call it."""
    enabled: bool = True
    """A disabled rule is evaluated nowhere."""
    severity: Severity = Severity.DANGER
    """How urgent a violation is."""
    hold_to_open_s: float = Field(default=0.0, ge=0, le=3600)
    """Seconds the condition must last before a violation opens."""
    hold_to_close_s: float = Field(default=1.0, ge=0, le=3600)
    """Seconds the condition must be gone before the violation closes."""
    cooldown_s: float = Field(default=10.0, ge=0, le=86400)
    """Seconds after closing during which the same subject opens no new violation."""
    channels: tuple[Slug, ...] | None = None
    """Channels told of a violation; empty list: none; not given: all."""


class ZoneRuleBase(RuleBase):
    """Fields of every rule that watches one zone."""

    zone_id: Slug
    """The zone it watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleContext:
    """What a rule's state machine knows besides its spec."""

    rule_revision: int
    camera_id: str
    zone_polygon: tuple[tuple[float, float], ...]


class RuleMachine(Protocol):
    """The state of one rule on one camera."""

    def update(self, observation: Observation, plant: PlantState, now: Instant) -> list[Violation]:
        """Take one observation; return the violations that opened, changed or closed.

        ``now`` is the observation's own instant; all durations come from it.
        """
        ...

    def end(self, reason: Literal["camera_blind", "rule_changed"], now: Instant) -> list[Violation]:
        """Close every open violation, with this reason."""
        ...
