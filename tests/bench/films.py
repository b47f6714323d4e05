"""Films for benchmarks: ours, at the pace and size of ordinary factory cameras."""

from fractions import Fraction
from pathlib import Path

import av

from safety.demo import SITE

SCENES = SITE.parent / "scenes"
CELL = SCENES / "cell_intrusion.mp4"
"""1280x720; one person walks into a robot cell and out again."""


def paced(film: Path, fps: int, folder: Path) -> Path:
    """The same encoded pictures with timestamps for another rate; nothing is encoded anew."""
    path = folder / f"{film.stem}-{fps}.mp4"
    with av.open(film) as source, av.open(path, "w") as target:
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        for number, packet in enumerate(p for p in source.demux(stream) if p.size):
            packet.stream = copied
            packet.time_base = Fraction(1, fps)
            packet.pts = packet.dts = number
            packet.duration = 1
            target.mux(packet)
    return path


def kbit_per_s(film: Path) -> float:
    """Mean rate of a film's video."""
    with av.open(film) as container:
        stream = container.streams.video[0]
        packets = [packet.size for packet in container.demux(stream) if packet.size]
        assert stream.average_rate is not None
        return float(sum(packets) * 8 / 1000 * stream.average_rate / len(packets))
