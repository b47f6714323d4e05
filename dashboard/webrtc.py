"""Live video in the browser: H.264 packets forwarded as they come, never decoded here.

The browser offers, we answer with one video track and take its data channel ``metadata``.
Only host candidates are used: the product works in a local network and asks no server on
the internet where it is.
"""

import asyncio
import ipaddress
import re
from contextlib import ExitStack, suppress
from fractions import Fraction
from typing import cast

import av
import structlog
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from dashboard.errors import WebError
from dashboard.hub import Hub
from dashboard.overlay import TICKS, Overlay
from dashboard.relay import LivePacket, PacketRelay, RelayClosed
from safety.clock import Clock

_LOG = structlog.get_logger(__name__)

MAX_VIEWERS = 64
CONNECT_WITHIN_S = 15.0
LONGEST_VIEW_S = 3600.0
"""Then the browser has to ask again, and whether it still may see this is checked anew."""
MAX_UNSENT_METADATA = 64 * 1024
"""Bytes waiting in a data channel beyond which boxes are left out rather than late."""
_MDNS_CANDIDATE = re.compile(r"^(a=candidate:(?:\S+ ){4})\S+\.local (.*)$", re.MULTILINE)


class LiveRefused(WebError):
    """No live video for this request; the page shows still pictures instead."""

    status = 409


class TooManyViews(LiveRefused):
    """As many browsers watch as this machine may serve."""

    status = 503


class BadOffer(LiveRefused):
    """The browser's offer is no SDP that we can answer."""

    status = 422


class Timeline:
    """RTP timestamps for one viewer out of a camera's presentation times.

    Timestamps only grow, also where the camera's times start anew after a reconnect. A
    viewer starts with the packets since the last key frame, seconds old: their times are
    pressed together, or the browser would play everything that late from then on.

    Attributes:
        shift: What is now added to the camera's own ticks.
    """

    CAUGHT_UP_S = 0.3
    LONGEST_LAG_S = 60.0
    LONGEST_STEP_S = 10.0
    SMALLEST_STEP = TICKS // 1000

    def __init__(self) -> None:
        self.shift = 0
        self._catching_up = True
        self._last_pts_s: float | None = None
        self._last = -self.SMALLEST_STEP

    def ticks(self, packet: LivePacket, now: float) -> int:
        """The timestamp of a packet that is sent at the monotonic time ``now``."""
        own = round(packet.pts_s * TICKS)
        if self._starts_anew(packet.pts_s):
            self.shift = self._last + self.SMALLEST_STEP - own
        self._last_pts_s = packet.pts_s
        ticks = own + self.shift
        if self._catching_up:
            lag = now - packet.at.monotonic
            self._catching_up = self.CAUGHT_UP_S < lag < self.LONGEST_LAG_S
            if self._catching_up:
                ticks += round(lag * TICKS)
        self._last = max(ticks, self._last + self.SMALLEST_STEP)
        return self._last

    def _starts_anew(self, pts_s: float) -> bool:
        if self._last_pts_s is None:
            return False
        return not 0 <= pts_s - self._last_pts_s <= self.LONGEST_STEP_S


class ForwardedVideo(MediaStreamTrack):
    """The video of one camera for one viewer.

    Attributes:
        base: RTP timestamp minus the camera's own ticks, so that the page can tell which
            boxes belong to which picture; None until the first picture was sent.
    """

    kind = "video"

    def __init__(self, relay: PacketRelay, clock: Clock) -> None:
        super().__init__()
        self.sender: RTCRtpSender | None = None
        self._relay = relay
        self._clock = clock
        self._timeline = Timeline()
        self._origin: int | None = None
        self._sent: int | None = None

    @property
    def base(self) -> int | None:
        if self._origin is None:
            return None
        return (self._origin + self._timeline.shift) % 2**32

    async def recv(self) -> "av.Packet[av.VideoStream]":
        """The next packet for aiortc, which cuts it into RTP packets without re-encoding."""
        if self._origin is None and self._sent is not None and self.sender is not None:
            self._origin = rtp_origin(self.sender, self._sent)
        try:
            packet = await self._relay.next()
            while packet.codec != "h264":  # The camera was set to another codec meanwhile.
                packet = await self._relay.next()
        except RelayClosed:
            raise MediaStreamError from None
        out = cast("av.Packet[av.VideoStream]", av.Packet(packet.data))
        self._sent = self._timeline.ticks(packet, self._clock.now().monotonic)
        out.pts = self._sent
        out.time_base = Fraction(1, TICKS)
        return out


def rtp_origin(sender: RTCRtpSender, sent: int) -> int | None:
    """The random number that a sender adds to all its timestamps.

    aiortc keeps it in a local variable; it is had from the timestamp of the packet that
    was sent last, which was ``sent`` before the addition. None if aiortc hides that too:
    the page then draws the newest boxes over whatever picture is there.
    """
    newest = getattr(sender, "_RTCRtpSender__rtp_timestamp", None)
    return (newest - sent) % 2**32 if newest else None


class Viewer:
    """One browser that watches one camera."""

    def __init__(self, hub: Hub, clock: Clock, camera_id: str) -> None:
        self.camera_id = camera_id
        self.relay = PacketRelay(clock)
        self.closed = asyncio.Event()
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("datachannel", self._channel_opened)
        self._video = ForwardedVideo(self.relay, clock)
        self._channel: RTCDataChannel | None = None
        self._context = ExitStack()
        self._context.enter_context(hub.watch(camera_id, relay=self.relay, on_overlay=self._show))

    @property
    def connected(self) -> bool:
        """Whether video flows or could flow."""
        return self._connection.connectionState == "connected"

    async def answer(self, offer: str) -> str:
        """Negotiate: the SDP answer to the browser's SDP offer.

        Raises:
            ValueError, aiortc's own errors: The offer is not one we can answer.
        """
        transceiver = self._connection.addTransceiver(self._video, direction="sendonly")
        # Before the remote description: otherwise VP8 may win, and forwarded H.264 stays black.
        capabilities = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences(
            [codec for codec in capabilities if codec.mimeType in ("video/H264", "video/rtx")]
        )
        self._video.sender = transceiver.sender
        await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return self._connection.localDescription.sdp

    async def close(self) -> None:
        """Stop sending and free everything; may be called twice."""
        self.closed.set()
        self._context.close()
        self.relay.close()
        await self._connection.close()

    async def _state_changed(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self.closed.set()

    def _channel_opened(self, channel: RTCDataChannel) -> None:
        if channel.label == "metadata":
            self._channel = channel

    def _show(self, overlay: Overlay) -> None:
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        if channel.bufferedAmount < MAX_UNSENT_METADATA:
            channel.send(overlay.for_viewer(self._video.base))


class Viewers:
    """All browsers that watch live video now."""

    def __init__(self, hub: Hub, clock: Clock, *, limit: int = MAX_VIEWERS) -> None:
        self._hub = hub
        self._clock = clock
        self._limit = limit
        self._tasks: dict[Viewer, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    async def answer(self, camera_id: str, offer: str, *, browser_address: str | None) -> str:
        """Begin to send a camera to a browser.

        Args:
            camera_id: Which camera; it must exist.
            offer: The browser's SDP with all its candidates.
            browser_address: Where the request came from.

        Returns:
            The SDP answer with all our candidates.

        Raises:
            LiveRefused: The codec cannot be forwarded.
            TooManyViews: The limit is reached.
            BadOffer: The offer is no good.
        """
        self._check_codec(camera_id)
        if len(self._tasks) >= self._limit:
            raise TooManyViews(
                "live.too_many",
                "{limit} live views are open already; this one shows still pictures",
                limit=self._limit,
            )
        viewer = Viewer(self._hub, self._clock, camera_id)
        self._tasks[viewer] = asyncio.create_task(self._attend(viewer))
        try:
            return await viewer.answer(reachable(offer, browser_address))
        except Exception as error:  # SDP is foreign input; aiortc raises whatever comes up.
            _LOG.warning("live_offer_refused", camera=camera_id, error=repr(error))
            viewer.closed.set()
            raise BadOffer(
                "live.bad_offer", "the browser's offer cannot be answered; reload the page"
            ) from None

    async def stop(self) -> None:
        """Close every view."""
        tasks = list(self._tasks.values())
        for viewer in self._tasks:
            viewer.closed.set()
        await asyncio.gather(*tasks)

    def _check_codec(self, camera_id: str) -> None:
        status = self._hub.camera_status().get(camera_id)
        if status is not None and status.codec not in (None, "h264"):
            raise LiveRefused(
                "live.h265",
                "{codec}: live view as still pictures; set the camera to H.264 for video",
                codec="H.265" if status.codec in ("hevc", "h265") else status.codec,
            )

    async def _attend(self, viewer: Viewer) -> None:
        try:
            await _within(CONNECT_WITHIN_S, viewer.closed)
            if viewer.connected:
                await _within(LONGEST_VIEW_S, viewer.closed)
            await viewer.close()
        except Exception:
            _LOG.exception("live_view_failed", camera=viewer.camera_id)
        finally:
            del self._tasks[viewer]


async def _within(seconds: float, event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def reachable(offer: str, browser_address: str | None) -> str:
    """An offer whose hidden candidates carry the address that the request came from.

    Browsers hide their address behind a name under ``.local`` which only multicast DNS
    can resolve. That takes a second and does not pass a router; the address that asked
    is a good guess, and the browser's own checks find us in any case.
    """
    try:
        address = str(ipaddress.ip_address(browser_address or "127.0.0.1"))
    except ValueError:
        address = "127.0.0.1"
    return _MDNS_CANDIDATE.sub(rf"\g<1>{address} \g<2>", offer)
