"""An engine and a shard that speak the real protocol and play a film for the dashboard."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np

from cameras.messages import (
    AnyMessage,
    CameraStatus,
    EngineStatus,
    Metadata,
    Nudge,
    SeenPerson,
    Snapshot,
    SnapshotRequest,
    Unwatch,
    VideoPacket,
    Watch,
)
from cameras.wire import encode, read_frame
from safety.clock import Instant, SystemClock
from safety.config import Settings
from safety.types import CameraState

SCENE = Path(__file__).parents[2] / "safety" / "demo" / "scenes" / "cell_intrusion.mp4"
CELL = ((0.815, 0.659), (0.999, 0.659), (0.999, 0.505), (0.888, 0.36), (0.697, 0.36))
"""The robot cell in the picture of the scene; a worker is inside from 5.0 to 9.4 s."""


@dataclass(frozen=True, slots=True)
class FilmPacket:
    """One frame of the film, Annex B with SPS and PPS in front of key frames."""

    pts_s: float
    keyframe: bool
    data: bytes


def film(path: Path = SCENE) -> list[FilmPacket]:
    """Every packet of an H.264 file in Annex B."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        to_annex_b = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        base = cast(Fraction, stream.time_base)
        return [
            FilmPacket(float(out.pts * base), out.is_keyframe, bytes(out))
            for packet in container.demux(stream)
            if packet.pts is not None
            for out in to_annex_b.filter(packet)
            if out.pts is not None
        ]


def first_picture(path: Path = SCENE) -> bytes:
    """The film's first frame as JPEG."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        ok, jpeg = cv2.imencode(".jpg", frame.to_ndarray(format="bgr24"))
    assert ok
    return cast("np.ndarray[Any, Any]", jpeg).tobytes()


def standing_person(t: float) -> SeenPerson:
    """A person who walks from left to right once in ten seconds."""
    x = 0.1 + 0.08 * (t % 10)
    joints = np.array(
        [(0.5, 0.07), (0.52, 0.05), (0.48, 0.05), (0.55, 0.06), (0.45, 0.06),
         (0.7, 0.2), (0.3, 0.2), (0.78, 0.36), (0.22, 0.36), (0.8, 0.5), (0.2, 0.5),
         (0.62, 0.52), (0.38, 0.52), (0.63, 0.74), (0.37, 0.74), (0.64, 0.96), (0.36, 0.96)]
    )  # fmt: skip
    keypoints = tuple((x + 0.08 * a, 0.3 + 0.4 * b, 0.9) for a, b in joints.tolist())
    return SeenPerson(track_id=1, box=(x, 0.3, x + 0.08, 0.7), keypoints=keypoints)


def true_persons(truth: Path) -> list[tuple[SeenPerson, ...]]:
    """What a perfect network would see in every frame of a rendered scene."""
    scene = json.loads(truth.read_text(encoding="utf-8"))
    size = np.array([scene["width"], scene["height"]], float)

    def person(number: int, seen: dict[str, Any]) -> SeenPerson:
        box = (np.array(seen["box_px"]).reshape(2, 2) / size).clip(0, 1).ravel().tolist()
        joints = (np.array(seen["kp_px"]) / size).tolist()
        visible = seen["kp_visible"]
        return SeenPerson(
            track_id=number,
            box=(box[0], box[1], box[2], box[3]),
            keypoints=tuple((x, y, 0.9 * v) for (x, y), v in zip(joints, visible, strict=True)),
        )

    return [
        tuple(person(i, p) for i, p in enumerate(frame["people"]) if p["box_px"])
        for frame in scene["frames"]
    ]


@dataclass(eq=False)
class FilmShard:
    """A shard with cameras that all show the same film, over and over, at its own pace."""

    settings: Settings
    name: str = "shard-0"
    truth: list[tuple[SeenPerson, ...]] | None = None
    codec: str = "h264"
    path: Path = SCENE
    requests: list[AnyMessage] = field(default_factory=list)
    _writers: dict[asyncio.StreamWriter, dict[str, bool]] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _player: asyncio.Task[None] | None = None
    _group: list[tuple[FilmPacket, float, Instant]] = field(default_factory=list)

    async def start(self) -> None:
        path = self.settings.shard_socket(self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(path))
        self._player = asyncio.create_task(self._play())

    async def stop(self) -> None:
        assert self._server is not None
        assert self._player is not None
        self._player.cancel()
        with suppress(asyncio.CancelledError):
            await self._player
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers[writer] = {}
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                message, _ = await read_frame(reader)
                self.requests.append(message)
                self._obey(message, writer)
        del self._writers[writer]
        writer.close()

    def _obey(self, message: AnyMessage, writer: asyncio.StreamWriter) -> None:
        match message:
            case Watch():
                self._writers[writer][message.camera_id] = message.video
                if message.video:
                    for shown in self._group:
                        writer.write(self._packet(message.camera_id, *shown))
            case Unwatch():
                self._writers[writer].pop(message.camera_id, None)
            case SnapshotRequest():
                header = Snapshot(
                    request_id=message.request_id,
                    camera_id=message.camera_id,
                    at=SystemClock().now(),
                )
                writer.write(encode(header, first_picture()))

    async def _play(self) -> None:
        packets = film(self.path)
        clock = SystemClock()
        steps = [later.pts_s - earlier.pts_s for earlier, later in pairwise(packets)]
        length = packets[-1].pts_s + steps[-1]
        started, round_number = clock.now().monotonic, 0
        while True:
            for index, packet in enumerate(packets):
                pts_s = round_number * length + packet.pts_s
                await clock.sleep_async(started + pts_s - clock.now().monotonic)
                self._show(index, packet, pts_s, clock.now())
            round_number += 1

    def _show(self, index: int, packet: FilmPacket, pts_s: float, at: Instant) -> None:
        if packet.keyframe:
            self._group.clear()
        for writer, cameras in self._writers.items():
            for camera_id, video in cameras.items():
                if video:
                    writer.write(self._packet(camera_id, packet, pts_s, at))
                writer.write(self._seen(camera_id, index, packet.pts_s, pts_s, at))
        self._group.append((packet, pts_s, at))

    def _packet(self, camera_id: str, packet: FilmPacket, pts_s: float, at: Instant) -> bytes:
        header = VideoPacket(
            camera_id=camera_id, codec=self.codec, keyframe=packet.keyframe, pts_s=pts_s, at=at
        )
        return encode(header, packet.data)

    def _seen(self, camera_id: str, index: int, t: float, pts_s: float, at: Instant) -> bytes:
        persons = self.truth[index] if self.truth else (standing_person(t),)
        inside = 5.0 <= t <= 9.4
        return encode(
            Metadata(
                camera_id=camera_id,
                at=at,
                pts_s=pts_s,
                persons=persons,
                violated_zones=("cell",) if inside else (),
                violating_subjects=("person-0",) if inside else (),
            )
        )


@dataclass(eq=False)
class WordyEngine:
    """An engine that says every half second how its cameras are."""

    settings: Settings
    cameras: dict[str, CameraStatus]
    nudges: list[str] = field(default_factory=list)
    greetings: list[AnyMessage] = field(default_factory=list)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _speaker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        path = self.settings.engine_socket
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(path))
        self._speaker = asyncio.create_task(self._speak())

    async def stop(self) -> None:
        assert self._server is not None
        assert self._speaker is not None
        self._speaker.cancel()
        with suppress(asyncio.CancelledError):
            await self._speaker
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await self._server.wait_closed()

    def say(self, raw: bytes) -> None:
        """Write bytes as they are to everybody."""
        for writer in self._writers:
            writer.write(raw)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                message, _ = await read_frame(reader)
                if isinstance(message, Nudge):
                    self.nudges.append(message.what)
                else:
                    self.greetings.append(message)
        self._writers.discard(writer)
        writer.close()

    async def _speak(self) -> None:
        clock = SystemClock()
        while True:
            now = clock.now()
            for status in self.cameras.values():
                self.say(encode(status.model_copy(update={"at": now})))
            self.say(
                encode(
                    EngineStatus(
                        at=now,
                        shards={"shard-0": True},
                        store_ok=True,
                        channels={},
                        siren_silent=True,
                    )
                )
            )
            await clock.sleep_async(0.5)


def camera_status(camera_id: str, *, shard: str = "shard-0", **changes: Any) -> CameraStatus:
    """A camera that is well, but for the changes."""
    now = SystemClock().now()
    well = CameraStatus(
        camera_id=camera_id,
        shard=shard,
        state=CameraState.LIVE,
        reason="ok",
        since=now.shifted(-60),
        at=now,
        codec="h264",
        width_px=1280,
        height_px=720,
        capture_fps=10,
        analysis_fps=10,
        frame_age_s=0.05,
    )
    return well.model_copy(update=changes)


@asynccontextmanager
async def film_plant(
    settings: Settings, *statuses: CameraStatus, path: Path = SCENE
) -> AsyncIterator[tuple[WordyEngine, FilmShard]]:
    """An engine and one shard that show the film on every camera."""
    engine = WordyEngine(settings, {status.camera_id: status for status in statuses})
    shard = FilmShard(settings, path=path)
    await engine.start()
    await shard.start()
    try:
        yield engine, shard
    finally:
        await shard.stop()
        await engine.stop()


@contextmanager
def playing(
    settings: Settings, *statuses: CameraStatus, truth: Path | None = None
) -> Iterator["Plant"]:
    """``film_plant`` in a thread of its own, for tests that are not coroutines."""
    # Not in this thread: the browser's driver has an event loop here.
    with ThreadPoolExecutor(1, "film-plant") as thread, ExitStack() as after:
        loop = asyncio.new_event_loop()
        after.callback(loop.close)
        done = thread.submit(loop.run_forever)
        after.callback(done.result)
        after.callback(loop.call_soon_threadsafe, loop.stop)
        plant = Plant(loop, settings, statuses, truth)
        after.callback(plant.stop)
        plant.start()
        yield plant


class Plant:
    """The engine and the shard behind a dashboard under test, started and stopped at will."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: Settings,
        statuses: tuple[CameraStatus, ...],
        truth: Path | None,
    ) -> None:
        self.loop = loop
        self.engine = WordyEngine(settings, {status.camera_id: status for status in statuses})
        self.shard = FilmShard(settings, truth=true_persons(truth) if truth else None)
        self._running: set[WordyEngine | FilmShard] = set()

    def start(self) -> None:
        """Start what does not run."""
        for part in (self.engine, self.shard):
            if part not in self._running:
                self._do(part.start())
                self._running.add(part)

    def stop(self, *parts: WordyEngine | FilmShard) -> None:
        """Stop these parts, or all."""
        for part in parts or tuple(self._running):
            self._do(part.stop())
            self._running.discard(part)

    def set(self, status: CameraStatus) -> None:
        """What the engine says of a camera from now on."""
        self.engine.cameras[status.camera_id] = status

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(10)
