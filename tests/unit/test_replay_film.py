"""Films are replayed as the camera would be watched; what cannot be used is said."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from cameras.film import Damage, frames_of
from cameras.region_plan import CameraPlan
from cameras.regions import Region
from cameras.specs import CameraSpec, SyntheticSpec
from safety.app.replay import moment, run_replay
from safety.clock import Instant
from safety.config import Settings
from safety.errors import AnjeonError
from safety.perception.detector import Take, in_batches
from safety.replay.rules import checked, proposals_for
from safety.replay.run import Look, Scenery, replay_film
from safety.replay.study import LONGEST_S, study
from safety.site.spec import SiteSpec
from safety.types import Detections, Picture
from tests.support.observations import ZONE
from tests.support.videos import moving_square, write_film
from zones.rules.intrusion import IntrusionSpec

START = Instant(wall=0.0, monotonic=0.0)
CAMERA = CameraSpec(id="cam", name="Cam", source=SyntheticSpec(), max_fps=10.0)
KEEP_OUT = IntrusionSpec(id="keep-out", name="Keep out", zone_id="press", hold_to_open_s=0.5)
SITE = SiteSpec(name="Site", cameras=(CAMERA,), zones=(ZONE,), rules=(KEEP_OUT,))
CLOSE_UP = Region(left=0.25, top=0.25, right=0.75, bottom=0.75)

SITE_FILE = """
version: 1
name: Site
cameras: [{id: cam, name: Cam, source: {kind: synthetic}}]
zones: [{id: press, name: Press, camera_id: cam, polygon: [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6]]}]
rules: [{id: keep-out, kind: intrusion, name: Keep out, zone_id: press}]
"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds at 20 frames/s, a key frame every second."""
    place = tmp_path_factory.mktemp("film") / "film.mkv"
    return write_film(place, moving_square(4, fps=20), fps=20, keyframe_every=20)


class Counting:
    """Somebody stands in the middle of every picture; says how many it was given."""

    names = ("person",)
    network_px = (640, 384)
    backend = "recorded"
    nonfinite_outputs = 0

    def __init__(self) -> None:
        self.pictures: list[int] = []

    def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        self.pictures.append(len(pictures))
        keypoints = np.full((1, 17, 3), 0.5, np.float32)
        somebody = Detections(
            boxes=np.array([[0.4, 0.3, 0.6, 0.55]], np.float32),
            scores=np.array([0.9], np.float32),
            classes=np.zeros(1, np.int64),
            keypoints=keypoints,
        )
        return [somebody for _ in pictures]

    def stream(self, take: Take) -> Iterator[Detections]:
        return in_batches(self.detect, take, 1)

    def close(self) -> None:
        """Nothing to free."""


def look_at(plan: CameraPlan) -> Look:
    return Look(scenery=Scenery(camera=CAMERA, zones=(ZONE,), rules=(KEEP_OUT,)), plan=plan)


def test_the_network_gets_what_a_shard_would_give_it(film: Path) -> None:
    """20 frames/s are thinned to the camera's 10; the whole picture twice a second."""
    network = Counting()
    plan = CameraPlan(width=640, regions=(CLOSE_UP,), context_s=0.5)
    whole = CameraPlan(width=640)
    replay_film(film, [look_at(plan)], lambda width, aspect: network, None, starts=START)
    assert len(network.pictures) == pytest.approx(40, abs=1)
    assert set(network.pictures) == {1, 2}
    assert network.pictures.count(2) == pytest.approx(8, abs=1)
    network.pictures.clear()
    alike, other = replay_film(
        film, [look_at(whole), look_at(whole)], lambda width, aspect: network, None, starts=START
    )
    assert len(network.pictures) == pytest.approx(40, abs=1), "sets of rules share one look"
    assert [each.opened_at for each in alike] == [each.opened_at for each in other]
    assert len(alike) == 1
    network.pictures.clear()
    replay_film(
        film, [look_at(whole), look_at(plan)], lambda width, aspect: network, None, starts=START
    )
    assert len(network.pictures) == pytest.approx(80, abs=2)


def cut_off(data: bytes) -> bytes:
    return data[: len(data) // 2]


def scratched(data: bytes) -> bytes:
    middle = len(data) // 2
    return (
        data[:middle]
        + bytes(byte ^ 0x5A for byte in data[middle : middle + 400])
        + data[middle + 400 :]
    )


@pytest.mark.parametrize(("harm", "reached_s"), [(cut_off, 1.0), (scratched, 3.9)])
def test_a_damaged_film_costs_what_is_damaged_and_says_so(
    film: Path, tmp_path: Path, harm: Callable[[bytes], bytes], reached_s: float
) -> None:
    harmed = tmp_path / "film.mkv"
    harmed.write_bytes(harm(film.read_bytes()))
    damage = Damage()
    frames = list(frames_of(harmed, camera_id="cam", width_px=320, starts=START, damage=damage))
    assert reached_s <= frames[-1].captured_at.wall < 4.0
    assert len(frames) < 80
    assert damage.pictures > 0
    assert 0.5 < damage.first_s < 3.5


def test_a_sound_film_is_not_called_damaged(film: Path) -> None:
    damage = Damage()
    frames = frames_of(film, camera_id="cam", width_px=320, starts=START, damage=damage)
    assert (sum(1 for _ in frames), damage) == (80, Damage())


def write_sound(path: Path) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=44100)
        quiet = av.AudioFrame.from_ndarray(
            np.zeros((1, 44100), np.float32), format="fltp", layout="mono"
        )
        quiet.rate = 44100
        container.mux(stream.encode(quiet))
        container.mux(stream.encode(None))


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (Path.touch, "camera.not_video"),
    "words": (lambda path: path.write_text("no film " * 99), "camera.not_video"),
    "sound": (write_sound, "camera.not_video"),
    "absent": (lambda path: None, "camera.not_found"),
    "folder": (Path.mkdir, "camera.not_video"),
    "headless": (
        lambda path: path.write_bytes(
            write_film(path, moving_square(1)).read_bytes()[: path.stat().st_size // 2]
        ),
        "camera.not_video",
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_is_no_film_is_refused_by_name(tmp_path: Path, name: str) -> None:
    make, key = UNUSABLE[name]
    place, site = tmp_path / "film.mp4", tmp_path / "site.yaml"
    make(place)
    site.write_text(SITE_FILE, encoding="utf-8")
    with pytest.raises(AnjeonError) as caught:
        run_replay(
            Settings(data_dir=tmp_path / "data"),
            place,
            rule="keep-out",
            camera=None,
            since="24h",
            site_file=site,
            out=None,
            as_object=True,
        )
    assert caught.value.key == key
    assert "film.mp4" in str(caught.value)


NOW = 1_767_600_000.0


@pytest.mark.parametrize(
    ("since", "key"),
    [
        ("", "replay.since"),
        ("h", "replay.since"),
        ("²h", "replay.since"),
        ("infd", "replay.since"),
        ("nanm", "replay.since"),
        ("yesterday", "replay.since"),
        ("2026-13-01", "replay.since"),
        ("0h", "replay.future"),
        ("-2h", "replay.future"),
        ("2999-01-01T08:00", "replay.future"),
    ],
)
def test_times_that_are_none_or_still_to_come(since: str, key: str) -> None:
    with pytest.raises(AnjeonError) as caught:
        moment(since, NOW, "Asia/Seoul")
    assert caught.value.key == key


def test_a_time_without_a_zone_is_the_sites() -> None:
    assert moment("2026-01-05T16:00", NOW, "Asia/Seoul") == NOW - 3600
    assert moment("1.5h", NOW, "Asia/Seoul") == NOW - 5400


@pytest.mark.parametrize(
    ("since", "cameras", "key"),
    [
        (NOW, (), "replay.time"),
        (NOW - LONGEST_S - 1, (), "replay.time"),
        (NOW - 3600, ("gone",), "replay.camera"),
        (NOW - 3600, (), "replay.nothing"),
    ],
)
def test_nothing_to_replay(
    tmp_path: Path, since: float, cameras: tuple[str, ...], key: str
) -> None:
    with pytest.raises(AnjeonError) as caught:
        study(SITE, [KEEP_OUT], folder=tmp_path, cameras=cameras, since=since, until=NOW)
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{id: r, kind: intrusion, name: R, zone_id: deleted}", "replay.rule"),
        ("{id: r, kind: no-such-kind, name: R, zone_id: press}", "replay.rule"),
        ("{id: r, kind: intrusion, name: R, zone_id: press, hold_to_open_s: -1}", "replay.rule"),
        ("just words", "replay.rule"),
        ("{id: r, id: r}", "replay.yaml"),
        ("[", "replay.yaml"),
    ],
)
def test_rules_that_cannot_be_tried(tmp_path: Path, text: str, key: str) -> None:
    place = tmp_path / "rule.yaml"
    place.write_text(text, encoding="utf-8")
    with pytest.raises(AnjeonError) as caught:
        proposals_for(SITE, str(place))
    assert caught.value.key == key


def test_a_file_without_rules_and_a_rule_whose_zone_was_deleted(tmp_path: Path) -> None:
    empty = tmp_path / "rule.yaml"
    empty.touch()
    with pytest.raises(AnjeonError):
        proposals_for(SITE, str(empty))
    without_zone = SITE.model_copy(update={"zones": ()})
    with pytest.raises(AnjeonError) as caught:
        checked(without_zone, [KEEP_OUT.model_dump()])
    assert "press" in str(caught.value)
