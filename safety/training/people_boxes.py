"""A second round of training, in which what draws boxes learns large things.

Forklift and AMR get channels in the head (``widen``) that learn with it; they are scaffolding,
and go when vehicles get levels of their own (``people_vehicles``). Persons are drawn by the same
boxes, so they stay in the pictures and an epoch that finds fewer of them is not kept. Scores and
joints of persons stay as they are.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from safety.training.dataset import read_list
from safety.training.networks import load_network, with_gains
from safety.training.people_batches import PeoplePictures, collate
from safety.training.people_data import with_repeats
from safety.training.people_fitness import CONFIDENCE, Fitness
from safety.training.recipe import Recipe
from safety.training.trainer import Job, seed_everything, train
from safety.training.widen import widen

EXTRA_CHANNELS = 64
"""Per level of the head; the persons have 64."""

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
"""Scores that may become the operating threshold of a vehicle."""

KEPT = ("real_recall", "real_precision", "rendered_recall", "rendered_precision")
"""Figures of persons that the round must not lower."""

_COST = 5.0
"""Of a point that persons lose, in points of a vehicle's F1."""

LEAST_PRECISION = 0.6
"""Share of a vehicle's reports that must be right on the validation pictures."""


def train_boxes(
    recipe: Recipe, weights: Path, *, data: Path, run: Path, judge: Fitness, device: str
) -> Path:
    """Train the boxes on finished weights, or go on where that ended.

    Returns:
        The best weights, in ``run/boxes``.
    """
    assert recipe.boxes is not None, "the recipe has a second round"
    seed_everything(recipe.seed + 1)
    network = load_network(weights, recipe.classes)
    asked = judge(network.eval())
    new = widen(network, EXTRA_CHANNELS)
    network.model[-1].cv2.requires_grad_(True)
    with_gains(network, recipe.boxes.gains)
    samples = read_list(run / "train.jsonl", data)
    size_px = (recipe.width_px, recipe.height_px)

    def evaluate(trained: nn.Module) -> Mapping[str, float]:
        figures = _figures(judge, trained)
        lost = sum(max(asked[key] - figures[key], 0) for key in KEPT)
        return {**figures, "fitness": figures["forklift_f1"] + figures["amr_f1"] - _COST * lost}

    return train(
        Job(
            network=network,
            data=PeoplePictures(
                with_repeats(samples, int(recipe.data["vehicle_repeats"])),
                size_px,
                recipe.augmentation,
            ),
            collate=collate,
            evaluate=evaluate,
            optimisation=recipe.boxes,
            fast=new,
            out=run / "boxes",
            seed=recipe.seed + 1,
            device=device,
            resume=_goes_on(run),
        )
    )


def _goes_on(run: Path) -> bool:
    """Whether this round was begun with the weights that the first round ended with."""
    mine, first = run / "boxes" / "last.pt", run / "last.pt"
    if mine.is_file() and mine.stat().st_mtime_ns > first.stat().st_mtime_ns:
        return True
    shutil.rmtree(run / "boxes", ignore_errors=True)
    return False


def _figures(judge: Fitness, network: nn.Module) -> dict[str, float]:
    """F1 of forklifts and AMRs, each at its best threshold at which enough reports are right, and
    what must not be lost of persons.
    """
    found = judge.find(network, min(THRESHOLDS))
    figures = {t: judge.figures(found, (CONFIDENCE, t, t)) for t in THRESHOLDS}
    result = {key: figures[CONFIDENCE][key] for key in KEPT}
    for kind in ("forklift", "amr"):
        right = [t for t in THRESHOLDS if figures[t][f"{kind}_precision"] >= LEAST_PRECISION]
        best = max(right or THRESHOLDS[-1:], key=lambda t: figures[t][f"{kind}_f1"])
        result[f"{kind}_f1"] = figures[best][f"{kind}_f1"]
    return result
