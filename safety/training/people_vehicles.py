"""The last round: levels of their own for forklifts and AMRs, on a people network that is done.

Nothing that finds people changes (``vehicle_levels``), so the pictures can be what vehicles need:
photographs turned upright, larger and smaller, and stills rendered for this.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from ultralytics.utils.loss import v8DetectionLoss

from safety.training.blend import recalibrated
from safety.training.checkpoints import save_weights
from safety.training.dataset import Sample, read_list, write_list
from safety.training.networks import load_network
from safety.training.people_batches import PeoplePictures, collate
from safety.training.people_fitness import CONFIDENCE, Fitness
from safety.training.recipe import Recipe
from safety.training.trainer import Job, seed_everything, train
from safety.training.vehicle_data import training_samples, validation_samples
from safety.training.vehicle_levels import STRIDES, VehicleLearner, add_levels, without_vehicles

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
"""Scores that may become the operating threshold of a vehicle."""

LEAST_PRECISION = 0.8
"""Share of a vehicle's reports that must be right on the validation pictures: a forklift that is
none carries a danger zone with it."""


def train_vehicles(recipe: Recipe, weights: Path, *, data: Path, run: Path, device: str) -> Path:
    """Give a finished people network levels for vehicles and train them, or go on with that.

    Returns:
        ``run/final.pt``, whose vehicles score 0.25 at their operating thresholds.
    """
    assert recipe.vehicles is not None, "the recipe has a round for vehicles"
    seed_everything(recipe.seed + 2)
    learner = VehicleLearner(untrained(weights, recipe))
    learner.criterion = VehicleLoss(learner.network, recipe.vehicles.gains)
    samples, judged = _lists(recipe, data, run)
    judge = Fitness(judged, recipe.width_px)
    best = train(
        Job(
            network=learner,
            data=PeoplePictures(
                samples,
                (recipe.width_px, recipe.height_px),
                {**recipe.augmentation, **recipe.vehicle_augmentation},
            ),
            collate=collate,
            evaluate=lambda trained: figures(judge, trained),
            optimisation=recipe.vehicles,
            fast=[],
            out=run / "vehicles",
            seed=recipe.seed + 2,
            device=device,
            resume=_goes_on(weights, run),
            kept=lambda trained: trained.network,
        )
    )
    return _finished(recipe, weights, best, judge, run)


def untrained(weights: Path, recipe: Recipe) -> nn.Module:
    """A people network with vehicles' levels that know nothing yet."""
    network = load_network(weights, recipe.classes)
    without_vehicles(network)
    add_levels(network)
    return network


def _finished(recipe: Recipe, weights: Path, best: Path, judge: Fitness, run: Path) -> Path:
    """The people network as it was, with the best levels, at their operating thresholds."""
    whole = untrained(weights, recipe)
    trained = load_network(best, recipe.classes)
    first = VehicleLearner(whole).names_of_what_learns()
    state = {name: value for name, value in trained.state_dict().items() if name in first}
    whole.load_state_dict(state, strict=False)
    found = figures(judge, whole.eval())
    thresholds = (found["forklift_threshold"], found["amr_threshold"])
    save_weights(run / "final.pt", recalibrated(whole, (CONFIDENCE, *thresholds), CONFIDENCE))
    choices = run / "choices.json"
    chosen = json.loads(choices.read_text(encoding="utf-8"))
    chosen["thresholds"] = [chosen["thresholds"][0], *thresholds]
    choices.write_text(json.dumps(chosen), encoding="utf-8")
    return run / "final.pt"


def figures(judge: Fitness, network: nn.Module) -> dict[str, float]:
    """F1 and precision of forklifts and AMRs, and their thresholds: those with the best F1 among
    those at which enough reports are right.
    """
    found = judge.find(network, min(THRESHOLDS))
    at = {t: judge.figures(found, (CONFIDENCE, t, t)) for t in THRESHOLDS}
    result = {}
    for kind in ("forklift", "amr"):
        right = [t for t in THRESHOLDS if at[t][f"{kind}_precision"] >= LEAST_PRECISION]
        best = max(right or THRESHOLDS[-1:], key=lambda t: at[t][f"{kind}_f1"])
        result[f"{kind}_f1"] = at[best][f"{kind}_f1"]
        result[f"{kind}_precision"] = at[best][f"{kind}_precision"]
        result[f"{kind}_threshold"] = best
    return {**result, "fitness": result["forklift_f1"] + result["amr_f1"]}


def _lists(recipe: Recipe, data: Path, run: Path) -> tuple[list[Sample], list[Sample]]:
    """Training and validation samples; the first are kept as ``vehicles.jsonl``."""
    path = run / "vehicles.jsonl"
    if not path.is_file():
        people = read_list(run / "train.jsonl", data)
        base = data.parent / recipe.base
        samples = training_samples(
            people, data, int(recipe.data["vehicle_repeats"]), base, run / "upright"
        )
        write_list(path, samples, data)
    return read_list(path, data), validation_samples(read_list(run / "val.jsonl", data), data)


def _goes_on(weights: Path, run: Path) -> bool:
    """Whether this round was begun with these weights."""
    last = run / "vehicles" / "last.pt"
    if last.is_file() and last.stat().st_mtime_ns > weights.stat().st_mtime_ns:
        return True
    shutil.rmtree(run / "vehicles", ignore_errors=True)
    return False


class VehicleLoss(v8DetectionLoss):  # type: ignore[misc]
    """Ultralytics' detection loss on the vehicles' levels."""

    def __init__(self, network: nn.Module, gains: Mapping[str, float]) -> None:
        head: Any = network.model[-1]
        levels = SimpleNamespace(
            stride=torch.tensor(STRIDES).to(head.stride), nc=head.nc, reg_max=head.reg_max
        )
        super().__init__(
            SimpleNamespace(
                parameters=network.parameters, args=SimpleNamespace(**gains), model=[levels]
            )
        )
