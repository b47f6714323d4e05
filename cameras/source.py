"""Where a camera's pictures come from: a network camera, a file, or the synthetic twin."""

import threading
from collections.abc import Iterator
from typing import Protocol

from cameras.annexb import Codec
from cameras.file import FileSource
from cameras.packets import EncodedPacket
from cameras.rtsp import RtspSource
from cameras.specs import FileSpec, RtspSpec, SourceSpec
from cameras.synthetic import SyntheticSource
from safety.clock import Clock


class Source(Protocol):
    """One open connection to a camera, used by one thread."""

    codec: Codec
    announced_fps: float | None
    """Frames per second as the stream itself says, if it does."""

    def packets(self) -> Iterator[EncodedPacket]:
        """Encoded pictures as they come, the first one a key frame; blocks between them.

        Returns at the end of a film that is played once, or when cancelled.

        Raises:
            CameraError: The connection broke, or nothing came for seconds.
        """
        ...

    def close(self) -> None:
        """Let go of the connection; once, by the thread that reads."""
        ...


def open_source(
    spec: SourceSpec, *, clock: Clock, cancelled: threading.Event, connection: int = 0
) -> Source:
    """Connect to a camera; blocks for some seconds at the most.

    Args:
        cancelled: Set by another thread to end waiting between pictures.
        connection: Number that the packets carry.

    Raises:
        CameraError: It cannot be read, and why.
        ConfigError: Its password is not where the specification says.
    """
    if isinstance(spec, RtspSpec):
        return RtspSource(spec, clock=clock, connection=connection)
    if isinstance(spec, FileSpec):
        return FileSource(spec, clock=clock, cancelled=cancelled, connection=connection)
    return SyntheticSource(spec, clock=clock, cancelled=cancelled, connection=connection)
