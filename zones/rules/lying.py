"""Who lies, since when, and how they came down: what ``fall`` and ``man_down`` have in common."""

import math

import numpy as np

from safety.types import TrackedPerson
from zones.people import People
from zones.posture import Bodies, Lying
from zones.rules.continuity import Lost, find_successors

FALL_S = 1.0
"""A fall takes no longer; who comes down more slowly lies down."""

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

LEVEL = 0.05
"""Hips that are lower by less than this share of the height have not begun to go down."""

SURELY_S = 0.25
"""Who has lain for so long, or fell, lies on as long as they are bent, wider than high, no higher
and in the same place: the thighs of lying bodies are seen here and there."""

HIGHER = 1.25
"""Who gets up on hands and knees is higher than lying by more than this."""

STILL = 0.2
"""Who stays within this share of the body's length does not move."""


class LyingWatch:
    """Keeps everybody's recent past and says who lies now; one for all rules of a camera."""

    def __init__(self) -> None:
        self._past: dict[int, Lying] = {}

    def exchange(self, one: int, other: int) -> None:
        """Two persons have exchanged their track ids."""
        first, second = self._past.pop(one, None), self._past.pop(other, None)
        if first is not None:
            self._past[other] = first
        if second is not None:
            self._past[one] = second

    def update(self, people: People) -> dict[int, Lying]:
        """Take one frame; return those who lie or fall, by track id."""
        now = people.at.monotonic
        self._pass_on(people)
        if self._past.keys() != people.subjects.keys():
            self._past = {
                key: past
                for key, past in self._past.items()
                if now - past.seen_at <= FORGET_AFTER_S
            }
        if not people.pedestrians:
            return {}
        shapes = people.bodies
        pasts = [self._meet(person, now) for person in people.pedestrians]
        lying = shapes.lying(np.array([past.standing for past in pasts])).tolist()
        thrown = (shapes.bent() & (shapes.ratio > 1)).tolist()
        upright = shapes.upright().tolist()
        heights, hips = shapes.size[:, 1].tolist(), shapes.hip_y.tolist()
        ids = people.stack.ids
        found: dict[int, Lying] = {}
        for row, past in enumerate(pasts):
            if lying[row] or (thrown[row] and _lies_on(past, shapes, row)):
                self._lies(past, shapes, row, now, surely=lying[row])
            elif not (thrown[row] and self._falls(past, hips[row], now)):
                past.surely_since = None
                if not thrown[row]:
                    past.falling_since = None
                if past.lying_at is None or now - past.lying_at >= UP_AFTER_S:
                    past.stand(now, hips[row], heights[row], upright=upright[row])
                continue
            found[ids[row]] = past
        return found

    def _meet(self, person: TrackedPerson, now: float) -> Lying:
        past = self._past.get(person.track_id)
        if past is None:
            past = self._past[person.track_id] = Lying(seen_at=now, box=person.box)
        past.seen_at, past.box = now, person.box
        return past

    def _pass_on(self, people: People) -> None:
        """Let new tracks take over the past of those they continue: falls break tracks."""
        shown = people.subjects
        if self._past.keys() == shown.keys():
            return
        lost = {
            key: Lost(seen_at=past.seen_at, box=past.box, partner="")
            for key, past in self._past.items()
            if key not in shown
        }
        new = {key: who for key, who in shown.items() if key not in self._past}
        if not lost or not new:
            return
        now = people.at.monotonic
        for old, successor in find_successors(lost, new, now=now, aspect=people.aspect):
            self._past[successor] = self._past.pop(old)

    def _lies(self, past: Lying, shapes: Bodies, row: int, now: float, *, surely: bool) -> None:
        if past.lying_at is None or _has_moved(past, shapes, row):
            x, y = shapes.centre[row].tolist()
            past.still_at, past.still_since = (x, y), now
        past.lying_at = now
        past.fell = past.fell or self._dropped(past, float(shapes.hip_y[row]), now)
        if surely:
            past.surely_since = now if past.surely_since is None else past.surely_since
            if past.fell or now - past.surely_since >= SURELY_S:
                past.lain_as = float(shapes.size[row, 1])

    def _falls(self, past: Lying, hip_y: float, now: float) -> bool:
        if past.lying_at is not None:
            return False
        if past.falling_since is None and self._dropped(past, hip_y, now):
            past.falling_since = now
        past.fell = past.falling_since is not None and now - past.falling_since <= FALLING_S
        return past.fell

    def _dropped(self, past: Lying, hip_y: float, now: float) -> bool:
        recent = [each for each in past.heights if now - each[0] <= FALL_S]
        # Frames may be missing: then the last one before counts as just before.
        recent = recent or list(past.heights)[-1:]
        standing = 0.0 if math.isnan(past.standing) else past.standing
        if not any(
            hip_y - before >= LEAST_DROP * max(height, standing) for _, before, height in recent
        ):
            return False
        if not past.fell:
            highest = min(before for _, before, _ in recent)
            level = max(at for at, before, height in recent if before - highest <= LEVEL * height)
            # The first frame below that level: what nobody saw is not counted.
            past.fell_from = min((at for at, _, _ in recent if at > level), default=now)
        return True


def _lies_on(past: Lying, shapes: Bodies, row: int) -> bool:
    """Whether somebody bent and wider than high, who lay before, has not got up."""
    higher = not shapes.size[row, 1] <= HIGHER * past.lain_as
    return past.lying_at is not None and not higher and not _has_moved(past, shapes, row)


def _has_moved(past: Lying, shapes: Bodies, row: int) -> bool:
    x, y = shapes.centre[row].tolist()
    length = float(shapes.size[row].max())
    return math.hypot(x - past.still_at[0], y - past.still_at[1]) > STILL * length
