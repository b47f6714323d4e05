"""More room in the branch that tells classes, for new classes alone.

Every level of a YOLO11 head tells classes by two small blocks and a last layer. Here both blocks
get further channels that only the new classes read; what the first class computes stays as it
was. The result is an ordinary YOLO11 head.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from ultralytics.nn.modules.conv import Conv, DWConv


def widen(network: nn.Module, extra: int) -> list[nn.Parameter]:
    """Add ``extra`` channels per level, in place, and let only what is new learn.

    The first class keeps its weights: those that read the new channels are zero and stay so.

    Returns:
        The parameters that learn.
    """
    network.requires_grad_(False)
    for branch in network.model[-1].cv3:
        first, second, last = branch
        old = last.in_channels
        first[1] = _pointwise(first[1], first[1].conv.in_channels, old + extra)
        second[0] = _depthwise(second[0], old + extra)
        second[1] = _pointwise(second[1], old + extra, old + extra)
        branch[2] = _last(last, old + extra)
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _pointwise(old: Conv, inputs: int, outputs: int) -> Conv:
    new = Conv(inputs, outputs, 1)
    with torch.no_grad():
        kept = old.conv.out_channels
        new.conv.weight[:kept] = 0
        new.conv.weight[:kept, : old.conv.in_channels] = old.conv.weight
    return _finished(old, new)


def _depthwise(old: DWConv, channels: int) -> DWConv:
    new = DWConv(channels, channels, old.conv.kernel_size[0])
    with torch.no_grad():
        new.conv.weight[: old.conv.out_channels] = old.conv.weight
    return _finished(old, new)


def _finished(old: Conv, new: Conv) -> Conv:
    """The norm of the old channels beside a neutral one of the new; only the new learn."""
    kept = old.conv.out_channels
    new.bn.eps, new.bn.momentum = old.bn.eps, old.bn.momentum
    with torch.no_grad():
        for name in ("weight", "bias", "running_mean", "running_var"):
            getattr(new.bn, name)[:kept] = getattr(old.bn, name)
    for parameter in new.parameters():
        parameter.register_hook(_from_row(kept))
    return new.to(old.conv.weight.device)


def _last(old: nn.Conv2d, inputs: int) -> nn.Conv2d:
    new = nn.Conv2d(inputs, old.out_channels, 1)
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, : old.in_channels] = old.weight
        if old.bias is not None and new.bias is not None:
            new.bias.copy_(old.bias)
    for parameter in new.parameters():
        parameter.register_hook(_from_row(1))
    return new.to(old.weight.device)


def _from_row(first: int) -> Callable[[Tensor], Tensor]:
    """A gradient without its first rows."""

    def cut(gradient: Tensor) -> Tensor:
        kept = torch.ones_like(gradient)
        kept[:first] = 0
        return gradient * kept

    return cut
