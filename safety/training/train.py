"""Runs a training recipe from data to the best weights: ``anjeon model train``."""

from pathlib import Path

from safety.training.needs import TrainingError, require
from safety.training.recipe import Recipe, read_recipe


def train(
    recipe: str,
    *,
    data: Path,
    out: Path,
    resume: bool = False,
    device: str | None = None,
    epochs: int | None = None,
) -> Path:
    """Train a network.

    Args:
        recipe: ``"people"``, ``"ppe"``, or the path of a recipe of one's own.
        data: Folder with the data sets; the recipe's base weights lie in ``../models``.
        out: Folder for lists, logs and weights.
        resume: Go on after the last whole epoch in ``out``.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, …; None takes a GPU where there is one.
        epochs: Instead of the recipe's.

    Returns:
        The best weights, in Ultralytics' format.

    Raises:
        TrainingError: Packages, the recipe, the data or the device are not there or not right.
    """
    require("torch", "ultralytics")
    chosen = _with_epochs(read_recipe(recipe), epochs)
    base = data.parent / chosen.base
    if not base.is_file():
        raise TrainingError(
            "training.no_base",
            "the weights to start from, {path}, are not there; copy them there (Ultralytics"
            " offers them under that name) or change 'base' in the recipe",
            path=str(base),
        )
    where = checked_device(device)
    if chosen.task == "pose":
        from safety.training.people_train import train_people

        return train_people(chosen, data=data, out=out, resume=resume, device=where)
    from safety.training.ppe_train import train_ppe

    return train_ppe(chosen, data=data, out=out, resume=resume, device=where)


def _with_epochs(recipe: Recipe, epochs: int | None) -> Recipe:
    if epochs is None:
        return recipe
    if epochs < 1:
        raise TrainingError("training.no_epochs", "--epochs must be 1 or more")
    changes = {"epochs": epochs, "cosine_epochs": None}
    return recipe.model_copy(
        update={"optimisation": recipe.optimisation.model_copy(update=changes)}
    )


def checked_device(device: str | None) -> str:
    """The device to train on.

    Raises:
        TrainingError: It is not there.
    """
    import torch

    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(
            "training.no_device",
            "the device {device} cannot be used ({why}); use --device cpu",
            device=device,
            why=str(error).splitlines()[0],
        ) from error
    return device
