"""Alarms against the truth: what counts as detected, missed, repeated and false."""

import pytest

from safety.scoring.events import Alarm, score_events
from safety.scoring.scene import TrueEvent

ENTERED = TrueEvent(kind="zone_intrusion", subjects=("w1",), t_start=5.0, t_end=9.4)
NO_VEST = TrueEvent(kind="ppe_missing", subjects=("w2",), t_start=0.0, t_end=10.0, value=["vest"])
ALONE = TrueEvent(kind="lone_worker", subjects=("w1",), t_start=1.0, t_end=10.0)


def alarm(kind: str, opened_s: float, person: str | None = "w1", **more: object) -> Alarm:
    fields = {"about_person": True, "closed_s": None, **more}
    return Alarm(kind=kind, opened_s=opened_s, person=person, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "given", "counted"),
    [
        pytest.param(ENTERED, [], (0, 0, 0), id="missed"),
        pytest.param(ENTERED, [alarm("intrusion", 5.3)], (1, 0, 0), id="detected"),
        pytest.param(ENTERED, [alarm("intrusion", 4.6)], (1, 0, 0), id="a little early"),
        pytest.param(ENTERED, [alarm("intrusion", 4.4)], (0, 1, 0), id="before it happened"),
        pytest.param(ENTERED, [alarm("intrusion", 10.7)], (0, 1, 0), id="after it was over"),
        pytest.param(ENTERED, [alarm("intrusion", 5.3, "w2")], (0, 1, 0), id="another person"),
        pytest.param(ENTERED, [alarm("intrusion", 5.3, None)], (0, 1, 0), id="nobody is there"),
        pytest.param(ENTERED, [alarm("dwell", 5.3)], (0, 0, 0), id="another rule"),
        pytest.param(
            ENTERED, [alarm("intrusion", 5.3), alarm("intrusion", 7.0)], (1, 0, 1), id="twice"
        ),
        pytest.param(
            NO_VEST,
            [alarm("missing_ppe", 3, "w2", items=frozenset({"vest"}))],
            (1, 0, 0),
            id="the item that is missing",
        ),
        pytest.param(
            NO_VEST,
            [alarm("missing_ppe", 3, "w2", items=frozenset({"hardhat", "vest"}))],
            (0, 1, 0),
            id="an item that is worn",
        ),
        pytest.param(
            ALONE,
            [alarm("occupancy", 3, None, about_person=False)],
            (1, 0, 0),
            id="about nobody in particular",
        ),
    ],
)
def test_an_alarm_counts_once_and_for_its_own_event(
    event: TrueEvent, given: list[Alarm], counted: tuple[int, int, int]
) -> None:
    kind = {"zone_intrusion": "intrusion", "ppe_missing": "missing_ppe"}.get(
        event.kind, "occupancy"
    )
    score = score_events(kind, [event], given, hold_s=0.2)
    assert (score.detected, score.false_alarms, score.repeats) == counted
    assert score.events == 1
    assert score.missed == 1 - counted[0]


def test_the_delay_counts_from_the_event_and_the_distance_from_its_minimum() -> None:
    event = TrueEvent(kind="proximity", subjects=("w1", "amr1"), t_start=5, t_end=8, value=0.8)
    score = score_events("proximity", [event], [alarm("proximity", 5.4, distance_m=0.9)], hold_s=0)
    assert score.delay_s(95) == pytest.approx(0.4)
    assert score.distance_errors_m == pytest.approx([0.1])


def test_one_violation_may_last_through_two_events() -> None:
    events = [
        TrueEvent(kind="proximity", subjects=("w1", "amr1"), t_start=5, t_end=8.4, value=0.8),
        TrueEvent(kind="proximity", subjects=("w1", "amr1"), t_start=8.9, t_end=10, value=1.7),
    ]
    lasting = [alarm("proximity", 5.2)]
    assert score_events("proximity", events, lasting, hold_s=0).detected == 2
    over = [alarm("proximity", 5.2, closed_s=8.6)]
    assert score_events("proximity", events, over, hold_s=0).detected == 1


def test_without_anything_detected_there_is_no_delay() -> None:
    assert score_events("intrusion", [ENTERED], [], hold_s=0).delay_s(50) is None
