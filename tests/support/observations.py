"""Persons who move as told, and what a camera sees of them frame by frame."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from safety.clock import Instant
from safety.types import (
    KEYPOINTS,
    Observation,
    PlantState,
    PpeItem,
    PpeState,
    TrackedPerson,
    Violation,
)
from zones.engine import RuleEngine
from zones.specs import RuleSpec, ZoneSpec

START = Instant(wall=1_767_600_000.0, monotonic=1_000.0)
"""When every replay begins."""

ZONE = ZoneSpec(
    id="press",
    name="Press",
    camera_id="cam",
    polygon=((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)),
)
INSIDE = (0.5, 0.5)
OUTSIDE = (0.5, 0.8)

BARE = {PpeItem.HARDHAT: PpeState.MISSING, PpeItem.VEST: PpeState.MISSING}

Place = tuple[float, float]
Where = Literal["in", "out", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody whom the tracker knows by one id.

    Attributes:
        place: Seconds since the start → where the feet are, None while not seen.
        born_s: When the track was first seen.
    """

    track_id: int
    place: Callable[[float], Place | None]
    born_s: float = 0.0


def acting(track_id: int, *parts: tuple[float, Where], born_s: float = 0.0) -> Actor:
    """Somebody in or out of ``ZONE`` or not seen, each until the second given, then gone."""

    def place(at_s: float) -> Place | None:
        for until_s, where in parts:
            if at_s < until_s - 1e-6:
                return {"in": INSIDE, "out": OUTSIDE, "gone": None}[where]
        return None

    return Actor(track_id=track_id, place=place, born_s=born_s)


def person(
    track_id: int,
    foot: Place,
    *,
    age_s: float = 0.0,
    height: float = 0.3,
    confidence: float = 0.9,
    hand: Place | None = None,
    ppe: Mapping[PpeItem, PpeState] = BARE,
) -> TrackedPerson:
    """Somebody standing; ``foot`` is where both ankles and the box's bottom centre are.

    Args:
        track_id: The track's id.
        foot: x and y, normalised.
        age_s: Age of the track.
        height: Height of the box.
        confidence: Of every keypoint.
        hand: Where the wrists are; hanging at the sides if not given.
        ppe: What is known of the equipment; surely nothing worn if not given.
    """
    x, y = foot
    keypoints = np.zeros((17, 3), np.float32)
    keypoints[:, 0] = x
    keypoints[:, 1] = np.linspace(y - height, y, 17)
    keypoints[:, 2] = confidence
    for name in ("left_ankle", "right_ankle"):
        keypoints[KEYPOINTS.index(name), :2] = foot
    for name in ("left_wrist", "right_wrist"):
        keypoints[KEYPOINTS.index(name), :2] = hand or (x, y - height / 2)
    return TrackedPerson(
        track_id=track_id,
        box=np.array([x - height / 6, y - height, x + height / 6, y], np.float32),
        score=0.9,
        keypoints=keypoints,
        age_s=age_s,
        ppe=ppe,
    )


def observation(
    persons: Iterable[TrackedPerson], at_s: float, *, wall_jump_s: float = 0.0
) -> Observation:
    """What the camera sees ``at_s`` seconds after the start."""
    at = START.shifted(at_s)
    return Observation(
        camera_id="cam",
        at=Instant(wall=at.wall + wall_jump_s, monotonic=at.monotonic),
        sequence=1,
        aspect=16 / 9,
        persons=tuple(persons),
    )


def frame_times(
    until_s: float, *, fps: float = 10.0, loss: float = 0.0, seed: int = 0
) -> Iterator[float]:
    """When frames are analysed: at ``fps``, a share of ``loss`` missing at random."""
    missing = np.random.default_rng(seed)
    for number in range(round(until_s * fps) + 1):
        if missing.random() >= loss:
            yield number / fps


def see(actors: Iterable[Actor], at_s: float) -> list[TrackedPerson]:
    """The actors whom the camera sees at that moment."""
    return [
        person(actor.track_id, place, age_s=at_s - actor.born_s)
        for actor in actors
        if (place := actor.place(at_s)) is not None
    ]


def engine_of(*rules: RuleSpec, zones: Sequence[ZoneSpec] = (ZONE,)) -> RuleEngine:
    """An engine whose violations are called v1, v2, …"""
    numbers = itertools.count(1)
    return RuleEngine(
        camera_id="cam",
        zones=zones,
        rules=rules,
        rule_revisions={rule.id: 1 for rule in rules},
        new_id=lambda: f"v{next(numbers)}",
    )


def replay(
    engine: RuleEngine,
    actors: Sequence[Actor],
    times: Iterable[float],
    *,
    wall_jump_s: Callable[[float], float] = lambda _: 0.0,
) -> list[Violation]:
    """Everything the engine reports while the actors act."""
    reports: list[Violation] = []
    for at_s in times:
        seen = observation(see(actors, at_s), at_s, wall_jump_s=wall_jump_s(at_s))
        reports += engine.update(seen, PlantState())
    return reports


def seconds(instant: Instant | None) -> float:
    """Seconds since the start, on the monotonic clock."""
    assert instant is not None
    return instant.monotonic - START.monotonic


@dataclass(frozen=True, slots=True)
class Episode:
    """One violation from its first report to its last."""

    subject: str
    opened_s: float
    closed_s: float | None
    end_reason: str | None


def episodes(reports: Iterable[Violation]) -> list[Episode]:
    """The violations that the reports tell of, in order of opening."""
    last = {report.id: report for report in reports}
    return [
        Episode(
            violation.subject,
            round(seconds(violation.opened_at), 3),
            round(seconds(violation.closed_at), 3) if violation.closed_at else None,
            violation.end_reason,
        )
        for violation in last.values()
    ]
