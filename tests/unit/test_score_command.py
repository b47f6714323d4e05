"""``anjeon score``: the shape of its JSON, and scenes that cannot be used."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from structlog.testing import capture_logs

from cameras.region_plan import CameraPlan
from cameras.regions import Region
from safety.app.score import run_score
from safety.config import Settings
from safety.perception.recorded import RecordedDetector
from safety.scoring.run import Networks, score_scene
from safety.scoring.scene import SceneError, read_scene
from safety.scoring.sight import plan_of
from safety.types import Detections, Picture

SIZE = (320, 192)
FRAMES = 6
KEYPOINTS = [[160.0, 20.0 + 8 * n] for n in range(17)]


def truth() -> dict[str, Any]:
    """Somebody stands in a zone for 0.6 s, in a picture of 5 cm to the pixel."""
    somebody = {
        "id": "w1", "kp_px": KEYPOINTS, "kp_visible": [True] * 17,
        "box_px": [140.0, 20.0, 180.0, 160.0], "visible_fraction": 1.0, "foot_m": [2.0, 5.0],
    }  # fmt: skip
    zone = {
        "kind": "restricted", "floor_m": [[0, 0], [4, 0], [4, 8]],
        "image": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]],
    }  # fmt: skip
    return {
        "fps": 10.0, "width": SIZE[0], "height": SIZE[1], "rules": ["zone", "fall"],
        "camera": {"floor_to_image": [[20, 0, 160], [0, -2, 110], [0, 0.03, 1]]},
        "zones": {"cell": zone}, "people": [{"id": "w1"}],
        "events": [{"kind": "zone_intrusion", "subjects": ["w1"], "t_start": 0, "t_end": 0.6}],
        "frames": [{"t": n / 10, "people": [somebody]} for n in range(FRAMES)],
    }  # fmt: skip


def write_scene(folder: Path, described: object) -> Path:
    folder.mkdir()
    (folder / "truth.json").write_text(json.dumps(described), encoding="utf-8")
    with av.open(folder / "video.mp4", "w") as film:
        stream = film.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for _ in range(FRAMES):
            grey = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        film.mux(stream.encode(None))
    return folder


def test_the_json_is_one_object_of_rules_and_scenes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty hall on film and somebody in the truth: all of it is missed, and said so."""
    scene = write_scene(tmp_path / "hall", truth())
    settings = Settings(data_dir=tmp_path / "data")
    with capture_logs():  # without the command line nobody has sent them elsewhere
        run_score(settings, [scene], width=320, fps=None, loss=0.0, as_object=True)
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"rules", "scenes"}
    assert set(printed["rules"]) == {"intrusion", "fall", "man_down"}
    missed = printed["rules"]["intrusion"]
    assert (missed["events"], missed["detected"], missed["missed"]) == (1, 0, 1)
    assert missed["false_alarms"] == 0
    assert missed["onset_p95_s"] is None
    hall = printed["scenes"]["hall"]
    assert (hall["idf1"], hall["hota"], hall["floor_err_p50_m"]) == (0.0, 0.0, None)
    assert hall["fps"] > 0


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"fps": 0}, "fps"),
        ({"frames": []}, "frames"),
        ({"camera": {"floor_to_image": [[1, 0, 0]]}}, "floor_to_image"),
        ({"events": [{"kind": "fall", "t_start": 1}]}, "t_end"),
        ({"width": "wide"}, "width"),
    ],
)
def test_a_truth_that_lacks_something_is_refused_by_name(
    tmp_path: Path, fields: dict[str, Any], why: str
) -> None:
    scene = write_scene(tmp_path / "hall", truth() | fields)
    with pytest.raises(SceneError, match=why):
        read_scene(scene)


@pytest.mark.parametrize("missing", ["truth.json", "video.mp4"])
def test_a_folder_without_film_or_truth_is_none(tmp_path: Path, missing: str) -> None:
    scene = write_scene(tmp_path / "hall", truth())
    (scene / missing).unlink()
    with pytest.raises(SceneError, match=f"{missing} does not exist"):
        read_scene(scene)


def test_a_truth_that_is_no_json_is_refused(tmp_path: Path) -> None:
    scene = write_scene(tmp_path / "hall", truth())
    (scene / "truth.json").write_text("{", encoding="utf-8")
    with pytest.raises(SceneError, match=r"truth\.json does not describe a scene"):
        read_scene(scene)


COSTS = ((640, 384, 10.0),)
FROM_4_M = [[1448.9, 895.7, 960.0], [0.0, 128.8, 6138.1], [0.0, 0.933, 1.0]]
"""A camera 4 m above the floor, 15 degrees down, 65 degrees wide."""


def test_as_live_a_scene_is_looked_at_as_a_shard_would_plan_it(tmp_path: Path) -> None:
    far = {
        "kind": "restricted", "floor_m": [[-2, 18], [2, 18], [2, 22], [-2, 22]],
        "image": [[0.41, 0.44], [0.58, 0.44], [0.57, 0.386]],
    }  # fmt: skip
    described = truth() | {
        "width": 1920, "height": 1080, "camera": {"floor_to_image": FROM_4_M},
        "zones": {"far": far}, "rules": ["zone"],
    }  # fmt: skip
    scene = read_scene(write_scene(tmp_path / "hall", described))
    plan = plan_of(scene, 640, COSTS)
    assert (plan.width, len(plan.regions), plan.unresolved) == (640, 1, ())
    anywhere = read_scene(write_scene(tmp_path / "all", described | {"rules": ["zone", "fall"]}))
    assert plan_of(anywhere, 640, COSTS).context_s == 0.0, "people fall outside the zone too"
    with pytest.raises(SceneError, match="640, 960, 1280"):
        plan_of(scene, 320, COSTS)


def test_a_score_looks_where_its_plan_says(tmp_path: Path) -> None:
    scene = read_scene(write_scene(tmp_path / "hall", truth()))
    given: list[int] = []

    class Counting(RecordedDetector):
        def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
            given.append(len(pictures))
            return super().detect(pictures)

    people = Counting([Detections.empty()], network_px=(640, 384))
    close_up = Region(left=0.25, top=0.25, right=0.75, bottom=0.75)
    plan = CameraPlan(width=640, regions=(close_up,), context_s=0.25)
    score_scene(scene, Networks(people=people, ppe=None, plan=plan))
    assert given == [2, 1, 1, 2, 1, 1]
    given.clear()
    score_scene(scene, Networks(people=people, ppe=None))
    assert given == [1] * FRAMES
