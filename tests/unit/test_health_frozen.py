"""A camera that repeats its picture is found out; a calm one is not accused."""

from pathlib import Path

import av
import pytest

from cameras.decoder import Scaler
from cameras.frozen import FrozenPicture
from tests.support.packets import instant
from tests.support.videos import moving_square, still_room, write_film

FPS = 15


def frozen_moments(film: Path, *, after_s: float | None = 5.0) -> list[float]:
    """Seconds into the film at which it was called frozen."""
    detector, scaler = FrozenPicture(after_s), Scaler(640)
    with av.open(film) as container:
        return [
            frame.time
            for frame in container.decode(video=0)
            if detector.update(scaler.scale(frame), instant(frame.time), key_frame=frame.key_frame)
        ]


ENCODERS = {
    "good": {"crf": "23"},
    "poor": {"preset": "veryfast", "tune": "film", "crf": "34"},
    "constant rate": {"crf": "-1", "b": "500k", "maxrate": "500k", "bufsize": "1M"},
}


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_still_picture_under_a_running_clock_is_frozen(tmp_path: Path, encoder: str) -> None:
    film = write_film(
        tmp_path / "frozen.mp4",
        still_room(9, fps=FPS, clock=True),
        fps=FPS,
        keyframe_every=2 * FPS,
        options=ENCODERS[encoder],
    )
    moments = frozen_moments(film)
    assert 5.0 <= moments[0] <= 8.0
    assert moments[-1] > 8.9


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_a_calm_room_seen_by_a_real_sensor_is_not(
    tmp_path: Path, encoder: str, noise: float
) -> None:
    film = write_film(
        tmp_path / "calm.mp4",
        still_room(9, fps=FPS, noise=noise, clock=True),
        fps=FPS,
        keyframe_every=2 * FPS,
        options=ENCODERS[encoder],
    )
    assert frozen_moments(film) == []


def test_key_frames_far_apart_accuse_nobody(tmp_path: Path) -> None:
    film = write_film(
        tmp_path / "calm.mp4",
        still_room(12, fps=FPS, noise=1.0, clock=True),
        fps=FPS,
        keyframe_every=10 * FPS,
        options={"preset": "veryfast", "tune": "film", "crf": "34"},
    )
    assert frozen_moments(film) == []


def test_something_that_moves_is_not_frozen(tmp_path: Path) -> None:
    film = write_film(tmp_path / "moving.mp4", moving_square(8, fps=FPS), fps=FPS)
    assert frozen_moments(film) == []


def test_it_can_be_switched_off_for_drawings(tmp_path: Path) -> None:
    film = write_film(tmp_path / "still.mp4", still_room(8, fps=FPS), fps=FPS)
    assert frozen_moments(film) != []
    assert frozen_moments(film, after_s=None) == []
