"""What a proposed rule would change: fires as before, fires anew, fires no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from safety.replay.run import Firing

SAME_S = 2.0
"""Two firings of one rule are the same event if they overlap, or are no farther apart."""

Change = Literal["same", "new", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One event under the present and the proposed rules; one of the two may be missing."""

    present: Firing | None
    proposed: Firing | None

    @property
    def change(self) -> Change:
        """What became of it."""
        if self.present is None:
            return "new"
        return "gone" if self.proposed is None else "same"

    @property
    def firing(self) -> Firing:
        """What happened, under the proposed rules if they say so."""
        firing = self.proposed or self.present
        assert firing is not None
        return firing


def compare(present: Sequence[Firing], proposed: Sequence[Firing]) -> list[Difference]:
    """Pair the firings of both runs, each with at most one of its rule; by time."""
    left = list(present)
    differences: list[Difference] = []
    for firing in sorted(proposed, key=lambda each: each.opened_at.wall):
        partner = next((each for each in left if _same(each, firing)), None)
        if partner is not None:
            left.remove(partner)
        differences.append(Difference(present=partner, proposed=firing))
    differences += [Difference(present=firing, proposed=None) for firing in left]
    return sorted(differences, key=lambda each: each.firing.opened_at.wall)


def _same(one: Firing, other: Firing) -> bool:
    if (one.rule_id, one.camera_id) != (other.rule_id, other.camera_id):
        return False
    later = max(one.opened_at.wall, other.opened_at.wall)
    ends = [
        float("inf") if each.closed_at is None else each.closed_at.wall for each in (one, other)
    ]
    return later <= min(ends) + SAME_S
