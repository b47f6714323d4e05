"""Levels of their own for vehicles in the head of a people network.

A network that learned people has a neck and a head full of people: vehicles squeezed into it are
seen and not believed. Here a small neck reads the backbone where it is still general, and two
further levels of the head (strides 16 and 32) draw and tell vehicles. The levels that were there
tell persons alone; none of their tensors changes. The result is an ordinary YOLO11 pose network
with five levels: Ultralytics and the product's converter read it as any other.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from ultralytics.nn.modules.block import SPPF, C3k2
from ultralytics.nn.modules.conv import Concat, Conv, DWConv

STRIDES = (16.0, 32.0)
"""Of the vehicles' levels. At stride 8 they would cost twice as much, for vehicles below about
20 pixels."""

_EARLY, _MIDDLE, _DEEP = 4, 6, 10
"""Layers of YOLO11's backbone that are read, with 1/8, 1/16 and 1/32 of the picture's size."""

_NEVER = -30.0
"""Score before the sigmoid of a class that a level does not tell."""


def without_vehicles(network: nn.Module) -> None:
    """Let the first levels tell persons alone, in place, and drop what only vehicles read."""
    for branch in network.model[-1].cv3:
        first, second, last = branch
        channels = 1 + int(last.weight[0].detach().flatten().nonzero().max())
        first[1] = _cut(first[1], channels, first[1].conv.in_channels)
        second[0] = _cut(second[0], channels, 1)
        second[1] = _cut(second[1], channels, channels)
        kept = nn.Conv2d(channels, last.out_channels, 1)
        with torch.no_grad():
            kept.weight.zero_()
            kept.weight[0] = last.weight[0, :channels]
            kept.bias.fill_(_NEVER)
            kept.bias[0] = last.bias[0]
        branch[2] = kept


def _cut(old: Conv, outputs: int, inputs: int) -> Conv:
    depthwise = isinstance(old, DWConv)
    make = DWConv if depthwise else Conv
    new = make(outputs if depthwise else inputs, outputs, old.conv.kernel_size[0])
    new.bn.eps, new.bn.momentum = old.bn.eps, old.bn.momentum
    with torch.no_grad():
        new.conv.weight.copy_(old.conv.weight[:outputs, :inputs])
        for name in ("weight", "bias", "running_mean", "running_var"):
            getattr(new.bn, name).copy_(getattr(old.bn, name)[:outputs])
    return new.eval()


def add_levels(network: nn.Module) -> None:
    """Give a people network a neck and two levels for vehicles, untrained, in place.

    Raises:
        ValueError: It has them already.
    """
    head: Any = network.model[-1]
    if head.nl != 3:
        raise ValueError("the network has levels for vehicles already")
    layers = list(network.model)[:-1]
    ends = _add_neck(layers, [_channels(layers[i]) for i in (_EARLY, _MIDDLE, _DEEP)])
    head.f, head.i = [*head.f, *ends], len(layers)
    network.model = nn.Sequential(*layers, head)
    network.save = sorted({*network.save, *(i for layer in network.model for i in _sources(layer))})
    for width, stride in zip((_channels(layers[i]) for i in ends), STRIDES, strict=True):
        _add_level(head, width, stride)
    head.nl, head.shape = len(head.f), None
    head.stride = torch.cat([head.stride, torch.tensor(STRIDES).to(head.stride)])
    network.stride = head.stride


def _add_neck(layers: list[nn.Module], widths: Sequence[int]) -> tuple[int, int]:
    """Append the vehicles' neck to the layers; the numbers of the layers where it ends."""
    early, middle, deep = widths

    def add(module: nn.Module, source: int | list[int]) -> int:
        module.i, module.f, module.type = len(layers), source, type(module).__name__
        module.np = sum(p.numel() for p in module.parameters())
        layers.append(module)
        return len(layers) - 1

    fine = add(Conv(early, 64, 3, 2), _EARLY)
    fine = add(C3k2(64 + middle, 96, 1, e=0.5), add(Concat(), [fine, _MIDDLE]))
    coarse = add(Conv(96, 112, 3, 2), fine)
    coarse = add(C3k2(112 + deep, 128, 1, e=0.5), add(Concat(), [coarse, _DEEP]))
    coarse = add(SPPF(128, 128), coarse)
    wide = add(nn.Upsample(scale_factor=2, mode="nearest"), coarse)
    fine = add(C3k2(128 + 96, 96, 1, e=0.5), add(Concat(), [wide, fine]))
    down = add(Conv(96, 96, 3, 2), fine)
    coarse = add(C3k2(96 + 128, 128, 1, e=0.5), add(Concat(), [down, coarse]))
    return fine, coarse


def _add_level(head: Any, width: int, stride: float) -> None:
    """One more level whose keypoints are nowhere and not visible."""
    bins = 4 * head.reg_max
    box = nn.Conv2d(64, bins, 1)
    told = nn.Conv2d(80, head.nc, 1)
    joints = nn.Conv2d(width, head.nk, 1)
    with torch.no_grad():
        box.bias.fill_(2.0)
        told.bias.fill_(float(torch.tensor(5 / head.nc / (640 / stride) ** 2).log()))
        told.weight[0], told.bias[0] = 0, _NEVER
        joints.weight.zero_()
        joints.bias.fill_(0)
        joints.bias[2 :: head.kpt_shape[1]] = _NEVER
    head.cv2.append(_branch(width, 64, box))
    head.cv3.append(_branch(width, 80, told))
    head.cv4.append(nn.Sequential(joints))


def _branch(width: int, inner: int, last: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(
        nn.Sequential(DWConv(width, width, 3), Conv(width, inner, 1)),
        nn.Sequential(DWConv(inner, inner, 3), Conv(inner, inner, 1)),
        last,
    )


def _sources(layer: Any) -> list[int]:
    return [i for i in (layer.f if isinstance(layer.f, list) else [layer.f]) if i != -1]


def _channels(layer: Any) -> int:
    """How many channels a layer puts out."""
    last = [module for module in layer.modules() if isinstance(module, nn.Conv2d)]
    return int(layer.cv2.conv.out_channels if hasattr(layer, "cv2") else last[-1].out_channels)


def _first(head: Any) -> int:
    """Number of the first layer of the vehicles' neck."""
    return 1 + int(max(head.f[:3]))


class VehicleLearner(nn.Module):  # type: ignore[misc]
    """A network with vehicles' levels, of which nothing else learns.

    In training it computes the backbone without gradients and then the vehicles' neck and levels
    alone: an epoch costs a third of a whole network's. Otherwise it is the network.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        network.requires_grad_(False)
        for module in self._learning():
            module.requires_grad_(True)

    @property
    def model(self) -> nn.Sequential:
        """The network's layers, where the trainer looks for them."""
        layers: nn.Sequential = self.network.model
        return layers

    def names_of_what_learns(self) -> set[str]:
        """Names of the network's tensors that belong to the vehicles."""
        mine = {id(t) for m in self._learning() for t in m.state_dict(keep_vars=True).values()}
        state = self.network.state_dict(keep_vars=True)
        return {name for name, tensor in state.items() if id(tensor) in mine}

    def _learning(self) -> list[nn.Module]:
        head: Any = self.network.model[-1]
        return [*self.network.model[_first(head) : -1], *head.cv2[3:], *head.cv3[3:]]

    def train(self, mode: bool = True) -> "VehicleLearner":
        """Only what learns goes into training mode."""
        super().train(False)
        self.training = mode
        for module in self._learning():
            module.train(mode)
        return self

    def forward(self, pictures: Tensor) -> Any:
        """In training, boxes, scores and features of the vehicles' levels."""
        if not self.training:
            return self.network(pictures)
        head: Any = self.network.model[-1]
        results: dict[int, Tensor] = {}
        with torch.no_grad():
            value = pictures
            for layer in self.network.model[: _DEEP + 1]:
                value = results[layer.i] = layer(value)
        for layer in self.network.model[_first(head) : -1]:
            source = layer.f if isinstance(layer.f, list) else [layer.f]
            given = [results[i] for i in source]
            results[layer.i] = layer(given if isinstance(layer, Concat) else given[0])
        features = [results[i] for i in head.f[3:]]
        boxes = [b(x).flatten(2) for b, x in zip(head.cv2[3:], features, strict=True)]
        scores = [b(x).flatten(2) for b, x in zip(head.cv3[3:], features, strict=True)]
        return {"boxes": torch.cat(boxes, 2), "scores": torch.cat(scores, 2), "feats": features}
