"""RTP time lines, offers, and a real peer that receives the forwarded film."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from dashboard.hub import Hub
from dashboard.relay import LivePacket
from dashboard.webrtc import BadOffer, LiveRefused, Timeline, TooManyViews, Viewers, reachable
from safety.clock import ManualClock, SystemClock
from safety.config import Settings
from tests.support.live import camera_status, film, film_plant
from tests.support.waiting import until

NOW = ManualClock().now()


def packet(pts_s: float, *, lag_s: float = 0.0) -> tuple[LivePacket, float]:
    """A packet and the monotonic time at which it is sent, ``lag_s`` after its capture."""
    at = NOW.shifted(pts_s)
    made = LivePacket(codec="h264", keyframe=False, pts_s=pts_s, at=at, data=b"")
    return made, at.monotonic + lag_s


def ticks(*packets: tuple[LivePacket, float]) -> list[int]:
    timeline = Timeline()
    return [timeline.ticks(*each) for each in packets]


def test_ticks_are_the_cameras_own_when_nothing_is_late() -> None:
    assert ticks(packet(1.0), packet(1.1), packet(1.2)) == [90_000, 99_000, 108_000]


def test_the_group_a_viewer_starts_with_is_pressed_together() -> None:
    """Four seconds of video sent at once must not be played for four seconds."""
    now = NOW.shifted(4.0).monotonic
    burst = [(packet(i * 0.5)[0], now) for i in range(8)]
    got = ticks(*burst, packet(4.0), packet(4.5))
    assert got == sorted(set(got))
    assert got[7] - got[0] < 0.05 * 90_000
    assert got[8] == pytest.approx(4.0 * 90_000, abs=0.05 * 90_000)
    assert got[9] == 4.5 * 90_000


@pytest.mark.parametrize("restart_s", [0.0, 5.0, 1000.0])
def test_time_goes_on_where_the_camera_starts_anew(restart_s: float) -> None:
    got = ticks(packet(100.0), packet(restart_s), packet(restart_s + 0.1))
    assert got == sorted(set(got))
    assert got[2] - got[1] == 9_000
    assert got[1] - got[0] < 9_000


MDNS = "a=candidate:1 1 udp 2113937151 0b1c-22.local 51234 typ host generation 0"


@pytest.mark.parametrize(
    ("line", "browser", "expected"),
    [
        (MDNS, "10.1.2.3", "a=candidate:1 1 udp 2113937151 10.1.2.3 51234 typ host generation 0"),
        (MDNS, "fe80::1", "a=candidate:1 1 udp 2113937151 fe80::1 51234 typ host generation 0"),
        (MDNS, None, "a=candidate:1 1 udp 2113937151 127.0.0.1 51234 typ host generation 0"),
        (MDNS, "x y", "a=candidate:1 1 udp 2113937151 127.0.0.1 51234 typ host generation 0"),
        ("a=candidate:1 1 udp 9 10.0.0.9 5 typ host", "10.1.2.3", None),
        ("s=host.local 1", "10.1.2.3", None),
    ],
)
def test_hidden_candidates_get_the_address_of_the_request(
    line: str, browser: str | None, expected: str | None
) -> None:
    assert reachable(f"v=0\r\n{line}\r\n", browser) == f"v=0\r\n{expected or line}\r\n"


class Peer:
    """A browser's part: offers, receives, and keeps what came over the data channel."""

    def __init__(self, codecs: list[RTCRtpCodecCapability] | None = None) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = self.connection.addTransceiver("video", direction="recvonly")
        if codecs:
            transceiver.setCodecPreferences(codecs)
        channel = self.connection.createDataChannel("metadata", ordered=False, maxRetransmits=0)
        self.seen: list[dict[str, Any]] = []
        channel.on("message", lambda text: self.seen.append(json.loads(text)))

    @property
    def track(self) -> MediaStreamTrack:
        return self.connection.getReceivers()[0].track

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def watch(self, viewers: Viewers, camera_id: str) -> str:
        answer = await viewers.answer(camera_id, await self.offer(), browser_address=None)
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return answer


@asynccontextmanager
async def viewing(tmp_path: Path, **changes: Any) -> AsyncIterator[tuple[Hub, Viewers]]:
    settings = Settings(data_dir=tmp_path)
    limit = changes.pop("limit", 8)
    async with film_plant(settings, camera_status("cam-1", **changes)):
        hub = Hub(settings, SystemClock())
        viewers = Viewers(hub, SystemClock(), limit=limit)
        await hub.start()
        await until(lambda: "cam-1" in hub.camera_status())
        try:
            yield hub, viewers
        finally:
            await viewers.stop()
            await hub.stop()


async def test_a_peer_receives_the_film_as_it_was_encoded(tmp_path: Path) -> None:
    async with viewing(tmp_path) as (_, viewers):
        peer = Peer()
        answer = await peer.watch(viewers, "cam-1")
        frames = [await peer.track.recv() for _ in range(8)]
        await until(lambda: any(seen["b"] is not None for seen in peer.seen))
        await peer.connection.close()
        await until(lambda: len(viewers) == 0)
    assert "H264/90000" in answer
    assert "VP8" not in answer
    assert all(isinstance(frame, av.VideoFrame) and frame.width == 1280 for frame in frames)
    assert all(" typ host" in line for line in answer.splitlines() if "candidate:" in line)


async def test_boxes_carry_the_time_of_their_picture(tmp_path: Path) -> None:
    """Base + ticks is an RTP timestamp that was really sent."""
    async with viewing(tmp_path) as (_, viewers):
        peer = Peer()
        await peer.watch(viewers, "cam-1")
        for _ in range(12):
            await peer.track.recv()
        await until(lambda: sum(seen["b"] is not None for seen in peer.seen) > 2)
        bases = {seen["b"] for seen in peer.seen if seen["b"] is not None}
        receiver = peer.connection.getReceivers()[0]
        newest = newest_rtp_timestamp(receiver)
        await peer.connection.close()
    assert len(bases) == 1
    base = bases.pop()
    times = {(base + seen["t"]) % 2**32 for seen in peer.seen}
    assert any(abs(newest - time) <= 9_000 for time in times)


def newest_rtp_timestamp(receiver: RTCRtpReceiver) -> int:
    """Of the newest packet that the receiving side has got; aiortc tells nobody."""
    streams = receiver._RTCRtpReceiver__remote_streams  # type: ignore[attr-defined]
    return max(int(stream._last_timestamp) for stream in streams.values())


async def test_when_all_views_are_taken_the_next_is_refused(tmp_path: Path) -> None:
    async with viewing(tmp_path, limit=1) as (_, viewers):
        first, second = Peer(), Peer()
        await first.watch(viewers, "cam-1")
        with pytest.raises(TooManyViews):
            await second.watch(viewers, "cam-1")
        await first.connection.close()
        await second.connection.close()


@pytest.mark.parametrize("codec", ["hevc", "mjpeg"])
async def test_other_codecs_are_refused_in_words(tmp_path: Path, codec: str) -> None:
    async with viewing(tmp_path, codec=codec) as (_, viewers):
        with pytest.raises(LiveRefused, match="still pictures"):
            await viewers.answer("cam-1", "v=0", browser_address=None)
        assert len(viewers) == 0


@pytest.mark.parametrize("offer", ["", "v=0", "not sdp at all", "v=0\r\nm=video 9 X 1\r\n"])
async def test_a_bad_offer_is_refused_and_leaves_nothing_behind(tmp_path: Path, offer: str) -> None:
    async with viewing(tmp_path) as (_, viewers):
        with pytest.raises(BadOffer):
            await viewers.answer("cam-1", offer, browser_address=None)
        await until(lambda: len(viewers) == 0)


async def test_a_peer_without_h264_is_refused(tmp_path: Path) -> None:
    capabilities = RTCRtpReceiver.getCapabilities("video")
    assert capabilities is not None
    vp8 = [codec for codec in capabilities.codecs if codec.mimeType == "video/VP8"]
    async with viewing(tmp_path) as (_, viewers):
        peer = Peer(vp8)
        with pytest.raises(BadOffer):
            await peer.watch(viewers, "cam-1")
        await peer.connection.close()


def test_the_film_has_parameter_sets_before_every_key_frame() -> None:
    keyframes = [packet.data for packet in film() if packet.keyframe]
    assert len(keyframes) > 5
    assert all(0 < data.find(b"\0\0\1\x67") < data.find(b"\0\0\1\x65") for data in keyframes)
