"""The policy in configuration: who is told of which alert, how, and until when."""

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from safety.config import Label, Slug, Spec
from safety.types import Severity

ContactRole = Literal["operator", "manager", "director", "maintenance", "first_aid"]
"""What a person is to the site; a step of the ladder names roles, never persons."""


class StepSpec(Spec):
    """One step of a ladder: who is told, so long after the alert."""

    after_s: int = Field(default=0, ge=0, le=86_400)
    """Seconds from the alert to this step."""
    channels: tuple[Slug, ...] | None = Field(default=None, max_length=32)
    """Messengers by id; not given: those of the rule, or all."""
    roles: tuple[ContactRole, ...] = ()
    """Persons of these roles who are on duty; empty: whom the messengers' own settings name."""


class RouteSpec(Spec):
    """Which alerts go which way; an empty list of conditions is met by every alert."""

    id: Slug
    """Identifier, unique in the policy."""
    name: Label
    """What people call it."""
    severities: tuple[Severity, ...] = ()
    """How urgent the alert is."""
    kinds: tuple[Slug, ...] = Field(default=(), max_length=32)
    """Kinds of rules, or of other alerts such as camera_blind."""
    zones: tuple[Slug, ...] = Field(default=(), max_length=2048)
    """Where it happened."""
    shifts: tuple[Slug, ...] = Field(default=(), max_length=64)
    """Shifts of which one is on when the alert is raised."""
    steps: tuple[StepSpec, ...] = Field(min_length=1, max_length=8)
    """The ladder, in order."""
    repeat_s: int | None = Field(default=None, ge=60, le=86_400)
    """Seconds after which the last step is repeated; not given: it is not."""
    repeats: int = Field(default=3, ge=1, le=20)
    """How often the last step is repeated at most."""
    until: Literal["acknowledged", "over"] = "acknowledged"
    """What ends the ladder: only an answer, or also the end of the situation."""

    @model_validator(mode="after")
    def _upwards(self) -> Self:
        times = [step.after_s for step in self.steps]
        if times != sorted(set(times)):
            raise PydanticCustomError(
                "policy.order", "each step must come later than the one before; change its seconds"
            )
        return self


class LimitSpec(Spec):
    """How many messages one channel brings to the same persons; the rest comes as a summary."""

    burst: int = Field(default=10, ge=1, le=1000)
    """Messages that may come at once."""
    per_minute: float = Field(default=6.0, gt=0, le=1000)
    """Messages a minute after that."""


class PolicySpec(Spec):
    """Who is told of which alert; without routes everybody is told of everything, at once."""

    routes: tuple[RouteSpec, ...] = Field(default=(), max_length=64)
    """The first one whose conditions an alert meets is its way."""
    gap_s: int = Field(default=60, ge=0, le=3600)
    """Seconds after its end within which the same situation goes on in the same conversation."""
    update_every_s: int = Field(default=60, ge=5, le=3600)
    """Least seconds between two updates of one conversation."""
    cooldown_s: int = Field(default=60, ge=0, le=3600)
    """Seconds after an acknowledged alert within which the same rule and person tell nobody."""
    limit: LimitSpec = LimitSpec()
    """How many messages people get."""
    unlimited: tuple[Slug, ...] = Field(default=(), max_length=256)
    """Channels that go to programs: they get every message."""

    @model_validator(mode="after")
    def _one_name_each(self) -> Self:
        ids = [route.id for route in self.routes]
        for number, name in enumerate(ids):
            if name in ids[:number]:
                raise PydanticCustomError(
                    "policy.repeated_id",
                    "two routes are called '{id}'; give each an id of its own",
                    {"id": name},
                )
        return self
