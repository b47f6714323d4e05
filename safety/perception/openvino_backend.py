"""Runs networks with OpenVINO: the default on x86 processors."""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Generic

import openvino
from openvino.preprocess import PrePostProcessor

from safety.perception.detector import Found, Take
from safety.perception.devices import Hardware
from safety.perception.eight_bits import check_8_bits, in_8_bits
from safety.perception.engine import engine_failed, engine_refused
from safety.perception.letterbox import Placement, fit, place
from safety.perception.postprocess import Decoder
from safety.types import Picture

_CONFIG: dict[Hardware, dict[str, Any]] = {
    "cpu": {
        # OpenVINO would choose bfloat16 where the processor has it. That moves keypoints by
        # more than a pixel (measurements in docs/adr/0002). What a network has in INT8 stays so.
        "INFERENCE_PRECISION_HINT": "f32",
        # Several shards share the machine, and their decoders share the cores with the network.
        "ENABLE_CPU_PINNING": False,
    },
    "gpu": {"INFERENCE_PRECISION_HINT": "f32"},
    "npu": {},
}

_SIDE_BY_SIDE = {"PERFORMANCE_HINT": "THROUGHPUT"}
_ALONE = {"PERFORMANCE_HINT": "LATENCY"}
_IN_FLOAT = {"LP_TRANSFORMS_MODE": "NO"}

_SPARE_REQUESTS = 1
"""Beyond one per stream: filled while the others run, so that no stream waits for its next."""

_LOOK_MS = 4
"""How often it is looked for further pictures while the oldest is being worked at: a stream that
has nothing to do would otherwise wait for the others."""


class OpenVinoDetector(Generic[Found]):
    """A network in OpenVINO, one request per picture.

    The network is held twice. Most pictures run side by side, each on a part of the cores
    (throughput mode); one that comes alone runs on all cores (latency mode), for the others
    would have nothing to do.

    Args:
        model: ONNX file.
        decoder: Reads the network's output.
        network_px: Width and height of the network's input.
        device: ``cpu``, or an Intel ``gpu`` or ``npu``.

    Raises:
        ModelError: OpenVINO cannot run the file.
    """

    backend = "openvino"

    def __init__(
        self,
        model: Path,
        decoder: Decoder[Found],
        *,
        network_px: tuple[int, int],
        device: Hardware,
    ) -> None:
        self.network_px = network_px
        self._decoder = decoder
        self._free: deque[Any] = deque()
        self._depth = 0
        self._single: Any = None
        try:
            self._side_by_side = _compile(model, network_px, device, _SIDE_BY_SIDE)
            self._alone = _compile(model, network_px, device, _ALONE)
            if device == "cpu" and in_8_bits(model):
                in_float = _compile(model, network_px, device, _ALONE | _IN_FLOAT)
                check_8_bits([self._side_by_side, self._alone], in_float, model, network_px)
            self._open_requests()
        except RuntimeError as error:
            raise engine_refused("OpenVINO", model, error) from error

    @property
    def names(self) -> tuple[str, ...]:
        return self._decoder.names

    @property
    def nonfinite_outputs(self) -> int:
        return self._decoder.nonfinite_outputs

    def detect(self, pictures: Sequence[Picture]) -> list[Found]:
        left = iter(pictures)
        return list(self.stream(lambda: next(left, None)))

    def stream(self, take: Take) -> Iterator[Found]:
        running: deque[tuple[Any, Placement]] = deque()
        try:
            while (first := take()) is not None:
                second = take()
                if second is None:
                    yield self._finish(*self._start(self._single, first))
                    continue
                running.append(self._start(self._free.popleft(), first))
                running.append(self._start(self._free.popleft(), second))
                while running:
                    while self._free and (picture := take()) is not None:
                        running.append(self._start(self._free.popleft(), picture))
                    self._wait(running, take)
                    request, placement = running.popleft()
                    found = self._finish(request, placement)
                    self._free.append(request)
                    yield found
        except RuntimeError as error:
            self._open_requests()
            raise engine_failed("OpenVINO", error) from error
        finally:
            if len(self._free) != self._depth:
                # A request that failed or still runs cannot be started again.
                self._open_requests()

    def close(self) -> None:
        self._free.clear()
        self._single = None
        self._side_by_side = self._alone = None

    def _start(self, request: Any, picture: Picture) -> tuple[Any, Placement]:
        placement = fit(picture, self.network_px)
        place(picture, request.get_input_tensor().data[0], placement)
        request.start_async()
        return request, placement

    def _wait(self, running: deque[tuple[Any, Placement]], take: Take) -> None:
        """Until the oldest picture is done; those that come meanwhile are started at once."""
        request, _ = running[0]
        while self._free and not request.wait_for(_LOOK_MS):
            if (picture := take()) is not None:
                running.append(self._start(self._free.popleft(), picture))

    def _finish(self, request: Any, placement: Placement) -> Found:
        request.wait()
        return self._decoder.decode(request.get_output_tensor().data[0], placement)

    def _open_requests(self) -> None:
        streams = int(self._side_by_side.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._depth = streams + _SPARE_REQUESTS
        self._free = deque(self._side_by_side.create_infer_request() for _ in range(self._depth))
        self._single = self._alone.create_infer_request()


def _compile(
    path: Path, network_px: tuple[int, int], device: Hardware, mode: dict[str, str]
) -> Any:
    """The network with its pre-processing: bytes (1, H, W, 3) in, numbers out."""
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape([1, 3, network_px[1], network_px[0]])
    steps = PrePostProcessor(model)
    picture = steps.input().tensor()
    picture.set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    unit = steps.input().preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
    unit.convert_element_type(model.input().get_element_type())
    steps.output().tensor().set_element_type(openvino.Type.f32)
    return core.compile_model(steps.build(), device.upper(), _CONFIG[device] | mode)
