"""Runs networks with OpenVINO: the default on x86 processors."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openvino
from openvino.preprocess import PrePostProcessor

from safety.perception.engine import engine_failed, engine_refused
from safety.perception.letterbox import Placement, fit, place
from safety.perception.postprocess import PoseDecoder
from safety.types import Detections, Picture

_CONFIG = {
    # OpenVINO would choose bfloat16 where the processor has it. That moves keypoints by more
    # than a pixel (measurements in docs/adr/0002).
    "INFERENCE_PRECISION_HINT": "f32",
    # Several shards share the machine, and their decoders share the cores with the network.
    "ENABLE_CPU_PINNING": False,
}

_REQUESTS_PER_STREAM = 2
"""One runs while the next is filled and the last is read."""


class OpenVinoDetector:
    """A pose network in OpenVINO, one request per picture.

    The network is held twice. Most pictures run side by side, each on a part of the cores
    (throughput mode); a single one, or the one left over, runs alone on all cores (latency
    mode), for the other cores would have nothing to do.

    Args:
        model: ONNX file.
        decoder: Reads the network's output.
        network_px: Width and height of the network's input.

    Raises:
        ModelError: OpenVINO cannot run the file.
    """

    backend = "openvino"

    def __init__(self, model: Path, decoder: PoseDecoder, *, network_px: tuple[int, int]) -> None:
        self.network_px = network_px
        self._decoder = decoder
        self._requests: list[Any] = []
        self._single_request: list[Any] = []
        try:
            self._side_by_side = _compile(model, network_px, "THROUGHPUT")
            self._alone = _compile(model, network_px, "LATENCY")
            self._open_requests()
        except RuntimeError as error:
            raise engine_refused("OpenVINO", model, error) from error

    @property
    def nonfinite_outputs(self) -> int:
        return self._decoder.nonfinite_outputs

    def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        placements = [fit(picture, self.network_px) for picture in pictures]
        work = list(zip(pictures, placements, strict=True))
        left_over = 1 if len(work) % self._streams == 1 else 0
        together = len(work) - left_over
        try:
            found = self._run(work[:together], self._requests)
            return found + self._run(work[together:], self._single_request)
        except RuntimeError as error:
            # A request that failed or still runs cannot be started again.
            self._open_requests()
            raise engine_failed("OpenVINO", error) from error

    def close(self) -> None:
        self._requests, self._single_request = [], []
        self._side_by_side = self._alone = None

    def _run(
        self, work: Sequence[tuple[Picture, Placement]], requests: Sequence[Any]
    ) -> list[Detections]:
        found: list[Detections] = []
        running: deque[tuple[Any, Placement]] = deque()
        for i, (picture, placement) in enumerate(work):
            if len(running) == len(requests):
                found.append(self._finish(*running.popleft()))
            request = requests[i % len(requests)]
            place(picture, request.get_input_tensor().data[0], placement)
            request.start_async()
            running.append((request, placement))
        while running:
            found.append(self._finish(*running.popleft()))
        return found

    def _finish(self, request: Any, placement: Placement) -> Detections:
        request.wait()
        return self._decoder.decode(request.get_output_tensor().data[0], placement)

    def _open_requests(self) -> None:
        self._streams = int(self._side_by_side.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._requests = [
            self._side_by_side.create_infer_request()
            for _ in range(self._streams * _REQUESTS_PER_STREAM)
        ]
        self._single_request = [self._alone.create_infer_request()]


def _compile(path: Path, network_px: tuple[int, int], hint: str) -> Any:
    """The network with its pre-processing: bytes (1, H, W, 3) in, numbers out."""
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape([1, 3, network_px[1], network_px[0]])
    steps = PrePostProcessor(model)
    picture = steps.input().tensor()
    picture.set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
    return core.compile_model(steps.build(), "CPU", {**_CONFIG, "PERFORMANCE_HINT": hint})
