"""Between a network and what it was made from: keeps old knowledge, and most of the new.

The weights are averaged, not the answers, so it costs nothing when it runs. Source: Wortsman
et al., Robust fine-tuning of zero-shot models, CVPR 2022.
"""

import math
from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import nn


def blended(base: nn.Module, trained: nn.Module, share: float, *, known: int) -> nn.Module:
    """A network whose weights lie between two of the same form.

    Args:
        share: 0 gives the base, 1 the trained network.
        known: Classes that both know, the first ones; what tells the others apart is the
            trained network's alone.
    """
    result = deepcopy(trained)
    old, new = base.state_dict(), result.state_dict()
    last = _class_layers(result)
    with torch.no_grad():
        for name, value in new.items():
            if not value.is_floating_point():
                continue
            mixed = (1 - share) * old[name].to(value) + share * value
            if name.rpartition(".")[0] in last:
                mixed[known:] = value[known:]
            value.copy_(mixed)
    return result


def recalibrated(network: nn.Module, thresholds: Sequence[float], operating: float) -> nn.Module:
    """A network whose classes score ``operating`` where they scored their threshold before.

    Only the scores move: which box is better than which stays as it was.
    """
    result = deepcopy(network)
    with torch.no_grad():
        for branch in result.model[-1].cv3:
            for number, threshold in enumerate(thresholds):
                branch[-1].bias[number] += _logit(operating) - _logit(threshold)
    return result


def moved(score: float, threshold: float, operating: float) -> float:
    """Where a score lies in a network that is ``recalibrated`` from one threshold."""
    return 1 / (1 + math.exp(_logit(threshold) - _logit(operating) - _logit(score)))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _class_layers(network: nn.Module) -> set[str]:
    """Names of the layers whose rows are classes."""
    head = f"model.{len(network.model) - 1}.cv3"
    return {
        f"{head}.{level}.{len(branch) - 1}" for level, branch in enumerate(network.model[-1].cv3)
    }
