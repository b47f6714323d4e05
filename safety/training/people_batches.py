"""Augmented pictures as batches that Ultralytics' criteria read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from safety.training.dataset import Sample
from safety.training.people_augment import Composer, Piece


class PeoplePictures(Dataset[dict[str, Any]]):  # type: ignore[misc]
    """Canvases for the trainer; arguments as for ``Composer``."""

    def __init__(
        self, samples: Sequence[Sample], size_px: tuple[int, int], chances: Mapping[str, float]
    ) -> None:
        self._composer = Composer(samples, size_px, chances)
        self._count = len(samples)
        self._size_px = size_px

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> dict[str, Any]:
        # The global generator is the one that the trainer seeds in every worker.
        rng = np.random.default_rng(np.random.randint(2**31))
        return to_tensors(self.canvas(index, rng), self._size_px)

    def canvas(self, index: int, rng: np.random.Generator) -> Piece:
        """One augmented picture with its labels."""
        return self._composer.compose(index, rng)


def to_tensors(canvas: Piece, size_px: tuple[int, int]) -> dict[str, Any]:
    """One canvas; boxes as middle, width, height, everything normalised."""
    size = np.array(size_px, np.float32)
    corners = canvas.boxes / np.tile(size, 2)
    middles = np.concatenate(
        [(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1
    )
    keypoints = canvas.keypoints.copy()
    keypoints[..., :2] /= size
    return {
        "img": torch.from_numpy(np.ascontiguousarray(canvas.pixels.transpose(2, 0, 1))),
        "cls": torch.from_numpy(canvas.classes.reshape(-1, 1).astype(np.float32)),
        "bboxes": torch.from_numpy(middles.astype(np.float32)),
        "keypoints": torch.from_numpy(keypoints.astype(np.float32)),
    }


def collate(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """A batch: pictures stacked, objects in one list with the number of their picture."""
    counts = torch.tensor([len(sample["cls"]) for sample in samples])
    return {
        "img": torch.stack([sample["img"] for sample in samples]),
        "batch_idx": torch.repeat_interleave(torch.arange(len(samples)), counts).float(),
        **{
            key: torch.cat([sample[key] for sample in samples])
            for key in ("cls", "bboxes", "keypoints")
        },
    }
