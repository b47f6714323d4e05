"""Whose hat is this: gives what the network found to the persons who wear it.

All persons of a picture are dealt with together, item by item, since a crop of one person
shows parts of the neighbours too. What could as well be somebody else's is nobody's evidence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from safety.perception.ppe_body import Place, places
from safety.types import FloatArray, PpeItem, PpeState, TrackedPerson

SAME_THING = 0.45
"""Boxes that overlap more than this show the same head or torso."""

LEAST_WORN, LEAST_MISSING = 0.35, 0.6
"""Scores below which a look says nothing; more is asked of the answer that alarms."""

LEAST_LEAD = 0.2
"""By how much the better of "worn" and "missing" must score higher; else they contradict."""

CLEARLY_NEARER = 0.2
"""By how many torsos a binding must be better than the exchanged one to be trusted."""

_LEAST_SIDE, _MOST_SIDE = 0.1, 1.8
"""Shorter and longer side of an item's box, in torsos of who wears it: least and most."""

_FAR = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the network found.

    Attributes:
        item: What it is about.
        worn: Whether it shows the item, or its absence (a bare head).
        box: (4,) left, top, right, bottom, normalised to the whole picture.
        score: 0-1.
    """

    item: PpeItem
    worn: bool
    box: FloatArray
    score: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one look says about one item of one person: scores 0-1 of both answers.

    Nothing (0, 0) if the place was not seen, nothing was found there, or it may be another's.
    """

    worn: float = 0.0
    missing: float = 0.0

    @property
    def state(self) -> PpeState:
        """What this look alone would say."""
        if abs(self.worn - self.missing) < LEAST_LEAD:
            return PpeState.UNKNOWN
        if self.worn > self.missing:
            return PpeState.WORN if self.worn >= LEAST_WORN else PpeState.UNKNOWN
        return PpeState.MISSING if self.missing >= LEAST_MISSING else PpeState.UNKNOWN


NOTHING = Evidence()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thing:
    """A head, a torso, a hand: all findings that show the same one.

    Attributes:
        box: (4,) of the surest finding, in picture heights.
    """

    box: NDArray[np.float64]
    evidence: Evidence

    @property
    def middle(self) -> NDArray[np.float64]:
        middle: NDArray[np.float64] = (self.box[:2] + self.box[2:]) / 2
        return middle

    @property
    def sides(self) -> tuple[float, float]:
        """The shorter and the longer one."""
        shorter, longer = sorted((self.box[2:] - self.box[:2]).tolist())
        return shorter, longer


def bind(
    persons: Sequence[TrackedPerson],
    findings: Iterable[Finding],
    items: Iterable[PpeItem],
    *,
    aspect: float,
    height_px: int,
) -> dict[int, dict[PpeItem, Evidence]]:
    """What one look at a picture says about everybody in it.

    Args:
        persons: Everybody in the picture, whether looked at or not: they claim what is theirs.
        findings: What was found anywhere in it; doubles from overlapping crops are fine.
        items: Which items matter.
        aspect: Width / height of the picture.
        height_px: Height in pixels of what was looked at; decides who is too small.

    Returns:
        By track id and item; every person and item is there.
    """
    result: dict[int, dict[PpeItem, Evidence]] = {person.track_id: {} for person in persons}
    found = list(findings)
    for item in items:
        where = [
            (person.track_id, place)
            for person in persons
            for place in places(person, item, aspect=aspect, height_px=height_px)
        ]
        things = _things([f for f in found if f.item is item], aspect)
        bound = _assign([place for _, place in where], things)
        for person in persons:
            own = [
                evidence
                for (owner, place), evidence in zip(where, bound, strict=True)
                if owner == person.track_id and place.judged
            ]
            result[person.track_id][item] = _together(own)
    return result


def _together(parts: Sequence[Evidence]) -> Evidence:
    """Both hands need gloves: worn as the worse of them, missing as the worse of them."""
    if not parts:
        return NOTHING
    return Evidence(min(part.worn for part in parts), max(part.missing for part in parts))


def _things(findings: Sequence[Finding], aspect: float) -> list[_Thing]:
    """Findings that overlap are one thing, with the best score of either answer."""
    scale = np.array([aspect, 1.0, aspect, 1.0])
    groups: list[list[tuple[NDArray[np.float64], Finding]]] = []
    for finding in sorted(findings, key=lambda f: -f.score):
        box = finding.box * scale
        same = (group for group in groups if _overlap(group[0][0], box) > SAME_THING)
        group = next(same, None)
        if group is None:
            groups.append([(box, finding)])
        else:
            group.append((box, finding))
    return [
        _Thing(
            box=group[0][0],
            evidence=Evidence(
                max((f.score for _, f in group if f.worn), default=0.0),
                max((f.score for _, f in group if not f.worn), default=0.0),
            ),
        )
        for group in groups
    ]


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Intersection over union."""
    left, top, right, bottom = one.tolist()
    left2, top2, right2, bottom2 = other.tolist()
    width, height = min(right, right2) - max(left, left2), min(bottom, bottom2) - max(top, top2)
    shared = max(width, 0.0) * max(height, 0.0)
    union = (right - left) * (bottom - top) + (right2 - left2) * (bottom2 - top2) - shared
    return float(shared / union) if union > 0 else 0.0


def _assign(where: Sequence[Place], things: Sequence[_Thing]) -> list[Evidence]:
    """The evidence for every place: the nearest thing, each given away once."""
    if not where or not things:
        return [NOTHING] * len(where)
    far = _distances(where, things)
    # Somebody who has a thing within reach should get one: leaving out costs more than distance.
    rows, columns = linear_sum_assignment(far)
    chosen = {
        row: column
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if far[row, column] < _FAR
    }
    return [
        things[chosen[row]].evidence
        if row in chosen and where[row].judged and not _doubtful(row, chosen, far)
        else NOTHING
        for row in range(len(where))
    ]


def _distances(where: Sequence[Place], things: Sequence[_Thing]) -> NDArray[np.float64]:
    """How far, in torsos, every thing is from every place; ``_FAR`` if out of reach."""
    torsos = np.array([[place.torso] for place in where])
    reach = np.array([[place.reach] for place in where])
    gaps = np.array([place.middle for place in where])[:, None] - [thing.middle for thing in things]
    far: NDArray[np.float64] = np.hypot(gaps[..., 0], gaps[..., 1])
    shorter, longer = np.array([thing.sides for thing in things]).T
    fits = (_LEAST_SIDE * torsos <= shorter) & (longer <= _MOST_SIDE * torsos) & (far <= reach)
    return np.where(fits, far / torsos, _FAR)


def _doubtful(row: int, chosen: Mapping[int, int], far: NDArray[np.float64]) -> bool:
    """Whether this place's thing could as well be that of another person within reach."""
    column = chosen[row]
    for other in range(len(far)):
        if other == row or far[other, column] >= _FAR:
            continue
        theirs = chosen.get(other)
        if theirs is None:
            if far[other, column] - far[row, column] < CLEARLY_NEARER:
                return True
        elif far[row, theirs] < _FAR:
            kept = far[row, column] + far[other, theirs]
            if far[row, theirs] + far[other, column] - kept < CLEARLY_NEARER:
                return True
    return False
