"""Loads a network into the best engine that this machine has."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic

import numpy as np
import structlog

from safety.errors import ModelError
from safety.perception.added import meaning, read_note
from safety.perception.batches import BatchDetector, BatchEngine
from safety.perception.bundle import in_8_bits_beside
from safety.perception.convert import converted
from safety.perception.detector import Detector, Found, NetworkDetector, ObjectDetector
from safety.perception.devices import Backend, Choice, Device, choose
from safety.perception.fallback import FallbackDetector
from safety.perception.letterbox import PAD, STRIDE, network_size
from safety.perception.models import NetworkCard, check_objects, pose_classes, read_card
from safety.perception.postprocess import Decoder, ObjectDecoder, PoseDecoder

log = structlog.get_logger(__name__)

FellBack = Callable[[ModelError], None]
"""Told why the processor runs a network that was to run elsewhere."""


def load_pose_detector(
    model: Path,
    *,
    width: int,
    aspect: float,
    backend: Backend = "auto",
    device: Device = "auto",
    cache_dir: Path,
    max_batch: int = 16,
    confidence: float = 0.25,
    iou: float = 0.7,
    fell_back: FellBack | None = None,
) -> Detector:
    """A detector that finds persons with their pose.

    Args:
        model: ``.onnx`` as Ultralytics exports it, a YOLO11 ``.pt``, or a TensorRT ``.engine``.
        width: Network width in pixels, a multiple of 32.
        aspect: Width / height of the pictures it will see; others are fitted into it.
        backend: Which engine, see ``devices.choose``.
        device: What it runs on.
        cache_dir: Where converted networks are kept.
        max_batch: Pictures that the engine gets at once at the most.
        confidence: Objects that score this or less are dropped.
        iou: Overlap above which the weaker of two boxes is dropped.
        fell_back: Called when the device is not there or fails later, and the processor runs
            the network instead; None: that is an error.

    Raises:
        ModelError: The file is missing, damaged or another kind of network, or there is no
            engine, or no such device.
    """
    network_px = network_size(width, aspect)

    def decoder(card: NetworkCard) -> PoseDecoder:
        classes = pose_classes(card, model, network_px, _meaning(card, model))
        return PoseDecoder(classes, confidence=confidence, iou=iou)

    loader = _Loader(model, decoder, network_px, max_batch, cache_dir)
    return loader.load(backend, device, fell_back)


def load_object_detector(
    model: Path,
    *,
    width: int,
    height: int | None = None,
    backend: Backend = "auto",
    device: Device = "auto",
    cache_dir: Path,
    max_batch: int = 16,
    confidence: float = 0.25,
    iou: float = 0.5,
    fell_back: FellBack | None = None,
) -> ObjectDetector:
    """A detector that finds objects of the network's own classes, boxes only.

    Args:
        model: As for ``load_pose_detector``.
        width: Network width in pixels, a multiple of 32.
        height: Network height in pixels, a multiple of 32; None: a square.
        backend, device, cache_dir, max_batch, confidence, iou, fell_back: As for
            ``load_pose_detector``.

    Raises:
        ModelError: As for ``load_pose_detector``.
    """
    network_px = (width, width if height is None else height)
    if min(network_px) <= 0 or any(side % STRIDE for side in network_px):
        raise ValueError(f"{network_px} make no network size")

    def decoder(card: NetworkCard) -> ObjectDecoder:
        check_objects(card, model, network_px)
        means = _meaning(card, model)
        names = list(dict.fromkeys(name for name in means if name is not None))
        classes = [-1 if name is None else names.index(name) for name in means]
        return ObjectDecoder(names, classes, confidence=confidence, iou=iou)

    loader = _Loader(model, decoder, network_px, max_batch, cache_dir)
    return loader.load(backend, device, fell_back)


def _meaning(card: NetworkCard, model: Path) -> tuple[str | None, ...]:
    note = read_note(model)
    return meaning(card.names, None if note is None else note.classes)


@dataclass(frozen=True, slots=True)
class _Loader(Generic[Found]):
    """Opens one network in any engine."""

    model: Path
    decoder: Callable[[NetworkCard], Decoder[Found]]
    network_px: tuple[int, int]
    max_batch: int
    cache_dir: Path

    def load(
        self, backend: Backend, device: Device, fell_back: FellBack | None
    ) -> NetworkDetector[Found]:
        suffix = self.model.suffix
        if fell_back is None:
            return self._open(choose(backend, device, suffix))

        def on_processor() -> NetworkDetector[Found]:
            return self._open(choose(backend, "cpu", suffix))

        def tell(why: ModelError) -> None:
            log.error("network_runs_on_processor", model=self.model.name, why=str(why))
            fell_back(why)

        choice: Choice | None = None
        try:
            choice = choose(backend, device, suffix)
            detector = self._open(choice)
        except ModelError as error:
            if choice is not None and choice.device == "cpu":
                raise
            detector = on_processor()
            tell(error)
            return detector
        if choice.device == "cpu":
            return detector
        return FallbackDetector(detector, on_processor, tell)

    def _open(self, choice: Choice) -> NetworkDetector[Found]:
        twin = self._twin(choice)
        detector = self._engine(choice) if twin is None else twin
        # Shows at once that the output is what the card says, and spares the first frame the wait.
        detector.detect([np.full((self.network_px[1], self.network_px[0], 3), PAD, np.uint8)])
        log.info(
            "network_loaded",
            model=self.model.name,
            in_8_bits=twin is not None,
            runs=str(choice),
            size=self.network_px,
        )
        return detector

    def _twin(self, choice: Choice) -> NetworkDetector[Found] | None:
        """The twin in 8 bits, if one ships and this processor computes it as meant."""
        twin = in_8_bits_beside(self.model)
        if choice.device != "cpu" or twin is None:
            return None
        try:
            return replace(self, model=twin)._engine(choice)
        except ModelError as error:
            log.warning("network_runs_in_16_bits", model=self.model.name, why=str(error))
            return None

    def _engine(self, choice: Choice) -> NetworkDetector[Found]:
        # Imported here because hardly any installation has all engines.
        if choice.engine == "ultralytics":
            from safety.perception.ultralytics_backend import UltralyticsEngine

            network = UltralyticsEngine(self.model, device=choice.device)
            return self._batches(network, self.decoder(network.card))
        path = converted(self.model, self.cache_dir) if self.model.suffix == ".pt" else self.model
        decoder = self.decoder(read_card(path))
        if choice.engine == "openvino":
            from safety.perception.openvino_backend import OpenVinoDetector

            return OpenVinoDetector(path, decoder, network_px=self.network_px, device=choice.device)
        from safety.perception.onnxruntime_backend import OnnxRuntimeEngine, Room

        room = Room(
            device=choice.device,
            network_px=self.network_px,
            max_batch=self.max_batch,
            cache_dir=self.cache_dir,
        )
        return self._batches(OnnxRuntimeEngine(path, room), decoder)

    def _batches(self, engine: BatchEngine, decoder: Decoder[Found]) -> NetworkDetector[Found]:
        return BatchDetector(engine, decoder, network_px=self.network_px, max_batch=self.max_batch)
