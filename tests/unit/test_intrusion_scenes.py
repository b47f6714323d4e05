"""The intrusion rule on the rendered scenes, where everybody's ankles are known exactly."""

import pytest

from safety.types import PlantState
from tests.support.observations import Episode, engine_of, episodes
from tests.support.third_party import third_party
from tests.support.truth import read_scene
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec
from zones.specs import RuleSpec, ZoneSpec

pytestmark = pytest.mark.third_party

NEVER_ENTERED = [
    "amr_crossing", "busy_quiet", "forklift_aisle", "lone_dim", "man_down", "ppe_mix", "reach_in",
]  # fmt: skip


def watch(scene_name: str, rule: RuleSpec, *, every: int = 1) -> list[Episode]:
    """The violations of the scene's robot cell, in seconds of the scene."""
    third_party(f"scenes/{scene_name}/truth.json")
    scene = read_scene(scene_name)
    cell = ZoneSpec(id="cell", name="Cell", camera_id="cam", polygon=scene.zones["cell"])
    engine = engine_of(rule, zones=[cell])
    reports = [
        report
        for observation in scene.observations()[::every]
        for report in engine.update(observation, PlantState())
    ]
    return episodes(reports)


def intrusion() -> IntrusionSpec:
    return IntrusionSpec(id="keep-out", name="Keep out", zone_id="cell")


@pytest.mark.parametrize("every", [1, 2, 3], ids=["10 fps", "5 fps", "3.3 fps"])
def test_the_worker_who_enters_the_cell_is_one_intrusion(every: int) -> None:
    """The truth has both feet inside from 5.0 to 9.4 s; one foot, in the picture, suffices."""
    [episode] = watch("cell_intrusion", intrusion(), every=every)
    assert episode.subject == "person-1"
    assert episode.opened_s == pytest.approx(5.0, abs=0.4)
    assert episode.closed_s is None or episode.closed_s == pytest.approx(10.4, abs=0.4)


@pytest.mark.parametrize("scene", NEVER_ENTERED)
def test_nobody_enters_nothing_is_raised(scene: str) -> None:
    assert watch(scene, intrusion()) == []


def test_dwelling_in_the_cell() -> None:
    rule = DwellSpec(id="no-waiting", name="No waiting", zone_id="cell", limit_s=3)
    [episode] = watch("cell_intrusion", rule)
    assert episode.opened_s == pytest.approx(8.0, abs=0.4)
