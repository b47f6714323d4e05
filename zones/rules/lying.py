"""Who lies, since when, and how they came down: what ``fall`` and ``man_down`` have in common."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from zones.people import People
from zones.posture import Bodies
from zones.rules.continuity import Lost, find_successors

FORGET_AFTER_S = 3.0
"""Somebody not seen for longer is forgotten; who appears near by before that is the same."""

UP_AFTER_S = 1.0
"""Who is seen not lying for so long has got up; less is a flicker."""

LEAST_DROP = 0.25
"""A fall takes the hips down by this share of the height; bending and kneeling take less, or
more slowly."""

FALLING_S = 0.6
"""Who came down that fast, bent and wider than high, is falling for so long without lying yet;
who then stays on hands and knees has not fallen."""

STILL = 0.2
"""Who stays within this share of the body's length does not move."""

_REMEMBERED = 64
"""Frames of somebody's past that are kept at most."""


@dataclass(slots=True, kw_only=True)
class Lying:
    """One person's recent past.

    Attributes:
        seen_at: Monotonic seconds, as all times here.
        standing: How tall the person looked when last upright, picture heights; NaN unknown.
        heights: When, how far down the hips were, and the height of the body, while not lying.
        lying_at: When last seen lying; None: not lying.
        falling_since: Since when falling, before lying.
        fell: Falls, or lies because of a fall.
        still_at, still_since: Where the person lies and since when, unmoved.
    """

    seen_at: float
    lost: Lost
    standing: float = float("nan")
    heights: deque[tuple[float, float, float]] = field(
        default_factory=lambda: deque(maxlen=_REMEMBERED)
    )
    lying_at: float | None = None
    falling_since: float | None = None
    fell: bool = False
    still_at: tuple[float, float] = (0.0, 0.0)
    still_since: float = 0.0


class LyingWatch:
    """Keeps everybody's recent past and says who lies now.

    Args:
        within_s: A fall takes no longer; who comes down more slowly lies down.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._past: dict[int, Lying] = {}

    def clear(self) -> None:
        """Forget everybody."""
        self._past.clear()

    def update(self, people: People) -> dict[int, Lying]:
        """Take one frame; return those who lie or fall, by track id."""
        now = people.at.monotonic
        self._pass_on(people)
        self._past = {
            key: past for key, past in self._past.items() if now - past.seen_at <= FORGET_AFTER_S
        }
        if not people.pedestrians:
            return {}
        shapes = people.bodies
        ids = [person.track_id for person in people.pedestrians]
        lying = shapes.lying(np.array([self._standing(track_id) for track_id in ids]))
        thrown = (shapes.bent() & (shapes.ratio > 1)).tolist()
        found: dict[int, Lying] = {}
        for row, (track_id, lies) in enumerate(zip(ids, lying.tolist(), strict=True)):
            past = self._meet(track_id, people)
            if lies:
                self._lies(past, shapes, row, now)
                found[track_id] = past
            elif thrown[row] and self._falls(past, float(shapes.hip_y[row]), now):
                found[track_id] = past
            else:
                past.falling_since = past.falling_since if thrown[row] else None
                self._stands(past, shapes, row, now)
        return found

    def _standing(self, track_id: int) -> float:
        past = self._past.get(track_id)
        return float("nan") if past is None else past.standing

    def _meet(self, track_id: int, people: People) -> Lying:
        now = people.at.monotonic
        box = people.subjects[track_id].box
        assert box is not None, "persons have boxes"
        lost = Lost(seen_at=now, box=box, partner="")
        past = self._past.get(track_id)
        if past is None:
            past = self._past[track_id] = Lying(seen_at=now, lost=lost)
        past.seen_at, past.lost = now, lost
        return past

    def _pass_on(self, people: People) -> None:
        """Let new tracks take over the past of those they continue: falls break tracks."""
        lost = {key: past.lost for key, past in self._past.items() if key not in people.subjects}
        new = {key: who for key, who in people.subjects.items() if key not in self._past}
        if not lost or not new:
            return
        now = people.at.monotonic
        for old, successor in find_successors(lost, new, now=now, aspect=people.aspect):
            self._past[successor] = self._past.pop(old)

    def _lies(self, past: Lying, shapes: Bodies, row: int, now: float) -> None:
        x, y = (float(value) for value in shapes.centre[row])
        length = float(shapes.size[row].max())
        moved = np.hypot(x - past.still_at[0], y - past.still_at[1]) > STILL * length
        if past.lying_at is None or moved:
            past.still_at, past.still_since = (x, y), now
        past.lying_at = now
        past.fell = past.fell or self._dropped(past, float(shapes.hip_y[row]), now)

    def _falls(self, past: Lying, hip_y: float, now: float) -> bool:
        if past.lying_at is not None:
            return False
        if past.falling_since is None and self._dropped(past, hip_y, now):
            past.falling_since = now
        past.fell = past.falling_since is not None and now - past.falling_since <= FALLING_S
        return past.fell

    def _dropped(self, past: Lying, hip_y: float, now: float) -> bool:
        recent = [each for each in past.heights if now - each[0] <= self._within_s]
        # Frames may be missing: then the last one before counts as just before.
        recent = recent or list(past.heights)[-1:]
        standing = 0.0 if np.isnan(past.standing) else past.standing
        return any(
            hip_y - before >= LEAST_DROP * max(height, standing) for _, before, height in recent
        )

    def _stands(self, past: Lying, shapes: Bodies, row: int, now: float) -> None:
        if past.lying_at is not None and now - past.lying_at < UP_AFTER_S:
            return
        past.lying_at, past.fell = None, False
        height = float(shapes.size[row, 1])
        past.heights.append((now, float(shapes.hip_y[row]), height))
        if not shapes.cut[row] and _upright(shapes, row):
            first = np.isnan(past.standing)
            past.standing = height if first else 0.7 * past.standing + 0.3 * height


def _upright(shapes: Bodies, row: int) -> bool:
    straight = shapes.trunk_deg[row] < 30 and not shapes.thigh_deg[row] > 45
    return bool(straight and shapes.ratio[row] < 0.8)
