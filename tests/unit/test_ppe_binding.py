"""Whose hat it is: bound by the body, given away once, never guessed."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.perception.ppe_binding import Evidence, Finding, bind
from safety.types import KEYPOINTS, PpeItem, PpeState, TrackedPerson
from tests.support.ppe import ASPECT, HEIGHT_PX, found, hat, head_of, standing, torso_of, vest

HARDHAT, VEST = PpeItem.HARDHAT, PpeItem.VEST
WORN, MISSING, UNKNOWN = PpeState.WORN, PpeState.MISSING, PpeState.UNKNOWN
HEAD = KEYPOINTS[:5]


def states(
    persons: Sequence[TrackedPerson], findings: Sequence[Finding], item: PpeItem = HARDHAT
) -> list[PpeState]:
    evidence = bind(persons, findings, [item], aspect=ASPECT, height_px=HEIGHT_PX)
    return [evidence[person.track_id][item].state for person in persons]


ONE = standing(1, 0.5, 0.8)
HAND = ONE.keypoints[KEYPOINTS.index("left_wrist"), :2]


@pytest.mark.parametrize(
    ("findings", "state"),
    [
        ([hat(ONE)], WORN),
        ([hat(ONE, worn=False)], MISSING),
        ([], UNKNOWN),
        ([hat(ONE, score=0.3)], UNKNOWN),
        ([hat(ONE, score=0.4)], WORN),
        ([hat(ONE, worn=False, score=0.4)], UNKNOWN),
        ([hat(ONE), hat(ONE, worn=False, score=0.3)], WORN),
        ([hat(ONE), hat(ONE, worn=False, score=0.7)], UNKNOWN),
        ([vest(ONE)], UNKNOWN),
    ],
    ids=[
        "hat",
        "bare",
        "nothing",
        "doubtful",
        "hat, just",
        "bare, doubtful",
        "hat rather",
        "contradiction",
        "vest only",
    ],
)
def test_one_person(findings: list[Finding], state: PpeState) -> None:
    assert states([ONE], findings) == [state]


def test_a_hat_in_the_hand_is_not_worn() -> None:
    size = np.array([0.02, 0.02 * ASPECT])
    carried = found(HARDHAT, True, np.concatenate([HAND - size, HAND + size]))
    assert states([ONE], [carried]) == [UNKNOWN]
    assert states([ONE], [carried, hat(ONE, worn=False)]) == [MISSING]


@pytest.mark.parametrize(
    ("person", "item"),
    [
        (standing(1, 0.5, 0.8, hidden=HEAD), HARDHAT),
        (standing(1, 0.5, 0.8, hidden=["left_shoulder", "right_shoulder"]), VEST),
        (standing(1, 0.5, 0.8, hidden=["left_hip", "right_hip"]), VEST),
        (standing(1, 0.5, 0.8, height=40 / HEIGHT_PX), HARDHAT),
        (standing(1, 0.5, 0.8, height=40 / HEIGHT_PX), VEST),
        (standing(1, 0.5, 0.38), HARDHAT),
        (standing(1, 0.004, 0.8), HARDHAT),
    ],
    ids=["head", "shoulders", "hips", "small", "small, vest", "cut above", "cut at the side"],
)
def test_what_cannot_be_seen_is_not_judged(person: TrackedPerson, item: PpeItem) -> None:
    place = head_of(person) if item is HARDHAT else torso_of(person)
    assert states([person], [found(item, False, place)], item) == [UNKNOWN]


def test_a_vest_is_judged_although_the_head_is_hidden() -> None:
    person = standing(1, 0.5, 0.8, hidden=HEAD)
    assert states([person], [vest(person, worn=False)], VEST) == [MISSING]


@pytest.mark.parametrize("apart", [0.05, 0.08, 0.12, 0.3])
def test_neighbours_keep_their_own(apart: float) -> None:
    """Shoulder to shoulder is 0.05 of this picture; each crop shows both heads."""
    left, right = standing(1, 0.5, 0.8), standing(2, 0.5 + apart, 0.8)
    findings = [hat(left, worn=False), hat(right), hat(right, score=0.6), hat(left, worn=False)]
    assert states([left, right], findings) == [MISSING, WORN]
    assert states([right, left], findings) == [WORN, MISSING]


def test_a_hidden_persons_hat_is_not_taken_from_the_neighbour() -> None:
    front = standing(1, 0.5, 0.8)
    behind = standing(2, 0.512, 0.79)
    assert states([front, behind], [hat(front, worn=False)])[1] is UNKNOWN


def test_two_heads_at_one_place_are_nobodys() -> None:
    front, behind = standing(1, 0.5, 0.8), standing(2, 0.504, 0.8)
    assert states([front, behind], [hat(front, worn=False)]) == [UNKNOWN, UNKNOWN]


def test_a_neighbour_who_is_too_small_still_claims_nothing() -> None:
    far = standing(2, 0.5, 0.45, height=0.03)
    assert states([ONE, far], [hat(ONE)]) == [WORN, UNKNOWN]


def test_a_hat_far_too_large_or_small_for_the_head_is_somebody_elses() -> None:
    middle = (head_of(ONE)[:2] + head_of(ONE)[2:]) / 2
    for half in (0.002, 0.15):
        size = np.array([half, half * ASPECT])
        box = np.concatenate([middle - size, middle + size])
        assert states([ONE], [found(HARDHAT, True, box)]) == [UNKNOWN]


@pytest.mark.parametrize(
    ("gloved", "state"),
    [((True, True), WORN), ((True, False), MISSING), ((False, False), MISSING)],
)
def test_both_hands_need_gloves(gloved: tuple[bool, bool], state: PpeState) -> None:
    size = np.array([0.008, 0.008 * ASPECT])
    findings = []
    for name, worn in zip(("left_wrist", "right_wrist"), gloved, strict=True):
        wrist = ONE.keypoints[KEYPOINTS.index(name), :2]
        findings.append(found(PpeItem.GLOVES, worn, np.concatenate([wrist - size, wrist + size])))
    assert states([ONE], findings, PpeItem.GLOVES) == [state]


@given(
    places=st.lists(
        st.tuples(st.floats(0.1, 0.9), st.floats(0.5, 0.95), st.booleans()), min_size=1, max_size=6
    ),
    order=st.randoms(use_true_random=False),
)
def test_nobody_ever_gets_the_opposite_of_the_truth(
    places: list[tuple[float, float, bool]], order: object
) -> None:
    """A crowd anywhere, one head exactly on another too: own evidence, or none."""
    persons = [standing(i, x, foot) for i, (x, foot, _) in enumerate(places)]
    truth = {i: WORN if worn else MISSING for i, (_, _, worn) in enumerate(places)}
    findings = [hat(p, worn=truth[p.track_id] is WORN) for p in persons]
    order.shuffle(findings)  # type: ignore[attr-defined]
    told = states(persons, findings)
    for person, state in zip(persons, told, strict=True):
        assert state in {truth[person.track_id], UNKNOWN}


@given(
    places=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=5),
    heights=st.floats(0.001, 1.5),
    boxes=st.lists(st.tuples(*[st.floats(0, 1)] * 4, st.booleans(), st.floats(0, 1)), max_size=8),
)
def test_every_person_and_item_has_an_answer_whatever_was_found(
    places: list[tuple[float, float]], heights: float, boxes: list[tuple[float, ...]]
) -> None:
    persons = [standing(i, x, y, height=heights) for i, (x, y) in enumerate(places)]
    findings = [
        found(item, bool(worn), (min(a, c), min(b, d), max(a, c), max(b, d)), score)
        for a, b, c, d, worn, score in boxes
        for item in PpeItem
    ]
    told = bind(persons, findings, list(PpeItem), aspect=ASPECT, height_px=HEIGHT_PX)
    assert {key: set(items) for key, items in told.items()} == {
        person.track_id: set(PpeItem) for person in persons
    }
    assert all(isinstance(e, Evidence) for items in told.values() for e in items.values())
