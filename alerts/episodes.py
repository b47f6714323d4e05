"""Which violations are open now, and what each siren should therefore show."""

from dataclasses import dataclass
from enum import IntEnum

from alerts.channels.base import QuietWhen, SirenLevel
from safety.clock import Instant
from safety.types import Phase, Severity, Violation

_RANK = {SirenLevel.OFF: 0, SirenLevel.WARNING: 1, SirenLevel.DANGER: 2}
_LEVELS = {
    Severity.INFO: SirenLevel.OFF,
    Severity.WARNING: SirenLevel.WARNING,
    Severity.DANGER: SirenLevel.DANGER,
}
_REMEMBER_S = 600.0
_TIDY_EVERY_S = 5.0
_CLOCKS_DISAGREE_S = 5.0


class Attention(IntEnum):
    """What people have said of a violation that lasts; more never becomes less."""

    NONE = 0
    SEEN = 1
    """Somebody has acknowledged or confirmed it."""
    DISMISSED = 2
    """It is a false alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one siren should show.

    Attributes:
        reason: The worst violation in a few words, for the device and the log.
        violations: Identifiers of the violations that it sounds for.
    """

    level: SirenLevel = SirenLevel.OFF
    reason: str = "nothing is wrong"
    violations: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class _Episode:
    revision: int
    level: SirenLevel
    reason: str
    channels: frozenset[str] | None
    opened_here: bool
    first_captured: float
    last_captured: float
    attention: Attention = Attention.NONE

    def level_on(
        self, channel_id: str, now: float, stale_after_s: float, quiet_when: QuietWhen
    ) -> SirenLevel:
        """What one siren should show for it while it is open."""
        concerns = self.channels is None or channel_id in self.channels
        if not concerns or not -_CLOCKS_DISAGREE_S <= now - self.last_captured < stale_after_s:
            return SirenLevel.OFF
        if self.attention is Attention.NONE:
            return self.level
        if self.attention is Attention.DISMISSED or quiet_when == "acknowledged":
            return SirenLevel.OFF
        lit = quiet_when == "light" and self.level is SirenLevel.DANGER
        return SirenLevel.WARNING if lit else self.level


class Episodes:
    """The violations that sirens may have to sound for.

    Reports may be repeated, late or out of order. A report whose frame is older than
    ``stale_after_s`` sounds nothing: it was replayed, or its shard is gone. The same limit
    releases a violation that nobody reports any more.
    """

    def __init__(self, *, stale_after_s: float) -> None:
        self._stale_after_s = stale_after_s
        self._open: dict[str, _Episode] = {}
        self._closed: dict[str, _Episode] = {}
        self._early: dict[str, tuple[Attention, float]] = {}
        self._tidied = float("-inf")

    def report(
        self,
        violation: Violation,
        channels: tuple[str, ...] | None,
        *,
        attention: Attention = Attention.NONE,
    ) -> None:
        """Take over one report of a violation."""
        captured = violation.captured_at.monotonic
        episode = self._known(violation.id)
        if episode is None:
            early, _ = self._early.pop(violation.id, (Attention.NONE, 0.0))
            episode = _Episode(
                revision=violation.revision,
                level=_LEVELS[violation.severity],
                reason=_reason(violation),
                channels=None if channels is None else frozenset(channels),
                opened_here=violation.phase is Phase.OPENED,
                first_captured=captured,
                last_captured=captured,
                attention=early,
            )
            self._open[violation.id] = episode
        elif violation.revision >= episode.revision:
            episode.revision = violation.revision
            episode.level = _LEVELS[violation.severity]
            episode.last_captured = max(episode.last_captured, captured)
        episode.attention = max(episode.attention, attention)
        if violation.phase is Phase.CLOSED and violation.id in self._open:
            self._closed[violation.id] = self._open.pop(violation.id)

    def attend(self, violation_id: str, attention: Attention, now: Instant) -> None:
        """Somebody has said something of it, which holds however long it lasts."""
        episode = self._known(violation_id)
        if episode is None:
            self._early[violation_id] = attention, now.monotonic
        else:
            episode.attention = max(episode.attention, attention)

    def wanted(
        self, channel_id: str, now: Instant, *, quiet_when: QuietWhen = "acknowledged"
    ) -> Wanted:
        """What this siren should show now.

        Args:
            quiet_when: What somebody's acknowledgement does to it.
        """
        at, worst, level = now.monotonic, None, SirenLevel.OFF
        sounding = []
        for violation_id, episode in self._open.items():
            shown = episode.level_on(channel_id, at, self._stale_after_s, quiet_when)
            if shown is SirenLevel.OFF:
                continue
            sounding.append(violation_id)
            if _RANK[shown] > _RANK[level]:
                worst, level = episode, shown
        if worst is None:
            return Wanted()
        return Wanted(level=level, reason=worst.reason, violations=frozenset(sounding))

    def captured_at(self, violation_id: str) -> float | None:
        """Monotonic seconds of the frame that opened it; None if the opening was not seen."""
        episode = self._known(violation_id)
        return episode.first_captured if episode and episode.opened_here else None

    def forget_old(self, now: Instant) -> list[str]:
        """Forget what ended long ago, and return the identifiers forgotten.

        Ended violations are kept for a while, lest a late report of them sounds again. Calling
        it often costs nothing: it looks every few seconds only.
        """
        if now.monotonic - self._tidied < _TIDY_EVERY_S:
            return []
        self._tidied = now.monotonic
        before = now.monotonic - _REMEMBER_S
        forgotten = []
        for episodes in (self._open, self._closed):
            old = [key for key, episode in episodes.items() if episode.last_captured < before]
            forgotten += old
            for key in old:
                del episodes[key]
        for key in [k for k, (_, at) in self._early.items() if at < before]:
            del self._early[key]
        return forgotten

    def _known(self, violation_id: str) -> _Episode | None:
        return self._open.get(violation_id) or self._closed.get(violation_id)


def _reason(violation: Violation) -> str:
    return f"{violation.rule_kind} {violation.zone_id or violation.camera_id}"
