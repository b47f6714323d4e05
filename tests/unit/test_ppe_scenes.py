"""Protective equipment on the rendered scenes, where it is known who wears what.

Persons come from the truth, so that what is tested is the looks, the binding, the vote and the
rule; the last tests need the network that is shipped.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np
import pytest

from cameras.analyst import Analyst
from cameras.decoder import WholeFrame
from cameras.film import frames_of
from cameras.ppe import look_at_once
from cameras.ppe_watch import PpeWatch
from safety.clock import Instant
from safety.config import Settings
from safety.errors import ModelError
from safety.perception.detector import ObjectDetector
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model
from safety.perception.ppe_binding import NOTHING, bind
from safety.perception.ppe_load import load_ppe_detector
from safety.perception.tracking import LEAST_SCORE
from safety.types import (
    FloatArray,
    Frame,
    Phase,
    PlantState,
    PpeItem,
    PpeState,
    TrackedPerson,
    Violation,
)
from tests.support.observations import engine_of
from tests.support.ppe import hat, vest
from tests.support.third_party import third_party
from tests.support.truth import Scene, read_scene
from zones.rules.missing_ppe import MissingPpeSpec
from zones.specs import ZoneSpec

pytestmark = pytest.mark.third_party

HAT, VEST = PpeItem.HARDHAT, PpeItem.VEST
WORN, MISSING = PpeState.WORN, PpeState.MISSING


def scene_of(name: str) -> Scene:
    third_party(f"scenes/{name}/video.mp4")
    return read_scene(name)


def dress_of(name: str) -> dict[int, dict[PpeItem, PpeState]]:
    """What everybody of a scene wears, by track id."""
    truth = json.loads(third_party(f"scenes/{name}/truth.json").read_text(encoding="utf-8"))
    return {
        number: {
            HAT: WORN if person["hat"] else MISSING,
            VEST: WORN if person["vest"] else MISSING,
        }
        for number, person in enumerate(truth["people"], start=1)
    }


@pytest.mark.parametrize("name", ["ppe_mix", "busy_quiet"])
@pytest.mark.parametrize("item", [HAT, VEST])
def test_what_the_network_misses_is_not_taken_from_a_neighbour(name: str, item: PpeItem) -> None:
    """Every person in turn is the one on whom the network finds nothing."""
    scene = scene_of(name)
    find = hat if item is HAT else vest
    told = asked = 0
    for observation in scene.observations():
        persons = observation.persons
        # The score tells whose finding it is.
        own = {p.track_id: find(p, score=0.5 + p.track_id / 100) for p in persons}
        for missed in persons:
            found = [own[p.track_id] for p in persons if p is not missed]
            evidence = bind(persons, found, [item], aspect=scene.aspect, height_px=scene.height_px)
            assert evidence[missed.track_id][item] == NOTHING
            for person in persons:
                asked += person is not missed
                if (worn := evidence[person.track_id][item].worn) > 0:
                    assert worn == own[person.track_id].score
                    told += 1
    assert told > 0.6 * asked


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectDetector]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    try:
        detector = load_ppe_detector(settings)
    except ModelError as missing:
        pytest.skip(str(missing))
    yield detector
    detector.close()


@dataclass
class Patrol:
    """What a camera with a rule on the aisle makes of a scene."""

    reports: list[Violation] = field(default_factory=list)
    said: dict[tuple[int, PpeItem], set[PpeState]] = field(default_factory=lambda: defaultdict(set))

    def missing(self) -> dict[str, set[str]]:
        """Everything that was ever reported missing, by person."""
        found: dict[str, set[str]] = defaultdict(set)
        for report in self.reports:
            names = report.details["missing"]
            assert isinstance(names, list)
            found[report.subject] |= set(names)
        return dict(found)


def patrol(scene: Scene, network: ObjectDetector) -> Patrol:
    aisle = ZoneSpec(id="aisle", name="Aisle", camera_id="cam", polygon=scene.zones["aisle"])
    engine = engine_of(MissingPpeSpec(id="ppe", name="PPE", zone_id="aisle"), zones=[aisle])
    watch, result = PpeWatch(), Patrol()
    for observation, frame in zip(scene.observations(), frames(scene), strict=False):
        frame = replace(frame, captured_at=observation.at)
        persons = watch.wear(observation.persons, engine.ppe_wanted, observation.at)
        result.reports += engine.update(replace(observation, persons=persons), PlantState())
        look_at_once(network, watch, frame, persons, engine.ppe_wanted)
        note(result, persons)
    return result


def note(result: Patrol, persons: tuple[TrackedPerson, ...]) -> None:
    for person in persons:
        for item, state in person.ppe.items():
            result.said[person.track_id, item].add(state)


def frames(scene: Scene) -> Iterator[Frame]:
    """The scene's pictures at full resolution; nobody scales them here."""
    origin = scene.observations()[0].at
    with av.open(str(Path(scene.video))) as film:
        for number, picture in enumerate(film.decode(video=0), start=1):
            yield Frame(
                camera_id="cam",
                sequence=number,
                captured_at=origin,
                width_px=scene.width_px,
                height_px=scene.height_px,
                picture=np.zeros((1, 1, 3), np.uint8),
                full=WholeFrame(picture),
            )


def test_who_lacks_what_is_found_and_nobody_swaps(network: ObjectDetector) -> None:
    """Four people; two cross side by side; one is in the aisle for four seconds only."""
    result = patrol(scene_of("ppe_mix"), network)
    opened = {r.subject for r in result.reports if r.phase is Phase.OPENED}
    assert {"person-2", "person-4"} <= opened <= {"person-2", "person-3", "person-4"}
    missing = result.missing()
    assert missing["person-2"] == {"vest"}
    assert missing["person-4"] == {"hardhat", "vest"}
    assert missing.get("person-3", {"hardhat"}) == {"hardhat"}
    never_opposite(result, dress_of("ppe_mix"))


def test_five_who_wear_everything_raise_nothing(network: ObjectDetector) -> None:
    result = patrol(scene_of("busy_quiet"), network)
    assert result.reports == []


@pytest.mark.parametrize("name", ["ppe_mix", "busy_quiet"])
def test_with_the_shipped_networks_nobody_is_accused_of_more_than_the_truth(
    name: str, network: ObjectDetector, tmp_path: Path
) -> None:
    """Persons found and followed by the product itself, as a camera of 640 pixels would."""
    scene, dress = scene_of(name), dress_of(name)
    aisle = ZoneSpec(id="aisle", name="Aisle", camera_id="cam", polygon=scene.zones["aisle"])
    analyst = Analyst(
        engine_of(MissingPpeSpec(id="ppe", name="PPE", zone_id="aisle"), zones=[aisle])
    )
    people = load_pose_detector(
        find_pose_model(Settings()),
        width=640,
        aspect=scene.aspect,
        cache_dir=tmp_path,
        confidence=LEAST_SCORE,
    )
    accused: set[tuple[int, PpeItem]] = set()
    start = Instant(wall=1e9, monotonic=1000.0)
    films = frames_of(scene.video, camera_id="cam", width_px=640, starts=start)
    for number, frame in enumerate(films):
        if number % 2:
            continue
        [detections] = people.detect([frame.picture])
        seen = analyst.observe(frame, detections)
        for report in analyst.judge(seen, PlantState()):
            names = report.details["missing"]
            assert isinstance(names, list)
            if report.box is not None:
                who = nearest(scene, number, np.array(report.box))
                accused |= {(who, PpeItem(item)) for item in names}
        look_at_once(network, analyst.ppe, frame, seen.persons, analyst.rules.ppe_wanted)
    people.close()
    guilty = {(who, item) for who, worn in dress.items() for item in worn if worn[item] is MISSING}
    assert accused <= guilty
    assert len(accused) >= len(guilty) / 2


def nearest(scene: Scene, number: int, box: FloatArray) -> int:
    """Whose box this is most likely: track id of the truth."""
    frame = scene.frames[number]
    return int(frame.people[np.abs(frame.boxes - box).sum(axis=1).argmin()]) + 1


def never_opposite(result: Patrol, dress: dict[int, dict[PpeItem, PpeState]]) -> None:
    """Whatever was said of anybody at any moment, it was the truth or "cannot tell"."""
    for (track_id, item), states in result.said.items():
        assert states <= {dress[track_id][item], PpeState.UNKNOWN}, (track_id, item)
