"""Prints a network's card tables again, from the network file: ``anjeon model val``."""

from pathlib import Path

from safety.config import Settings
from safety.perception.models import find_pose_model
from safety.training.needs import TrainingError
from safety.training.recipe import read_recipe


def validate(
    recipe: str,
    *,
    data: Path,
    scenes: Path | None = None,
    model: Path | None = None,
    json: Path | None = None,
) -> None:
    """Measure a network with the detectors that the product runs; needs no PyTorch.

    Args:
        recipe: Which network's validation, ``"people"``, ``"ppe"`` or a recipe's path.
        data: Folder with the data sets.
        scenes: Folder with the rendered scenes; None leaves them out.
        model: The network file; None takes the bundled one.
        json: Where to keep the figures.

    Raises:
        TrainingError: The data is not there or faulty.
        ModelError: The network file cannot be used.
    """
    chosen = read_recipe(recipe)
    if not data.is_dir():
        raise TrainingError(
            "training.no_folder",
            "the data folder {path} is not there; pass the folder that holds the data sets",
            path=str(data),
        )
    if chosen.task == "pose":
        from safety.training.people_report import report

        file = model or find_pose_model(Settings())
        report(chosen, data=data, scenes=scenes, model=file, json_file=json)
    else:
        from safety.training import ppe_val

        ppe_val.validate(chosen, data=data, scenes_folder=scenes, model=model, json=json)
