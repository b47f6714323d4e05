"""Clips are what the camera sent, playable, complete, and honest about their times."""

import hashlib
from pathlib import Path

import av
import pytest

from cameras.clip import write_clip
from cameras.packets import EncodedPacket
from safety.errors import CameraError
from tests.support.packets import instant, packet, read_packets
from tests.support.videos import moving_square, write_film


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    b_frames = {"preset": "veryfast", "tune": "film", "bf": "2"}
    return {
        "h264": write_film(folder / "h264.mp4", moving_square(3)),
        "h265": write_film(folder / "h265.mp4", moving_square(3), codec="h265"),
        "b-frames": write_film(folder / "b.mp4", moving_square(3), options=b_frames),
        "larger": write_film(folder / "l.mp4", moving_square(3, width_px=640, height_px=360)),
    }


def shown(path: Path) -> list[float]:
    """Presentation times of all pictures, decoded."""
    with av.open(path) as container:
        return [frame.time for frame in container.decode(video=0)]


def size(path: Path) -> tuple[int, int]:
    with av.open(path) as container:
        return container.streams.video[0].width, container.streams.video[0].height


@pytest.mark.parametrize(
    ("film", "tag"), [("h264", "avc1"), ("h265", "hvc1"), ("b-frames", "avc1"), ("larger", "avc1")]
)
def test_a_clip_holds_every_picture_at_its_time(
    films: dict[str, Path], tmp_path: Path, film: str, tag: str
) -> None:
    packets = read_packets(films[film])
    clip = write_clip(packets, tmp_path / "clip.mp4", moment=instant(1))
    assert shown(clip.path) == pytest.approx([n / 10 for n in range(30)], abs=1e-3)
    with av.open(clip.path) as container:
        assert container.streams.video[0].codec_context.codec_tag == tag
    assert clip.started_at == packets[0].at
    assert clip.ended_at == packets[-1].at


def test_a_clip_begins_with_its_index_so_that_browsers_can_start_at_once(
    films: dict[str, Path], tmp_path: Path
) -> None:
    clip = write_clip(read_packets(films["h264"]), tmp_path / "clip.mp4", moment=instant(1))
    content = clip.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert clip.sha256 == hashlib.sha256(content).hexdigest()
    assert clip.size_bytes == len(content)
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_new_connection_within_the_clip_leaves_a_pause(
    films: dict[str, Path], tmp_path: Path
) -> None:
    before = read_packets(films["h264"])[:15]
    after = read_packets(films["h264"], begins_s=6.0, connection=1)
    clip = write_clip([*before, *after], tmp_path / "clip.mp4", moment=instant(1))
    times = shown(clip.path)
    assert len(times) == 45
    assert times[14] == pytest.approx(1.4, abs=1e-3)
    assert times[15] == pytest.approx(6.0, abs=1e-3)


def test_pictures_before_the_new_connections_first_key_frame_are_left_out(
    films: dict[str, Path], tmp_path: Path
) -> None:
    before = read_packets(films["h264"])[:15]
    after = read_packets(films["h264"], begins_s=6.0, connection=1)[1:]
    clip = write_clip([*before, *after], tmp_path / "clip.mp4", moment=instant(1))
    assert len(shown(clip.path)) == 15 + 20


@pytest.mark.parametrize(("moment_s", "expected"), [(1.0, (320, 180)), (7.0, (640, 360))])
def test_where_the_picture_changed_the_part_that_shows_the_moment_is_kept(
    films: dict[str, Path], tmp_path: Path, moment_s: float, expected: tuple[int, int]
) -> None:
    before = read_packets(films["h264"])
    after = read_packets(films["larger"], begins_s=6.0, connection=1)
    clip = write_clip([*before, *after], tmp_path / "clip.mp4", moment=instant(moment_s))
    assert size(clip.path) == expected
    assert len(shown(clip.path)) == 30


@pytest.mark.parametrize("packets", [[], [packet(0.0), packet(0.1)]])
def test_without_a_key_frame_there_is_no_clip(packets: list[EncodedPacket], tmp_path: Path) -> None:
    with pytest.raises(CameraError) as caught:
        write_clip(packets, tmp_path / "clip.mp4", moment=instant(0))
    assert caught.value.key == "camera.no_clip"
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_cannot_be_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(av.error.FFmpegError):
        write_clip([packet(0.0, keyframe=True)], tmp_path / "clip.mp4", moment=instant(0))
    assert list(tmp_path.iterdir()) == []
