"""A network converted without torch computes what Ultralytics' own network computes."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from safety.perception.convert import convert
from tests.support.peers import ultralytics_forward
from tests.support.third_party import third_party

pytestmark = [pytest.mark.peers, pytest.mark.third_party]


@pytest.mark.parametrize("name", ["models/yolo11n-pose.pt", "models/ppe-pilot.pt"])
@pytest.mark.parametrize("shape", [(1, 3, 384, 640), (3, 3, 256, 160)])
def test_converted_network_computes_the_same(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    model = third_party(name)
    images = np.random.default_rng(11).random(shape, np.float32)

    session = onnxruntime.InferenceSession(convert(model).SerializeToString())
    ours = session.run(None, {"images": images})[0]

    theirs = ultralytics_forward(model, images, tmp_path)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=0.02)
