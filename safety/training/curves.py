"""Draws a training run's log: losses on one side, figures of the validation on the other."""

import csv
from pathlib import Path

from safety.training.needs import TrainingError, require


def draw_curves(log: Path, out: Path) -> Path:
    """Write ``log.csv`` of a run as a picture; the suffix of ``out`` decides the format.

    Raises:
        TrainingError: The log is empty, or matplotlib is not installed.
    """
    require("matplotlib")
    from matplotlib.figure import Figure

    with log.open(encoding="utf-8") as stream:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]
    if not rows:
        raise TrainingError(
            "training.no_log", "{path} holds no epoch; train for one at least", path=str(log)
        )
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    losses, figures = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in rows]
    for key in rows[0]:
        if key != "epoch":
            axes = losses if key.endswith("_loss") else figures
            axes.plot(epochs, [row[key] for row in rows], marker=".", label=key.replace("_", " "))
    for axes, title in ((losses, "loss (training)"), (figures, "validation")):
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.legend(fontsize="x-small")
        axes.grid(visible=True, alpha=0.3)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=90)
    return out
