"""What every detector must do, whichever engine runs it."""

from collections.abc import Callable, Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from safety.demo import SITE
from safety.perception.detector import Detector
from safety.perception.devices import Engine
from safety.perception.load import load_pose_detector
from safety.perception.recorded import RecordedDetector
from safety.types import Detections, Picture
from tests.support.networks import person, write_network_for
from tests.support.pictures import POSE_MODEL, film_frames, people_network
from tests.support.third_party import third_party

_KNOWN: tuple[Engine, ...] = ("openvino", "onnxruntime", "ultralytics")
ENGINES: tuple[Engine, ...] = tuple(name for name in _KNOWN if find_spec(name) is not None)
"""Those that this environment has: Ultralytics has one of its own, see ``tests/peers``."""
MAX_BATCH = 3
GREY = np.full((360, 640, 3), 114, np.uint8)

SCRIPT = np.array(
    [
        person(200, 100, 40, 90, 0.6),
        person(420, 200, 60, 150, 0.9),
        person(421, 201, 60, 150, 0.8),
        person(100, 300, 30, 60, 0.2),
    ],
    np.float32,
)
"""Two persons, a second box on the better one, and somebody below the threshold."""


def _load(model: Path, engine: Engine, cache: Path) -> Detector:
    return load_pose_detector(
        model,
        width=640,
        aspect=16 / 9,
        backend=engine,
        device="cpu",
        cache_dir=cache,
        max_batch=MAX_BATCH,
    )


@pytest.fixture(scope="module", params=[*ENGINES, "recorded"])
def scripted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Detector]:
    """Every detector, over a network (or a recording) that always sees the same two persons."""
    folder = tmp_path_factory.mktemp("scripted")
    detector: Detector
    if request.param == "recorded":
        source = _load(write_network_for(ENGINES[0], folder / "net", SCRIPT), ENGINES[0], folder)
        detector = RecordedDetector(source.detect([GREY]), network_px=source.network_px)
        source.close()
    else:
        model = write_network_for(request.param, folder / "net", SCRIPT)
        detector = _load(model, request.param, folder)
    yield detector
    detector.close()


@pytest.fixture(scope="module", params=ENGINES)
def real(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Detector]:
    """Every engine with weights that have seen people."""
    model = _weights(request.param)
    detector = _load(model, request.param, tmp_path_factory.mktemp("real"))
    yield detector
    detector.close()


@pytest.fixture(scope="module")
def people() -> list[Picture]:
    """Frames with people in them."""
    scenes = SITE.parent / "scenes"
    moments = [2.0, 4.0, 6.0, 8.0]
    films = ("cell_intrusion.mp4", "busy_quiet.mp4")
    return [frame for film in films for frame in film_frames(scenes / film, moments)]


def _weights(engine: str) -> Path:
    """Ultralytics reads the base weights, the others what the product ships."""
    return third_party(POSE_MODEL) if engine == "ultralytics" else people_network()


def _assert_same(first: Detections, second: Detections) -> None:
    np.testing.assert_allclose(first.boxes, second.boxes, atol=1e-4)
    np.testing.assert_allclose(first.scores, second.scores, atol=1e-4)
    np.testing.assert_array_equal(first.classes, second.classes)
    np.testing.assert_allclose(first.keypoints, second.keypoints, atol=1e-4)


def test_says_what_it_is(scripted: Detector) -> None:
    assert scripted.network_px == (640, 384)
    assert scripted.backend in (*ENGINES, "recorded")
    assert scripted.nonfinite_outputs == 0


def test_no_pictures_no_answers(scripted: Detector) -> None:
    assert scripted.detect([]) == []


@pytest.mark.parametrize("count", range(1, 9))
def test_one_answer_per_picture(scripted: Detector, count: int) -> None:
    found = scripted.detect([GREY] * count)
    assert [len(detections) for detections in found] == [2] * count


def test_answers_in_normalised_coordinates_best_first(scripted: Detector) -> None:
    (found,) = scripted.detect([GREY])
    assert found.scores == pytest.approx([0.9, 0.6])
    assert found.classes.tolist() == [0, 0]
    # The picture lies 12 px below the network's upper edge and is 360 px high.
    left, right = (420 - 30) / 640, (420 + 30) / 640
    top, bottom = (200 - 75 - 12) / 360, (200 + 75 - 12) / 360
    assert found.boxes[0] == pytest.approx([left, top, right, bottom], abs=1e-6)
    assert found.keypoints[0, 5] == pytest.approx([420 / 640, 188 / 360, 0.9], abs=1e-6)


def test_answers_are_of_the_declared_types(scripted: Detector) -> None:
    (found,) = scripted.detect([GREY])
    assert found.boxes.dtype == found.scores.dtype == found.keypoints.dtype == np.float32
    assert found.classes.dtype == np.int64


@pytest.mark.parametrize(
    "size",
    [(1, 1), (2, 3), (33, 57), (57, 33), (1080, 1920), (1920, 1080), (480, 640), (20, 2000)],
)
def test_takes_pictures_of_any_size(scripted: Detector, size: tuple[int, int]) -> None:
    (found,) = scripted.detect([np.zeros((*size, 3), np.uint8)])
    assert found.boxes.min() >= 0
    assert found.boxes.max() <= 1
    assert found.keypoints.min() >= 0
    assert found.keypoints.max() <= 1


@pytest.mark.parametrize(
    "no_picture",
    [
        np.zeros((360, 640), np.uint8),
        np.zeros((360, 640, 4), np.uint8),
        np.zeros((360, 640, 3), np.float32),
        np.zeros((0, 640, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_refuses_what_is_no_picture_and_goes_on(scripted: Detector, no_picture: Picture) -> None:
    with pytest.raises(ValueError, match="a picture is uint8"):
        scripted.detect([GREY, no_picture, GREY])
    assert len(scripted.detect([GREY])) == 1


def test_a_stream_goes_on_while_there_are_pictures(scripted: Detector) -> None:
    """Pictures that turn up while others are under way, with gaps, belong to the same stream."""
    waiting: list[Picture | None] = [GREY, None, GREY, GREY, None, GREY, GREY, GREY]

    found = list(scripted.stream(lambda: waiting.pop(0) if waiting else None))

    # What came after a gap may be left for the next stream, but is never lost.
    found += scripted.stream(lambda: waiting.pop(0) if waiting else None)
    found += scripted.stream(lambda: waiting.pop(0) if waiting else None)
    assert [len(detections) for detections in found] == [2] * 6


def test_a_stream_that_nobody_reads_to_its_end_costs_the_next_one_nothing(
    scripted: Detector,
) -> None:
    stream = scripted.stream(lambda: GREY)
    next(stream)
    assert isinstance(stream, Generator)
    stream.close()
    assert [len(detections) for detections in scripted.detect([GREY] * 5)] == [2] * 5


@pytest.mark.parametrize("before", range(4))
def test_a_stream_breaks_at_what_is_no_picture_and_the_next_one_works(
    scripted: Detector, before: int
) -> None:
    waiting = [GREY] * before + [np.zeros((360, 640), np.uint8)]
    with pytest.raises(ValueError, match="a picture is uint8"):
        list(scripted.stream(lambda: waiting.pop(0) if waiting else None))
    assert [len(detections) for detections in scripted.detect([GREY] * 5)] == [2] * 5


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("row", [0, 2, 4, 20], ids=["x", "width", "score", "keypoint"])
@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_broken_numbers_are_dropped_and_counted(
    engine: Engine, row: int, broken: float, tmp_path: Path
) -> None:
    anchors = SCRIPT.copy()
    anchors[1, row] = broken
    model = write_network_for(engine, tmp_path / "broken", anchors)
    detector = _load(model, engine, tmp_path)

    found = detector.detect([GREY, GREY])

    # Each picture, and the one that was looked at while loading.
    silent = row == 4 and broken == -np.inf  # no score at all: below every threshold
    assert detector.nonfinite_outputs == (0 if silent else 3)
    assert [detections.scores.max() for detections in found] == pytest.approx([0.8, 0.8])
    assert all(np.isfinite(detections.boxes).all() for detections in found)


@pytest.mark.parametrize("level", [0, 114, 255])
def test_sees_nobody_in_an_empty_picture(real: Detector, level: int) -> None:
    (found,) = real.detect([np.full((360, 640, 3), level, np.uint8)])
    assert len(found) == 0


@pytest.mark.parametrize("count", range(1, 9))
def test_sees_the_same_alone_and_in_company(
    real: Detector, people: list[Picture], count: int
) -> None:
    pictures = people[:count]
    together = real.detect(pictures)
    assert sum(len(detections) for detections in together) >= 1
    for picture, found in zip(pictures, together, strict=True):
        (alone,) = real.detect([picture])
        _assert_same(alone, found)


@pytest.mark.parametrize(
    "view",
    [
        lambda p: np.ascontiguousarray(p[..., ::-1])[..., ::-1],
        lambda p: np.asfortranarray(p),
        lambda p: np.pad(p, ((8, 8), (8, 8), (0, 0)))[8:-8, 8:-8],
    ],
    ids=["channels turned", "columns first", "cut out"],
)
def test_memory_layout_does_not_matter(
    real: Detector, people: list[Picture], view: Callable[[Picture], Picture]
) -> None:
    (plain,) = real.detect(people[:1])
    (viewed,) = real.detect([view(people[0])])
    _assert_same(plain, viewed)


@pytest.mark.third_party
def test_engines_agree(people: list[Picture], tmp_path: Path) -> None:
    model = third_party(POSE_MODEL)
    first, *others = (_load(model, engine, tmp_path).detect(people) for engine in ENGINES)
    assert others
    for found in others:
        for ours, theirs in zip(first, found, strict=True):
            _assert_same(ours, theirs)
