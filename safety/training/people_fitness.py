"""Judges the people network between epochs, on pictures set aside."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from safety.perception.letterbox import fit, network_size, place
from safety.perception.postprocess import PoseDecoder
from safety.training.dataset import Sample, read_picture
from safety.training.networks import run
from safety.training.people_metrics import Tally
from safety.types import Picture

CONFIDENCE = 0.25
NMS_IOU = 0.7


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
        decoder = PoseDecoder(range(3), confidence=CONFIDENCE, iou=NMS_IOU)
        rendered, real, forklifts = Tally(), Tally(), Tally()
        device = next(network.parameters()).device
        for sample, picture in self._samples:
            aspect = picture.shape[1] / picture.shape[0]
            size = network_size(self._width, aspect)
            canvas = np.empty((size[1], size[0], 3), np.uint8)
            placement = fit(picture, size)
            place(picture, canvas, placement)
            pixels = torch.from_numpy(canvas.transpose(2, 0, 1)[None].copy()).to(device)
            with torch.no_grad():
                output = run(network, pixels.float() / 255)[0]
            found = decoder.decode(output[0].cpu().numpy(), placement)
            (rendered if sample.source == "rendered" else real).count(sample, found, 0, aspect)
            if sample.source in ("rendered", "forklift"):
                forklifts.count(sample, found, 1, aspect)
        figures = {
            "rendered_recall": rendered.recall,
            "rendered_precision": rendered.precision,
            "rendered_oks": rendered.oks,
            "real_recall": real.recall,
            "real_precision": real.precision,
            "real_oks": real.oks,
            "forklift_f1": forklifts.f1,
        }
        five = (rendered.f1, rendered.oks, real.f1, real.oks, forklifts.f1)
        return {**figures, "fitness": sum(five) / len(five)}


def _read(sample: Sample) -> Picture:
    picture = read_picture(sample.picture)
    assert picture is not None, f"{sample.picture} was decoded when the list was made"
    return picture
