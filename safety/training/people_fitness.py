"""Judges the people network between epochs, on pictures set aside."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from safety.perception.letterbox import PAD, fit, network_size, place
from safety.perception.postprocess import PoseDecoder
from safety.training.dataset import Sample, read_picture
from safety.training.networks import run
from safety.training.people_metrics import Tally
from safety.types import Detections, ObjectClass, Picture

CONFIDENCE = 0.25
"""The operating threshold."""

NMS_IOU = 0.7

_PERSON, _FORKLIFT, _AMR = range(3)


class Fitness:
    """Figures of a network in training.

    ``fitness``, which chooses the epoch that is kept, is the mean of five figures: F1 of
    persons and keypoint similarity, each on the renderings and on photographs and films, and F1
    of forklifts.
    """

    def __init__(self, samples: Sequence[Sample], width: int) -> None:
        self._samples = [(sample, _read(sample)) for sample in samples]
        self._width = width

    def __call__(self, network: nn.Module) -> Mapping[str, float]:
        return self.figures(self.find(network, CONFIDENCE), [CONFIDENCE] * len(ObjectClass))

    def find(self, network: nn.Module, confidence: float) -> list[Detections]:
        """What a network finds in the pictures, down to a score."""
        return [self._find(network, picture, confidence) for _, picture in self._samples]

    def _find(self, network: nn.Module, picture: Picture, confidence: float) -> Detections:
        size = network_size(self._width, picture.shape[1] / picture.shape[0])
        canvas = np.full((size[1], size[0], 3), PAD, np.uint8)
        placement = fit(picture, size)
        place(picture, canvas, placement)
        pixels = torch.from_numpy(canvas.transpose(2, 0, 1)[None].copy())
        pixels = pixels.to(next(network.parameters()).device)
        with torch.no_grad():
            output = run(network, pixels.float() / 255)[0]
        decoder = PoseDecoder(range(len(ObjectClass)), confidence=confidence, iou=NMS_IOU)
        return decoder.decode(output[0].cpu().numpy(), placement)

    def figures(
        self, found: Sequence[Detections], thresholds: Sequence[float]
    ) -> Mapping[str, float]:
        """Figures of what was found, with an operating threshold per class."""
        rendered, real = Tally(), Tally()
        vehicles = {kind: Tally() for kind in (_FORKLIFT, _AMR)}
        for (sample, picture), everything in zip(self._samples, found, strict=True):
            aspect = picture.shape[1] / picture.shape[0]
            reported = _above(everything, np.array(thresholds))
            persons = rendered if sample.source == "rendered" else real
            persons.count(sample, reported, _PERSON, aspect)
            for kind, tally in vehicles.items():
                tally.count(sample, reported, kind, aspect)
        forklift = vehicles[_FORKLIFT].f1
        five = (rendered.f1, rendered.oks, real.f1, real.oks, forklift)
        return {
            "rendered_recall": rendered.recall,
            "rendered_precision": rendered.precision,
            "rendered_oks": rendered.oks,
            "real_recall": real.recall,
            "real_precision": real.precision,
            "real_oks": real.oks,
            "forklift_f1": forklift,
            "forklift_precision": vehicles[_FORKLIFT].precision,
            "amr_f1": vehicles[_AMR].f1,
            "amr_precision": vehicles[_AMR].precision,
            "fitness": sum(five) / len(five),
        }


def _above(found: Detections, thresholds: NDArray[np.float64]) -> Detections:
    kept = found.scores > thresholds[found.classes]
    return Detections(
        boxes=found.boxes[kept],
        scores=found.scores[kept],
        classes=found.classes[kept],
        keypoints=found.keypoints[kept],
    )


def _read(sample: Sample) -> Picture:
    picture = read_picture(sample.picture)
    assert picture is not None, f"{sample.picture} was decoded when the list was made"
    return picture
