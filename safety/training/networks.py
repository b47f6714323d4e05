"""Networks to train: new classes on a trained network, and bfloat16 on processors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from ultralytics import YOLO
from ultralytics.cfg import get_cfg
from ultralytics.utils.loss import v8PoseLoss

UNKNOWN = -1.0
"""Visibility of keypoints that nobody labelled: they take no part in the loss."""


def load_network(path: Path, classes: Sequence[str]) -> nn.Module:
    """A trained network, its last layer widened to these classes.

    Classes that the network knows by name keep their weights, so that it finds them as well as
    before; a new class starts as a rare one.
    """
    network: nn.Module = YOLO(path).model.float()
    head: Any = network.model[-1]
    known = [str(network.names[index]) for index in range(head.nc)]
    if known != list(classes):
        for level, stride in zip(head.cv3, head.stride, strict=True):
            level[-1] = _widened(level[-1], known, classes, float(stride))
        head.nc = len(classes)
        head.no = head.nc + 4 * head.reg_max
        network.nc = head.nc
        network.yaml["nc"] = head.nc
    network.names = dict(enumerate(classes))
    network.requires_grad_(True)
    head.dfl.requires_grad_(False)
    return network


def _widened(
    old: nn.Conv2d, known: Sequence[str], classes: Sequence[str], stride: float
) -> nn.Conv2d:
    new = nn.Conv2d(old.in_channels, len(classes), 1)
    with torch.no_grad():
        new.weight.mul_(0.1)
        # One in a hundred pictures of 640 pixels shows one: the prior of Ultralytics' own heads.
        new.bias.fill_(float(torch.tensor(5 / len(classes) / (640 / stride) ** 2).log()))
        for row, name in enumerate(classes):
            if name in known:
                new.weight[row] = old.weight[known.index(name)]
                new.bias[row] = old.bias[known.index(name)]
    return new


def with_gains(network: nn.Module, gains: Mapping[str, float]) -> None:
    """Give a network its criterion, with these weights of the parts of the loss."""
    network.args = get_cfg(overrides=dict(gains))
    head: Any = network.model[-1]
    network.criterion = PartialPoseLoss(network) if hasattr(head, "kpt_shape") else None
    if network.criterion is None:
        network.criterion = network.init_criterion()


class PartialPoseLoss(v8PoseLoss):  # type: ignore[misc]
    """Ultralytics' pose loss, without a say where keypoints are unknown (``UNKNOWN``)."""

    def calculate_keypoints_loss(
        self,
        masks: Tensor,
        target_gt_idx: Tensor,
        keypoints: Tensor,
        stride_tensor: Tensor,
        target_bboxes: Tensor,
        pred_kpts: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Location and visibility loss; arguments as in Ultralytics."""
        picture = masks.nonzero(as_tuple=True)[0]
        # A copy by advanced indexing: nothing below writes into the labels.
        truth = keypoints[picture, target_gt_idx[masks]]
        strides = stride_tensor.view(1, -1).expand(masks.shape[0], -1)[masks]
        boxes = (target_bboxes / stride_tensor)[masks]
        labelled = truth[:, 0, 2] != UNKNOWN
        if not labelled.any():
            nothing = pred_kpts[..., :0].sum()
            return nothing, nothing
        truth, found, boxes = truth[labelled], pred_kpts[masks][labelled], boxes[labelled]
        truth[..., :2] /= strides[labelled][:, None, None]
        area = (boxes[:, 2:] - boxes[:, :2]).prod(1, keepdim=True)
        visible = truth[..., 2] > 0
        place = self.keypoint_loss(found, truth, visible, area)
        return place, self.bce_pose(found[..., 2], visible.float())


def run(network: nn.Module, pictures: Tensor) -> Any:
    """A network's raw output as float32; computed in bfloat16, half the time on new processors.

    The loss needs float32: sums over thousands of anchors lose too much otherwise.
    """
    with torch.autocast(pictures.device.type, dtype=torch.bfloat16):
        return _as_float(network(pictures))


def _as_float(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.float()
    if isinstance(value, Mapping):
        return {key: _as_float(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_as_float(item) for item in value)
    return value
