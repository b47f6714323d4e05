"""A whole plant with two cameras on one floor: one violation, the clips of both, all verified."""

import pytest

from tests.support.plant import MakePlant
from tests.support.shards import FILM_CALIBRATION, SCENES

pytestmark = [pytest.mark.third_party, pytest.mark.timeout(300)]

CELL_M = [[3.1, 6.5], [6.1, 6.5], [6.1, 11.5], [3.1, 11.5]]


def test_the_other_camera_keeps_its_clip_of_the_same_violation(make_plant: MakePlant) -> None:
    cameras = [
        {
            "id": name,
            "name": name.title(),
            "source": {"kind": "file", "path": str(SCENES / "cell_intrusion.mp4")},
            "calibration": FILM_CALIBRATION.model_dump(mode="json"),
            "evidence_before_s": 3,
            "evidence_after_s": 1,
        }
        for name in ("north", "south")
    ]
    rule = {"id": "cell", "kind": "intrusion", "name": "No entry", "zone_id": "cell"}
    plant = make_plant(
        {
            "version": 1,
            "name": "Test plant",
            "language": "en",
            "cameras": cameras,
            "zones": [{"id": "cell", "name": "Cell", "floor_m": CELL_M}],
            "rules": [rule | {"hold_to_open_s": 0.5}],
        }
    )
    plant.start("engine")
    plant.wait_for(
        lambda: any(row.other_camera and row.path for row in plant.evidence()),
        limit_s=200,
        why="the other camera's clip",
    )
    first = next(row for row in plant.violations() if "same_as" not in row.details)
    (clip,) = (row for row in plant.evidence() if row.other_camera)
    assert clip.violation_id == first.id
    assert {first.camera_id, clip.other_camera} == {"north", "south"}
    assert clip.started_at is not None
    assert clip.ended_at is not None
    assert clip.started_at < first.opened_at < clip.ended_at
    assert plant.run("audit", "verify").returncode == 0, plant.log("audit")
    assert "0 deleted" in plant.log("audit")
