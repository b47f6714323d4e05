"""Person crops from disk as batches for training and for validation."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from safety.training.ppe_augment import Augmentation
from safety.training.ppe_crops import read_crop

Sample = dict[str, Any]


class DrawnCrops(Dataset[Sample]):  # type: ignore[misc]
    """Crops drawn by weight and augmented; which one is item i is left to chance.

    Args:
        folder: With ``images``, ``labels`` and ``weights.json``.
        augmentation: Of every crop drawn.
        per_epoch: How many are drawn in one epoch.
    """

    def __init__(self, folder: Path, augmentation: Augmentation, per_epoch: int) -> None:
        weights: Mapping[str, float] = json.loads((folder / "weights.json").read_text("utf-8"))
        self._paths = [folder / "images" / f"{name}.jpg" for name in weights]
        self._cumulated = np.cumsum(list(weights.values())).tolist()
        self._augmentation = augmentation
        self._per_epoch = per_epoch

    def __len__(self) -> int:
        return self._per_epoch

    def __getitem__(self, index: int) -> Sample:
        (path,) = random.choices(self._paths, cum_weights=self._cumulated)  # noqa: S311
        picture, items = self._augmentation(*read_crop(path))
        size = picture.shape[0]
        middle = (items.boxes[:, :2] + items.boxes[:, 2:]) / 2
        boxes = np.concatenate([middle, items.boxes[:, 2:] - items.boxes[:, :2]], axis=1) / size
        return {
            "img": torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))),
            "cls": torch.from_numpy(items.classes[:, None].astype(np.float32)),
            "bboxes": torch.from_numpy(boxes.astype(np.float32)),
        }


def collate(samples: Sequence[Sample]) -> Sample:
    """Samples as one batch, as Ultralytics' criteria read it."""
    counts = torch.tensor([len(sample["cls"]) for sample in samples])
    return {
        "img": torch.stack([sample["img"] for sample in samples]),
        "cls": torch.cat([sample["cls"] for sample in samples]),
        "bboxes": torch.cat([sample["bboxes"] for sample in samples]),
        "batch_idx": torch.arange(len(samples)).repeat_interleave(counts).float(),
    }
