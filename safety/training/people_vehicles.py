"""A second round of training for the classes that the base network does not know.

They get channels of their own in the head (``widen``), and only those learn: boxes, joints and
scores of persons stay as they are.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from safety.training.dataset import read_list
from safety.training.networks import load_network, with_gains
from safety.training.people_batches import PeoplePictures, collate
from safety.training.people_fitness import CONFIDENCE, Fitness
from safety.training.recipe import Recipe
from safety.training.trainer import Job, train
from safety.training.widen import widen

EXTRA_CHANNELS = 32
"""Per level of the head; the persons have 64."""

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
"""Scores that may become the operating threshold of a vehicle."""

LEAST_PRECISION = 0.5
"""Share of a vehicle's reports that must be right on the validation pictures."""


def train_vehicles(
    recipe: Recipe, weights: Path, *, data: Path, run: Path, judge: Fitness, device: str
) -> Path:
    """Train forklift and AMR on finished weights, or go on where that ended.

    Returns:
        The best weights, in ``run/vehicles``.
    """
    assert recipe.new_classes is not None, "the recipe has a second round"
    network = load_network(weights, recipe.classes)
    widen(network, EXTRA_CHANNELS)
    with_gains(network, recipe.new_classes.gains)
    samples = read_list(run / "train.jsonl", data)
    size_px = (recipe.width_px, recipe.height_px)

    def evaluate(trained: nn.Module) -> Mapping[str, float]:
        figures = vehicle_figures(judge, trained)
        return {**figures, "fitness": figures["forklift_f1"] + figures["amr_f1"]}

    return train(
        Job(
            network=network,
            data=PeoplePictures(samples, size_px, recipe.augmentation),
            collate=collate,
            evaluate=evaluate,
            optimisation=recipe.new_classes,
            out=run / "vehicles",
            seed=recipe.seed + 1,
            device=device,
            resume=(run / "vehicles" / "last.pt").is_file(),
        )
    )


def vehicle_figures(judge: Fitness, network: nn.Module) -> dict[str, float]:
    """F1 of forklifts and AMRs, each at the threshold that will be used, and those thresholds.

    The threshold with the best F1 among those at which every second report is right: a forklift
    that is none carries a danger zone with it.
    """
    found = judge.find(network, min(THRESHOLDS))
    figures = {t: judge.figures(found, (CONFIDENCE, t, t)) for t in THRESHOLDS}
    result = {}
    for kind in ("forklift", "amr"):
        right = [t for t in THRESHOLDS if figures[t][f"{kind}_precision"] >= LEAST_PRECISION]
        best = max(right or THRESHOLDS[-1:], key=lambda t: figures[t][f"{kind}_f1"])
        result[f"{kind}_f1"] = figures[best][f"{kind}_f1"]
        result[f"{kind}_threshold"] = best
    return result
