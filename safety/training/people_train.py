"""Trains the people-and-vehicles network from its recipe, all rounds of it."""

import json
from pathlib import Path

import numpy as np
from torch import nn

from safety.training.blend import blended, moved, recalibrated
from safety.training.checkpoints import save_weights
from safety.training.contact_sheet import drawn, write_sheet
from safety.training.dataset import read_list
from safety.training.networks import load_network, with_gains
from safety.training.people_batches import PeoplePictures, collate
from safety.training.people_boxes import train_boxes
from safety.training.people_choice import Choice, preferred
from safety.training.people_data import prepare
from safety.training.people_fitness import CONFIDENCE, Fitness
from safety.training.people_vehicles import train_vehicles
from safety.training.recipe import Recipe
from safety.training.trainer import Job, seed_everything, train

SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Shares of the trained weights in the blend that are tried on the validation pictures."""

THRESHOLDS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
"""Person scores of the blend that may become the operating threshold."""

_SHOWN = 12
"""Pictures on the contact sheet."""


def train_people(
    recipe: Recipe, *, data: Path, out: Path, resume: bool, device: str, workers: int = 1
) -> Path:
    """Train; see ``safety.training.train``.

    The first round's files lie in ``out`` itself (``log.csv``, ``best.pt``), those of the boxes
    and of the vehicles in ``out/boxes`` and ``out/vehicles``. ``blend.pt``, ``people.pt`` and
    ``choices.json`` are what was chosen in between.

    Returns:
        ``out/final.pt``, whose classes score 0.25 at their operating thresholds.
    """
    training, validation, _digest = prepare(recipe, data, out)
    judge = Fitness(read_list(validation, data), recipe.width_px)
    seed_everything(recipe.seed)
    network = load_network(data.parent / recipe.base, recipe.classes)
    with_gains(network, recipe.optimisation.gains)
    size_px = (recipe.width_px, recipe.height_px)
    pictures = PeoplePictures(read_list(training, data), size_px, recipe.augmentation)
    _write_contact_sheet(pictures, out / "sheet.png", recipe.seed)
    train(
        Job(
            network=network,
            data=pictures,
            collate=collate,
            evaluate=judge,
            optimisation=recipe.optimisation,
            out=out,
            seed=recipe.seed,
            device=device,
            workers=workers,
            resume=resume,
        )
    )
    return finished(recipe, data=data, run=out, judge=judge, device=device)


def finished(recipe: Recipe, *, data: Path, run: Path, judge: Fitness, device: str) -> Path:
    """What follows the first round: the blend, the boxes, the persons' operating threshold
    (``run/people.pt``), and the vehicles.

    Returns:
        ``run/final.pt``.
    """
    base = data.parent / recipe.base
    old, new = (load_network(path, recipe.classes).eval() for path in (base, run / "best.pt"))
    choice = choose(judge, old, new)
    mixed = recalibrated(blended(old, new, choice.share, known=1), [choice.threshold], CONFIDENCE)
    save_weights(run / "blend.pt", mixed)
    weights = run / "blend.pt"
    if recipe.boxes is not None:
        weights = train_boxes(recipe, weights, data=data, run=run, judge=judge, device=device)
    people = load_network(weights, recipe.classes).eval()
    score = recipe.data.get("person_score", choice.threshold)
    moved_score = moved(score, choice.threshold, CONFIDENCE)
    save_weights(run / "people.pt", recalibrated(people, [moved_score], CONFIDENCE))
    content = {"share": choice.share, "thresholds": [score]}
    (run / "choices.json").write_text(json.dumps(content), encoding="utf-8")
    if recipe.vehicles is None:
        return run / "people.pt"
    return train_vehicles(recipe, run / "people.pt", data=data, run=run, device=device)


def choose(judge: Fitness, old: nn.Module, new: nn.Module) -> Choice:
    """The share and the threshold to take; ``old`` is the base network."""
    asked = judge(old)
    choices = []
    for share in SHARES:
        found = judge.find(blended(old, new, share, known=1), min(THRESHOLDS))
        for threshold in THRESHOLDS:
            figures = judge.figures(found, (threshold, CONFIDENCE, CONFIDENCE))
            choices.append(Choice(share=share, threshold=threshold, figures=figures))
    return preferred(choices, asked)


def _write_contact_sheet(pictures: PeoplePictures, path: Path, seed: int) -> None:
    """What the network will be shown, for people to look at."""
    rng = np.random.default_rng(seed)
    canvases = [pictures.canvas(int(i), rng) for i in rng.integers(0, len(pictures), _SHOWN)]
    write_sheet(path, [drawn(c.pixels, c.classes, c.boxes, c.keypoints) for c in canvases])
