"""Turns photographs the right way up.

The forklift data set has turned its photographs by quarters and does not say which. Whoever
learns from them as they are learns forklifts that lie on their backs, and has little left for
those that stand. Here a linear model on the base network's features learns from photographs that
are known to be upright what a turned picture looks like, and then, round by round, also from
those that it is sure of.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from ultralytics import YOLO

from safety.training.dataset import Sample, read_picture
from safety.training.people_augment import piece, turned
from safety.training.people_pseudo import to_middles

_SIDE_PX = 224
_LAYERS = (4, 6, 8, 10)
_CELLS = 3
"""Features are averaged over so many by so many parts of the picture."""

_KNOWN = 450
"""Upright photographs that are enough."""

_ROUNDS, _EPOCHS = 3, 60
_SURE = 0.95


def upright(
    samples: Sequence[Sample], known: Sequence[Path], base: Path, out: Path
) -> list[Sample]:
    """Samples whose pictures stand upright; those that had to be turned are written to ``out``.

    Args:
        known: Photographs that are upright, at least a few hundred.
        base: The people network to start from.
    """
    network = YOLO(base).model.float().eval()
    chosen = [known[i] for i in np.random.default_rng(0).permutation(len(known))[:_KNOWN]]
    quarters = turns(
        torch.stack([_features(network, sample.picture) for sample in samples]),
        torch.stack([_features(network, path) for path in chosen]),
    )
    out.mkdir(parents=True, exist_ok=True)
    return [
        _righted(sample, int(count), out) for sample, count in zip(samples, quarters, strict=True)
    ]


def turns(asked: Tensor, known: Tensor) -> Tensor:
    """By how many quarters each picture is turned anticlockwise, (N,).

    Args:
        asked: (N, 4, features), entry k of the picture turned on by k quarters.
        known: The same of pictures that are upright.
    """
    generator = torch.Generator().manual_seed(0)
    flat = known.reshape(-1, known.shape[2])
    middle, spread = flat.mean(0), flat.std(0) + 1e-4
    asked, known = (asked - middle) / spread, (known - middle) / spread
    examples = known
    for _ in range(_ROUNDS):
        scores = _scores(_fitted(examples, generator), asked)
        best = scores.argmax(1)
        sure = scores.softmax(1).max(1).values > _SURE
        back = (torch.arange(4)[None] - best[:, None]) % 4
        righted = torch.gather(asked, 1, back[..., None].expand(-1, -1, asked.shape[2]))
        examples = torch.cat([known, righted[sure]])
    return best


def _fitted(examples: Tensor, generator: torch.Generator) -> nn.Linear:
    """Tells by how many quarters a picture is turned."""
    inputs, answers = examples.reshape(-1, examples.shape[2]), torch.arange(4).repeat(len(examples))
    model = nn.Linear(inputs.shape[1], 4)
    with torch.no_grad():
        model.weight.zero_()
        model.bias.zero_()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.3)
    for _ in range(_EPOCHS):
        for rows in torch.randperm(len(inputs), generator=generator).split(256):
            kept = torch.rand(len(rows), inputs.shape[1], generator=generator) > 0.3
            loss = nn.functional.cross_entropy(model(inputs[rows] * kept / 0.7), answers[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def _scores(model: nn.Linear, pictures: Tensor) -> Tensor:
    """(N, 4): how well the four views of a picture agree that it is turned by so much."""
    with torch.no_grad():
        told = model(pictures).log_softmax(2)
    views = torch.arange(4)
    return torch.stack([told[:, views, (views + r) % 4].sum(1) for r in range(4)], 1)


def _features(network: Any, path: Path) -> Tensor:
    """(4, features) of a picture and its three turns."""
    picture = read_picture(path)
    assert picture is not None, f"{path} was decoded when the list was made"
    small = cv2.resize(picture, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    views = np.stack([np.rot90(small, k) for k in range(4)]).transpose(0, 3, 1, 2)
    value, parts = torch.from_numpy(views.copy()).float() / 255, []
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for layer in network.model[: _LAYERS[-1] + 1]:
            value = layer(value)
            if layer.i in _LAYERS:
                means = nn.functional.adaptive_avg_pool2d(value.float(), _CELLS)
                parts.append(means.flatten(1))
    return torch.cat(parts, 1)


def _righted(sample: Sample, quarters: int, out: Path) -> Sample:
    """A sample turned back; as it is if it stands already."""
    if not quarters:
        return sample
    pixels = read_picture(sample.picture)
    assert pixels is not None, f"{sample.picture} was decoded before"
    part = piece(sample, pixels)
    for _ in range(4 - quarters):
        part = turned(part)
    height, width = part.pixels.shape[:2]
    path = out / f"{sample.picture.stem}.png"
    cv2.imwrite(str(path), part.pixels[..., ::-1])
    keypoints = part.keypoints.copy()
    keypoints[..., :2] /= np.array([width, height], np.float32)
    corners = (part.boxes / np.array([width, height] * 2)).astype(np.float32)
    return Sample(
        picture=path,
        source=sample.source,
        classes=sample.classes,
        boxes=to_middles(corners).clip(0, 1),
        keypoints=keypoints,
    )
