"""Files of a training run: the state to go on from, and weights in Ultralytics' format."""

from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import nn

from safety.training.needs import TrainingError


def save_state(
    path: Path, network: nn.Module, average: Any, optimizer: Any, epoch: int, best: float
) -> None:
    """Everything that the next epoch starts from; the file appears whole or not at all."""
    _save(
        path,
        {
            "network": network.state_dict(),
            "average": average.ema.state_dict(),
            "updates": average.updates,
            "optimizer": optimizer.state_dict(),
            "epoch": epoch,
            "best": best,
        },
    )


def load_state(path: Path, network: nn.Module, average: Any, optimizer: Any) -> tuple[int, float]:
    """Put a saved state back.

    Returns:
        Epochs done, and the best fitness so far.

    Raises:
        TrainingError: There is nothing to go on from.
    """
    if not path.is_file():
        raise TrainingError(
            "training.nothing_to_resume",
            "there is no {path} to go on from; start without --resume",
            path=str(path),
        )
    state = torch.load(path, map_location="cpu", weights_only=True)
    network.load_state_dict(state["network"])
    average.ema.load_state_dict(state["average"])
    average.updates = state["updates"]
    optimizer.load_state_dict(state["optimizer"])
    return int(state["epoch"]), float(state["best"])


def save_weights(path: Path, network: nn.Module) -> None:
    """A checkpoint that Ultralytics and the product's own converter read, in half precision."""
    copy = deepcopy(network)
    copy.criterion = None
    args = dict(vars(copy.args)) if not isinstance(copy.args, dict) else copy.args
    copy.args = args
    _save(
        path,
        {
            "epoch": -1,
            "model": copy.half().to(memory_format=torch.contiguous_format).eval(),
            "train_args": args,
            "date": datetime.now(UTC).isoformat(),
        },
    )


def _save(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(content, part)
    part.replace(path)
