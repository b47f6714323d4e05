"""Rules about people on the rendered scenes, drawn on the floor of calibrated cameras."""

import pytest

from safety.types import PlantState
from tests.support.observations import Episode, engine_of, episodes
from tests.support.third_party import third_party
from tests.support.traffic import Street
from tests.support.truth import SCENES, read_scene
from zones.engine import RuleEngine
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec
from zones.rules.line_crossing import LineCrossingSpec
from zones.rules.occupancy import OccupancySpec
from zones.rules.reach_in import ReachInSpec
from zones.specs import RuleSpec, ZoneSpec

pytestmark = pytest.mark.third_party

CELL = ZoneSpec(id="cell", name="Cell", floor_m=((3.1, 6.5), (6.1, 6.5), (6.1, 11.5), (3.1, 11.5)))
"""The scenes' robot cell, as in their truth."""

INTRUSION = IntrusionSpec(id="r", name="R", zone_id="cell")
DWELL = DwellSpec(id="r", name="R", zone_id="cell", limit_s=3)
REACH_IN = ReachInSpec(id="r", name="R", zone_id="cell")
LINE = LineCrossingSpec(id="r", name="R", line_m=((3.1, 6.5), (3.1, 11.5)), direction="a_to_b")
ALONE = OccupancySpec(id="r", name="R", at_least=2, empty_is_fine=True, hold_to_open_s=4)

RATES = [(10.0, 0.0), (5.0, 0.0), (3.0, 0.0), (10.0, 0.3)]

EXPECTED: dict[tuple[str, str], list[float]] = {
    ("cell_intrusion", "intrusion"): [5.0],
    ("cell_intrusion", "dwell"): [8.0],
    ("cell_intrusion", "line_crossing"): [5.3],
    ("reach_in", "reach_in"): [3.3, 6.5],
    ("lone_dim", "occupancy"): [5.3],
    ("reach_in", "occupancy"): [4.0],
    ("forklift_aisle", "occupancy"): [4.0],  # the other one stands behind a pillar
}
"""Seconds at which violations open: the truth's onset and the rule's own hold. Otherwise none."""


def watch(
    name: str, rule: RuleSpec, fps: float = 10, loss: float = 0, seed: int = 1
) -> list[Episode]:
    """The violations in seconds of the scene."""
    third_party(f"scenes/{name}/truth.json")
    street = Street(name=name, fps=fps, loss=loss, seed=seed)
    engine = RuleEngine(
        camera_id="cam", zones=[CELL], rules=[rule], rule_revisions={"r": 1},
        new_id=iter(map(str, range(99))).__next__, calibration=street.calibration,
    )  # fmt: skip
    seen = street.observations()
    return episodes([r for each in seen for r in engine.update(each, PlantState())])


@pytest.mark.parametrize(
    "rule", [INTRUSION, DWELL, REACH_IN, LINE, ALONE], ids=lambda rule: rule.kind
)
@pytest.mark.parametrize("name", SCENES)
def test_exactly_what_is_true(name: str, rule: RuleSpec) -> None:
    opened = [episode.opened_s for episode in watch(name, rule)]
    expected = EXPECTED.get((name, rule.kind), [])
    assert opened == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize(("fps", "loss"), RATES[1:])
@pytest.mark.parametrize(("name", "kind"), EXPECTED)
def test_rate_and_lost_frames_change_nothing(name: str, kind: str, fps: float, loss: float) -> None:
    [rule] = [each for each in (INTRUSION, DWELL, REACH_IN, LINE, ALONE) if each.kind == kind]
    opened = [episode.opened_s for episode in watch(name, rule, fps, loss)]
    assert opened == pytest.approx(EXPECTED[name, kind], abs=0.3 + 1 / fps)


@pytest.mark.parametrize("name", [name for name in SCENES if name != "cell_intrusion"])
def test_a_zone_for_hands_that_is_drawn_in_the_picture(name: str) -> None:
    """As the truth draws it: the cell's outline 1.15 m above the floor."""
    third_party(f"scenes/{name}/truth.json")
    raised = read_scene("reach_in").zones["cell_reach"]
    zone = ZoneSpec(id="cell", name="Cell", camera_id="cam", polygon=raised)
    engine = engine_of(REACH_IN, zones=[zone])
    scene = read_scene(name).observations()
    found = episodes([r for each in scene for r in engine.update(each, PlantState())])
    expected = [3.3, 6.5] if name == "reach_in" else []
    assert [e.opened_s for e in found] == pytest.approx(expected, abs=0.15)
