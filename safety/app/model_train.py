"""``anjeon model train`` and ``val``: the recipes of ``safety.training``."""

from pathlib import Path

import typer

from safety.training.train import train
from safety.training.val import validate


def train_model(
    recipe: str, *, data: Path, out: Path, resume: bool, device: str | None, epochs: int | None
) -> None:
    """Train, and say where the result lies and what to do with it.

    Raises:
        TrainingError: Packages, the recipe, the data or the device are not there or not right.
    """
    weights = train(recipe, data=data, out=out, resume=resume, device=device, epochs=epochs)
    typer.secho(f"best weights: {weights}", fg="green")
    typer.echo(f"use them with: anjeon model add {weights} --name {Path(recipe).stem}")


def validate_model(
    recipe: str, *, data: Path, scenes: Path | None, model: Path | None, figures: Path | None
) -> None:
    """Print the tables of a network's card, measured anew.

    Raises:
        TrainingError: The data is not there or faulty.
        ModelError: The network cannot be used.
    """
    validate(recipe, data=data, scenes=scenes, model=model, json=figures)
