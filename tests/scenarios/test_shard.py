"""One shard as a process of its own, on real streams, with a real network."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from cameras.messages import (
    AnyMessage,
    CameraStatus,
    Configured,
    EvidenceReady,
    Metadata,
    PpeSums,
    ShardStats,
    Shutdown,
    Snapshot,
    SnapshotRequest,
    Unwatch,
    VideoPacket,
    Watch,
)
from cameras.specs import RtspSpec
from cameras.spool import unfinished_shards
from cameras.wire import encode, read_frame
from safety import __version__
from safety.config import Settings
from safety.types import CameraState, Phase, PpeItem
from tests.support.engine import TalkingEngine, shard_process
from tests.support.rtsp import Mount, RtspServer
from tests.support.shards import CELL, SCENES, camera, film_camera, watching
from tests.support.waiting import until
from zones.rules.missing_ppe import MissingPpeSpec

pytestmark = [pytest.mark.third_party, pytest.mark.timeout(300)]

Serve = Callable[[Mapping[str, Mount | Path]], RtspServer]
LIVE = ("live", "ok")


def assert_says_what_it_was_made_from(said: dict[str, Any], evidence: EvidenceReady) -> None:
    assert said["clip"]["sha256"] == evidence.sha256
    assert said["violation"]["id"] == evidence.violation_id
    found_with = said["found_with"]
    assert found_with["rule"]["id"] == said["violation"]["rule_id"]
    assert found_with["zone"]["id"] == said["violation"]["zone_id"]
    assert found_with["camera"].keys() == {"id", "name"}
    assert isinstance(found_with["config_revision"], int)
    assert said["made_with"]["anjeon"] == __version__
    assert len(said["made_with"]["networks"]["pose"]["sha256"]) == 64


async def test_an_intrusion_on_a_network_camera_is_reported_with_evidence(
    shard_settings: Settings, rtsp_server: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = rtsp_server({"cell": SCENES / "cell_intrusion.mp4"})
    spec = camera("cam-1", RtspSpec(url=server.url("cell")))
    async with TalkingEngine(shard_settings) as engine:
        engine.configure = watching(spec, polygon=CELL)
        with shard_process(shard_settings):
            await until(lambda: bool(engine.violations(Phase.CLOSED)))
            await until(lambda: len(engine.received(EvidenceReady)) == 2)
            await until(lambda: any(s.frame_to_report_s for s in engine.received(ShardStats)))

    first, *_, last = engine.violations()
    assert [v.phase for v in (first, last)] == [Phase.OPENED, Phase.CLOSED]
    assert {v.id for v in engine.violations()} == {first.id}
    assert [v.revision for v in engine.violations()] == list(range(len(engine.violations())))
    assert last.end_reason == "cleared"
    for evidence in engine.received(EvidenceReady):
        file = shard_settings.evidence_dir / evidence.path
        assert sha256(file.read_bytes()).hexdigest() == evidence.sha256
        if evidence.kind == "clip":
            said = file.with_suffix(".json").read_bytes()
            assert sha256(said).hexdigest() == evidence.sidecar_sha256
            assert_says_what_it_was_made_from(json.loads(said), evidence)
            with av.open(file) as clip:
                assert clip.streams.video[0].frames > 20
        else:
            picture = cv2.imread(str(file))
            assert picture is not None
            assert picture.shape == (720, 1280, 3)
    latencies = [s for stats in engine.received(ShardStats) for s in stats.frame_to_report_s]
    with capsys.disabled():
        sys.stdout.write(f"\ncapture -> report: {[f'{1000 * s:.0f} ms' for s in latencies]}\n")


async def test_changes_leave_the_other_cameras_alone(shard_settings: Settings) -> None:
    kept = film_camera("kept")
    async with TalkingEngine(shard_settings) as engine:
        engine.configure = watching(kept)
        with shard_process(shard_settings):
            await until(lambda: engine.state("kept") == LIVE)
            await until(lambda: bool(engine.violations(Phase.OPENED)))
            started = len(engine.messages)

            engine.tell(watching(kept, film_camera("added"), revision=2))
            await until(lambda: engine.state("added") == LIVE)
            renamed = kept.model_copy(update={"name": "Other words"})
            engine.tell(watching(renamed, revision=3))
            await until(lambda: any(told.revision == 3 for told in engine.received(Configured)))
            frames = frames_of(engine, "kept")
            await until(lambda: frames_of(engine, "kept") > frames)

    since = engine.messages[started:]
    of_kept = [m for m in since if isinstance(m, CameraStatus) and m.camera_id == "kept"]
    # On a busy machine it may be analysed too seldom for a while; it is never lost from sight.
    assert {m.reconnects for m in of_kept} == {0}
    assert CameraState.BLIND not in {m.state for m in of_kept}
    counts = [m.frames_captured for m in of_kept]
    assert counts == sorted(counts)
    ended = {v.camera_id: v.end_reason for v in engine.violations(Phase.CLOSED)}
    assert ended == {"added": "rule_changed"}


def frames_of(engine: TalkingEngine, camera_id: str) -> int:
    """Frames captured by one camera, as it last said."""
    said = [m for m in engine.received(CameraStatus) if m.camera_id == camera_id]
    return said[-1].frames_captured if said else 0


async def test_a_changed_rule_starts_anew_without_a_new_connection(
    shard_settings: Settings,
) -> None:
    spec = film_camera()
    async with TalkingEngine(shard_settings) as engine:
        engine.configure = watching(spec)
        with shard_process(shard_settings):
            await until(lambda: bool(engine.violations(Phase.OPENED)))
            engine.tell(watching(spec, revision=2, rule_revision=2))
            await until(lambda: 2 in {v.rule_revision for v in engine.violations(Phase.OPENED)})
            engine.tell(watching(spec.model_copy(update={"enabled": False}), revision=3))
            await until(lambda: engine.state("cam-1") == ("blind", "disabled"))

    closed = {(v.id, v.end_reason) for v in engine.violations(Phase.CLOSED)}
    assert closed == {(v.id, "rule_changed") for v in engine.violations(Phase.OPENED)}
    assert max(m.reconnects for m in engine.received(CameraStatus)) == 0


class Viewer:
    """A dashboard's connection to a shard."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, message: AnyMessage) -> None:
        self.writer.write(encode(message))

    async def hear(self, count: int) -> list[tuple[AnyMessage, bytes]]:
        async with asyncio.timeout(20):
            return [await read_frame(self.reader) for _ in range(count)]


@asynccontextmanager
async def viewer_of(settings: Settings) -> AsyncIterator[Viewer]:
    reader, writer = await asyncio.open_unix_connection(settings.shard_socket("shard-0"))
    try:
        yield Viewer(reader, writer)
    finally:
        writer.close()


async def test_a_dashboard_gets_packets_metadata_and_stills(shard_settings: Settings) -> None:
    async with TalkingEngine(shard_settings) as engine:
        engine.configure = watching(film_camera())
        with shard_process(shard_settings):
            await until(lambda: engine.state("cam-1") == LIVE)
            async with viewer_of(shard_settings) as viewer:
                viewer.say(Watch(camera_id="cam-1"))
                heard = await viewer.hear(60)
                viewer.say(Unwatch(camera_id="cam-1"))
                viewer.say(SnapshotRequest(request_id="1", camera_id="cam-1", width_px=320))
                still = await answer(viewer)
                viewer.say(SnapshotRequest(request_id="2", camera_id="nobody", width_px=320))
                nothing = await answer(viewer)

    packets = [(m, body) for m, body in heard if isinstance(m, VideoPacket)]
    assert packets[0][0].keyframe
    assert decoded(body for _, body in packets) == len(packets)
    times = [message.pts_s for message, _ in packets]
    assert times == sorted(set(times))
    shown = [message for message, _ in heard if isinstance(message, Metadata)]
    assert {zone for m in shown for zone in m.violated_zones} == {"zone-cam-1"}
    assert all(m.persons and m.violating_subjects for m in shown)
    # The first and the last may belong to packets from before and after what was heard.
    assert len({m.pts_s for m in shown} - set(times)) <= 2
    picture = cv2.imdecode(np.frombuffer(still[1], np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (180, 320, 3)
    assert (nothing[0].reason, nothing[1]) == ("not_found", b"")


async def answer(viewer: Viewer) -> tuple[Snapshot, bytes]:
    while True:
        ((message, body),) = await viewer.hear(1)
        if isinstance(message, Snapshot):
            return message, body


def decoded(bodies: Iterable[bytes]) -> int:
    """How many pictures a decoder gets out of them."""
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    packets = [*(av.Packet(body) for body in bodies), None]
    return sum(len(decoder.decode(packet)) for packet in packets)


async def test_nonsense_is_counted_and_survived(shard_settings: Settings) -> None:
    async with TalkingEngine(shard_settings) as engine:
        engine.configure = watching(film_camera())
        with shard_process(shard_settings) as process:
            await until(lambda: engine.state("cam-1") == LIVE)
            for header in (b"{", b'{"type": "unheard"}', b'{"protocol": 9, "type": "shutdown"}'):
                engine.tell_raw(frame(header))
            engine.tell(Unwatch(camera_id="cam-1"))
            async with viewer_of(shard_settings) as viewer:
                viewer.writer.write(frame(b"[]"))
                viewer.say(engine.configure)
                viewer.writer.write(b"\xff" * 64)
                assert await viewer.reader.read() == b""
            await until(lambda: any(s.refused_messages == 7 for s in engine.received(ShardStats)))
            engine.tell_raw(b"\xff" * 64)
            await until(lambda: len([m for m in engine.messages if m.type == "hello"]) == 2)
            await until(lambda: engine.state("cam-1") == LIVE)
            assert process.poll() is None


def frame(header: bytes) -> bytes:
    return len(header).to_bytes(4, "big") + bytes(4) + header


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, "the engine's word"])
async def test_it_leaves_tidily(shard_settings: Settings, how: signal.Signals | str) -> None:
    async with TalkingEngine(shard_settings) as engine:
        engine.configure = watching(film_camera())
        with shard_process(shard_settings) as process:
            await until(lambda: bool(engine.violations(Phase.OPENED)))
            if isinstance(how, signal.Signals):
                process.send_signal(how)
            else:
                engine.tell(Shutdown())
            await until(lambda: process.poll() is not None)
            assert process.returncode == 0
        assert engine.violations()[-1].end_reason == "shard_lost"
        assert {e.kind for e in engine.received(EvidenceReady)} == {"clip", "picture"}
    assert not list(shard_settings.run_dir.glob("*.sock"))
    assert unfinished_shards(shard_settings.spool_dir) == set()


async def test_sockets_are_private(shard_settings: Settings) -> None:
    async with TalkingEngine(shard_settings) as engine:
        with shard_process(shard_settings):
            await until(lambda: bool(engine.received(ShardStats)))
            assert shard_settings.run_dir.stat().st_mode & 0o777 == 0o700
            assert shard_settings.shard_socket("shard-0").stat().st_mode & 0o777 == 0o600


async def test_what_was_worn_is_told_at_the_latest_when_it_leaves(shard_settings: Settings) -> None:
    rule = MissingPpeSpec(
        id="rule-cam-1", name="Hats", zone_id="zone-cam-1", items=(PpeItem.HARDHAT,)
    )
    async with TalkingEngine(shard_settings) as engine:
        engine.configure = watching(film_camera()).model_copy(update={"rules": (rule,)})
        with shard_process(shard_settings) as shard:
            await until(lambda: looked_at(engine) > 1)
            engine.tell(Shutdown())
            await until(lambda: shard.poll() is not None)
    (one, *more) = (each for told in engine.received(PpeSums) for each in told.sums)
    assert (one.rule_id, one.zone_id, one.item) == ("rule-cam-1", "zone-cam-1", PpeItem.HARDHAT)
    seconds = sum(each.worn_s + each.missing_s + each.unknown_s for each in (one, *more))
    assert 0 < seconds < 600


def looked_at(engine: TalkingEngine) -> float:
    """Person-seconds that the newest word on the camera has counted."""
    newest = engine.received(CameraStatus)[-1:]
    return sum(sum(states.values()) for each in newest for states in each.ppe_seconds.values())
