"""Rule kind ``missing_ppe``: a person in a zone does not wear what has to be worn there."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from safety.clock import Instant
from safety.types import PlantState, PpeItem, PpeState, Severity, Violation
from zones.people import People
from zones.rules.base import EndReason, RuleContext, ZoneRuleBase
from zones.rules.episode import EpisodeMachine, Episodes
from zones.rules.memory import Memory


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
    count, from the first look that saw it on. An open violation stays open through it until
    ``hold_to_close_s`` has passed.

    Attributes:
        items: What has to be worn.
        inside: Track ids of those in the zone, as of the last observation: whom to look at.
    """

    def __init__(self, spec: MissingPpeSpec, context: RuleContext) -> None:
        self.items = frozenset(spec.items)
        self.inside: frozenset[int] = frozenset()
        self._items = spec.items
        self._inside_since: Memory[float] = Memory(spec.hold_to_close_s)
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

    def exchange(self, one: int, other: int) -> None:
        self._inside_since.exchange(one, other)
        super().exchange(one, other)

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        self._inside_since.clear()
        return super().end(reason, now)

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        self.inside = frozenset(people.inside(self._area, "feet"))
        now = people.at.monotonic
        came_in = self._came_in(people, now)
        breaking: dict[int, Mapping[str, object]] = {}
        since: dict[int, float] = {}
        undecided: set[int] = set()
        for track_id in self.inside:
            missing = self._in_state(people, track_id, PpeState.MISSING)
            unknown = self._in_state(people, track_id, PpeState.UNKNOWN)
            if missing:
                breaking[track_id] = {"missing": missing, "cannot_tell": unknown}
                # It takes several looks to be sure: it was missing at the first one already.
                seen = people.missing_since(track_id)
                first = min(seen.get(PpeItem(item), now) for item in missing)
                since[track_id] = max(came_in[track_id], first)
            elif unknown:
                undecided.add(track_id)
        return self._episodes.update(
            people.at, people.subjects, breaking, aspect=people.aspect, undecided=undecided,
            since=since,
        )  # fmt: skip

    def _came_in(self, people: People, now: float) -> dict[int, float]:
        """Since when each is inside; who is hidden for moments goes on being inside."""
        self._inside_since.meet(people)
        came_in: dict[int, float] = {}
        for track_id, subject in people.subjects.items():
            if track_id not in self.inside:
                self._inside_since.drop(track_id)
                continue
            since = self._inside_since.get(track_id)
            came_in[track_id] = now if since is None else since
            self._inside_since.put(track_id, came_in[track_id], subject, now)
        return came_in

    def _in_state(self, people: People, track_id: int, state: PpeState) -> list[str]:
        worn = people.ppe(track_id)
        return [item.value for item in self._items if worn.get(item, PpeState.UNKNOWN) is state]
