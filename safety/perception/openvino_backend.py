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
    "PERFORMANCE_HINT": "THROUGHPUT",
    # OpenVINO would choose bfloat16 where the processor has it. That moves keypoints by more
    # than a pixel (measurements in docs/adr/0002).
    "INFERENCE_PRECISION_HINT": "f32",
    # Several shards share the machine, and their decoders share the cores with the network.
    "ENABLE_CPU_PINNING": False,
}

_REQUESTS_PER_STREAM = 2
"""One runs while the next is filled and the last is read."""


class OpenVinoDetector:
    """A pose network in OpenVINO's throughput mode: one asynchronous request per picture.

    Args:
        model: ONNX file.
        decoder: Reads the network's output.
        network_px: Width and height of the network's input.
        device: OpenVINO device name.

    Raises:
        ModelError: OpenVINO cannot run the file.
    """

    backend = "openvino"

    def __init__(
        self,
        model: Path,
        decoder: PoseDecoder,
        *,
        network_px: tuple[int, int],
        device: str = "CPU",
    ) -> None:
        self.network_px = network_px
        self._decoder = decoder
        try:
            self._network = _compile(model, network_px, device)
            self._requests = self._new_requests()
        except RuntimeError as error:
            raise engine_refused("OpenVINO", model, error) from error

    @property
    def nonfinite_outputs(self) -> int:
        return self._decoder.nonfinite_outputs

    def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        placements = [fit(picture, self.network_px) for picture in pictures]
        try:
            return self._run(pictures, placements)
        except RuntimeError as error:
            # A request that failed or still runs cannot be started again.
            self._requests = self._new_requests()
            raise engine_failed("OpenVINO", error) from error

    def close(self) -> None:
        self._requests = []
        self._network = None

    def _run(
        self, pictures: Sequence[Picture], placements: Sequence[Placement]
    ) -> list[Detections]:
        results: list[Detections] = []
        running: deque[tuple[Any, Placement]] = deque()
        for i, (picture, placement) in enumerate(zip(pictures, placements, strict=True)):
            if len(running) == len(self._requests):
                results.append(self._finish(*running.popleft()))
            request = self._requests[i % len(self._requests)]
            place(picture, request.get_input_tensor().data[0], placement)
            request.start_async()
            running.append((request, placement))
        while running:
            results.append(self._finish(*running.popleft()))
        return results

    def _new_requests(self) -> list[Any]:
        streams = int(self._network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        return [self._network.create_infer_request() for _ in range(streams * _REQUESTS_PER_STREAM)]

    def _finish(self, request: Any, placement: Placement) -> Detections:
        request.wait()
        return self._decoder.decode(request.get_output_tensor().data[0], placement)


def _compile(path: Path, network_px: tuple[int, int], device: str) -> Any:
    """The network with its pre-processing: bytes (1, H, W, 3) in, numbers out."""
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape([1, 3, network_px[1], network_px[0]])
    steps = PrePostProcessor(model)
    picture = steps.input().tensor()
    picture.set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
    return core.compile_model(steps.build(), device, _CONFIG)
