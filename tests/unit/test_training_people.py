"""What the people network learns from and is judged by keeps its meaning on the way."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from safety.training.dataset import Sample
from safety.training.needs import TrainingError
from safety.training.people_ap import PoseAp
from safety.training.people_augment import Composer, Piece, mirrored, piece, scaled, turned
from safety.training.people_choice import Choice, preferred
from safety.training.people_clutter import clutter
from safety.training.people_data import as_seen, with_repeats
from safety.training.people_metrics import Tally
from safety.training.people_pseudo import completed, to_corners
from safety.training.quantize import head_nodes
from safety.training.recipe import read_recipe
from safety.types import Detections, FloatArray
from tests.support.pictures import write_picture

RULES = read_recipe("people").data
CHANCES = read_recipe("people").augmentation


def sample(boxes: list[list[float]], visibility: float = 2.0, **changes: object) -> Sample:
    """Persons with all joints in the middle of their boxes."""
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    keypoints = np.full((len(rows), 17, 3), visibility, np.float32)
    keypoints[..., :2] = rows[:, None, :2]
    fields: dict[str, object] = {
        "picture": Path("none"), "source": "test", "classes": np.zeros(len(rows), np.float32),
        "boxes": rows, "keypoints": keypoints,
    }  # fmt: skip
    return Sample(**{**fields, **changes})  # type: ignore[arg-type]


def found(boxes: list[list[float]], scores: list[float], confidence: float = 0.9) -> Detections:
    """Persons given by middle, width, height."""
    truth = sample(boxes)
    keypoints = truth.keypoints.copy()
    keypoints[..., 2] = confidence
    return Detections(
        boxes=to_corners(truth.boxes),
        scores=np.array(scores, np.float32),
        classes=np.zeros(len(scores), np.int64),
        keypoints=keypoints,
    )


def marked(width: int, height: int, spot: tuple[int, int]) -> Piece:
    """A black picture with one white square, and a person whose right eye and box are there."""
    pixels = np.zeros((height, width, 3), np.uint8)
    x, y = spot
    pixels[y - 4 : y + 4, x - 4 : x + 4] = 255
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, 2] = (x, y, 2)
    box = np.array([[x - 4, y - 4, x + 4, y + 4]], np.float32)
    return Piece(pixels, np.zeros(1, np.float32), box, keypoints)


def centre_of_light(pixels: FloatArray) -> FloatArray:
    rows, columns = np.nonzero(pixels[..., 0] > 127)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5], np.float32)


@given(
    size=st.tuples(st.integers(60, 120), st.integers(60, 120)),
    spot=st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 0.9)),
    factor=st.floats(0.6, 1.6),
)
@settings(max_examples=40, deadline=None)
def test_labels_stay_on_what_they_mark(
    size: tuple[int, int], spot: tuple[float, float], factor: float
) -> None:
    at = (int(spot[0] * (size[0] - 10)) + 5, int(spot[1] * (size[1] - 10)) + 5)
    original = marked(*size, at)
    steps = {"mirrored": mirrored(original), "turned": turned(original)}
    steps["scaled"] = scaled(original, factor, cv2.INTER_AREA)
    for name, step in steps.items():
        eye = 1 if name == "mirrored" else 2
        light = centre_of_light(step.pixels.astype(np.float32))
        assert step.keypoints[0, eye, :2] == pytest.approx(light, abs=1.0), name
        assert (step.boxes[0, :2] + step.boxes[0, 2:]) / 2 == pytest.approx(light, abs=1.0), name
        assert (step.boxes[0, 2:] > step.boxes[0, :2]).all(), name


def test_four_quarter_turns_and_two_mirrors_change_nothing() -> None:
    original = marked(100, 70, (20, 30))
    again = mirrored(mirrored(turned(turned(turned(turned(original))))))
    assert (again.pixels == original.pixels).all()
    assert again.keypoints == pytest.approx(original.keypoints)
    assert again.boxes == pytest.approx(original.boxes)


def test_canvases_hold_their_labels(tmp_path: Path) -> None:
    picture = tmp_path / "one.png"
    write_picture(picture, np.full((270, 480, 3), 90, np.uint8))
    persons = sample([[0.3, 0.5, 0.2, 0.6], [0.8, 0.4, 0.1, 0.3]], picture=picture)
    composer = Composer([persons] * 4, (320, 192), CHANCES)
    kept = 0
    for number in range(40):
        canvas = composer.compose(number % 4, np.random.default_rng(number))
        assert canvas.pixels.shape == (192, 320, 3)
        assert len(canvas.classes) == len(canvas.boxes) == len(canvas.keypoints)
        assert (canvas.boxes >= 0).all()
        assert (canvas.boxes <= [320, 192, 320, 192]).all()
        seen = canvas.keypoints[canvas.keypoints[..., 2] > 0][:, :2]
        assert (seen >= 0).all()
        assert (seen < [320, 192]).all()
        kept += len(canvas.boxes)
    assert kept > 40


def test_the_same_seed_draws_the_same_canvas(tmp_path: Path) -> None:
    picture = tmp_path / "one.png"
    noise = np.random.default_rng(0).integers(0, 255, (270, 480, 3)).astype(np.uint8)
    write_picture(picture, noise)
    composer = Composer([sample([[0.3, 0.5, 0.2, 0.6]], picture=picture)] * 4, (320, 192), CHANCES)
    one, two = (composer.compose(0, np.random.default_rng(7)) for _ in range(2))
    assert (one.pixels == two.pixels).all()
    assert (one.boxes == two.boxes).all()


def test_labelled_persons_get_the_keypoints_of_the_network() -> None:
    done = completed(sample([[0.3, 0.5, 0.2, 0.6]]), found([[0.31, 0.5, 0.2, 0.6]], [0.3]), RULES)
    assert len(done.boxes) == 1
    assert done.boxes[0] == pytest.approx([0.3, 0.5, 0.2, 0.6]), "the label's box stays"
    assert (done.keypoints[0, :, 2] == 2).all()
    assert done.keypoints[0, 0, 0] == pytest.approx(0.31)


@pytest.mark.parametrize(
    ("detected", "score", "persons", "visibility"),
    [
        ([0.8, 0.5, 0.1, 0.3], 0.9, 2, [-1, 2]),  # nobody labelled this one
        ([0.8, 0.5, 0.1, 0.3], 0.3, 1, [-1]),  # too unsure to become a person
        ([0.3, 0.5, 0.2, 0.25], 0.9, 1, [-1]),  # half of the labelled person: neither
    ],
)
def test_persons_that_nobody_labelled_are_added_if_sure(
    detected: list[float], score: float, persons: int, visibility: list[float]
) -> None:
    done = completed(sample([[0.3, 0.5, 0.2, 0.6]]), found([detected], [score]), RULES)
    assert len(done.boxes) == persons
    assert done.keypoints[:, 0, 2].tolist() == visibility


def test_unsure_keypoints_are_not_there() -> None:
    box = [0.3, 0.5, 0.2, 0.6]
    done = completed(sample([box]), found([box], [0.9], confidence=0.4), RULES)
    assert (done.keypoints[0, :, 2] == 0).all()


def test_forklifts_are_left_alone() -> None:
    forklift = sample([[0.3, 0.5, 0.2, 0.6]], 0.0, classes=np.ones(1, np.float32))
    done = completed(forklift, found([[0.3, 0.5, 0.2, 0.6]], [0.9]), RULES)
    assert done.classes.tolist() == [1, 0]
    assert (done.keypoints[0] == forklift.keypoints[0]).all()


def test_joints_that_nobody_could_see_are_not_claimed() -> None:
    person = sample([[0.5, 0.5, 0.2, 0.4]], visibility=1.0)
    person.keypoints[0, 16, :2] = (0.5, 0.9)
    person.keypoints[0, 15] = (0.5, 0.9, 2.0)
    done = as_seen(person).keypoints[0, :, 2]
    assert (done[:5] == 0).all(), "hidden features of the face"
    assert (done[5:15] == 1).all(), "hidden joints inside the box"
    assert done[15] == 2, "visible ones stay wherever they are"
    assert done[16] == 0, "hidden outside the visible box"


def test_a_perfect_network_scores_perfectly() -> None:
    boxes = [[0.3, 0.5, 0.2, 0.6], [0.7, 0.5, 0.2, 0.6]]
    tally, ap = Tally(), PoseAp()
    tally.count(sample(boxes), found(boxes, [0.9, 0.8]), 0, 16 / 9)
    ap.count(sample(boxes), found(boxes, [0.9, 0.8]), 16 / 9)
    assert (tally.recall, tally.precision, tally.f1) == (1, 1, 1)
    assert tally.oks == pytest.approx(1)
    assert ap.value == pytest.approx(1)


def test_faults_cost_what_they_should() -> None:
    boxes = [[0.3, 0.5, 0.2, 0.6], [0.7, 0.5, 0.2, 0.6]]
    seen = found([boxes[0], [0.1, 0.1, 0.1, 0.1]], [0.9, 0.95])
    tally, ap = Tally(), PoseAp()
    tally.count(sample(boxes), seen, 0, 1.0)
    ap.count(sample(boxes), seen, 1.0)
    assert (tally.hits, tally.misses, tally.false) == (1, 1, 1)
    # The false person comes first: precision is one half up to a recall of one half.
    assert ap.value == pytest.approx(0.5 * 51 / 101)


def test_persons_with_unknown_keypoints_count_neither_way() -> None:
    ap = PoseAp()
    box = [0.3, 0.5, 0.2, 0.6]
    ap.count(sample([box], visibility=-1.0), found([box], [0.9]), 1.0)
    assert (ap.persons, ap.scores) == (0, [])


def test_keypoint_errors_lower_the_similarity() -> None:
    box = [0.3, 0.5, 0.2, 0.6]
    likeness = []
    for error in (0.0, 0.02, 0.1):
        shifted = found([box], [0.9])
        shifted.keypoints[..., 0] += error
        tally = Tally()
        tally.count(sample([box]), shifted, 0, 1.0)
        likeness.append(tally.oks)
    assert likeness[0] == pytest.approx(1)
    assert likeness[0] > likeness[1] > likeness[2]


def choice(share: float, recall: float, precision: float, rendered: float = 0.8) -> Choice:
    return Choice(
        share=share,
        threshold=0.25,
        figures={
            "real_recall": recall, "real_precision": precision, "real_oks": 0.8,
            "rendered_recall": rendered, "rendered_precision": 0.95, "rendered_oks": 0.6,
        },
    )  # fmt: skip


BASE = choice(0.0, 0.6, 0.9, rendered=0.5)


@pytest.mark.parametrize(
    ("choices", "share"),
    [
        # Better everywhere.
        ([choice(0.5, 0.6, 0.9, rendered=0.6), choice(0.7, 0.65, 0.92)], 0.7),
        # Best by far, but photographs lose recall, or precision.
        ([choice(1.0, 0.59, 0.99, rendered=0.95), choice(0.7, 0.61, 0.91)], 0.7),
        ([choice(1.0, 0.9, 0.89, rendered=0.95), choice(0.7, 0.61, 0.91)], 0.7),
        # As good as each other: fewer false alarms.
        ([choice(0.7, 0.65, 0.91), choice(0.8, 0.635, 0.93)], 0.8),
        # A loss that chance could be is none.
        ([choice(0.7, 0.597, 0.95), choice(0.8, 0.6, 0.9)], 0.7),
        # Nothing is without loss: the smallest.
        ([choice(0.7, 0.55, 0.9), choice(0.8, 0.58, 0.9)], 0.8),
    ],
)
def test_what_ships_loses_nothing_on_photographs(choices: list[Choice], share: float) -> None:
    assert preferred(choices, BASE.figures).share == share


def test_pictures_become_pixels() -> None:
    result = piece(sample([[0.5, 0.5, 0.5, 0.5]]), np.zeros((100, 200, 3), np.uint8))
    assert result.boxes[0].tolist() == [50, 25, 150, 75]
    assert result.keypoints[0, 0, :2].tolist() == [100, 50]


@pytest.mark.parametrize(
    ("names", "head"),
    [
        (["/model.0/conv/Conv", "/model.22/Conv", "/model.23/cv2/Conv", "/model.23/Mul"], 2),
        (["Conv_0", "Shape_1", "Shape_2", "Add_3"], 2),
    ],
)
def test_the_head_is_told_from_the_rest(names: list[str], head: int) -> None:
    model = _graph(names)
    assert head_nodes(model) == names[head:]


def test_a_network_without_a_head_is_not_quantized() -> None:
    with pytest.raises(TrainingError, match="cannot be told"):
        head_nodes(_graph(["Conv_0", "Add_1"]))


def _graph(names: list[str]) -> onnx.ModelProto:
    """Nodes by name only; as in our converter, the head's Shape begins at the rows."""
    nodes = []
    for number, name in enumerate(names):
        kind = name.split("_")[0] if "/" not in name else "Identity"
        nodes.append(helper.make_node(kind, ["images"], [f"n{number}"], name=name))
        if name == "Shape_2":
            nodes[-1].attribute.append(helper.make_attribute("start", 2))
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 32, 32])
    output = helper.make_tensor_value_info(f"n{len(names) - 1}", TensorProto.FLOAT, None)
    return helper.make_model(helper.make_graph(nodes, "names", [image], [output]))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_things_are_drawn_and_never_over_labels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, (200, 120, 200, 120), (2, 4)).astype(np.float32)
    boxes = np.concatenate(
        [np.minimum(places[:, :2], places[:, 2:]), np.maximum(places[:, :2], places[:, 2:])], axis=1
    )
    pixels = np.full((120, 200, 3), 114, np.uint8)
    clutter(pixels, boxes, rng)
    for left, top, right, bottom in boxes.round().astype(int):
        assert (pixels[top:bottom, left:right] == 114).all()


def test_clutter_changes_pictures() -> None:
    pixels = np.full((120, 200, 3), 114, np.uint8)
    clutter(pixels, np.zeros((0, 4), np.float32), np.random.default_rng(0))
    assert (pixels != 114).any()


def test_renderings_with_vehicles_come_again() -> None:
    rows = [[0.5, 0.5, 0.1, 0.1]]
    forklift = np.ones(1, np.float32)
    photograph = sample(rows, source="forklift", classes=forklift)
    still = sample(rows, source="rendered", classes=forklift)
    empty = sample(rows, source="rendered")
    assert with_repeats([photograph, still, empty], 3) == [photograph, still, still, still, empty]
