"""The relay of one viewer: bounded, and never a picture after a gap."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.relay import LivePacket, PacketRelay, RelayClosed, RelayLimits
from safety.clock import ManualClock

LIMITS = RelayLimits(packets=6, bytes=400, seconds=2.0)


@dataclass(frozen=True)
class Push:
    """One packet from the camera, some time after the one before."""

    keyframe: bool
    size: int
    after_s: float


class Pop:
    """The viewer takes a packet, if there is one."""


class Lost:
    """A packet never reached the relay, and the relay was told."""


pushes = st.builds(
    Push,
    keyframe=st.booleans(),
    size=st.integers(1, 200),
    after_s=st.sampled_from([0.0, 0.1, 1.5]),
)
steps = st.lists(st.one_of(pushes, pushes, st.builds(Pop), st.builds(Lost)), max_size=60)


def packet(number: int, *, keyframe: bool = False, size: int = 10) -> LivePacket:
    at = ManualClock().now().shifted(number)
    return LivePacket(codec="h264", keyframe=keyframe, pts_s=float(number), at=at, data=b"x" * size)


def play(script: list[object], clock: ManualClock, relay: PacketRelay) -> list[LivePacket]:
    """Run the steps; what the viewer got. Packets are numbered in ``pts_s``, lost ones too."""
    got: list[LivePacket] = []
    number = 0

    async def run() -> None:
        nonlocal number
        for step in script:
            match step:
                case Push():
                    clock.advance(step.after_s)
                    relay.push(packet(number, keyframe=step.keyframe, size=step.size))
                    number += 1
                case Lost():
                    relay.gap()
                    number += 1
                case Pop() if len(relay):
                    got.append(await relay.next())
            assert len(relay) <= LIMITS.packets
            assert relay.waiting_bytes <= LIMITS.bytes
        while len(relay):
            got.append(await relay.next())

    asyncio.run(run())
    return got


@given(steps)
def test_what_is_delivered_can_always_be_decoded(script: list[object]) -> None:
    clock = ManualClock()
    relay = PacketRelay(clock, limits=LIMITS)
    got = play(script, clock, relay)
    before = None
    for each in got:
        follows = before is not None and each.pts_s == before + 1
        assert each.keyframe or follows
        before = each.pts_s


@given(steps)
def test_every_packet_is_delivered_or_counted_as_dropped(script: list[object]) -> None:
    clock = ManualClock()
    relay = PacketRelay(clock, limits=LIMITS)
    got = play(script, clock, relay)
    assert len(got) + relay.dropped == sum(isinstance(step, Push) for step in script)


KEY, DELTA = True, False


@pytest.mark.parametrize(
    ("keyframes", "delivered"),
    [
        pytest.param([KEY, DELTA, DELTA], [0, 1, 2], id="all fits"),
        pytest.param([DELTA, DELTA, KEY, DELTA], [2, 3], id="joins at a key frame"),
        pytest.param([KEY] + [DELTA] * 6, [], id="overflow within a group drops the group"),
        pytest.param([KEY] + [DELTA] * 6 + [DELTA, KEY, DELTA], [8, 9], id="and the rest of it"),
        pytest.param([KEY] + [DELTA] * 4 + [KEY, DELTA], [5, 6], id="skips to the newest key"),
    ],
)
def test_a_viewer_who_does_not_read(keyframes: list[bool], delivered: list[int]) -> None:
    clock = ManualClock()
    script: list[object] = [Push(keyframe=key, size=10, after_s=0.0) for key in keyframes]
    got = play(script, clock, PacketRelay(clock, limits=LIMITS))
    assert [int(each.pts_s) for each in got] == delivered


def test_what_waited_too_long_is_skipped() -> None:
    clock = ManualClock()
    relay = PacketRelay(clock, limits=LIMITS)
    script: list[object] = [
        Push(keyframe=True, size=10, after_s=0.0),
        Push(keyframe=False, size=10, after_s=1.0),
        Push(keyframe=True, size=10, after_s=1.5),
    ]
    assert [each.pts_s for each in play(script, clock, relay)] == [2.0]


async def test_a_waiting_viewer_is_released_by_closing() -> None:
    relay = PacketRelay(ManualClock())
    waiting = asyncio.create_task(relay.next())
    await asyncio.sleep(0)
    relay.close()
    with pytest.raises(RelayClosed):
        await waiting


async def test_a_waiting_viewer_gets_the_packet_at_once() -> None:
    relay = PacketRelay(ManualClock())
    waiting = asyncio.create_task(relay.next())
    await asyncio.sleep(0)
    relay.push(packet(0, keyframe=True))
    assert (await waiting).pts_s == 0
