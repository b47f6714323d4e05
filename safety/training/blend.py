"""Between a network and what it was made from: keeps old knowledge, and most of the new.

The weights are averaged, not the answers, so it costs nothing when it runs. Source: Wortsman
et al., Robust fine-tuning of zero-shot models, CVPR 2022.
"""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import torch
from torch import nn

from safety.training.checkpoints import save_weights
from safety.training.networks import load_network
from safety.training.trainer import Evaluate


def blended(base: nn.Module, trained: nn.Module, share: float) -> nn.Module:
    """A network whose weights lie between two of the same form.

    Args:
        share: 0 gives the base, 1 the trained network.

    What tells the new classes apart is the trained network's: the base never learned it.
    """
    result = deepcopy(trained)
    old, new = base.state_dict(), result.state_dict()
    last = {
        f"model.{len(result.model) - 1}.cv3.{level}.{len(branch) - 1}."
        for level, branch in enumerate(result.model[-1].cv3)
    }
    with torch.no_grad():
        for name, value in new.items():
            if not value.is_floating_point():
                continue
            mixed = (1 - share) * old[name].to(value) + share * value
            if name.rsplit(".", 1)[0] + "." in last:
                mixed[1:] = value[1:]
            value.copy_(mixed)
    return result


def best_blend(
    base: Path, trained: Path, classes: Sequence[str], shares: Sequence[float], evaluate: Evaluate
) -> tuple[float, Path]:
    """Write the blend with the best fitness beside the trained weights, as ``blend.pt``.

    Returns:
        Its share, and the file.
    """
    old = load_network(base, classes).eval()
    new = load_network(trained, classes).eval()
    figures = {share: evaluate(blended(old, new, share))["fitness"] for share in shares}
    share = max(figures, key=lambda key: figures[key])
    out = trained.with_name("blend.pt")
    save_weights(out, blended(old, new, share))
    return share, out
