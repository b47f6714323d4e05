"""Scripted networks for Ultralytics: a checkpoint whose module gives the same answer always.

Only for environments with torch.
"""

import ast
from collections.abc import Mapping
from pathlib import Path

import torch

from safety.types import FloatArray


class Scripted(torch.nn.Module):  # type: ignore[misc]
    """What Ultralytics asks of a network, and one answer for every picture."""

    def __init__(self, anchors: FloatArray, card: Mapping[str, str]) -> None:
        super().__init__()
        self.task = card["task"]
        self.names = ast.literal_eval(card["names"])
        self.stride = torch.tensor([8.0, 16.0, 32.0])
        if "kpt_shape" in card:
            self.kpt_shape = ast.literal_eval(card["kpt_shape"])
        self.register_buffer("answer", torch.from_numpy(anchors.T.copy()))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.answer.expand(len(pictures), *self.answer.shape)


def write_torch_network(path: Path, anchors: FloatArray, *, card: Mapping[str, str]) -> Path:
    """A checkpoint in the form of Ultralytics'."""
    torch.save({"model": Scripted(anchors, card), "train_args": {"task": card["task"]}}, path)
    return path
