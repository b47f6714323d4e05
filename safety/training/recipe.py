"""Training recipes: everything that decides what a run of the training produces.

A recipe is a YAML file. The two that made the shipped networks are part of the package; a
customer's own is a copy of one with other numbers.
"""

from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safety.training.needs import TrainingError

BUNDLED = ("people", "ppe")
"""Recipes that are part of the package."""


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Optimisation(_Spec):
    """How the weights are changed."""

    epochs: int = Field(ge=1, description="Passes over the training list.")
    batch: int = Field(ge=1, description="Pictures per step.")
    learning_rate: float = Field(gt=0, description="AdamW, after warm-up.")
    final_learning_rate: float = Field(gt=0, description="At the end; cosine in between.")
    cosine_epochs: int | None = Field(
        default=None, ge=1, description="Epochs that the cosine spans; None: those of the run."
    )
    new_layer_factor: float = Field(
        default=1.0, gt=0, description="How much faster what is new learns."
    )
    weight_decay: float = Field(ge=0, description="Of the convolutions' weights.")
    warmup_steps: int = Field(ge=0, description="Steps over which the rate rises from 0.")
    clip_gradient: float = Field(gt=0, description="Largest norm of a step's gradient.")
    freeze_layers: int = Field(ge=0, description="First layers whose weights stay.")
    freeze_norms: bool = Field(
        default=False,
        description="Keep the statistics of the normalisation, which collages would shift.",
    )
    ema_decay: float = Field(gt=0, lt=1, description="Of the averaged weights, which ship.")
    ema_steps: int = Field(ge=1, description="Steps until the average is that slow.")
    gains: dict[str, float] = Field(description="Weights of the parts of the loss.")


class Recipe(_Spec):
    """One network's training."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Goes into the model's card.")
    task: Literal["pose", "detect"] = Field(description="What kind of network.")
    base: str = Field(description="Weights to start from, below the data folder's parent.")
    classes: tuple[str, ...] = Field(min_length=1, description="Names in order of the output.")
    width_px: int = Field(multiple_of=32, description="Width of the training pictures.")
    height_px: int = Field(multiple_of=32, description="Height of the training pictures.")
    seed: int = Field(ge=0, description="Of every random number.")
    optimisation: Optimisation = Field(description="How the weights are changed.")
    boxes: Optimisation | None = Field(
        default=None, description="A second round, in which boxes learn what vehicles look like."
    )
    vehicles: Optimisation | None = Field(
        default=None, description="A last round: levels of the head for vehicles alone."
    )
    vehicle_augmentation: dict[str, float] = Field(
        default_factory=dict, description="What is different in the pictures of that round."
    )
    data: dict[str, float] = Field(description="Thresholds of the data preparation, by name.")
    augmentation: dict[str, float] = Field(description="Chances and ranges, by name.")


def read_recipe(name: str) -> Recipe:
    """A recipe of the package by its name, or a YAML file by its path.

    Raises:
        TrainingError: There is no such recipe, or it is not valid.
    """
    if name in BUNDLED:
        text = files("safety.training").joinpath("recipes", f"{name}.yaml").read_text("utf-8")
    elif Path(name).is_file():
        text = Path(name).read_text("utf-8")
    else:
        raise TrainingError(
            "training.no_recipe",
            "there is no recipe {name}; use {known}, or the path of a YAML file",
            name=name,
            known=" or ".join(BUNDLED),
        )
    try:
        return Recipe.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        raise TrainingError(
            "training.bad_recipe",
            "the recipe {name} cannot be used: {why}",
            name=name,
            why=str(error),
        ) from error
