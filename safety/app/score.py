"""``anjeon score``: the whole chain against scenes whose truth is known."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import typer

from safety.config import Settings
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model
from safety.perception.ppe_load import load_ppe_detector
from safety.perception.tracking import LEAST_SCORE
from safety.scoring.report import as_json, as_table
from safety.scoring.run import Keep, Networks, SceneScore, score_scene
from safety.scoring.scene import Scene, read_scene

_SEED = 1


def run_score(
    settings: Settings,
    folders: Sequence[Path],
    *,
    width: int,
    fps: float | None,
    loss: float,
    as_object: bool,
) -> None:
    """Score scenes and print the result.

    Args:
        folders: One per scene.
        width: Network width in pixels.
        fps: Frames analysed per second; None: all.
        loss: Share of these frames that is lost at random.
        as_object: Print one JSON object instead of tables.

    Raises:
        SceneError, ModelError, CameraError: A scene or a network cannot be used.
    """
    scenes = [read_scene(folder) for folder in folders]
    ppe = load_ppe_detector(settings)
    scores: list[SceneScore] = []
    for scene in scenes:
        people = load_pose_detector(
            find_pose_model(settings),
            width=width,
            aspect=scene.aspect,
            backend=settings.backend,
            device=settings.device,
            cache_dir=settings.data_dir / "models",
            confidence=LEAST_SCORE,
        )
        keep = _keep(scene, fps, loss)
        scores.append(score_scene(scene, Networks(people=people, ppe=ppe), keep=keep))
        people.close()
        if not as_object:
            typer.echo(f"{scene.name} ...", err=True)
    ppe.close()
    typer.echo(json.dumps(as_json(scores), indent=2) if as_object else as_table(scores))


def _keep(scene: Scene, fps: float | None, loss: float) -> Keep:
    """Which frames are analysed, the same ones in every run."""
    step = scene.fps / fps if fps is not None else 1.0
    chance = random.Random(_SEED)  # noqa: S311 - not for secrets
    numbers = {round(n * step) for n in range(int(len(scene.frames) / step) + 1)}
    kept = {number for number in sorted(numbers) if chance.random() >= loss}
    return kept.__contains__
