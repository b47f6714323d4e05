"""What one further live viewer costs the dashboard, in CPU.

A process of its own runs the dashboard's hub and WebRTC part, another one the shard (a
720p film) and the viewers, which are real WebRTC peers. Usage:
``python -m tests.bench.bench_viewers``.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from dashboard.hub import Hub
from dashboard.webrtc import Viewers
from safety.clock import SystemClock
from safety.config import Settings
from tests.support.live import SCENE, camera_status, film, film_plant
from tests.support.videos import still_room, write_film
from tests.support.waiting import until

VIEWERS = (0, 1, 4, 8)
SETTLE_S = 3.0
MEASURE_S = 10.0
CAMERA = "cam-1"


def run() -> dict[str, float]:
    """Measure with a quiet and with a busy picture, print a table, and return its figures.

    Returns:
        For ``scene`` and ``busy``: ``<film>_cpu_percent_<n>``, per cent of one core with n
        viewers; ``<film>_cpu_percent_per_viewer``, from one viewer to the most; and
        ``<film>_kbit_per_s``.
    """
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in (("scene", SCENE), ("busy", busy_film(Path(folder)))):
            measured = asyncio.run(_measure(Path(folder) / name, path))
            most = VIEWERS[-1]
            grown = measured[f"cpu_percent_{most}"] - measured["cpu_percent_1"]
            measured["cpu_percent_per_viewer"] = grown / (most - 1)
            measured["kbit_per_s"] = kbit_per_s(path)
            sys.stdout.write(_table(name, measured))
            figures |= {f"{name}_{key}": value for key, value in measured.items()}
    return figures


def busy_film(folder: Path) -> Path:
    """Six seconds of 720p at 15 frames/s with sensor noise: 2 Mbit/s, as cameras are set to."""
    pictures = still_room(6, fps=15, width_px=1280, height_px=720, noise=6.0)
    rate = {"crf": "-1", "b": "2M", "maxrate": "2M", "bufsize": "2M"}
    return write_film(folder / "busy.mp4", pictures, fps=15, keyframe_every=30, options=rate)


def kbit_per_s(path: Path) -> float:
    """Mean rate of a film's video."""
    packets = film(path)
    seconds = packets[-1].pts_s + packets[1].pts_s - packets[0].pts_s
    return sum(len(packet.data) for packet in packets) * 8 / 1000 / seconds


async def _measure(folder: Path, path: Path) -> dict[str, float]:
    settings = Settings(data_dir=folder)
    figures: dict[str, float] = {}
    async with (
        film_plant(settings, camera_status(CAMERA), path=path),
        _dashboard(settings) as dashboard,
    ):
        peers: list[RTCPeerConnection] = []
        for number in VIEWERS:
            while len(peers) < number:
                peers.append(await _peer(settings))
            await asyncio.sleep(SETTLE_S)
            before = dashboard.cpu_times()
            await asyncio.sleep(MEASURE_S)
            after = dashboard.cpu_times()
            spent = after.user + after.system - before.user - before.system
            figures[f"cpu_percent_{number}"] = 100 * spent / MEASURE_S
        for peer in peers:
            await peer.close()
    return figures


@asynccontextmanager
async def _dashboard(settings: Settings) -> AsyncIterator[psutil.Process]:
    command = [sys.executable, "-m", "tests.bench.bench_viewers", str(settings.data_dir)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
    try:
        await until(_signalling(settings).exists)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


def _signalling(settings: Settings) -> Path:
    return settings.run_dir / "offers.sock"


async def _peer(settings: Settings) -> RTCPeerConnection:
    """A viewer that receives video and boxes."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("video", direction="recvonly")
    peer.createDataChannel("metadata", ordered=False, maxRetransmits=0)
    await peer.setLocalDescription(await peer.createOffer())
    reader, writer = await asyncio.open_unix_connection(str(_signalling(settings)))
    writer.write(json.dumps(peer.localDescription.sdp).encode() + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await until(lambda: peer.connectionState == "connected")
    return peer


async def _serve(settings: Settings) -> None:
    """The measured process: the dashboard's live part, with offers over a socket."""
    hub = Hub(settings, SystemClock())
    viewers = Viewers(hub, SystemClock())
    await hub.start()
    await until(lambda: CAMERA in hub.camera_status())

    async def offer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sdp = json.loads(await reader.readline())
        answer = await viewers.answer(CAMERA, sdp, browser_address=None)
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(offer, str(_signalling(settings)))
    await server.serve_forever()


def _table(name: str, figures: dict[str, float]) -> str:
    lines = [f"live viewers, film '{name}' at {figures['kbit_per_s']:.0f} kbit/s, forwarded"]
    lines += [f"  {n:2d} viewers  {figures[f'cpu_percent_{n}']:5.1f} % of a core" for n in VIEWERS]
    per_viewer = figures["cpu_percent_per_viewer"]
    lines.append(f"  each further viewer  {per_viewer:.2f} % of a core (budget 1 %)")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(_serve(Settings(data_dir=Path(sys.argv[1]))))
    else:
        run()
