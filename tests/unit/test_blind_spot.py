"""Rule kind blind_spot: a camera that should watch and does not see."""

from collections.abc import Callable
from typing import Any

import pytest

from safety.types import CameraState, MachineState, PlantState, Violation
from tests.support.observations import START, engine_of, episodes, observation
from zones.arming import OnMachine
from zones.rules.blind_spot import BlindSpotSpec

LIVE, DEGRADED, BLIND = CameraState.LIVE, CameraState.DEGRADED, CameraState.BLIND


def rule(**fields: Any) -> BlindSpotSpec:
    return BlindSpotSpec(**{"id": "blind", "name": "Blind", "zone_id": "press", **fields})


def watched(
    spec: BlindSpotSpec,
    state_at: Callable[[float], CameraState],
    plant_at: Callable[[float], PlantState] = lambda _: PlantState(),
) -> list[tuple[float, float | None, str | None]]:
    """As a shard does it: looked at four times a second, ended once when blind, frames if not."""
    engine = engine_of(spec)
    reports: list[Violation] = []
    was_blind = False
    for quarter in range(120):
        at_s = quarter / 4
        now, state = START.shifted(at_s), state_at(at_s)
        if state is not BLIND:
            reports += engine.update(observation([], at_s), plant_at(at_s))
        elif not was_blind:
            reports += engine.end("camera_blind", now)
        was_blind = state is BLIND
        reports += engine.watch(state, now, plant_at(at_s))
    return [(e.opened_s, e.closed_s, e.end_reason) for e in episodes(reports)]


def during(state: CameraState, since_s: float, until_s: float) -> Callable[[float], CameraState]:
    return lambda at_s: state if since_s <= at_s < until_s else LIVE


@pytest.mark.parametrize(
    ("fields", "state_at", "expected"),
    [
        pytest.param({}, during(BLIND, 5, 15), [(10.0, 15.75, "cleared")], id="blind for long"),
        pytest.param({}, during(BLIND, 5, 9), [], id="blind for a moment"),
        pytest.param({}, during(DEGRADED, 5, 15), [], id="degraded"),
        pytest.param({"when_degraded": True}, during(DEGRADED, 5, 15), [(10.0, 15.75, "cleared")],
                     id="degraded, if that counts"),
        pytest.param({"hold_to_open_s": 0}, during(BLIND, 5, 99), [(5.0, None, None)],
                     id="at once, and blind for good"),
        pytest.param({}, lambda _: BLIND, [(5.0, None, None)], id="blind from the beginning"),
    ],
)  # fmt: skip
def test_when_it_opens(
    fields: dict[str, Any],
    state_at: Callable[[float], CameraState],
    expected: list[tuple[float, float | None, str | None]],
) -> None:
    assert watched(rule(**fields), state_at) == expected


def test_a_machine_that_stands_still_needs_no_watching() -> None:
    armed = rule(arming=OnMachine(machine_id="press", settle_s=0))

    def plant_at(at_s: float) -> PlantState:
        running = 8 <= at_s < 20
        return PlantState(
            machines={"press": MachineState.RUNNING if running else MachineState.IDLE}
        )

    found = watched(armed, during(BLIND, 2, 99), plant_at)
    assert found == [(13.0, 20.0, "disarmed")]


def test_of_an_unknown_machine_it_is_armed() -> None:
    armed = rule(arming=OnMachine(machine_id="press"))
    assert watched(armed, during(BLIND, 2, 99)) == [(7.0, None, None)]


def test_is_a_warning_unless_told_otherwise() -> None:
    assert rule().severity == "warning"
