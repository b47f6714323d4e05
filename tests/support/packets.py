"""Encoded packets: hand-made ones for bookkeeping, real ones for everything that decodes."""

from pathlib import Path

import av

from cameras.annexb import Codec, ParameterSets
from cameras.packets import EncodedPacket
from safety.clock import Instant

_FILTERS: dict[str, tuple[str, Codec]] = {
    "h264": ("h264_mp4toannexb", "h264"),
    "hevc": ("hevc_mp4toannexb", "h265"),
}


def instant(seconds: float) -> Instant:
    """So many seconds into a test."""
    return Instant(wall=1_767_600_000.0 + seconds, monotonic=1_000.0 + seconds)


def packet(
    at_s: float, *, keyframe: bool = False, size: int = 100, connection: int = 0
) -> EncodedPacket:
    """A packet that nobody decodes."""
    return EncodedPacket(
        codec="h264",
        data=bytes(size),
        keyframe=keyframe,
        pts_s=at_s,
        at=instant(at_s),
        connection=connection,
    )


def read_packets(film: Path, *, begins_s: float = 0.0, connection: int = 0) -> list[EncodedPacket]:
    """All packets of a film, as if it had been received from ``begins_s`` on without delay."""
    packets = []
    with av.open(film) as container:
        stream = container.streams.video[0]
        name, codec = _FILTERS[stream.codec_context.name]
        annex_b = av.BitStreamFilterContext(name, stream)
        sets = ParameterSets(codec)
        for raw in container.demux(stream):
            for one in annex_b.filter(raw) if raw.size else ():
                assert one.pts is not None
                assert one.dts is not None
                data = bytes(one)
                packets.append(
                    EncodedPacket(
                        codec=codec,
                        data=sets.complete(data) if one.is_keyframe else data,
                        keyframe=one.is_keyframe,
                        pts_s=float(one.pts * one.time_base),
                        at=instant(begins_s + float(one.dts * one.time_base)),
                        connection=connection,
                    )
                )
    return packets
