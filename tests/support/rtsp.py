"""A real RTSP server as a fixture: Debian's gst-rtsp-server in a process of its own."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import pytest

from tests.support.ports import free_port
from tests.support.requirements import DEBIAN_PYTHON, need

_SCRIPT = Path(__file__).with_name("rtsp_server.py")
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One address of the server.

    Attributes:
        film: H.264 or H.265 file, sent as it is, for ever; None sends sound without picture.
        username, password: Who may play it; nobody is asked if not given.
        corrupt_after_s: From here on the pictures' bytes are damaged.
        silent_after_s: From here on nothing is sent, over a connection that stays open; the first
            picture is sent in any case.
    """

    film: Path | None
    username: str | None = None
    password: str | None = None
    corrupt_after_s: float | None = None
    silent_after_s: float | None = None

    def document(self) -> dict[str, object]:
        """What the server's process is told of it."""
        told: dict[str, object] = {"kind": "audio" if self.film is None else "film"}
        if self.film is not None:
            told |= {"path": str(self.film), "codec": _codec(self.film)}
        for name in ("username", "password", "corrupt_after_s", "silent_after_s"):
            if (value := getattr(self, name)) is not None:
                told[name] = value
        return told


class RtspServer:
    """Serves mounts on a free loopback port; a context manager.

    Every client gets its own run of a film, from the first picture on, with rising timestamps.

    Args:
        mounts: By name; a bare path stands for ``Mount(film=path)``.
    """

    def __init__(self, mounts: Mapping[str, Mount | Path]) -> None:
        need("gst-rtsp-server")
        self._mounts = {
            name: mount if isinstance(mount, Mount) else Mount(film=mount)
            for name, mount in mounts.items()
        }
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def url(self, mount: str) -> str:
        """The address of a mount, without user name and password."""
        return f"rtsp://{_HOST}:{self.port}/{mount}"

    def start(self) -> None:
        """Start serving; returns when the port is open.

        Raises:
            RuntimeError: The server did not come up; its own words are in the message.
        """
        mounts = {name: mount.document() for name, mount in self._mounts.items()}
        process = subprocess.Popen(
            [DEBIAN_PYTHON, str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"host": _HOST, "port": self.port, "mounts": mounts}))
        process.stdin.close()
        words = []
        for line in process.stdout:
            if line.strip() == "ready":
                self._process = process
                return
            words.append(line)
        raise RuntimeError(f"the RTSP server ended with {process.wait()}: {''.join(words)}")

    def stop(self) -> None:
        """End it and wait; harmless if it has ended."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a word to its clients."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Stop its process where it stands: connections stay open and nothing comes."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        """Serve the same mounts on the same port again."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _signal(self, number: int) -> None:
        assert self._process is not None, "the server is not running"
        self._process.send_signal(number)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


@pytest.fixture
def rtsp_server() -> Iterator[Callable[[Mapping[str, Mount | Path]], RtspServer]]:
    """Starts RTSP servers that end with the test: ``rtsp_server({"cam": path}).url("cam")``."""
    started: list[RtspServer] = []

    def start(mounts: Mapping[str, Mount | Path]) -> RtspServer:
        started.append(RtspServer(mounts))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def _codec(film: Path) -> str:
    with av.open(film) as container:
        name = container.streams.video[0].codec_context.name
    return "h265" if name == "hevc" else name
