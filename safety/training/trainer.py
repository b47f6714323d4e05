"""The training loop: any Ultralytics network, any list of pictures, resumable.

The same on a processor and on a GPU. Ultralytics' own loop has no mixed precision on
processors, loads data in the main process there, and knows square pictures only.
"""

import csv
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from ultralytics.utils import TQDM
from ultralytics.utils.torch_utils import ModelEMA

from safety.training.checkpoints import load_state, save_state, save_weights
from safety.training.networks import run
from safety.training.recipe import Optimisation

Batch = dict[str, Any]
Evaluate = Callable[[nn.Module], Mapping[str, float]]
"""Figures of a network on the validation parts; ``fitness`` decides which epoch is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of the training.

    Attributes:
        network: To train; its criterion set (``networks.with_gains``).
        data: Samples; item i is the same at every epoch only if the data set says so.
        collate: Samples to a batch as Ultralytics' criteria read it; ``img`` uint8 NCHW.
        evaluate: Called after every epoch with the averaged network in evaluation mode.
        out: Folder for ``last.pt`` (to go on from), ``best.pt`` (weights) and ``log.csv``.
        device: ``"cpu"``, ``"cuda:0"``, …
        fast: Parameters that learn ``new_layer_factor`` times as fast; None: the last layers of
            those that tell classes.
        workers: Processes that read and augment pictures.
        kept: The network, within what is trained, whose weights are the result.
    """

    network: nn.Module
    data: Dataset[Batch]
    collate: Callable[[list[Batch]], Batch]
    evaluate: Evaluate
    optimisation: Optimisation
    out: Path
    seed: int
    device: str = "cpu"
    fast: Sequence[nn.Parameter] | None = None
    workers: int = 1
    resume: bool = False
    kept: Callable[[Any], nn.Module] = lambda network: network


def train(job: Job) -> Path:
    """Run a job to its end.

    Returns:
        The weights of the epoch with the best fitness (averaged weights, Ultralytics format).
    """
    seed_everything(job.seed)
    job.out.mkdir(parents=True, exist_ok=True)
    network = job.network.to(job.device).to(memory_format=torch.channels_last)
    freeze(network, job.optimisation.freeze_layers)
    average = ModelEMA(network, decay=job.optimisation.ema_decay, tau=job.optimisation.ema_steps)
    optimizer = _optimizer(network, job.optimisation, job.fast)
    start, best = 0, -math.inf
    if job.resume:
        start, best = load_state(job.out / "last.pt", network, average, optimizer)
    for epoch in range(start, job.optimisation.epochs):
        losses = _epoch(job, network, average, optimizer, epoch)
        figures = job.evaluate(average.ema.eval())
        _log(job.out / "log.csv", {"epoch": epoch + 1, **losses, **figures})
        if figures["fitness"] > best:
            best = figures["fitness"]
            save_weights(job.out / "best.pt", job.kept(average.ema))
        save_state(job.out / "last.pt", network, average, optimizer, epoch + 1, best)
    return job.out / "best.pt"


def seed_everything(seed: int) -> None:
    """Set every source of random numbers in this process."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def freeze(network: nn.Module, layers: int) -> None:
    """Keep the weights of the first layers, besides those that are kept already."""
    for layer in list(network.model)[:layers]:
        layer.requires_grad_(False)


def learning_rate(step: int, steps: int, spec: Optimisation) -> float:
    """Rises over the warm-up, then falls along half a cosine.

    Args:
        step: Steps done so far.
        steps: Steps that the cosine spans.
    """
    if step < spec.warmup_steps:
        return spec.learning_rate * (step + 1) / spec.warmup_steps
    share = (step - spec.warmup_steps) / max(steps - spec.warmup_steps, 1)
    span = spec.learning_rate - spec.final_learning_rate
    return spec.final_learning_rate + span * (1 + math.cos(math.pi * min(share, 1))) / 2


def _optimizer(
    network: nn.Module, spec: Optimisation, fast: Sequence[nn.Parameter] | None
) -> torch.optim.Optimizer:
    """AdamW; only the convolutions' weights decay, and what is new learns faster."""
    if fast is None:
        fast = [p for level in network.model[-1].cv3 for p in level[-1].parameters()]
    new = {id(parameter) for parameter in fast}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            decay = spec.weight_decay if parameter.ndim > 1 else 0.0
            factor = spec.new_layer_factor if id(parameter) in new else 1.0
            groups.setdefault((decay, factor), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "weight_decay": decay, "factor": factor}
            for (decay, factor), parameters in groups.items()
        ],
        lr=spec.learning_rate,
    )


def _epoch(
    job: Job, network: nn.Module, average: ModelEMA, optimizer: torch.optim.Optimizer, epoch: int
) -> dict[str, float]:
    """One pass over the data.

    Returns:
        The mean of every part of the loss.
    """
    loader = _loader(job, epoch)
    steps = len(loader) * (job.optimisation.cosine_epochs or job.optimisation.epochs)
    _training_mode(network, job.optimisation)
    totals: dict[str, float] = {}
    bar = TQDM(loader, desc=f"epoch {epoch + 1}/{job.optimisation.epochs}", mininterval=5)
    for number, batch in enumerate(bar):
        rate = learning_rate(epoch * len(loader) + number, steps, job.optimisation)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        parts = _step(job, network, optimizer, batch)
        average.update(network)
        for key, value in parts.items():
            totals[key] = totals.get(key, 0.0) + float(value)
        bar.set_postfix(**{key: f"{value / (number + 1):.3f}" for key, value in totals.items()})
    return {key: value / len(loader) for key, value in totals.items()}


def _step(
    job: Job, network: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch
) -> Mapping[str, Tensor]:
    batch = {
        key: value.to(job.device) if isinstance(value, Tensor) else value
        for key, value in batch.items()
    }
    batch["img"] = batch["img"].to(memory_format=torch.channels_last).float() / 255
    loss, parts = network.criterion(run(network, batch["img"]), batch)
    total = loss.sum()
    if not torch.isfinite(total):
        optimizer.zero_grad()
        return {}
    total.backward()
    nn.utils.clip_grad_norm_(network.parameters(), job.optimisation.clip_gradient)
    optimizer.step()
    optimizer.zero_grad()
    return dict(parts)


def _training_mode(network: nn.Module, spec: Optimisation) -> None:
    network.train()
    for layer in list(network.model)[: spec.freeze_layers]:
        layer.eval()
    for module in network.modules():
        if spec.freeze_norms and isinstance(module, nn.BatchNorm2d):
            module.eval()


def _loader(job: Job, epoch: int) -> DataLoader[Batch]:
    """Shuffled by the epoch's own seed, so that a resumed run sees what a whole one would."""
    generator = torch.Generator().manual_seed(job.seed * 1000 + epoch)
    return DataLoader(
        job.data,
        batch_size=job.optimisation.batch,
        shuffle=True,
        drop_last=len(job.data) > job.optimisation.batch,
        num_workers=job.workers,
        collate_fn=job.collate,
        generator=generator,
        worker_init_fn=_seed_worker,
    )


def _seed_worker(_number: int) -> None:
    """Workers are seeded by PyTorch from the loader's generator; the others follow it."""
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def _log(path: Path, row: Mapping[str, float]) -> None:
    exists = path.exists()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(row))
        if not exists:
            writer.writeheader()
        writer.writerow({key: f"{value:.6g}" for key, value in row.items()})
