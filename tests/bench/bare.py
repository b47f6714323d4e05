"""The limit: streams decoded by PyAV, frames through OpenVINO, and nothing else.

No ring, no watchdog, no post-processing, no tracking, no rules. Run as a process of its own,
``python -m tests.bench.bare JOB`` with the job as JSON; prints the figures as JSON.
"""

import json
import os
import resource
import sys
import threading
from pathlib import Path
from typing import Any

import av
import openvino
from av.codec.context import Flags
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from openvino.preprocess import PrePostProcessor

from safety.clock import SystemClock
from safety.types import Picture

WIDTH, HEIGHT, PICTURE_ROWS = 640, 384, 360
"""The network's input, and how many rows of it a 16:9 picture takes."""

_OPTIONS = {"rtsp_transport": "tcp", "fpsprobesize": "0", "probesize": "32"}
_REQUESTS_PER_STREAM = 2
_WAIT_S = 1.0


class Camera(threading.Thread):
    """Decodes one stream; keeps its newest picture at network width."""

    def __init__(self, url: str, arrived: threading.Event) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._arrived = arrived
        self._newest: Picture | None = None

    def take(self) -> Picture | None:
        """The newest picture, once."""
        picture, self._newest = self._newest, None
        return picture

    def run(self) -> None:
        scaler = VideoReformatter()
        with av.open(self._url, options=_OPTIONS) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_type = "SLICE"
            stream.codec_context.thread_count = 2
            stream.codec_context.flags |= Flags.low_delay
            for frame in container.decode(stream):
                self._newest = _scaled(scaler, frame)
                self._arrived.set()


def _scaled(scaler: VideoReformatter, frame: VideoFrame) -> Picture:
    small = scaler.reformat(
        frame,
        width=WIDTH,
        height=PICTURE_ROWS,
        format="rgb24",
        interpolation=Interpolation.AREA,
        threads=1,
    )
    picture: Picture = small.to_ndarray()  # type: ignore[assignment]  # rgb24 is always uint8
    return picture


class Network:
    """The network in throughput mode, with as many pictures under way as it likes."""

    def __init__(self, model: Path) -> None:
        compiled = _compiled(model)
        streams = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._requests = [
            compiled.create_infer_request() for _ in range(streams * _REQUESTS_PER_STREAM)
        ]
        for request in self._requests:
            request.get_input_tensor().data[:] = 114
        self._next = 0

    def start(self, picture: Picture) -> None:
        """Begin with one picture, as soon as the oldest one under way is done."""
        request = self._requests[self._next]
        self._next = (self._next + 1) % len(self._requests)
        request.wait()
        top = (HEIGHT - PICTURE_ROWS) // 2
        request.get_input_tensor().data[0, top : top + PICTURE_ROWS] = picture
        request.start_async()


def _compiled(model: Path) -> Any:
    core = openvino.Core()
    network = core.read_model(model)
    network.reshape([1, 3, HEIGHT, WIDTH])
    steps = PrePostProcessor(network)
    steps.input().tensor().set_element_type(openvino.Type.u8)
    steps.input().tensor().set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
    config = {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
    }
    return core.compile_model(steps.build(), "CPU", config)


def measure(job: dict[str, Any]) -> dict[str, float]:
    """Run ``cameras`` connections to ``url`` for ``warm_up_s`` and ``seconds``.

    Returns:
        ``fps`` over all cameras, and ``cpu``: cores' worth of processor time used.
    """
    network = Network(Path(job["model"]))
    arrived = threading.Event()
    cameras = [Camera(job["url"], arrived) for _ in range(job["cameras"])]
    for camera in cameras:
        camera.start()
    _analyse(network, cameras, arrived, job["warm_up_s"])
    before = _cpu_s()
    count, spent = _analyse(network, cameras, arrived, job["seconds"])
    return {"fps": count / spent, "cpu": (_cpu_s() - before) / spent}


def _analyse(
    network: Network, cameras: list[Camera], arrived: threading.Event, seconds: float
) -> tuple[int, float]:
    clock = SystemClock()
    begun, count = clock.now().monotonic, 0
    while (spent := clock.now().monotonic - begun) < seconds:
        arrived.wait(_WAIT_S)
        arrived.clear()
        for camera in cameras:
            picture = camera.take()
            if picture is not None:
                network.start(picture)
                count += 1
    return count, spent


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(json.loads(sys.argv[1]))))
    sys.stdout.flush()
    # Without the usual tidying up, which the readers, blocked in FFmpeg, would not survive.
    os._exit(0)
