"""What several looks together say, whatever their order, rate and number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.perception.ppe_binding import NOTHING, Evidence
from safety.perception.ppe_vote import VALID_S, Vote
from safety.types import PpeState

WORN, MISSING, UNKNOWN = PpeState.WORN, PpeState.MISSING, PpeState.UNKNOWN
HAT, BARE = Evidence(worn=0.8), Evidence(missing=0.8)
UNSURE = Evidence(worn=0.5, missing=0.45)
DOUBTFUL = Evidence(missing=0.65)
LOOKS = {"h": HAT, "b": BARE, "d": DOUBTFUL, "?": UNSURE, ".": NOTHING}

scores = st.floats(0, 1)
looks = st.builds(Evidence, scores, scores)
sure_looks = st.sampled_from([HAT, BARE, UNSURE, NOTHING, Evidence(0.6, 0.1), Evidence(0.1, 0.6)])
pauses = st.floats(0.01, 3.0)


def voted(looks: str, every_s: float = 0.5) -> Vote:
    vote = Vote()
    for number, look in enumerate(looks):
        vote.add(LOOKS[look], number * every_s)
    return vote


def last(looks: str, every_s: float = 0.5) -> float:
    return (len(looks) - 1) * every_s


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("", UNKNOWN),
        ("h", UNKNOWN),
        ("b", UNKNOWN),
        ("hh", WORN),
        ("bb", MISSING),
        ("....", UNKNOWN),
        ("????", UNKNOWN),
        ("hhhhb", WORN),
        ("hhhhbb", UNKNOWN),
        ("hhhhbbbbbb", MISSING),
        ("bbbbhhhhhh", WORN),
        ("hbhbhbhb", UNKNOWN),
        ("bb.?.", MISSING),
        ("bb.?.?.", UNKNOWN),
        ("dddddddd", UNKNOWN),
        ("dbdbdb", MISSING),
        ("hh.?.?.", WORN),
        ("hhhh" + "." * 9, UNKNOWN),
        ("hhhh" + "." * 9 + "b", UNKNOWN),
        ("hhhh" + "." * 9 + "bb", MISSING),
    ],
)
def test_looks(told: str, state: PpeState) -> None:
    assert voted(told).state(last(told)) is state


@pytest.mark.parametrize("every_s", [0.1, 0.5, 1.0, 2.0])
@pytest.mark.parametrize(("look", "state"), [("h", WORN), ("b", MISSING)])
def test_the_rate_of_looks_does_not_matter(look: str, state: PpeState, every_s: float) -> None:
    assert voted(look * 10, every_s).state(last(look * 10, every_s)) is state


@pytest.mark.parametrize("every_s", [0.25, 0.5, 1.0])
def test_a_change_is_noticed_in_seconds_not_in_looks(every_s: float) -> None:
    vote = voted("h" * round(10 / every_s), every_s)
    at = 10.0
    while vote.state(at) is not MISSING:
        vote.add(BARE, at)
        at += every_s
        assert at < 15
    assert at >= 12


@pytest.mark.parametrize(
    ("told", "since_s"),
    [("bb", 0.0), ("bbbb", 0.0), ("b.b", 0.0), ("hbbbb", 0.5), ("bb....bb", 3.0), ("bbhb", 1.5)],
)
def test_missing_since_the_first_look_of_those_that_say_nothing_else(
    told: str, since_s: float
) -> None:
    assert voted(told).missing_since == since_s


def test_old_evidence_is_no_evidence() -> None:
    vote = voted("hhhh")
    assert vote.state(1.5 + VALID_S) is WORN
    assert vote.state(1.5 + VALID_S + 0.01) is UNKNOWN


@given(st.lists(st.tuples(looks, pauses), max_size=30))
def test_who_is_never_seen_without_is_never_said_to_lack_it(
    told: list[tuple[Evidence, float]],
) -> None:
    vote, at = Vote(), 0.0
    for look, pause in told:
        at += pause
        if look.state is not MISSING:
            vote.add(look, at)
        assert vote.state(at) is not MISSING


@given(st.lists(st.tuples(sure_looks, pauses), max_size=30))
def test_worn_and_missing_are_told_apart_alike_but_for_the_shares(
    told: list[tuple[Evidence, float]],
) -> None:
    """Exchanging the answers never leaves the same sure answer standing."""
    vote, mirrored, at = Vote(), Vote(), 0.0
    for look, pause in told:
        at += pause
        vote.add(look, at)
        mirrored.add(Evidence(look.missing, look.worn), at)
        pair = {vote.state(at), mirrored.state(at)}
        assert len(pair) == 2 or pair == {UNKNOWN}


@given(st.lists(st.tuples(looks, pauses), max_size=30), st.floats(-1e6, 1e6))
def test_only_the_time_between_looks_matters(
    told: list[tuple[Evidence, float]], shift: float
) -> None:
    here, there, at = Vote(), Vote(), 0.0
    for look, pause in told:
        at = round(at + pause, 2)
        here.add(look, at)
        there.add(look, at + round(shift))
    assert math.isclose(here.worn, there.worn, rel_tol=1e-6, abs_tol=1e-6)
    assert math.isclose(here.missing, there.missing, rel_tol=1e-6, abs_tol=1e-6)


@given(st.lists(st.tuples(looks, pauses), min_size=1, max_size=30))
def test_another_look_without_it_never_makes_it_worn(told: list[tuple[Evidence, float]]) -> None:
    vote, at = Vote(), 0.0
    for look, pause in told:
        at += pause
        vote.add(look, at)
    before = vote.state(at)
    vote.add(BARE, at)
    assert not (before is MISSING and vote.state(at) is not MISSING)
    assert not (before is not WORN and vote.state(at) is WORN)


@given(st.lists(st.tuples(looks, pauses), max_size=30), st.floats(VALID_S + 0.01, 1e4))
def test_everything_becomes_unknown(told: list[tuple[Evidence, float]], later_s: float) -> None:
    vote, at = Vote(), 0.0
    for look, pause in told:
        at += pause
        vote.add(look, at)
    assert vote.state(at + later_s) is UNKNOWN
