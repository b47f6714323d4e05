"""A real RTSP server over GStreamer, run by Debian's own Python as a separate process.

Reads one JSON document from standard input: ``{"host", "port", "mounts": {name: mount}}`` with
mounts as written by ``tests.support.rtsp``, prints ``ready`` and serves until it is killed.
Encoded pictures go out as they are in the file, at the pace of their timestamps, for ever:
every client gets its own run from the first picture on, and the timestamps keep rising when
the file starts again.
"""

import json
import random
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtspServer  # noqa: E402, F401

LONGEST_CATCH_UP_S = 1.0
NAL_HEADER_BYTES = 48
ANYBODY = "anybody"
AUDIO = "( audiotestsrc is-live=true wave=silence ! mulawenc ! rtppcmupay name=pay0 pt=0 )"


@dataclass(frozen=True)
class Unit:
    """One encoded picture of a file: times in ns from the file's start, bytes in Annex B."""

    pts: int
    dts: int
    data: bytes


@dataclass(frozen=True)
class Film:
    """All pictures of a file."""

    caps: str
    units: list[Unit]
    length: int


def read_film(path: str, codec: str) -> Film:
    """The encoded pictures of an MP4 or Matroska file."""
    demuxer = "matroskademux" if path.endswith(".mkv") else "qtdemux"
    caps = f"video/x-{codec},stream-format=byte-stream,alignment=au"
    pipeline = Gst.parse_launch(
        f"filesrc name=file ! {demuxer} ! {codec}parse config-interval=-1 ! {caps} "
        "! appsink name=units sync=false"
    )
    pipeline.get_by_name("file").set_property("location", path)
    sink = pipeline.get_by_name("units")
    pipeline.set_state(Gst.State.PLAYING)
    units = []
    while (sample := sink.emit("pull-sample")) is not None:
        buffer = sample.get_buffer()
        pts = buffer.pts if buffer.pts != Gst.CLOCK_TIME_NONE else buffer.dts
        dts = buffer.dts if buffer.dts != Gst.CLOCK_TIME_NONE else pts
        units.append(Unit(pts=pts, dts=dts, data=buffer.extract_dup(0, buffer.get_size())))
    pipeline.set_state(Gst.State.NULL)
    if len(units) < 2:
        raise SystemExit(f"{path} has no {codec} pictures")
    first, last = units[0].dts, max(unit.pts for unit in units)
    frame = (last - min(unit.pts for unit in units)) // (len(units) - 1)
    moved = [Unit(pts=u.pts - first, dts=u.dts - first, data=u.data) for u in units]
    return Film(caps=caps, units=moved, length=frame * len(units))


def damaged(data: bytes, random_bytes: random.Random) -> bytes:
    """The picture with every tenth byte or so replaced, parameter sets left whole."""
    spoiled = bytearray(data)
    for at in range(NAL_HEADER_BYTES, len(spoiled), 10):
        spoiled[at] = random_bytes.randrange(256)
    return bytes(spoiled)


class Feed(threading.Thread):
    """Pushes a film into one client's ``appsrc``, at its own pace, until told to stop."""

    def __init__(self, source: Any, film: Film, mount: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self._source = source
        self._film = film
        self._mount = mount
        self._stop = threading.Event()

    def stop(self, *_: object) -> None:
        self._stop.set()

    def run(self) -> None:
        random_bytes = random.Random(1)
        begin = time.monotonic()
        running = self._source.get_current_running_time()
        base = running if running != Gst.CLOCK_TIME_NONE else 0
        passed, lap = 0, 0
        while not self._stop.is_set():
            for unit in self._film.units:
                due = begin + (lap + unit.dts) / 1e9
                late = time.monotonic() - due
                if late > LONGEST_CATCH_UP_S:
                    # After SIGCONT a camera sends what it sees now, not what it missed.
                    begin, passed = begin + late, passed + int(late * 1e9)
                elif self._stop.wait(max(0.0, -late)):
                    return
                played_s = (lap + unit.dts) / 1e9
                # The first picture always goes out: without it the server cannot even say what
                # it would send, and keeps the client waiting for its description.
                if 0 < played_s >= self._mount.get("silent_after_s", float("inf")):
                    self._stop.wait()
                    return
                corrupt = played_s >= self._mount.get("corrupt_after_s", float("inf"))
                data = damaged(unit.data, random_bytes) if corrupt else unit.data
                buffer = Gst.Buffer.new_wrapped(data)
                buffer.pts = base + passed + lap + unit.pts
                buffer.dts = base + passed + lap + unit.dts
                if self._source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                    return
            lap += self._film.length


class FilmFactory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
    """Serves one film, a run of its own for every client."""

    def __init__(self, film: Film, mount: dict[str, Any]) -> None:
        super().__init__()
        self._film = film
        self._mount = mount
        payloader = f"rtp{mount['codec']}pay"
        self.set_launch(
            f"( appsrc name=feed is-live=true format=time caps={film.caps} "
            f"! {payloader} name=pay0 pt=96 )"
        )
        self.connect("media-configure", self._configure)

    def _configure(self, _factory: object, media: Any) -> None:
        feed = Feed(media.get_element().get_by_name("feed"), self._film, self._mount)
        media.connect("unprepared", feed.stop)
        feed.start()


def permit(factory: Any, roles: dict[str, bool]) -> None:
    """Let the roles see the mount; those marked true may also play it, the rest get a 401."""
    permissions = GstRtspServer.RTSPPermissions()
    for role, may_play in roles.items():
        permissions.add_permission_for_role(role, "media.factory.access", True)
        permissions.add_permission_for_role(role, "media.factory.construct", may_play)
    factory.set_permissions(permissions)


def token(role: str) -> Any:
    """What the server remembers of a client that has this role."""
    made = GstRtspServer.RTSPToken()
    made.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, role)
    return made


def main() -> None:
    """Serve what standard input asks for."""
    Gst.init(None)
    config = json.load(sys.stdin)
    server = GstRtspServer.RTSPServer()
    server.set_address(config["host"])
    server.set_service(str(config["port"]))
    server.get_thread_pool().set_max_threads(-1)  # one client's trouble is not another's
    auth = GstRtspServer.RTSPAuth()
    auth.set_default_token(token(ANYBODY))
    server.set_auth(auth)
    mounts = server.get_mount_points()
    for name, mount in config["mounts"].items():
        if mount["kind"] == "audio":
            factory = GstRtspServer.RTSPMediaFactory()
            factory.set_launch(AUDIO)
        else:
            factory = FilmFactory(read_film(mount["path"], mount["codec"]), mount)
        permit(factory, {ANYBODY: "username" not in mount, name: True})
        if "username" in mount:
            basic = GstRtspServer.RTSPAuth.make_basic(mount["username"], mount["password"])
            auth.add_basic(basic, token(name))
        mounts.add_factory(f"/{name}", factory)
    if not server.attach(None):
        raise SystemExit(f"cannot listen on port {config['port']}")
    print("ready", flush=True)  # noqa: T201
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
