"""Trains the people-and-vehicles network from its recipe."""

from pathlib import Path

import numpy as np

from safety.training.contact_sheet import drawn, write_sheet
from safety.training.dataset import read_list
from safety.training.networks import load_network, with_gains
from safety.training.people_batches import PeoplePictures, collate
from safety.training.people_data import prepare
from safety.training.people_fitness import Fitness
from safety.training.recipe import Recipe
from safety.training.trainer import Job, train

_SHOWN = 12
"""Pictures on the contact sheet."""


def train_people(
    recipe: Recipe, *, data: Path, out: Path, resume: bool, device: str, workers: int = 1
) -> Path:
    """Train; see ``safety.training.train``."""
    training, validation, _digest = prepare(recipe, data, out)
    network = load_network(data.parent / recipe.base, recipe.classes)
    with_gains(network, recipe.optimisation.gains)
    size_px = (recipe.width_px, recipe.height_px)
    pictures = PeoplePictures(read_list(training, data), size_px, recipe.augmentation)
    _write_contact_sheet(pictures, out / "sheet.png", recipe.seed)
    return train(
        Job(
            network=network,
            data=pictures,
            collate=collate,
            evaluate=Fitness(read_list(validation, data), recipe.width_px),
            optimisation=recipe.optimisation,
            out=out,
            seed=recipe.seed,
            device=device,
            workers=workers,
            resume=resume,
        )
    )


def _write_contact_sheet(pictures: PeoplePictures, path: Path, seed: int) -> None:
    """What the network will be shown, for people to look at."""
    rng = np.random.default_rng(seed)
    canvases = [pictures.canvas(int(i), rng) for i in rng.integers(0, len(pictures), _SHOWN)]
    write_sheet(path, [drawn(c.pixels, c.classes, c.boxes, c.keypoints) for c in canvases])
