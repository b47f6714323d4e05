"""Evidence clips: encoded packets put into an MP4 as they are, without encoding again."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, groupby, pairwise
from operator import attrgetter
from pathlib import Path

import av
import structlog

from cameras.annexb import Codec, parameter_sets
from cameras.durable import draft_of, sync_folder, write_file
from cameras.packets import EncodedPacket
from safety.clock import Instant
from safety.errors import CameraError

log = structlog.get_logger(__name__)

_TIME_BASE = Fraction(1, 90_000)
_CODEC_NAMES: dict[Codec, str] = {"h264": "h264", "h265": "hevc"}
# Browsers and QuickTime play H.265 only under this tag.
_TAGS: dict[Codec, str] = {"h264": "avc1", "h265": "hvc1"}
_ONE_PICTURE = 3_000
_HASH_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A finished clip.

    Attributes:
        started_at, ended_at: Arrival of its first and of its last picture.
        sidecar_sha256: Of the file beside it; None if there is none.
    """

    path: Path
    sha256: str
    size_bytes: int
    started_at: Instant
    ended_at: Instant
    sidecar_sha256: str | None = None


Describe = Callable[[Clip], bytes]
"""Says what a clip was made from: the content of the file beside it."""


def write_clip(
    packets: Sequence[EncodedPacket],
    path: Path,
    *,
    moment: Instant,
    describe: Describe | None = None,
) -> Clip:
    """Write packets of one camera into an MP4 that browsers play.

    A connection that broke in between leaves a pause in the clip. Where the picture's size or
    codec changed, one file cannot hold both: the part that shows ``moment`` is written.
    The file appears under its name only when it is complete and on disk, and so is the one
    beside it: whatever ends this process, no clip is left without its description.

    Args:
        packets: In order of arrival, as ``PacketRing.window`` gives them.
        path: The file; its folder must exist.
        moment: What the clip is to show.
        describe: What to write beside it, into the file of the same name that ends in ``.json``.

    Raises:
        CameraError: ``camera.no_clip``: the packets hold no key frame.
        OSError: The file cannot be written.
    """
    part = _part_showing(moment, list(_parts(packets)))
    unfinished = draft_of(path)
    try:
        _mux(part, unfinished)
        clip = Clip(
            path=path,
            sha256=_sync(unfinished),
            size_bytes=unfinished.stat().st_size,
            started_at=part[0].at,
            ended_at=part[-1].at,
        )
        # The description first: one without its clip says nothing, and is deleted.
        if describe is not None:
            clip = replace(clip, sidecar_sha256=_write_beside(path, describe(clip)))
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return clip


def _write_beside(path: Path, data: bytes) -> str | None:
    """Write a clip's description; a clip without one is better than none."""
    try:
        write_file(path.with_suffix(".json"), data)
    except OSError as error:
        log.error("sidecar_not_written", clip=path.name, why=str(error))
        return None
    return hashlib.sha256(data).hexdigest()


def _parts(packets: Sequence[EncodedPacket]) -> Iterator[list[EncodedPacket]]:
    """Runs of packets that one decoder can play, each beginning with a key frame."""
    part: list[EncodedPacket] = []
    format_of_part: tuple[str, bytes] | None = None
    for packet in packets:
        if packet.keyframe:
            format_here = packet.codec, parameter_sets(packet.codec, packet.data)
            if part and format_here != format_of_part:
                yield part
                part = []
            format_of_part = format_here
        # After a new connection nothing can be decoded up to its first key frame.
        elif not part or part[-1].connection != packet.connection:
            continue
        part.append(packet)
    if part:
        yield part


def _part_showing(moment: Instant, parts: list[list[EncodedPacket]]) -> list[EncodedPacket]:
    if not parts:
        raise CameraError(
            "camera.no_clip",
            "there is no video of that moment to keep: the camera had sent no key frame; "
            "set its key frame interval to 1-2 s",
        )

    def distance(part: list[EncodedPacket]) -> float:
        begin, end = part[0].at.monotonic, part[-1].at.monotonic
        return max(begin - moment.monotonic, moment.monotonic - end, 0.0)

    return min(parts, key=distance)


def _mux(packets: list[EncodedPacket], path: Path) -> None:
    times = _times(packets)
    # The packets' own parameters, read from the first key frame.
    with (
        av.open(io.BytesIO(packets[0].data), format=_CODEC_NAMES[packets[0].codec]) as sample,
        av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        # FFmpeg's MP4 writer turns Annex B into length-prefixed units by itself.
        stream = container.add_stream_from_template(sample.streams.video[0], opaque=True)
        stream.codec_context.codec_tag = _TAGS[packets[0].codec]
        stream.time_base = _TIME_BASE
        for packet, (pts, dts, duration) in zip(packets, times, strict=True):
            written = av.Packet(packet.data)
            written.stream = stream
            written.time_base = _TIME_BASE
            written.pts, written.dts, written.duration = pts, dts, duration
            written.is_keyframe = packet.keyframe
            container.mux_one(written)


def _times(packets: list[EncodedPacket]) -> list[tuple[int, int, int]]:
    """Presentation time, decoding time and duration of every packet, in ``_TIME_BASE``.

    Cameras tell presentation times only. Decoding times are the same times in rising order,
    earlier by as much as the pictures are out of order.
    """
    shown = [round(pts_s / _TIME_BASE) for pts_s in _continuous(packets)]
    rising = list(accumulate(sorted(shown), lambda before, now: max(before + 1, now)))
    early = max(max(decoded - pts for decoded, pts in zip(rising, shown, strict=True)), 0)
    steps = [after - before for before, after in pairwise(rising)]
    usual = sorted(steps)[len(steps) // 2] if steps else _ONE_PICTURE
    return [
        (pts, decoded - early, step)
        for pts, decoded, step in zip(shown, rising, [*steps, usual], strict=True)
    ]


def _continuous(packets: list[EncodedPacket]) -> list[float]:
    """Presentation times from the clip's beginning, across connections, in seconds."""
    times: list[float] = []
    for _, run in groupby(packets, key=attrgetter("connection")):
        connection = list(run)
        begins_s = connection[0].at.monotonic - packets[0].at.monotonic
        # A connection's first pictures may come in a burst: never before those of the last one.
        begins_s = max([begins_s, *(t + 0.001 for t in times)])
        first = connection[0].pts_s
        times.extend(begins_s + packet.pts_s - first for packet in connection)
    return times


def _sync(path: Path) -> str:
    """Bring a file to the disk; its SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        os.fsync(file.fileno())
        while chunk := file.read(_HASH_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
