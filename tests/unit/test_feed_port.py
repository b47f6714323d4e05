"""What is known of machines: staleness, flapping, odd values; and other people's clocks."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.clock import ManualClock
from safety.types import MachineState, ObjectClass, VehiclePose
from zones.feeds.base import StateMap, plain, report_machine
from zones.feeds.payload import Refused, at_pointer, parse_json, unix_time
from zones.feeds.port import FeedPort
from zones.feeds.poses import extrapolated
from zones.feeds.skew import ClockSkew

STATES = StateMap(running=(1, "RUN"), idle=("stop", 0), loto=("LOCKED",))


def make_port(clock: ManualClock, *, stale_after_s: float = 5.0) -> FeedPort:
    return FeedPort(
        "feed",
        "simulated",
        machine_ids=("press",),
        vehicle_ids=("amr",),
        stale_after_s=stale_after_s,
        clock=clock,
        changed=lambda: None,
    )


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (1, "running"),
        (True, "running"),
        (1.0, "running"),
        ("1", "running"),
        ("true", "running"),
        (" run ", "running"),
        ("STOP", "idle"),
        (False, "idle"),
        ("locked", "loto"),
        (2, None),
        ("", None),
        ("idle", None),
        (math.nan, None),
        (math.inf, None),
        (None, None),
        ([1], None),
        ({"a": 1}, None),
    ],
)
def test_values_and_the_states_they_mean(value: object, state: str | None) -> None:
    found = STATES.state(value)
    assert (found.value if found else None) == state


@pytest.mark.parametrize(
    "lists", [{}, {"running": [1], "idle": ["true"]}, {"running": ["a", "A"]}, {"runing": [1]}]
)
def test_tables_of_states_that_cannot_be(lists: dict[str, list[object]]) -> None:
    with pytest.raises(ValueError, match=r"states|list|[Ee]xtra"):
        StateMap.model_validate(lists)


@pytest.mark.parametrize(
    ("value", "state", "reason", "refusal"),
    [
        (1, "running", "", None),
        (77, "unknown", "value", "unknown_value"),
        (None, "idle", "", "wrong_type"),
        ({}, "idle", "", "wrong_type"),
        (math.nan, "idle", "", "wrong_type"),
    ],
)
def test_a_value_that_means_nothing_arms_and_one_that_is_none_is_left_out(
    value: object, state: str, reason: str, refusal: str | None
) -> None:
    clock = ManualClock()
    port = make_port(clock)
    report_machine(port, "press", STATES, 0)
    report_machine(port, "press", STATES, value)
    assert port.state("press", clock.now()) == (state, reason)
    assert dict(port.refusals) == ({refusal: 1} if refusal else {})


def test_a_silent_machine_is_unknown_after_its_time_and_known_at_once_when_it_speaks() -> None:
    clock = ManualClock()
    port = make_port(clock)
    assert port.state("press", clock.now()) == (MachineState.UNKNOWN, "never_heard")
    report_machine(port, "press", STATES, "stop")
    clock.advance(5.0)
    assert port.state("press", clock.now()) == (MachineState.IDLE, "")
    clock.advance(0.1)
    assert port.state("press", clock.now()) == (MachineState.UNKNOWN, "stale")
    clock.jump(-3600)
    assert port.state("press", clock.now()) == (MachineState.UNKNOWN, "stale")
    report_machine(port, "press", STATES, "stop", age_s=6.0)
    assert port.state("press", clock.now()) == (MachineState.UNKNOWN, "stale")
    port.confirm("press")
    assert port.state("press", clock.now()) == (MachineState.IDLE, "")


def test_a_machine_that_flaps_is_not_believed_until_it_settles() -> None:
    clock = ManualClock()
    port = make_port(clock)
    for turn in range(9):
        report_machine(port, "press", STATES, turn % 2)
        clock.advance(0.5)
    assert port.state("press", clock.now()) == (MachineState.UNKNOWN, "flapping")
    assert ("flapping", "press") in port.notices
    for _ in range(20):
        clock.advance(0.5)
        report_machine(port, "press", STATES, 0)
    assert port.state("press", clock.now()) == (MachineState.IDLE, "")
    assert not port.notices


def test_a_machine_that_works_in_short_cycles_does_not_flap() -> None:
    clock = ManualClock()
    port = make_port(clock)
    for turn in range(40):
        report_machine(port, "press", STATES, turn % 2)
        assert port.state("press", clock.now())[1] == ""
        clock.advance(2.0)


@given(
    error_s=st.floats(-1e6, 1e6),
    delays=st.lists(st.floats(0.0, 1.5), min_size=5, max_size=40),
)
def test_a_wrong_clock_makes_no_message_old_and_a_held_up_one_is_known_to_be(
    error_s: float, delays: list[float]
) -> None:
    clock, skew = ManualClock(), ClockSkew()
    quickest = math.inf
    for delay in delays:
        sent = clock.now().wall + error_s
        arrived = clock.now().shifted(delay)
        quickest = min(quickest, delay)
        assert skew.age_s(sent, arrived) == pytest.approx(delay - quickest, abs=1e-3)
        clock.advance(0.1)
    assert skew.skew_s == pytest.approx(error_s - quickest, abs=0.01)


def test_a_clock_that_tells_whole_seconds_makes_nothing_old() -> None:
    clock, skew = ManualClock(), ClockSkew()
    for _ in range(30):
        assert skew.age_s(float(int(clock.now().wall)), clock.now()) == 0.0
        clock.advance(0.13)
    assert not skew.announced


def test_a_message_that_was_overtaken_moves_no_vehicle_back() -> None:
    clock = ManualClock()
    port = make_port(clock)
    newer = pose(x_m=5.0, velocity_mps=(0.0, 0.0))
    port.vehicle(newer)
    port.vehicle(replace(newer, x_m=4.0, at=newer.at.shifted(-0.2)))
    found = port.pose("amr", clock.now())
    assert found is not None
    assert found.x_m == 5.0


@pytest.mark.parametrize("step_s", [-7200.0, -6.0, 6.0, 7200.0])
def test_a_clock_that_is_set_is_followed_at_once(step_s: float) -> None:
    clock, skew, error_s = ManualClock(), ClockSkew(), 0.0
    for turn in range(20):
        error_s = step_s if turn >= 10 else 0.0
        age_s = skew.age_s(clock.now().wall + error_s, clock.now())
        assert age_s == pytest.approx(0.0, abs=1e-3)
        clock.advance(0.2)
    assert skew.announced


def pose(**values: float | tuple[float, float]) -> VehiclePose:
    place: dict[str, object] = {"x_m": 0.0, "y_m": 0.0, "heading_rad": 0.0, **values}
    return VehiclePose(
        vehicle_id="amr",
        kind=ObjectClass.AMR,
        at=ManualClock().now(),
        footprint_m=((1, 0.5), (-1, 0.5), (-1, -0.5), (1, -0.5)),
        **place,  # type: ignore[arg-type]
    )


@given(
    speed=st.floats(0, 3), turn=st.floats(-2, 2), first_s=st.floats(0, 1), then_s=st.floats(0, 1)
)
def test_two_steps_lead_where_one_does_and_speed_stays(
    speed: float, turn: float, first_s: float, then_s: float
) -> None:
    start = pose(velocity_mps=(speed, 0.0), yaw_rate_radps=turn)
    middle, end = start.at.shifted(first_s), start.at.shifted(first_s + then_s)
    once, twice = extrapolated(start, end), extrapolated(extrapolated(start, middle), end)
    assert (once.x_m, once.y_m) == pytest.approx((twice.x_m, twice.y_m), abs=1e-6)
    assert math.hypot(*once.velocity_mps) == pytest.approx(speed, abs=1e-9)


def test_a_quarter_turn_is_an_arc_and_the_position_grows_uncertain() -> None:
    start = pose(velocity_mps=(1.0, 0.0), yaw_rate_radps=math.pi / 2)
    end = extrapolated(start, start.at.shifted(1.0))
    assert (end.x_m, end.y_m) == pytest.approx((2 / math.pi, 2 / math.pi))
    assert end.heading_rad == pytest.approx(math.pi / 2)
    assert end.covariance_m2 == pytest.approx((0.25, 0.0, 0.25))
    before = extrapolated(start, start.at.shifted(-0.5))
    assert before.x_m < 0


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"x": NaN}', "not_json"),
        (b'{"x": -Infinity}', "not_json"),
        (b'{"x": 1e999}', "not_json"),
        (b"\xff\xfe\x00", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'"' + b"a" * 300_000 + b'"', "too_large"),
    ],
)
def test_json_that_is_none(payload: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_json(payload)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("pointer", "found"),
    [("", {"a/b": [1, {"c": 2}]}), ("/a~1b/0", 1), ("/a~1b/1/c", 2)],
)
def test_pointers(pointer: str, found: object) -> None:
    assert at_pointer({"a/b": [1, {"c": 2}]}, pointer) == found


@pytest.mark.parametrize("pointer", ["/x", "/a~1b/2", "/a~1b/-1", "/a~1b/x", "/a~1b/0/y"])
def test_pointers_to_nothing(pointer: str) -> None:
    with pytest.raises(Refused):
        at_pointer({"a/b": [1, {"c": 2}]}, pointer)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T09:01:00+09:00", 60.0),
        ("1970-01-01T00:01:00", 60.0),
        (1_700_000_000, 1_700_000_000.0),
        (1_700_000_000_500, 1_700_000_000.5),
    ],
)
def test_times(value: object, seconds: float) -> None:
    assert unix_time(value) == seconds


@pytest.mark.parametrize("value", [None, True, "yesterday", [], -5, 1e300])
def test_times_that_are_none(value: object) -> None:
    with pytest.raises(Refused):
        unix_time(value)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()))
def test_any_value_is_compared_or_left_out(value: object) -> None:
    assert plain(value) is None or isinstance(plain(value), str)
