"""Blurred copies: nobody can be recognised in them, whatever the network misses."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.config import Settings
from safety.demo import SITE
from safety.evidence.blurring import Found, Part, blur, heads, regions, shows_a_head
from safety.evidence.copies import Copies, NoCopy, detector_maker
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model
from safety.replay.clips import cut
from safety.store.tables import Evidence
from safety.types import Detections, FloatArray, Picture
from tests.support.videos import write_film

BOX = (0.4, 0.2, 0.5, 0.8)


def keypoints(confidence: float = 0.9) -> FloatArray:
    """Of somebody upright in ``BOX``: a head at the top, shoulders below it."""
    points = np.zeros((17, 3), np.float32)
    points[:, 2] = confidence
    points[:5, :2] = [(0.45, 0.25), (0.445, 0.24), (0.455, 0.24), (0.44, 0.25), (0.46, 0.25)]
    points[5:7, :2] = [(0.42, 0.33), (0.48, 0.33)]
    points[7:, :2] = (0.45, 0.6)
    return points


def found(at_s: float, *boxes: tuple[float, float, float, float], score: float = 0.9) -> Found:
    persons = np.array(boxes, np.float32).reshape(-1, 4)
    heads = persons.copy()
    heads[:, 3] = persons[:, 1] + 0.15
    scores = np.full(len(persons), score, np.float32)
    return Found(at_s=at_s, persons=persons, heads=heads, scores=scores)


def covers(regions: FloatArray | None, box: tuple[float, ...]) -> bool:
    if regions is None:
        return True
    left, top, right, bottom = box
    return any(
        r[0] <= left and r[1] <= top and r[2] >= right and r[3] >= bottom for r in regions.tolist()
    )


def test_a_head_is_found_with_a_margin_and_the_rest_is_left() -> None:
    head = heads(np.array([BOX], np.float32), keypoints()[None], aspect=16 / 9)
    assert covers(head, (0.43, 0.19, 0.47, 0.31))
    assert head[0, 3] < 0.5


@pytest.mark.parametrize("unsure", [[0, 1, 2, 3, 4], [1, 2, 3, 4]])
def test_where_a_head_is_not_sure_the_whole_person_is_blurred(unsure: list[int]) -> None:
    points = keypoints()
    points[unsure, 2] = 0.2
    assert covers(heads(np.array([BOX], np.float32), points[None], aspect=16 / 9), BOX)


SMALL = (0.4, 0.4, 0.43, 0.55)
EDGE = (0.0, 0.2, 0.1, 0.8)
FAR = (0.75, 0.2, 0.85, 0.8)


def walk(
    times: Sequence[float], *, seen: Callable[[float], bool], speed: float = 0.05
) -> list[Found]:
    """Somebody walks to the right; ``speed`` in widths of the picture per second."""
    return [found(t, *[(0.1 + speed * t, 0.3, 0.16 + speed * t, 0.6)] * seen(t)) for t in times]


TIMES = [n / 10 for n in range(80)]


@pytest.mark.parametrize("part", ["faces", "bodies"])
@pytest.mark.parametrize(("begins_s", "ends_s"), [(2.0, 2.3), (2.0, 3.0), (2.0, 5.0)])
def test_somebody_missed_for_a_while_is_blurred_on_the_way(
    part: Part, begins_s: float, ends_s: float
) -> None:
    hidden = regions(walk(TIMES, seen=lambda t: not begins_s < t < ends_s), part)
    truth = walk(TIMES, seen=lambda t: True)
    for boxes, true in zip(hidden, truth, strict=True):
        head = true.heads[0]
        assert covers(boxes, tuple(head.tolist()))


@pytest.mark.parametrize("part", ["faces", "bodies"])
def test_somebody_lost_within_the_picture_is_blurred_there_until_the_end(part: Part) -> None:
    frames = [found(t / 10, *([SMALL] if t < 5 else []), FAR) for t in range(50)]
    hidden = regions(frames, part)
    assert covers(hidden[-1], SMALL)
    assert not covers(hidden[-1], (0.0, 0.0, 0.05, 0.05))
    # And backwards: somebody who is first found late was there before.
    assert covers(
        regions([found(-t.at_s, *t.persons.tolist()) for t in frames[::-1]], part)[0], SMALL
    )


@pytest.mark.parametrize(
    ("box", "score", "sightings"), [(EDGE, 0.9, 5), (SMALL, 0.2, 2)], ids=["left", "perhaps"]
)
def test_who_left_and_what_was_perhaps_nobody_is_not_blurred_for_ever(
    box: tuple[float, float, float, float], score: float, sightings: int
) -> None:
    frames = [found(t / 10, FAR) for t in range(50)]
    frames[:sightings] = [
        Found(
            at_s=t / 10,
            persons=np.array([box, FAR], np.float32),
            heads=np.array([box, FAR], np.float32),
            scores=np.array([score, 0.9], np.float32),
        )
        for t in range(sightings)
    ]
    hidden = regions(frames, "bodies")
    assert covers(hidden[sightings + 2], box)
    assert not covers(hidden[-1], box)


def test_nobody_known_to_be_there_is_a_picture_blurred_as_a_whole() -> None:
    assert regions([found(0.0), found(0.1)], "bodies") == [None, None]


def test_who_goes_far_unseen_may_have_gone_any_way() -> None:
    frames = walk(TIMES, seen=lambda t: not 2.0 < t < 6.0, speed=0.08)
    hidden = regions(frames, "bodies")
    assert hidden[40] is None
    assert hidden[22] is not None


@given(
    gap=st.tuples(st.floats(0.5, 6.0), st.floats(0.1, 1.5)),
    speed=st.floats(-0.02, 0.1),
    part=st.sampled_from(["faces", "bodies"]),
)
@settings(max_examples=40, deadline=None)
def test_whoever_walks_steadily_is_never_shown(
    gap: tuple[float, float], speed: float, part: Part
) -> None:
    begins_s, length_s = gap
    hidden = regions(
        walk(TIMES, seen=lambda t: not begins_s < t < begins_s + length_s, speed=speed), part
    )
    truth = walk(TIMES, seen=lambda t: True, speed=speed)
    for boxes, true in zip(hidden, truth, strict=True):
        assert covers(boxes, tuple(true.heads[0].clip(0, 1).tolist()))


@pytest.mark.parametrize(
    ("boxes", "shown"),
    [([(0.42, 0.2, 0.48, 0.3)], False), ([(0.8, 0.2, 0.9, 0.3)], True), (None, False)],
)
def test_a_head_that_can_be_found_outside_what_was_blurred_is_noticed(
    boxes: list[tuple[float, float, float, float]] | None, shown: bool
) -> None:
    seen = Detections(
        boxes=np.array([BOX], np.float32),
        scores=np.array([0.9], np.float32),
        classes=np.zeros(1, np.int64),
        keypoints=keypoints()[None],
    )
    assert shows_a_head(seen, None if boxes is None else np.array(boxes, np.float32)) is shown


def test_blurring_leaves_no_detail_and_touches_nothing_else() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
    shown = blur(picture, np.array([[0.25, 0.0, 0.5, 0.5]], np.float32))
    assert np.array_equal(shown[45:], picture[45:])
    assert np.array_equal(shown[:, 80:], picture[:, 80:])
    assert detail(shown[:45, 40:80]) < detail(picture[:45, 40:80]) / 100
    everything = blur(picture, None)
    assert detail(everything) < detail(picture) / 100


def detail(picture: Picture) -> float:
    """How much fine structure there is."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A moment of the demo in which somebody is in the cell, as evidence."""
    directory = tmp_path_factory.mktemp("evidence")
    film = SITE.parent / "scenes" / "cell_intrusion.mp4"
    cut(film, directory / "clip.mp4", start_s=6.0, end_s=6.3)
    frame = next(frames(directory / "clip.mp4"))
    cv2.imwrite(str(directory / "picture.jpg"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    return directory


def frames(path: Path) -> Iterator[Picture]:
    with av.open(path) as film:
        for frame in film.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def evidence(name: str) -> Evidence:
    kind = "clip" if name.endswith(".mp4") else "picture"
    return Evidence(id=name, violation_id="v", kind=kind, state="ready", path=name)


@pytest.fixture
def copies(scene: Path, tmp_path: Path) -> Iterator[Copies]:
    settings = Settings(data_dir=tmp_path)

    # The smaller network is enough for a scene as near as this one.
    make = detector_maker(settings)
    made = Copies(scene, lambda _, aspect: make(640, aspect))
    yield made
    made.close()


def test_heads_in_a_blurred_clip_are_unreadable(
    scene: Path, copies: Copies, tmp_path: Path
) -> None:
    copy = copies.blurred(evidence("clip.mp4"), "faces")
    assert copy == copies.blurred(evidence("clip.mp4"), "faces")
    original, shown = list(frames(scene / "clip.mp4")), list(frames(copy))
    assert len(shown) == len(original)
    height, width = original[0].shape[:2]
    detector = load_pose_detector(
        find_pose_model(Settings()), width=640, aspect=width / height, cache_dir=tmp_path
    )
    seen = 0
    with contextlib.closing(detector):
        for before, after in zip(original[::3], shown[::3], strict=True):
            result = detector.detect([before])[0]
            for points in result.keypoints:
                sure = points[:5][points[:5, 2] > 0.6][:, :2]
                if len(sure) < 3:
                    continue
                (x0, y0), (x1, y1) = sure.min(0), sure.max(0)
                box = np.s_[
                    int(y0 * height) - 3 : int(y1 * height) + 4,
                    int(x0 * width) - 3 : int(x1 * width) + 4,
                ]
                seen += 1
                assert detail(after[box]) < 0.1 * detail(before[box])
    assert seen >= 2


def test_a_blurred_picture_is_a_picture_of_the_same_size(scene: Path, copies: Copies) -> None:
    copy = copies.blurred(evidence("picture.jpg"), "bodies")
    shown, original = cv2.imread(str(copy)), cv2.imread(str(scene / "picture.jpg"))
    assert shown is not None
    assert original is not None
    assert shown.shape == original.shape
    assert not list(scene.glob("*.part"))


def test_a_clip_in_which_nobody_can_be_followed_is_refused_with_the_reason(
    scene: Path, copies: Copies
) -> None:
    grey = np.full((180, 320, 3), 128, np.uint8)
    write_film(scene / "empty.mp4", [grey] * 10)
    with pytest.raises(NoCopy) as refused:
        copies.blurred(evidence("empty.mp4"), "bodies")
    assert refused.value.key == "evidence.unsure"
    assert not (scene / "empty.bodies.mp4").exists()


@pytest.mark.parametrize("content", [b"", b"no film"])
def test_what_cannot_be_read_gives_no_copy(scene: Path, copies: Copies, content: bytes) -> None:
    for name in ("broken.mp4", "broken.jpg"):
        (scene / name).write_bytes(content)
        with pytest.raises(NoCopy):
            copies.blurred(evidence(name), "faces")
        assert not (scene / name).with_suffix(f".faces{Path(name).suffix}").exists()


def test_what_is_gone_or_lies_elsewhere_gives_no_copy(copies: Copies) -> None:
    for name in ("gone.mp4", "../outside.mp4"):
        with pytest.raises(NoCopy):
            copies.blurred(evidence(name), "faces")
