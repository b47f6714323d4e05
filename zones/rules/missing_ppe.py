"""Rule kind ``missing_ppe``: a person in a zone does not wear what has to be worn there."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from safety.types import PlantState, PpeItem, PpeState, Severity, Violation
from zones.people import People
from zones.rules.base import RuleContext, ZoneRuleBase
from zones.rules.episode import EpisodeMachine, Episodes

FIRST_LOOK_S = 0.5
"""Missing is told by two looks at least so far apart: it was missing at the first one already."""


class MissingPpeSpec(ZoneRuleBase):
    """A person in the zone does not wear what has to be worn there."""

    kind: Literal["missing_ppe"] = "missing_ppe"
    items: tuple[PpeItem, ...] = Field(
        default=(PpeItem.HARDHAT, PpeItem.VEST), min_length=1, max_length=len(PpeItem)
    )
    """What has to be worn: hardhat, vest; gloves and boots need a network that knows bare hands
    and other shoes."""
    severity: Severity = Severity.WARNING
    """How urgent a violation is."""
    hold_to_open_s: float = Field(default=3.0, ge=0, le=3600)
    """Seconds an item must be seen missing before a violation opens."""
    hold_to_close_s: float = Field(default=2.0, ge=0, le=3600)
    """Seconds nothing must be seen missing before the violation closes."""
    cooldown_s: float = Field(default=60.0, ge=0, le=86400)
    """Seconds after closing during which the same subject opens no new violation."""

    @field_validator("items")
    @classmethod
    def _each_once(cls, items: tuple[PpeItem, ...]) -> tuple[PpeItem, ...]:
        return tuple(item for item in PpeItem if item in items)

    def machine(self, context: RuleContext) -> "MissingPpeMachine":
        return MissingPpeMachine(self, context)


class MissingPpeMachine(EpisodeMachine[int]):
    """Who is inside and what is seen missing.

    "Cannot tell" opens nothing and starts the hold-to-open again: only seconds of "missing"
    count. An open violation stays open through it until ``hold_to_close_s`` has passed.

    Attributes:
        items: What has to be worn.
        inside: Track ids of those in the zone, as of the last observation: whom to look at.
    """

    def __init__(self, spec: MissingPpeSpec, context: RuleContext) -> None:
        self.items = frozenset(spec.items)
        self.inside: frozenset[int] = frozenset()
        self._items = spec.items
        self._inside_since: dict[int, float] = {}
        self._area = context.area
        super().__init__(
            Episodes(
                spec,
                context,
                kind=spec.kind,
                hold_to_open_s=spec.hold_to_open_s,
                duration="missing_s",
            )
        )

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        self.inside = frozenset(people.inside(self._area, "feet"))
        now = people.at.monotonic
        self._inside_since = {key: self._inside_since.get(key, now) for key in self.inside}
        breaking: dict[int, Mapping[str, object]] = {}
        undecided: set[int] = set()
        for track_id in self.inside:
            missing = self._in_state(people, track_id, PpeState.MISSING)
            unknown = self._in_state(people, track_id, PpeState.UNKNOWN)
            if missing:
                breaking[track_id] = {"missing": missing, "cannot_tell": unknown}
            elif unknown:
                undecided.add(track_id)
        since = {key: max(self._inside_since[key], now - FIRST_LOOK_S) for key in breaking}
        return self._episodes.update(
            people.at, people.subjects, breaking, aspect=people.aspect, undecided=undecided,
            since=since,
        )  # fmt: skip

    def _in_state(self, people: People, track_id: int, state: PpeState) -> list[str]:
        worn = people.ppe(track_id)
        return [item.value for item in self._items if worn.get(item, PpeState.UNKNOWN) is state]
