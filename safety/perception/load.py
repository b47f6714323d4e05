"""Loads a network into the best engine that this machine has."""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from safety.errors import ModelError
from safety.perception.convert import converted
from safety.perception.detector import Detector, Found, NetworkDetector, ObjectDetector
from safety.perception.letterbox import PAD, STRIDE, network_size
from safety.perception.models import check_objects, pose_classes, read_card
from safety.perception.postprocess import Decoder, ObjectDecoder, PoseDecoder

Backend = Literal["auto", "openvino", "onnxruntime"]


def load_pose_detector(
    model: Path,
    *,
    width: int,
    aspect: float,
    backend: Backend = "auto",
    cache_dir: Path,
    max_batch: int = 16,
    confidence: float = 0.25,
    iou: float = 0.7,
) -> Detector:
    """A detector that finds persons with their pose.

    Args:
        model: ``.onnx`` as Ultralytics exports it, or a YOLO11 ``.pt``.
        width: Network width in pixels, a multiple of 32.
        aspect: Width / height of the pictures it will see; others are fitted into it.
        backend: Which engine; ``auto`` takes OpenVINO where it is installed.
        cache_dir: Where converted networks are kept.
        max_batch: Pictures that the engine gets at once at the most.
        confidence: Objects that score this or less are dropped.
        iou: Overlap above which the weaker of two boxes is dropped.

    Raises:
        ModelError: The file is missing, damaged or another kind of network, or there is no
            engine.
    """
    network_px = network_size(width, aspect)
    path = _onnx(model, cache_dir)
    classes = pose_classes(read_card(path), model, network_px)
    decoder = PoseDecoder(classes, confidence=confidence, iou=iou)
    return _opened(_engine(backend), path, decoder, network_px, max_batch)


def load_object_detector(
    model: Path,
    *,
    width: int,
    height: int | None = None,
    backend: Backend = "auto",
    cache_dir: Path,
    max_batch: int = 16,
    confidence: float = 0.25,
    iou: float = 0.5,
) -> ObjectDetector:
    """A detector that finds objects of the network's own classes, boxes only.

    Args:
        model: ``.onnx`` as Ultralytics exports it, or a YOLO11 ``.pt``.
        width: Network width in pixels, a multiple of 32.
        height: Network height in pixels, a multiple of 32; None: a square.
        backend, cache_dir, max_batch, confidence, iou: As for ``load_pose_detector``.

    Raises:
        ModelError: As for ``load_pose_detector``.
    """
    network_px = (width, width if height is None else height)
    if min(network_px) <= 0 or any(side % STRIDE for side in network_px):
        raise ValueError(f"{network_px} make no network size")
    path = _onnx(model, cache_dir)
    card = read_card(path)
    check_objects(card, model, network_px)
    decoder = ObjectDecoder(card.names, range(len(card.names)), confidence=confidence, iou=iou)
    return _opened(_engine(backend), path, decoder, network_px, max_batch)


def _onnx(model: Path, cache_dir: Path) -> Path:
    return converted(model, cache_dir) if model.suffix == ".pt" else model


def _opened(
    engine: str, path: Path, decoder: Decoder[Found], network_px: tuple[int, int], max_batch: int
) -> NetworkDetector[Found]:
    detector = _open(engine, path, decoder, network_px, max_batch)
    # Shows at once that the output is what the card says, and spares the first frame the wait.
    detector.detect([np.full((network_px[1], network_px[0], 3), PAD, np.uint8)])
    return detector


def _open(
    engine: str, path: Path, decoder: Decoder[Found], network_px: tuple[int, int], max_batch: int
) -> NetworkDetector[Found]:
    # Imported here because an installation has one engine or the other.
    if engine == "openvino":
        from safety.perception.openvino_backend import OpenVinoDetector

        return OpenVinoDetector(path, decoder, network_px=network_px)
    from safety.perception.onnxruntime_backend import OnnxRuntimeDetector

    return OnnxRuntimeDetector(path, decoder, network_px=network_px, max_batch=max_batch)


def _engine(backend: Backend) -> str:
    """Which engine to use: the one asked for, else the first that is installed."""
    wanted = ("openvino", "onnxruntime") if backend == "auto" else (backend,)
    for name in wanted:
        if find_spec(name) is not None:
            return name
    raise ModelError(
        "model.no_engine",
        "{names} is not installed; install anjeon[onnxruntime], or set ANJEON_BACKEND=auto",
        names=" or ".join(wanted),
    )
