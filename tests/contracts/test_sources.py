"""Every source of pictures keeps the same promises: network camera, file, synthetic twin."""

import threading
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path

import pytest

from cameras.annexb import parameter_sets
from cameras.decoder import Decoder, Scaler, WholeFrame
from cameras.packets import EncodedPacket
from cameras.probe import probe
from cameras.source import Source, open_source
from cameras.specs import FileSpec, RtspSpec, SourceSpec, SyntheticSpec
from safety.clock import SystemClock
from tests.support.rtsp import Mount, RtspServer
from tests.support.videos import moving_square, write_film

WIDTH, HEIGHT, FPS, SECONDS = 320, 180, 10, 2
Serve = Callable[[dict[str, Mount | Path]], RtspServer]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two seconds each, a key frame every second."""
    folder = tmp_path_factory.mktemp("films")
    return {
        codec: write_film(folder / f"{codec}.mp4", moving_square(SECONDS, fps=FPS), codec=codec)
        for codec in ("h264", "h265")
    }


@pytest.fixture(params=["rtsp-h264", "rtsp-h265", "file-h264", "file-h265", "synthetic"])
def spec(request: pytest.FixtureRequest, films: dict[str, Path], rtsp_server: Serve) -> SourceSpec:
    kind, _, codec = request.param.partition("-")
    if kind == "rtsp":
        return RtspSpec(url=rtsp_server({"cam": films[codec]}).url("cam"))
    if kind == "file":
        return FileSpec(path=films[codec])
    return SyntheticSpec(width_px=WIDTH, height_px=HEIGHT, fps=FPS)


@pytest.fixture
def source(spec: SourceSpec) -> Iterator[Source]:
    opened = open_source(spec, clock=SystemClock(), cancelled=threading.Event(), connection=3)
    yield opened
    opened.close()


def first(source: Source, count: int) -> list[EncodedPacket]:
    return list(islice(source.packets(), count))


def test_packets_can_be_decoded_from_the_first_and_from_every_key_frame(source: Source) -> None:
    packets = first(source, 15)
    assert packets[0].keyframe
    for packet in packets:
        assert packet.codec == source.codec
        assert packet.data.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01"))
        if packet.keyframe:
            assert parameter_sets(packet.codec, packet.data)


def test_every_packet_gives_one_sound_picture_at_once(source: Source) -> None:
    decoder, scaler = Decoder(source.codec), Scaler(640)
    for packet in first(source, 12):
        (picture,) = decoder.decode(packet)
        assert picture.good
        assert picture.at == packet.at
        assert scaler.scale(picture.frame).shape == (360, 640, 3)
        assert WholeFrame(picture.frame).rgb().shape == (HEIGHT, WIDTH, 3)


def test_time_goes_on_evenly_even_when_a_film_starts_again(source: Source) -> None:
    packets = first(source, FPS * SECONDS + 8)
    steps = [after.pts_s - before.pts_s for before, after in pairwise(packets[1:])]
    assert steps == pytest.approx([1 / FPS] * len(steps), abs=0.02)
    arrivals = [packet.at.monotonic for packet in packets]
    assert arrivals == sorted(arrivals)
    assert {packet.connection for packet in packets} == {3}


def test_pictures_come_at_the_pace_of_a_camera(source: Source) -> None:
    packets = first(source, 2 * FPS)
    passed_s = packets[-1].at.monotonic - packets[0].at.monotonic
    # Never faster than it was filmed; how much slower is up to the machine.
    assert passed_s >= (2 * FPS - 1) / FPS - 0.3


def test_a_probe_tells_what_it_sends(spec: SourceSpec, source: Source) -> None:
    found = probe(spec, timeout_s=20, clock=SystemClock())
    assert (found.codec, found.width_px, found.height_px) == (source.codec, WIDTH, HEIGHT)
    assert found.fps == pytest.approx(FPS, rel=0.3)


@pytest.mark.parametrize("name", ["file", "synthetic"])
def test_waiting_ends_when_cancelled(films: dict[str, Path], name: str) -> None:
    cancelled = threading.Event()
    specs: dict[str, SourceSpec] = {
        "file": FileSpec(path=films["h264"]),
        "synthetic": SyntheticSpec(width_px=WIDTH, height_px=HEIGHT, fps=0.01),
    }
    source = open_source(specs[name], clock=SystemClock(), cancelled=cancelled)
    packets = source.packets()
    assert next(packets).keyframe
    cancelled.set()
    assert list(packets) == []
    source.close()


def test_a_film_that_is_played_once_ends(films: dict[str, Path]) -> None:
    spec = FileSpec(path=films["h264"], loop=False)
    source = open_source(spec, clock=SystemClock(), cancelled=threading.Event())
    assert len(list(source.packets())) == FPS * SECONDS
    source.close()


def test_the_synthetic_twin_always_draws_the_same() -> None:
    spec = SyntheticSpec(width_px=WIDTH, height_px=HEIGHT, fps=60)
    runs = []
    for _ in range(2):
        source = open_source(spec, clock=SystemClock(), cancelled=threading.Event())
        runs.append([packet.data for packet in first(source, 20)])
        source.close()
    assert runs[0] == runs[1]
