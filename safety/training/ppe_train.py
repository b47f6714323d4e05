"""Trains the PPE network from prepared crops, with the shared training loop."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from safety.perception.detector import Objects
from safety.perception.letterbox import fit, place
from safety.perception.postprocess import ObjectDecoder
from safety.training.blend import blended
from safety.training.checkpoints import save_weights
from safety.training.contact_sheet import drawn, write_sheet
from safety.training.networks import load_network, run, with_gains
from safety.training.people_pseudo import to_corners
from safety.training.ppe_augment import Augmentation
from safety.training.ppe_crops import NAMES, crops_in, read_crop
from safety.training.ppe_data import prepare
from safety.training.ppe_dataset import DrawnCrops, collate
from safety.training.ppe_scores import average_precision
from safety.training.recipe import Recipe
from safety.training.trainer import Job, seed_everything, train
from safety.types import Picture

SHARES = (0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of the trained weights in the blend that are tried on the validation crops."""

_LEAST_SCORE, _IOU = 0.001, 0.7

_SHOWN = 40
"""Crops on the contact sheet."""


class CropValidation:
    """Average precision of a network on folders of crops.

    Args:
        folders: By the name that their figures get; ``fitness`` is the mean over them.
        size_px: Side of the network's input.
    """

    def __init__(self, folders: Mapping[str, Path], size_px: int) -> None:
        self._size = size_px
        self._crops = {
            name: [read_crop(path) for path in crops_in(folder)]
            for name, folder in folders.items()
            if crops_in(folder)
        }

    def __call__(self, network: nn.Module) -> dict[str, float]:
        figures: dict[str, float] = {}
        for name, crops in self._crops.items():
            found = self._found(network, [crop for crop, _ in crops])
            labelled = [items.scaled(1 / crop.shape[1], 1 / crop.shape[0]) for crop, items in crops]
            precisions = average_precision(found, labelled, len(NAMES))
            figures |= {
                f"{name} {kind}": float(value)
                for kind, value in zip(NAMES, precisions, strict=True)
            }
            figures[f"{name} mAP50"] = float(np.nanmean(precisions))
        means = [value for key, value in figures.items() if key.endswith("mAP50")]
        return figures | {"fitness": float(np.mean(means))}

    def _found(self, network: nn.Module, crops: Sequence[Picture]) -> list[Objects]:
        decoder = ObjectDecoder(NAMES, range(len(NAMES)), confidence=_LEAST_SCORE, iou=_IOU)
        device = next(network.parameters()).device
        found: list[Objects] = []
        for start in range(0, len(crops), 32):
            batch = crops[start : start + 32]
            canvas = np.empty((len(batch), self._size, self._size, 3), np.uint8)
            places = [fit(crop, (self._size, self._size)) for crop in batch]
            for crop, image, at in zip(batch, canvas, places, strict=True):
                place(crop, image, at)
            pictures = torch.from_numpy(canvas).to(device).permute(0, 3, 1, 2).float() / 255
            with torch.inference_mode():
                output = run(network, pictures)
            numbers = (output[0] if isinstance(output, tuple) else output).cpu().numpy()
            found += [decoder.decode(one, at) for one, at in zip(numbers, places, strict=True)]
        return found


def train_ppe(recipe: Recipe, *, data: Path, out: Path, resume: bool, device: str) -> Path:
    """Train; see ``safety.training.train``. Crops are cut into ``out/crops`` if not there yet.

    Returns:
        ``out/final.pt``: between the base and the best epoch; ``choices.json`` says where.
    """
    crops = prepare(recipe, data, out / "crops")
    seed_everything(recipe.seed)
    network = load_network(data.parent / recipe.base, recipe.classes)
    with_gains(network, recipe.optimisation.gains)
    augmentation = Augmentation(recipe.augmentation, recipe.width_px)
    drawn_crops = DrawnCrops(crops / "train", augmentation, int(recipe.data["crops_per_epoch"]))
    _write_contact_sheet(drawn_crops, out / "sheet.png", recipe.seed)
    judge = validation(recipe, crops)
    best = train(
        Job(
            network=network,
            data=drawn_crops,
            collate=collate,
            evaluate=judge,
            optimisation=recipe.optimisation,
            out=out,
            seed=recipe.seed,
            device=device,
            resume=resume,
        )
    )
    return finished(recipe, data=data, best=best, judge=judge)


def finished(recipe: Recipe, *, data: Path, best: Path, judge: CropValidation) -> Path:
    """The blend with the base that is best on the validation crops.

    The base has seen the photographs longer, the trained network everything else.
    """
    paths = (data.parent / recipe.base, best)
    old, new = (load_network(path, recipe.classes).eval() for path in paths)
    blends = {share: blended(old, new, share, known=len(NAMES)) for share in SHARES}
    fitness = {share: judge(blend)["fitness"] for share, blend in blends.items()}
    share = max(fitness, key=lambda tried: fitness[tried])
    final = best.with_name("final.pt")
    save_weights(final, blends[share])
    content = {"share": share, "fitness": fitness}
    best.with_name("choices.json").write_text(json.dumps(content), encoding="utf-8")
    return final


def validation(recipe: Recipe, crops: Path) -> CropValidation:
    """The judge of networks trained on these crops."""
    folders = {"val": crops / "val", "rendered": crops / "val_rendered"}
    return CropValidation(folders, recipe.width_px)


def _write_contact_sheet(crops: DrawnCrops, path: Path, seed: int) -> None:
    """What the network will be shown, for people to look at."""
    seed_everything(seed)
    pictures = []
    for number in range(_SHOWN):
        sample = crops[number]
        pixels = np.ascontiguousarray(sample["img"].numpy().transpose(1, 2, 0))
        boxes = to_corners(sample["bboxes"].numpy()) * pixels.shape[0]
        nothing = np.zeros((len(boxes), 17, 3), np.float32)
        pictures.append(drawn(pixels, sample["cls"].numpy()[:, 0], boxes, nothing))
    write_sheet(path, pictures, columns=8)
