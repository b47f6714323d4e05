"""Which violations are open now, and what each siren should therefore show."""

from dataclasses import dataclass

from alerts.channels.base import SirenLevel
from safety.clock import Instant
from safety.types import Phase, Severity, Violation

_RANK = {SirenLevel.OFF: 0, SirenLevel.WARNING: 1, SirenLevel.DANGER: 2}
_LEVELS = {
    Severity.INFO: SirenLevel.OFF,
    Severity.WARNING: SirenLevel.WARNING,
    Severity.DANGER: SirenLevel.DANGER,
}
_REMEMBER_S = 600.0
_CLOCKS_DISAGREE_S = 5.0


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
    closed: bool = False
    silenced: bool = False

    def sounds_on(
        self, channel_id: str, now: float, stale_after_s: float, *, until_over: bool
    ) -> bool:
        return (
            not self.closed
            and (until_over or not self.silenced)
            and self.level is not SirenLevel.OFF
            and (self.channels is None or channel_id in self.channels)
            and -_CLOCKS_DISAGREE_S <= now - self.last_captured < stale_after_s
        )


class Episodes:
    """The violations that sirens may have to sound for.

    Reports may be repeated, late or out of order. A report whose frame is older than
    ``stale_after_s`` sounds nothing: it was replayed, or its shard is gone. The same limit
    releases a violation that nobody reports any more.
    """

    def __init__(self, *, stale_after_s: float) -> None:
        self._stale_after_s = stale_after_s
        self._episodes: dict[str, _Episode] = {}
        self._silenced_early: dict[str, float] = {}

    def report(
        self, violation: Violation, channels: tuple[str, ...] | None, *, silenced: bool
    ) -> None:
        """Take over one report of a violation."""
        captured = violation.captured_at.monotonic
        episode = self._episodes.get(violation.id)
        if episode is None:
            episode = _Episode(
                revision=violation.revision,
                level=_LEVELS[violation.severity],
                reason=_reason(violation),
                channels=None if channels is None else frozenset(channels),
                opened_here=violation.phase is Phase.OPENED,
                first_captured=captured,
                last_captured=captured,
                silenced=self._silenced_early.pop(violation.id, None) is not None,
            )
            self._episodes[violation.id] = episode
        elif violation.revision >= episode.revision:
            episode.revision = violation.revision
            episode.level = _LEVELS[violation.severity]
            episode.last_captured = max(episode.last_captured, captured)
        episode.silenced |= silenced
        episode.closed |= violation.phase is Phase.CLOSED

    def silence(self, violation_id: str, now: Instant) -> None:
        """Somebody acknowledged it: however long it lasts, it sounds no more where that counts."""
        episode = self._episodes.get(violation_id)
        if episode is None:
            self._silenced_early[violation_id] = now.monotonic
        else:
            episode.silenced = True

    def wanted(self, channel_id: str, now: Instant, *, until_over: bool = False) -> Wanted:
        """What this siren should show now; ``until_over``: whoever has acknowledged it."""
        sounding = {
            violation_id: episode
            for violation_id, episode in self._episodes.items()
            if episode.sounds_on(
                channel_id, now.monotonic, self._stale_after_s, until_over=until_over
            )
        }
        if not sounding:
            return Wanted()
        worst = max(sounding.values(), key=lambda episode: _RANK[episode.level])
        return Wanted(level=worst.level, reason=worst.reason, violations=frozenset(sounding))

    def captured_at(self, violation_id: str) -> float | None:
        """Monotonic seconds of the frame that opened it; None if the opening was not seen."""
        episode = self._episodes.get(violation_id)
        return episode.first_captured if episode and episode.opened_here else None

    def forget_old(self, now: Instant) -> list[str]:
        """Forget what ended long ago, and return the identifiers forgotten.

        Ended violations are kept for a while, lest a late report of them sounds again.
        """
        before = now.monotonic - _REMEMBER_S
        old = [key for key, episode in self._episodes.items() if episode.last_captured < before]
        for key in old:
            del self._episodes[key]
        for key in [k for k, at in self._silenced_early.items() if at < before]:
            del self._silenced_early[key]
        return old


def _reason(violation: Violation) -> str:
    return f"{violation.rule_kind} {violation.zone_id or violation.camera_id}"
