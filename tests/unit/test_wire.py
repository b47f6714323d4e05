"""Frames on the sockets: what is written is read, and nothing else is accepted."""

import asyncio

import pytest

from cameras.messages import (
    AnyMessage,
    EvidenceFailed,
    Hello,
    SeenPerson,
    Shutdown,
    Snapshot,
    ViolationReport,
)
from cameras.messages import Metadata as MetadataMessage
from cameras.wire import MAX_BODY_BYTES, MAX_HEADER_BYTES, decode, encode, read_frame
from safety.errors import WireError
from tests.support.shards import film_camera, watching
from tests.support.violations import START, cleared, opened

MESSAGES: list[tuple[AnyMessage, bytes]] = [
    (Hello(role="shard", name="shard-0", pid=1), b""),
    (watching(film_camera(name="로봇 셀")), b""),
    (ViolationReport(violation=cleared(opened())), b""),
    (EvidenceFailed(violation_id="v1", kind="clip", reason="disk_full"), b""),
    (Snapshot(request_id="1", camera_id="cam-1", at=START), b"\xff\xd8 a picture"),
    (
        MetadataMessage(
            camera_id="cam-1",
            at=START,
            pts_s=None,
            persons=(SeenPerson(track_id=1, box=(0, 0, 1, 1), keypoints=((0.5, 0.5, 1),)),),
            violated_zones=("zone-1",),
            violating_subjects=(),
        ),
        b"",
    ),
]


def fed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@pytest.mark.parametrize(("message", "body"), MESSAGES, ids=lambda part: getattr(part, "type", ""))
async def test_what_is_written_is_read(message: AnyMessage, body: bytes) -> None:
    assert await read_frame(fed(encode(message, body))) == (message, body)


async def test_the_layout_of_a_frame() -> None:
    assert encode(Shutdown(), b"!") == (
        b"\x00\x00\x00\x20\x00\x00\x00\x01" + b'{"protocol":1,"type":"shutdown"}' + b"!"
    )


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"protocol":1}',
        b'{"protocol":1,"type":"never heard of"}',
        b'{"protocol":2,"type":"shutdown"}',
        b'{"protocol":1,"type":"shutdown","extra":1}',
        b'{"protocol":1,"type":"hello","role":"king","name":"x","pid":1}',
        b'{"protocol":1,"type":"hello","role":"shard","name":"x"}',
        b"\xff\xfe",
    ],
)
def test_a_malformed_message_is_refused(header: bytes) -> None:
    with pytest.raises(WireError) as refused:
        decode(header)
    assert refused.value.key == "wire.malformed"


async def test_the_stream_stays_in_step_after_a_malformed_message() -> None:
    broken = b"\x00\x00\x00\x02\x00\x00\x00\x03{}xyz"
    reader = fed(broken + encode(Shutdown()))
    with pytest.raises(WireError):
        await read_frame(reader)
    assert await read_frame(reader) == (Shutdown(), b"")


@pytest.mark.parametrize(
    ("header", "body"), [(MAX_HEADER_BYTES + 1, 0), (1, MAX_BODY_BYTES + 1), (2**32 - 1, 2**32 - 1)]
)
async def test_absurd_lengths_are_not_waited_for(header: int, body: int) -> None:
    with pytest.raises(WireError) as refused:
        await read_frame(fed(header.to_bytes(4, "big") + body.to_bytes(4, "big")))
    assert refused.value.key == "wire.out_of_step"


@pytest.mark.parametrize("kept", [0, 3, 8, 20])
async def test_a_torn_frame_is_an_end(kept: int) -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await read_frame(fed(encode(Shutdown(), b"body")[:kept]))
