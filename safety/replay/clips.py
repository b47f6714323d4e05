"""Parts of a film as films of their own, without encoding again."""

from fractions import Fraction
from pathlib import Path

import av

from cameras import failures


def cut(film: Path, target: Path, *, start_s: float, end_s: float) -> None:
    """Write the part from the key frame before ``start_s`` to ``end_s``.

    Args:
        start_s, end_s: Seconds from the film's beginning.

    Raises:
        CameraError: The film cannot be read.
        OSError: The target cannot be written.
    """
    try:
        with av.open(film) as source, av.open(target, "w", format="mp4") as sink:
            stream = source.streams.video[0]
            copy = sink.add_stream_from_template(stream)
            base = stream.time_base or Fraction(1, 90_000)
            source.seek(round(max(0.0, start_s) / base), stream=stream)
            first: int | None = None
            for packet in source.demux(stream):
                if packet.dts is None or packet.pts is None:
                    continue
                if float(packet.pts * base) > end_s:
                    break
                first = packet.dts if first is None else first
                packet.pts -= first
                packet.dts -= first
                packet.stream = copy
                sink.mux(packet)
    except av.error.FFmpegError as error:
        raise failures.from_ffmpeg(error, str(film)) from None
