"""The packet ring is bounded in seconds and bytes and always begins with a key frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameras.packets import EncodedPacket, PacketRing
from tests.support.packets import instant, packet


def everything(ring: PacketRing) -> list[EncodedPacket]:
    return ring.window(instant(-1e6), instant(1e6))


def filled(*, seconds: float = 10.0, max_bytes: int = 10**9, until_s: int = 60) -> PacketRing:
    """Ten packets a second, a key frame every two seconds."""
    ring = PacketRing(seconds=seconds, max_bytes=max_bytes)
    for tenth in range(until_s * 10):
        ring.append(packet(tenth / 10, keyframe=tenth % 20 == 0))
    return ring


def test_it_remembers_its_seconds_and_at_most_one_group_more() -> None:
    ring = filled(seconds=10.0)
    assert 10.0 <= ring.seconds < 12.0


def test_it_holds_no_more_bytes_than_allowed() -> None:
    ring = filled(max_bytes=5_000)
    assert ring.size_bytes <= 5_000
    assert ring.size_bytes == sum(len(p.data) for p in everything(ring))
    assert everything(ring)[0].keyframe


def test_packets_before_the_first_key_frame_are_not_kept() -> None:
    ring = PacketRing(seconds=10, max_bytes=1_000)
    ring.append(packet(0.0))
    ring.append(packet(0.1))
    assert everything(ring) == []
    ring.append(packet(0.2, keyframe=True))
    assert len(everything(ring)) == 1


def test_one_group_larger_than_allowed_is_given_up_until_the_next_key_frame() -> None:
    ring = PacketRing(seconds=10, max_bytes=250)
    ring.append(packet(0.0, keyframe=True))
    ring.append(packet(0.1))
    ring.append(packet(0.2))
    ring.append(packet(0.3))
    assert everything(ring) == []
    assert ring.size_bytes == 0
    ring.append(packet(0.4, keyframe=True))
    assert [p.pts_s for p in everything(ring)] == [0.4]


@pytest.mark.parametrize(
    ("start_s", "end_s", "first_s", "last_s"),
    [
        (55.0, 57.0, 54.0, 57.0),  # begins with the key frame before
        (54.0, 57.0, 54.0, 57.0),  # a key frame at the very start
        (10.0, 52.0, 48.0, 52.0),  # older than what it remembers: the oldest there is
        (57.0, 99.0, 56.0, 59.9),  # ends with the newest there is
    ],
)
def test_a_window_begins_with_a_key_frame(
    start_s: float, end_s: float, first_s: float, last_s: float
) -> None:
    window = filled(seconds=10.0).window(instant(start_s), instant(end_s))
    assert window[0].keyframe
    assert window[0].pts_s == first_s
    assert window[-1].pts_s == pytest.approx(last_s)


def test_a_new_viewer_gets_everything_from_the_newest_key_frame_on() -> None:
    group = filled(until_s=61).latest_group()
    assert group[0].pts_s == 60.0
    assert len(group) == 10
    assert PacketRing(seconds=1, max_bytes=1).latest_group() == []


@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=80),
    max_bytes=st.integers(1, 2_000),
    seconds=st.floats(0.1, 5.0),
)
def test_whatever_comes_it_is_in_order_bounded_and_begins_with_a_key_frame(
    steps: list[tuple[bool, int]], max_bytes: int, seconds: float
) -> None:
    ring = PacketRing(seconds=seconds, max_bytes=max_bytes)
    for number, (keyframe, size) in enumerate(steps):
        ring.append(packet(number / 10, keyframe=keyframe, size=size))
        held = everything(ring)
        assert ring.size_bytes == sum(len(p.data) for p in held) <= max_bytes
        assert [p.pts_s for p in held] == sorted(p.pts_s for p in held)
        assert not held or held[0].keyframe
        later_keys = [p for p in held[1:] if p.keyframe]
        if later_keys:
            assert number / 10 - later_keys[0].pts_s < seconds
