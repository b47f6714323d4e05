"""A camera that cannot be read says why and what to do, at once and without its password."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cameras.probe import probe
from cameras.specs import CameraSpec, FileSpec, RtspSpec, SourceSpec
from cameras.worker import CameraHealth, CameraWorker
from safety.clock import SystemClock
from safety.errors import AnjeonError
from safety.types import CameraState
from tests.support.ports import free_port
from tests.support.rtsp import Mount, RtspServer
from tests.support.videos import moving_square, write_film
from tests.support.waiting import wait_until

PASSWORD = "p@ss /w:ö%?#"
SECRET = "env:TEST_CAMERA_PASSWORD"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("films") / "film.mp4", moving_square(2))


@pytest.fixture(scope="module")
def server(film: Path) -> Iterator[RtspServer]:
    mounts = {
        "open": Mount(film=film),
        "private": Mount(film=film, username="anna", password=PASSWORD),
        "sound": Mount(film=None),
        "silent": Mount(film=film, silent_after_s=0.0),
    }
    with RtspServer(mounts) as running:
        yield running


@contextmanager
def working(source: SourceSpec) -> Iterator[CameraWorker]:
    worker = CameraWorker(CameraSpec(id="cam", name="Cam", source=source), clock=SystemClock())
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def health_with_reason(source: SourceSpec, reason: str) -> CameraHealth:
    with working(source) as worker:
        wait_until(lambda: worker.health().reason == reason)
        return worker.health()


Case = Callable[[RtspServer, Path], SourceSpec]

CASES: dict[str, tuple[Case, str, str]] = {
    "no password": (
        lambda server, _: RtspSpec(url=server.url("private")), "unauthorized", "password",
    ),
    "wrong password": (
        lambda server, _: RtspSpec(url=server.url("private"), username="anna", password=SECRET),
        "unauthorized", "password",
    ),
    "wrong path": (lambda server, _: RtspSpec(url=server.url("nowhere")), "not_found", "path"),
    "sound only": (lambda server, _: RtspSpec(url=server.url("sound")), "not_video", "H.264"),
    "nobody there": (
        lambda *_: RtspSpec(url=f"rtsp://127.0.0.1:{free_port()}/x"), "unreachable", "address",
    ),
    "no such host": (
        lambda *_: RtspSpec(url="rtsp://camera.invalid/x"), "unreachable", "address",
    ),
    "no such file": (lambda *_: FileSpec(path=Path("/nowhere.mp4")), "not_found", "path"),
    "not a film": (lambda *_: FileSpec(path=Path(__file__)), "not_video", "codec"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_worker_and_probe_name_the_reason(
    case: str, server: RtspServer, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CAMERA_PASSWORD", "not it")
    make, reason, advice = CASES[case]
    source = make(server, film)
    with pytest.raises(AnjeonError) as caught:
        probe(source, timeout_s=10, clock=SystemClock())
    assert caught.value.key == f"camera.{reason}"
    assert advice in str(caught.value)
    assert health_with_reason(source, reason).state is CameraState.BLIND


def test_a_stream_without_pictures_is_blind(server: RtspServer) -> None:
    source = RtspSpec(url=server.url("silent"))
    with pytest.raises(AnjeonError) as caught:
        probe(source, timeout_s=1.5, clock=SystemClock())
    assert caught.value.key in {"camera.no_frames", "camera.unreachable"}
    assert health_with_reason(source, "no_frames").state is CameraState.BLIND


def test_a_probe_keeps_its_time_when_the_camera_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        source = RtspSpec(url=f"rtsp://127.0.0.1:{mute.getsockname()[1]}/x")
        with pytest.raises(AnjeonError) as caught:
            probe(source, timeout_s=0.5, clock=SystemClock())
        assert caught.value.key == "camera.unreachable"
        assert "0.5 s" in str(caught.value)


def test_an_odd_password_lets_us_in_and_stays_secret(
    server: RtspServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CAMERA_PASSWORD", PASSWORD)
    source = RtspSpec(url=server.url("private"), username="anna", password=SECRET)
    assert probe(source, timeout_s=10, clock=SystemClock()).width_px == 320


def test_a_refused_password_is_never_told(
    server: RtspServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CAMERA_PASSWORD", "hunter2")
    source = RtspSpec(url=server.url("private"), username="anna", password=SECRET)
    with capture_logs() as logs:
        health_with_reason(source, "unauthorized")
        with pytest.raises(AnjeonError) as caught:
            probe(source, timeout_s=10, clock=SystemClock())
    assert logs
    told = repr((logs, caught.value, caught.value.params, caught.value.__cause__))
    assert "hunter2" not in told


def test_a_password_that_is_missing_is_said_so(server: RtspServer) -> None:
    source = RtspSpec(url=server.url("private"), username="anna", password="env:NOT_SET_ANYWHERE")
    with pytest.raises(AnjeonError) as caught:
        probe(source, timeout_s=10, clock=SystemClock())
    assert caught.value.key == "config.secret_missing"
    assert health_with_reason(source, "unauthorized").state is CameraState.BLIND


def test_a_film_played_once_leaves_the_camera_blind(film: Path) -> None:
    with working(FileSpec(path=film, loop=False)) as worker:
        wait_until(lambda: worker.health().state is CameraState.LIVE)
        wait_until(lambda: worker.health().state is CameraState.BLIND)
        assert worker.health().reason == "no_frames"
        assert worker.health().frames_captured == 20
