"""Where people are in every frame of a clip, those frames too in which the network missed them.

A copy is made later, so that both what came before and what came after can be used: sightings of
one person are chained, gaps are bridged from both sides, and whoever is lost within the picture
is taken to be about where they were last seen, until they are seen elsewhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from safety.types import FloatArray

LINK_S: Final = 0.5
"""Two sightings further apart than this are not taken for one person's without looking twice."""

REACH: Final = 0.35
"""Where a box moves between two frames at least, as a share of its longer side."""

REACH_PER_S: Final = 1.2
"""And so much more for each second between: 2 m/s for somebody 1.7 m tall."""

ALIKE: Final = 2.0
"""Two boxes of one person differ by this factor at most."""

FIRM: Final = 3
FIRM_SCORE: Final = 0.3
"""A chain of so many sightings, or with one of this confidence, is a person for sure; others are
perhaps, and count for half a second before and after."""

SURE: Final = 10
SURE_SCORE: Final = 0.5
"""A chain of so many sightings, one of them of this confidence, is nothing but a person."""

LOST_S: Final = 1.5
"""Who goes elsewhere unseen for longer than this from both ends may have gone any way."""

PERHAPS_S: Final = 0.5
LEAVING_S: Final = 1.0
"""Who was last seen at the picture's edge is looked after for so long."""

EDGE: Final = 0.015


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One person in one frame.

    Attributes:
        at_s: Time of the frame.
        box: (4,) float32, normalised.
        head: (4,) float32, what to blur of the head.
    """

    at_s: float
    box: FloatArray
    head: FloatArray
    score: float

    @property
    def size(self) -> float:
        """The longer side of the box."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    @property
    def at_edge(self) -> bool:
        """The person may be on the way into the picture or out of it."""
        left, top, right, bottom = self.box.tolist()
        return bool(min(left, top) <= EDGE or max(right, bottom) >= 1 - EDGE)


@dataclass(slots=True)
class Chain:
    """Sightings of one person, in order."""

    sightings: list[Sighting] = field(default_factory=list)
    before: "Chain | None" = None
    after: "Chain | None" = None

    @property
    def first(self) -> Sighting:
        return self.sightings[0]

    @property
    def last(self) -> Sighting:
        return self.sightings[-1]

    @property
    def firm(self) -> bool:
        """Whether this is a person for sure."""
        enough = len(self.sightings) >= FIRM
        return enough or self.score >= FIRM_SCORE

    @property
    def sure(self) -> bool:
        """Whether this can be nothing but a person."""
        return len(self.sightings) >= SURE and self.score >= SURE_SCORE

    @property
    def score(self) -> float:
        """Of its clearest sighting."""
        return max(each.score for each in self.sightings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a person is, or may be, in one frame.

    Attributes:
        unseen_s: Seconds to the nearest sighting; 0: seen in this very frame.
        lost: A person for sure, who may be anywhere.
    """

    box: FloatArray
    head: FloatArray
    unseen_s: float
    lost: bool = False


def chains(frames: Sequence[Sequence[Sighting]]) -> list[Chain]:
    """Chain the sightings of all frames, and bridge the gaps between chains."""
    found: list[Chain] = []
    for sightings in frames:
        if sightings:
            at_s = sightings[0].at_s
            recent = [chain for chain in found if 0 < at_s - chain.last.at_s <= LINK_S]
            _extend(recent, sightings, found)
    _bridge(found)
    return found


def places(chain: Chain, times: Sequence[float]) -> Iterator[list[Place]]:
    """Where a chain's person may be at each of these times, in order; none: not in the picture.

    In a gap that is on the way from one sighting to the next, and at both ends of it, for the
    person may have stood still all the time and another one come.
    """
    sightings = chain.sightings
    index = 0
    for at_s in times:
        while index + 1 < len(sightings) and sightings[index + 1].at_s <= at_s:
            index += 1
        here = sightings[index]
        if here.at_s == at_s:
            yield [_at(here, at_s)]
        elif at_s < chain.first.at_s:
            yield [] if chain.before else _alone(chain.first, at_s, firm=chain.firm)
        elif at_s < chain.last.at_s:
            yield _gap(here, sightings[index + 1], at_s)
        elif chain.after is None:
            yield _alone(chain.last, at_s, firm=chain.firm)
        else:
            following = chain.after.first
            lost = chain.sure and chain.after.sure and _moved(chain.last, following)
            here_too = at_s < following.at_s
            yield _gap(chain.last, following, at_s, lost=lost) if here_too else []


def _at(sighting: Sighting, at_s: float) -> Place:
    return Place(box=sighting.box, head=sighting.head, unseen_s=abs(at_s - sighting.at_s))


def _alone(nearest: Sighting, at_s: float, *, firm: bool) -> list[Place]:
    """Before the first sighting, or after the last one."""
    limit_s = PERHAPS_S if not firm else LEAVING_S if nearest.at_edge else float("inf")
    place = _at(nearest, at_s)
    return [place] if place.unseen_s <= limit_s else []


def _gap(one: Sighting, other: Sighting, at_s: float, *, lost: bool = False) -> list[Place]:
    share = (at_s - one.at_s) / (other.at_s - one.at_s)
    unseen_s = min(at_s - one.at_s, other.at_s - at_s)
    way = Place(
        box=_mixed(one.box, other.box, share),
        head=_mixed(one.head, other.head, share),
        unseen_s=unseen_s,
        lost=lost and unseen_s > LOST_S,
    )
    ends = [Place(box=each.box, head=each.head, unseen_s=unseen_s) for each in (one, other)]
    return [way, *ends]


def _moved(one: Sighting, other: Sighting) -> bool:
    """Whether the two boxes have nothing in common."""
    left_top = np.maximum(one.box[:2], other.box[:2])
    right_bottom = np.minimum(one.box[2:], other.box[2:])
    return bool((left_top >= right_bottom).any())


def _mixed(one: FloatArray, other: FloatArray, share: float) -> FloatArray:
    return np.asarray(one + (other - one) * np.float32(share), np.float32)


def _extend(recent: list[Chain], sightings: Sequence[Sighting], found: list[Chain]) -> None:
    """Give every sighting to the nearest chain that it may belong to, or begin one with it."""
    pairs = sorted(
        (distance, chain_index, sighting_index)
        for chain_index, chain in enumerate(recent)
        for sighting_index, sighting in enumerate(sightings)
        if (distance := _apart(chain.last, sighting)) is not None
    )
    taken: set[int] = set()
    given: set[int] = set()
    for _, chain_index, sighting_index in pairs:
        if chain_index not in taken and sighting_index not in given:
            taken.add(chain_index)
            given.add(sighting_index)
            recent[chain_index].sightings.append(sightings[sighting_index])
    found += [Chain([each]) for index, each in enumerate(sightings) if index not in given]


def _bridge(found: Sequence[Chain]) -> None:
    """Join chains that one person may have left and come back in, the shortest gaps first."""
    pairs = sorted(
        (later.first.at_s - earlier.last.at_s, i, j)
        for i, earlier in enumerate(found)
        for j, later in enumerate(found)
        if later.first.at_s > earlier.last.at_s
        and earlier.firm
        and later.firm
        and _apart(earlier.last, later.first) is not None
    )
    for _, i, j in pairs:
        if found[i].after is None and found[j].before is None:
            found[i].after, found[j].before = found[j], found[i]


def _apart(earlier: Sighting, later: Sighting) -> float | None:
    """How far two sightings are apart, as a share of what is possible; None: too far."""
    size = max(earlier.size, later.size)
    if size > ALIKE * min(earlier.size, later.size):
        return None
    middles = [(each.box[:2] + each.box[2:]) / 2 for each in (earlier, later)]
    distance = float(np.linalg.norm(middles[1] - middles[0]))
    reach = size * (REACH + REACH_PER_S * (later.at_s - earlier.at_s))
    return distance / reach if distance <= reach else None
