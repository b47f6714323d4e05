"""Blurred copies: nobody can be recognised in them, whatever the network misses."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from safety.config import Settings
from safety.demo import SITE
from safety.evidence.blurring import HOLD_S, Found, Part, blur, heads, regions
from safety.evidence.copies import Copies, NoCopy, detector_maker
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model
from safety.replay.clips import cut
from safety.store.tables import Evidence
from safety.types import FloatArray, Picture

BOX = (0.4, 0.2, 0.5, 0.8)


def keypoints(confidence: float = 0.9) -> FloatArray:
    """Of somebody upright in ``BOX``: a head at the top, shoulders below it."""
    points = np.zeros((17, 3), np.float32)
    points[:, 2] = confidence
    points[:5, :2] = [(0.45, 0.25), (0.445, 0.24), (0.455, 0.24), (0.44, 0.25), (0.46, 0.25)]
    points[5:7, :2] = [(0.42, 0.33), (0.48, 0.33)]
    points[7:, :2] = (0.45, 0.6)
    return points


def found(at_s: float, *boxes: tuple[float, float, float, float]) -> Found:
    persons = np.array(boxes, np.float32).reshape(-1, 4)
    return Found(at_s=at_s, persons=persons, heads=persons * 0.5)


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


@pytest.mark.parametrize("part", ["faces", "bodies"])
def test_somebody_missed_in_a_frame_is_blurred_where_they_were_a_moment_ago(part: Part) -> None:
    frames = [found(0.0, BOX), found(0.2), found(0.4), found(HOLD_S + 0.45)]
    for index in (1, 2):
        there = regions(frames, index, part)
        assert there is not None
        assert there[0, 2] - there[0, 0] > 0.05
    assert regions(frames, 3, part) is None


def test_somebody_missed_beside_others_is_blurred_too() -> None:
    other = (0.8, 0.2, 0.9, 0.8)
    frames = [found(0.0, BOX, other), found(0.1, other), found(0.2, BOX, other)]
    there = regions(frames, 1, "bodies")
    assert covers(there, BOX)
    assert covers(there, other)
    assert there is not None
    assert len(there) == 2


def test_somebody_is_blurred_before_the_network_first_finds_them() -> None:
    assert covers(regions([found(0.0), found(0.3, BOX)], 0, "bodies"), BOX)


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
