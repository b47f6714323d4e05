"""A camera whose stream breaks is declared blind in time and comes back by itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cameras.packets import EncodedPacket
from cameras.specs import CameraSpec, RtspSpec
from cameras.worker import ABANDONED_AT_MOST, CameraWorker
from safety.clock import SystemClock
from safety.types import CameraState
from tests.support.rtsp import Mount, RtspServer
from tests.support.videos import moving_square, still_room, write_film
from tests.support.waiting import wait_until

DECLARED_WITHIN_S = 3.0
LIVE, BLIND = CameraState.LIVE, CameraState.BLIND
Serve = Callable[[dict[str, Mount | Path]], RtspServer]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("films") / "film.mp4", moving_square(2))


@contextmanager
def working(url: str) -> Iterator[CameraWorker]:
    spec = CameraSpec(id="cam", name="Cam", source=RtspSpec(url=url), max_fps=60)
    worker = CameraWorker(spec, clock=SystemClock())
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def wait_for(worker: CameraWorker, state: CameraState) -> None:
    wait_until(lambda: worker.health().state is state)


def camera_threads() -> int:
    return sum(thread.name.startswith("camera-cam") for thread in threading.enumerate())


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_a_dead_and_a_stalled_server_are_noticed_in_time_and_survived(
    fault: str, film: Path, rtsp_server: Serve
) -> None:
    server = rtsp_server({"cam": film})
    with working(server.url("cam")) as worker:
        wait_for(worker, LIVE)
        getattr(server, fault)()
        wait_for(worker, BLIND)
        health = worker.health()
        assert health.last_frame_at is not None
        assert health.since.monotonic - health.last_frame_at.monotonic <= DECLARED_WITHIN_S
        assert health.reason in {"no_frames", "unreachable"}
        getattr(server, "restart" if fault == "kill" else "resume")()
        wait_for(worker, LIVE)
        captured = worker.health().frames_captured
        wait_until(lambda: worker.health().frames_captured > captured + 10)


def test_a_server_that_stays_stalled_ties_up_few_threads(film: Path, rtsp_server: Serve) -> None:
    server = rtsp_server({"cam": film})
    with working(server.url("cam")) as worker:
        wait_for(worker, LIVE)
        server.pause()
        counts: list[int] = []

        def watched_for_12_s() -> bool:
            counts.append(camera_threads())
            return worker.health().at.monotonic - begun > 12

        begun = worker.health().at.monotonic
        wait_until(watched_for_12_s)
        assert max(counts) <= 2 + ABANDONED_AT_MOST
        assert worker.health().state is BLIND
        server.resume()
        wait_for(worker, LIVE)
        # The abandoned threads end by themselves: one that reads, one that looks after it.
        wait_until(lambda: camera_threads() == 2)


def test_a_damaged_stream_is_not_mistaken_for_a_view(film: Path, rtsp_server: Serve) -> None:
    server = rtsp_server({"cam": Mount(film=film, corrupt_after_s=2.0)})
    with working(server.url("cam")) as worker:
        wait_for(worker, LIVE)
        wait_until(lambda: worker.health().reason == "corrupt")
        health = worker.health()
        assert health.state is BLIND
        assert health.frames_damaged + health.decode_errors > 0


def test_a_frozen_picture_is_blind_although_packets_arrive(
    tmp_path: Path, rtsp_server: Serve, cost: Callable[..., None]
) -> None:
    frozen = write_film(tmp_path / "frozen.mp4", still_room(20, clock=True))
    server = rtsp_server({"cam": frozen})
    with working(server.url("cam")) as worker:
        wait_for(worker, LIVE)
        wait_until(lambda: worker.health().reason == "frozen")
        assert worker.health().state is BLIND
        assert worker.health().capture_fps > 5
    cost("Camera", "picture is frozen", "packets come, the picture stays", covered=True)


def test_packets_and_frames_go_on_where_they_are_wanted(film: Path, rtsp_server: Serve) -> None:
    server = rtsp_server({"cam": film})
    with working(server.url("cam")) as worker:
        seen: list[EncodedPacket] = []

        def fails(packet: EncodedPacket) -> None:
            raise RuntimeError("a viewer that fails is nobody else's business")

        worker.on_packet(fails)
        unsubscribe = worker.on_packet(seen.append)
        wait_until(lambda: len(seen) >= 15)
        frame = worker.slot.take()
        assert frame is not None
        assert frame.picture.shape == (360, 640, 3)
        assert frame.full.rgb().shape == (180, 320, 3)
        assert frame.captured_at in {packet.at for packet in seen}
        assert worker.slot.dropped > 0
        group = worker.ring.latest_group()
        assert group[0].keyframe
        unsubscribe()
        count = len(seen)
        captured = worker.health().frames_captured
        wait_until(lambda: worker.health().frames_captured > captured + 5)
        assert len(seen) <= count + 1
