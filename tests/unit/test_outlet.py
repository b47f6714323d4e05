"""A dashboard connection gets pictures that can be decoded, and never too many at once."""

import asyncio

import pytest

from cameras import outlet as module
from cameras.messages import Metadata, Snapshot, VideoPacket
from cameras.outlet import Outlet
from cameras.packets import EncodedPacket
from cameras.wire import read_frame
from tests.support.violations import START


def packet(index: int, *, keyframe: bool = False, connection: int = 0) -> EncodedPacket:
    return EncodedPacket(
        codec="h264",
        data=bytes(10_000),
        keyframe=keyframe,
        pts_s=index / 10,
        at=START.shifted(index / 10),
        connection=connection,
    )


def metadata(index: int) -> Metadata:
    return Metadata(
        camera_id="cam",
        at=START.shifted(index / 10),
        pts_s=index / 10,
        persons=(),
        violated_zones=(),
        violating_subjects=(),
    )


async def drained(outlet: Outlet) -> list[object]:
    """Everything queued: pictures as (index, keyframe), the rest as messages."""
    found: list[object] = []
    while True:
        try:
            async with asyncio.timeout(0.05):
                data = await outlet.next()
        except TimeoutError:
            return found
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        message, _ = await read_frame(reader)
        if isinstance(message, VideoPacket):
            found.append((round(message.pts_s * 10), message.keyframe))
        else:
            found.append(message)


@pytest.fixture
def outlet() -> Outlet:
    outlet = Outlet()
    outlet.watch("cam", video=True)
    return outlet


async def test_video_begins_with_a_key_frame(outlet: Outlet) -> None:
    for index in range(4):
        outlet.packet("cam", packet(index, keyframe=index == 2))
    assert await drained(outlet) == [(2, True), (3, False)]


async def test_a_packet_is_sent_once(outlet: Outlet) -> None:
    group = [packet(0, keyframe=True), packet(1), packet(2)]
    for item in (*group, *group[1:], packet(3)):
        outlet.packet("cam", item)
    assert await drained(outlet) == [(0, True), (1, False), (2, False), (3, False)]


async def test_too_much_video_skips_to_the_next_key_frame(
    outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_VIDEO_BYTES", 35_000)
    for index in range(9):
        outlet.packet("cam", packet(index, keyframe=index in (0, 6)))
    assert await drained(outlet) == [(6, True), (7, False), (8, False)]
    assert outlet.packets_dropped == 3


async def test_a_reconnected_camera_goes_on(outlet: Outlet) -> None:
    outlet.packet("cam", packet(5, keyframe=True))
    outlet.packet("cam", packet(6, keyframe=True, connection=1))
    assert await drained(outlet) == [(5, True), (6, True)]


async def test_old_metadata_makes_room_for_new(
    outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_METADATA", 2)
    for index in range(4):
        outlet.metadata(metadata(index))
    assert await drained(outlet) == [metadata(2), metadata(3)]


async def test_without_video_there_is_metadata_only(outlet: Outlet) -> None:
    outlet.watch("cam", video=False)
    outlet.packet("cam", packet(0, keyframe=True))
    outlet.metadata(metadata(0))
    assert await drained(outlet) == [metadata(0)]


async def test_video_that_is_wanted_again_begins_anew(outlet: Outlet) -> None:
    group = [packet(0, keyframe=True), packet(1)]
    for item in group:
        outlet.packet("cam", item)
    assert outlet.watch("cam", video=True) is False
    outlet.watch("cam", video=False)
    assert outlet.watch("cam", video=True) is True
    for item in group:
        outlet.packet("cam", item)
    assert await drained(outlet) == [(0, True), (1, False)] * 2


async def test_nothing_is_left_of_an_unwatched_camera(outlet: Outlet) -> None:
    outlet.packet("cam", packet(0, keyframe=True))
    outlet.metadata(metadata(0))
    outlet.unwatch("cam")
    outlet.packet("cam", packet(1, keyframe=True))
    assert await drained(outlet) == []
    assert outlet.cameras == set()


async def test_answers_go_first(outlet: Outlet) -> None:
    outlet.metadata(metadata(0))
    answer = Snapshot(request_id="1", camera_id="cam", at=None)
    outlet.reply(answer, b"")
    assert await drained(outlet) == [answer, metadata(0)]
