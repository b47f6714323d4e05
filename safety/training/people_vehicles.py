"""A second round of training for the classes that the base network does not know.

They get channels of their own in the head (``widen``), and those learn. So does, more slowly,
what draws boxes, for vehicles are wider than anything that the base has seen; persons are drawn
with it too, so they stay in the pictures and an epoch that finds fewer of them is not kept.
Scores and joints of persons stay as they are.
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


def train_vehicles(
    recipe: Recipe, weights: Path, *, data: Path, run: Path, judge: Fitness, device: str
) -> Path:
    """Train forklift and AMR on finished weights, or go on where that ended.

    Returns:
        The best weights, in ``run/vehicles``.
    """
    assert recipe.new_classes is not None, "the recipe has a second round"
    seed_everything(recipe.seed + 1)
    network = load_network(weights, recipe.classes)
    asked = judge(network.eval())
    new = widen(network, EXTRA_CHANNELS)
    network.model[-1].cv2.requires_grad_(True)
    with_gains(network, recipe.new_classes.gains)
    samples = read_list(run / "train.jsonl", data)
    size_px = (recipe.width_px, recipe.height_px)

    def evaluate(trained: nn.Module) -> Mapping[str, float]:
        figures = vehicle_figures(judge, trained)
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
            optimisation=recipe.new_classes,
            fast=new,
            out=run / "vehicles",
            seed=recipe.seed + 1,
            device=device,
            resume=_goes_on(run),
        )
    )


def _goes_on(run: Path) -> bool:
    """Whether this round was begun with the weights that the first round ended with."""
    mine, first = run / "vehicles" / "last.pt", run / "last.pt"
    if mine.is_file() and mine.stat().st_mtime_ns > first.stat().st_mtime_ns:
        return True
    shutil.rmtree(run / "vehicles", ignore_errors=True)
    return False


def vehicle_figures(judge: Fitness, network: nn.Module) -> dict[str, float]:
    """F1 of forklifts and AMRs, each at the threshold that will be used, those thresholds, and
    what must not be lost of persons.

    The threshold with the best F1 among those at which enough reports are right: a forklift that
    is none carries a danger zone with it.
    """
    found = judge.find(network, min(THRESHOLDS))
    figures = {t: judge.figures(found, (CONFIDENCE, t, t)) for t in THRESHOLDS}
    result = {key: figures[CONFIDENCE][key] for key in KEPT}
    for kind in ("forklift", "amr"):
        right = [t for t in THRESHOLDS if figures[t][f"{kind}_precision"] >= LEAST_PRECISION]
        best = max(right or THRESHOLDS[-1:], key=lambda t: figures[t][f"{kind}_f1"])
        result[f"{kind}_f1"] = figures[best][f"{kind}_f1"]
        result[f"{kind}_threshold"] = best
    return result
