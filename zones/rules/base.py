"""What all rule kinds share: the fields of their specs and the shape of their state machines."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from safety.clock import Instant
from safety.config import Label, Slug, Spec
from safety.types import CameraState, PlantState, Severity, Violation
from zones.areas import ZoneArea, area_of
from zones.arming import Always, ArmingSpec
from zones.calibration import FloorCalibration
from zones.geometry import FloorPolygon, Polygon
from zones.people import People

EndReason = Literal["camera_blind", "rule_changed", "shard_lost", "disarmed", "muted"]
"""Why a violation ends that nobody saw ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleContext:
    """What a rule's state machine knows besides its spec.

    Attributes:
        zone_polygon: The zone in this camera's picture; None for a rule without a zone.
        zone_floor_m: The zone on the floor plan; None for a zone drawn in the picture.
        calibration: How the camera sees the floor; None: unknown.
        new_id: Makes the id of a new violation, a UUID4 in hex.
    """

    rule_revision: int
    camera_id: str
    zone_polygon: Polygon | None = None
    zone_floor_m: FloorPolygon | None = None
    calibration: FloorCalibration | None = None
    new_id: Callable[[], str]

    @property
    def area(self) -> ZoneArea:
        """The zone, the same for all rules that watch it; only for rules that have one."""
        assert self.zone_polygon is not None, "a zone rule was started without its zone"
        return area_of(self.zone_polygon, self.zone_floor_m)


class RuleMachine(Protocol):
    """The state of one rule on one camera."""

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        """Take one observation; return the violations that opened, changed or closed.

        Called only while the rule is armed. All durations come from ``people.at.monotonic``,
        the frame's own instant.
        """
        ...

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        """Close every open violation, with this reason, and forget what was pending."""
        ...

    @property
    def open_violations(self) -> tuple[Violation, ...]:
        """The violations that are open, as last reported but with newest box and details."""
        ...


@runtime_checkable
class CameraWatcher(Protocol):
    """A rule's state machine that also looks at whether its camera sees anything."""

    def watch(self, state: CameraState, now: Instant) -> list[Violation]:
        """Take what the camera is worth now; several times a second, frames or not."""
        ...


@runtime_checkable
class Exchanger(Protocol):
    """A rule's state machine that remembers persons."""

    def exchange(self, one: int, other: int) -> None:
        """Two persons have exchanged their track ids."""
        ...


@runtime_checkable
class Doubtful(Protocol):
    """A rule's state machine that knows what it cannot tell: stated, never silently off."""

    @property
    def doubts(self) -> frozenset[str]:
        """Why some of it cannot be told as of the newest frame; see ``doubt.*`` in the texts."""
        ...


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
    arming: ArmingSpec = Always()
    """When the rule is armed; what is unknown arms it."""
    mode: Literal["active", "shadow"] = "active"
    """A rule in shadow is recorded like any other and alerts nobody."""
    zone_id: Slug | None = None
    """The zone it watches."""

    def can_judge(self, context: RuleContext) -> bool:
        """Whether this camera can tell at all if the rule is broken; if not, that is said."""
        return True

    @abstractmethod
    def machine(self, context: RuleContext) -> RuleMachine:
        """A fresh state machine of this rule."""


class ZoneRuleBase(RuleBase):
    """Fields of every rule that watches one zone."""

    zone_id: Slug
    """The zone it watches."""


class CameraRuleBase(RuleBase):
    """Fields of every rule that watches whole pictures, or one zone in them."""

    camera_ids: tuple[Slug, ...] | None = None
    """The cameras whose pictures it watches; not given: all."""
