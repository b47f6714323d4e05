"""The hub against a real engine socket and a shard that plays a film."""

import asyncio
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cameras.messages import SnapshotRequest, Unwatch, Watch
from dashboard.hub import STALE_AFTER_S, Hub
from dashboard.overlay import Overlay
from dashboard.relay import PacketRelay
from safety.clock import SystemClock
from safety.config import Settings
from tests.support.live import FilmShard, WordyEngine, camera_status, film_plant
from tests.support.waiting import until
from tests.support.web import ShiftedClock


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def plant(settings: Settings) -> AsyncIterator[tuple[WordyEngine, FilmShard]]:
    async with film_plant(settings, camera_status("cam-1"), camera_status("cam-2")) as plant:
        yield plant


@pytest.fixture
async def hub(settings: Settings, clock: ShiftedClock) -> AsyncIterator[Hub]:
    hub = Hub(settings, clock)
    await hub.start()
    yield hub
    await hub.stop()


async def test_without_an_engine_nothing_is_known(hub: Hub) -> None:
    assert hub.camera_status() == {}
    assert hub.engine_status() is None
    assert await hub.snapshot("cam-1") == (None, "shard_lost")
    hub.nudge("config")


async def test_word_from_the_engine_arrives(hub: Hub, plant: tuple[WordyEngine, FilmShard]) -> None:
    await until(lambda: set(hub.camera_status()) == {"cam-1", "cam-2"})
    await until(lambda: hub.engine_status() is not None)
    hub.nudge("alerts")
    await until(lambda: plant[0].nudges == ["alerts"])
    assert [greeting.type for greeting in plant[0].greetings] == ["hello"]


async def test_old_word_is_no_word(
    hub: Hub, clock: ShiftedClock, plant: tuple[WordyEngine, FilmShard]
) -> None:
    await until(lambda: "cam-1" in hub.camera_status() and hub.engine_status() is not None)
    await plant[0].stop()
    await until(lambda: not hub.engine_connected)
    clock.shift_s = STALE_AFTER_S + 0.1
    assert hub.camera_status() == {}
    assert hub.engine_status() is None
    assert hub.last_heard("cam-1") is not None
    await plant[0].start()
    await until(lambda: "cam-1" in hub.camera_status())


async def test_malformed_messages_are_counted_and_the_rest_is_read(
    hub: Hub, plant: tuple[WordyEngine, FilmShard]
) -> None:
    await until(lambda: hub.engine_connected)
    before = hub.refused_messages
    for header in (b"{", b"[]", b'{"type":"no_such"}', b'{"type":"nudge","protocol":2}'):
        plant[0].say(struct.pack(">II", len(header), 0) + header)
    await until(lambda: hub.refused_messages == before + 4)
    await until(lambda: "cam-1" in hub.camera_status())


async def test_a_stream_out_of_step_is_connected_anew(
    hub: Hub, plant: tuple[WordyEngine, FilmShard]
) -> None:
    await until(lambda: len(plant[0].greetings) == 1)
    plant[0].say(b"\xff" * 64)
    await until(lambda: len(plant[0].greetings) == 2)


async def test_a_watcher_gets_packets_from_a_key_frame_on_and_what_was_seen(
    hub: Hub, plant: tuple[WordyEngine, FilmShard]
) -> None:
    relay = PacketRelay(SystemClock())
    overlays: list[Overlay] = []
    with hub.watch("cam-1", relay=relay, on_overlay=overlays.append):
        packets = [await relay.next() for _ in range(4)]
        await until(lambda: len(overlays) > 2)
    assert packets[0].keyframe
    times = [packet.pts_s for packet in packets]
    assert times == sorted(times)
    assert hub.overlay_at("cam-1", packets[0].at) is None
    assert overlays[0].packed.startswith('{"t":')


async def test_a_second_viewer_starts_with_the_group_at_hand(
    hub: Hub, plant: tuple[WordyEngine, FilmShard]
) -> None:
    first, second = PacketRelay(SystemClock()), PacketRelay(SystemClock())
    with hub.watch("cam-1", relay=first):
        while (await first.next()).pts_s % 1.0 < 0.35:
            pass
        with hub.watch("cam-1", relay=second):
            assert len(second) > 0
            assert (await second.next()).keyframe


async def test_one_watch_serves_all_viewers_and_the_last_one_ends_it(
    hub: Hub, plant: tuple[WordyEngine, FilmShard]
) -> None:
    shard = plant[1]
    await until(lambda: "cam-1" in hub.camera_status())
    first, second = PacketRelay(SystemClock()), PacketRelay(SystemClock())
    with hub.watch("cam-1", relay=None):
        with hub.watch("cam-1", relay=first), hub.watch("cam-1", relay=second):
            await until(lambda: len(first) > 0 and len(second) > 0)
        await until(lambda: shard.requests[-1] == Watch(camera_id="cam-1", video=False))
    await until(lambda: shard.requests[-1] == Unwatch(camera_id="cam-1"))
    assert shard.requests.count(Watch(camera_id="cam-1", video=True)) == 1


async def test_a_watch_survives_the_death_of_the_shard(
    hub: Hub, plant: tuple[WordyEngine, FilmShard]
) -> None:
    relay = PacketRelay(SystemClock())
    with hub.watch("cam-1", relay=relay):
        await relay.next()
        await plant[1].stop()
        await until(lambda: hub.camera_status() != {})
        while len(relay):
            await relay.next()
        await plant[1].start()
        assert (await relay.next()).keyframe


async def test_a_watch_follows_its_camera_to_another_shard(
    hub: Hub, settings: Settings, plant: tuple[WordyEngine, FilmShard]
) -> None:
    engine, first = plant
    second = FilmShard(settings, name="shard-1")
    await second.start()
    relay = PacketRelay(SystemClock())
    with hub.watch("cam-1", relay=relay):
        await relay.next()
        engine.cameras["cam-1"] = camera_status("cam-1", shard="shard-1")
        await until(lambda: Watch(camera_id="cam-1") in second.requests)
        await until(lambda: Unwatch(camera_id="cam-1") in first.requests)
    await second.stop()


async def test_snapshots(hub: Hub, plant: tuple[WordyEngine, FilmShard]) -> None:
    await until(lambda: "cam-1" in hub.camera_status())
    picture, reason = await hub.snapshot("cam-1", 640)
    assert reason == "ok"
    assert picture is not None
    assert picture.startswith(b"\xff\xd8")
    request = plant[1].requests[-1]
    assert isinstance(request, SnapshotRequest)
    assert request.width_px == 640


async def test_a_snapshot_of_a_dead_shard_says_so(
    hub: Hub, plant: tuple[WordyEngine, FilmShard]
) -> None:
    await until(lambda: "cam-1" in hub.camera_status())
    await hub.snapshot("cam-1")
    await plant[1].stop()
    assert await asyncio.wait_for(hub.snapshot("cam-1"), 5) == (None, "shard_lost")
    await plant[1].start()
