"""The life of violations: what every rule kind does once it knows who breaks it now."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from safety.clock import Instant
from safety.types import FloatArray, Phase, Violation
from zones.people import Subject
from zones.rules.base import EndReason, RuleBase, RuleContext
from zones.rules.continuity import Lost, find_successors

K = TypeVar("K", bound=Hashable)
"""What tells subjects apart: a track id, a pair of them, a side of a zone."""

V = TypeVar("V")

REPORT_EVERY_S = 1.0
"""An open violation is reported again this often, so that its box and details stay fresh."""

_TOLERANCE_S = 1e-3
"""Sums of frame intervals miss a round number of seconds by rounding; a millisecond is none."""

Details = Mapping[str, object]

_AT_ONCE: Mapping[Any, float] = MappingProxyType({})


@dataclass(slots=True, kw_only=True)
class _Episode:
    """One subject that breaks the rule, or did a moment ago.

    Attributes:
        since, breaking_at, seen_at: Monotonic seconds: when it began, when the rule was
            last seen broken, when the subject was last seen at all.
        left: The subject was seen not breaking the rule since ``breaking_at``.
        undecided: It was seen since, and whether it breaks the rule could not be told.
        violation: As last reported; None until hold-to-open has passed.
    """

    name: str
    since: float
    breaking_at: float
    seen_at: float
    seen_as: str
    partner: str
    box: FloatArray | None
    left: bool = False
    undecided: bool = False
    details: Details = field(default_factory=dict)
    violation: Violation | None = None

    def see_breaking(self, details: Details, now: float) -> None:
        """It breaks the rule now."""
        self.breaking_at, self.details = now, details
        self.left = self.undecided = False


class Episodes(Generic[K]):
    """The violations of one rule: hold-to-open, hold-to-close, cooldown, continuity, reports.

    Everything is computed from the monotonic instants of the frames, never from their
    number. A subject that is not seen at all neither breaks the rule nor keeps it: until
    ``hold_to_close_s`` has passed its hold-to-open goes on and its violation stays open.
    """

    def __init__(
        self,
        spec: RuleBase,
        context: RuleContext,
        *,
        kind: str,
        hold_to_open_s: float,
        bridges_leaving: bool = False,
        flicker_s: float = 0.0,
        duration: str = "inside_s",
    ) -> None:
        """Start with no violation.

        Args:
            spec: The rule.
            context: Camera, revision and where ids come from.
            kind: The rule's kind, as violations name it.
            hold_to_open_s: Seconds the condition must last before a violation opens.
            bridges_leaving: Whether the subject may also be *seen* not to break the rule, for
                less than ``hold_to_close_s``, without its hold-to-open starting again.
            flicker_s: The same for less than these seconds, where that is too long.
            duration: Name of the detail that says how long the condition has lasted.
        """
        self._spec = spec
        self._context = context
        self._kind = kind
        self._hold_to_open_s = hold_to_open_s
        self._bridges_leaving = bridges_leaving
        self._flicker_s = flicker_s
        self._duration = duration
        self._episodes: dict[K, _Episode] = {}
        self._cooling: dict[K, float] = {}
        self._seen_before: Collection[K] = ()
        self._updated_at = 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing is open or pending: a frame in which nobody breaks it says nothing."""
        return not self._episodes

    @property
    def open_violations(self) -> tuple[Violation, ...]:
        """The violations that are open, as last reported but with newest box and details."""
        return tuple(
            replace(
                episode.violation,
                box=_corners(episode.box) if episode.seen_at == self._updated_at else None,
                details=self._measured(episode),
            )
            for episode in self._episodes.values()
            if episode.violation is not None
        )

    def update(
        self,
        at: Instant,
        visible: Mapping[K, Subject],
        breaking: Mapping[K, Details],
        *,
        aspect: float,
        undecided: Collection[K] = (),
        since: Mapping[K, float] = _AT_ONCE,
    ) -> list[Violation]:
        """Take one frame.

        Args:
            at: When it was captured.
            visible: Every subject that the frame shows, by key (a person's track id). Those
                without a box are nobody's successors: a zone as a whole, a machine.
            breaking: Which of them break the rule now, with the measured values.
            aspect: Width / height of the picture.
            undecided: Of which visible subjects nobody can tell whether they break it. An open
                violation does not end by that before ``hold_to_close_s``, nor as ``cleared``;
                a hold-to-open starts again, for only what is sure counts.
            since: Monotonic seconds at which the condition began, for those that are known to
                have broken the rule before it could be told: their hold-to-open runs from there.

        Returns:
            The violations that opened, were due for a report, or closed.
        """
        if not self._episodes and not breaking:
            return []
        self._updated_at = at.monotonic
        shown = {key: visible.get(key) for key in self._episodes}
        if None in shown.values() and self._pass_on(at, visible, shown, aspect):
            shown = {key: visible.get(key) for key in self._episodes}
        for key, details in breaking.items():
            if key not in shown:
                shown[key] = visible[key]
                self._begin(key, visible[key], since.get(key), at.monotonic)
            self._episodes[key].see_breaking(details, at.monotonic)
        reports: list[Violation] = []
        for key, subject in shown.items():
            report = self._step(key, subject, key in breaking, key in undecided, at)
            if report is not None:
                reports.append(report)
        self._seen_before = visible
        return reports

    def exchange(self, one: K, other: K) -> None:
        """Two subjects have exchanged their keys: what was the one's is the other's."""
        _exchange(self._episodes, one, other)
        _exchange(self._cooling, one, other)

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        """Close every open violation, with this reason, and begin afresh.

        Nobody saw these violations end, so they leave no cooldown behind.
        """
        closed = [
            self._close(key, episode, None, reason, now)
            for key, episode in list(self._episodes.items())
            if episode.violation is not None
        ]
        self._episodes.clear()
        self._cooling.clear()
        return closed

    def _pass_on(
        self,
        at: Instant,
        visible: Mapping[K, Subject],
        shown: Mapping[K, Subject | None],
        aspect: float,
    ) -> bool:
        """Let new subjects take over the episodes of those they continue; whether one did."""
        lost = {
            key: Lost(seen_at=episode.seen_at, box=episode.box, partner=episode.partner)
            for key, episode in self._episodes.items()
            if shown[key] is None and episode.box is not None
            and at.monotonic - episode.seen_at <= self._spec.hold_to_close_s + _TOLERANCE_S
        }  # fmt: skip
        if not lost:
            return False
        new = {
            key: subject for key, subject in visible.items()
            if key not in self._seen_before and key not in self._episodes
        }  # fmt: skip
        heirs = find_successors(lost, new, now=at.monotonic, aspect=aspect)
        for old_key, new_key in heirs:
            self._episodes[new_key] = self._episodes.pop(old_key)
            if old_key in self._cooling:
                self._cooling[new_key] = self._cooling.pop(old_key)
        return bool(heirs)

    def _begin(self, key: K, subject: Subject, since: float | None, now: float) -> None:
        self._episodes[key] = _Episode(
            name=subject.name, since=now if since is None else min(since, now),
            breaking_at=now, seen_at=now,
            seen_as=subject.name, partner=subject.partner, box=subject.box,
        )  # fmt: skip

    def _step(
        self, key: K, subject: Subject | None, breaking: bool, undecided: bool, at: Instant
    ) -> Violation | None:
        """Move one episode on; return what is to be reported of it."""
        episode = self._episodes[key]
        if subject is not None:
            episode.seen_at, episode.seen_as = at.monotonic, subject.name
            episode.box = subject.box
            if undecided and episode.violation is not None:
                episode.undecided = True
            else:
                episode.left = episode.left or not breaking
        gone = not breaking and _reached(
            at.monotonic - episode.breaking_at, self._spec.hold_to_close_s
        )
        if episode.violation is None:
            if gone or (episode.left and self._is_over(episode, at)):
                del self._episodes[key]
            elif breaking and self._may_open(key, episode, at):
                return self._open(episode, at)
            return None
        if gone:
            del self._episodes[key]
            return self._close(key, episode, subject, _why_over(episode), at)
        if _reached(at.monotonic - episode.violation.captured_at.monotonic, REPORT_EVERY_S):
            episode.violation = self._next(episode, subject, Phase.UPDATED, at)
            return episode.violation
        return None

    def _is_over(self, episode: _Episode, at: Instant) -> bool:
        """Whether not breaking the rule any more is no mere flicker."""
        away_s = at.monotonic - episode.breaking_at
        return not self._bridges_leaving and _reached(away_s, self._flicker_s)

    def _may_open(self, key: K, episode: _Episode, at: Instant) -> bool:
        lasted = _reached(at.monotonic - episode.since, self._hold_to_open_s)
        return lasted and _reached(at.monotonic, self._cooling.get(key, at.monotonic))

    def _open(self, episode: _Episode, at: Instant) -> Violation:
        episode.violation = Violation(
            id=self._context.new_id(),
            revision=0,
            phase=Phase.OPENED,
            rule_id=self._spec.id,
            rule_revision=self._context.rule_revision,
            rule_kind=self._kind,
            camera_id=self._context.camera_id,
            zone_id=self._spec.zone_id,
            subject=episode.name,
            severity=self._spec.severity,
            captured_at=at,
            opened_at=at,
            box=_corners(episode.box),
            details=self._measured(episode),
            shadow=self._spec.mode == "shadow",
        )
        return episode.violation

    def _next(
        self, episode: _Episode, subject: Subject | None, phase: Phase, at: Instant
    ) -> Violation:
        assert episode.violation is not None
        return replace(
            episode.violation,
            revision=episode.violation.revision + 1,
            phase=phase,
            captured_at=at,
            box=_corners(subject.box) if subject is not None else None,
            details=self._measured(episode),
        )

    def _close(
        self, key: K, episode: _Episode, subject: Subject | None, reason: str, at: Instant
    ) -> Violation:
        self._cool_down(key, at.monotonic)
        report = self._next(episode, subject, Phase.CLOSED, at)
        return replace(report, closed_at=at, end_reason=reason)

    def _cool_down(self, key: K, now: float) -> None:
        # One cooldown per rule, so the oldest entry is the first to expire.
        while self._cooling and next(iter(self._cooling.values())) <= now:
            del self._cooling[next(iter(self._cooling))]
        self._cooling.pop(key, None)  # keeps the order
        self._cooling[key] = now + self._spec.cooldown_s

    def _measured(self, episode: _Episode) -> dict[str, object]:
        lasted = round(episode.breaking_at - episode.since, 2)
        return {self._duration: lasted, "seen_as": episode.seen_as, **episode.details}


class EpisodeMachine(Generic[K]):
    """Base of the rules whose violations are ``Episodes``: all but what breaks them."""

    def __init__(self, episodes: Episodes[K]) -> None:
        self._episodes = episodes

    def exchange(self, one: K, other: K) -> None:
        """Two persons have exchanged their track ids."""
        self._episodes.exchange(one, other)

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        """Close every open violation, with this reason, and begin afresh."""
        return self._episodes.end(reason, now)

    @property
    def open_violations(self) -> tuple[Violation, ...]:
        """The violations that are open, as last reported but with newest box and details."""
        return self._episodes.open_violations


def _why_over(episode: _Episode) -> str:
    if episode.left:
        return "cleared"
    return "cannot_tell" if episode.undecided else "track_lost"


def _exchange(table: dict[K, V], one: K, other: K) -> None:
    values = {key: table.pop(key) for key in (one, other) if key in table}
    table.update({other if key == one else one: value for key, value in values.items()})


def _reached(elapsed: float, wanted: float) -> bool:
    return elapsed >= wanted - _TOLERANCE_S


def _corners(box: FloatArray | None) -> tuple[float, float, float, float] | None:
    if box is None:
        return None
    left, top, right, bottom = (float(value) for value in box)
    return left, top, right, bottom
