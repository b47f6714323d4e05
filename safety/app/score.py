"""``anjeon score``: the whole chain against scenes whose truth is known."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import typer

from cameras.region_plan import CameraPlan
from safety.config import Settings
from safety.perception.ppe_load import load_ppe_detector
from safety.replay.sight import Networks as NetworkPool
from safety.scoring.report import as_json, as_table
from safety.scoring.run import Keep, Networks, SceneScore, score_scene
from safety.scoring.scene import Scene, read_scene
from safety.scoring.sight import plan_of

Analysis = Literal["auto", "full_frame"]

_SEED = 1


def run_score(
    settings: Settings,
    folders: Sequence[Path],
    *,
    width: int,
    fps: float | None,
    loss: float,
    as_object: bool,
    analysis: Analysis = "full_frame",
) -> None:
    """Score scenes and print the result.

    Args:
        folders: One per scene.
        width: Network width in pixels.
        fps: Frames analysed per second; None: all.
        loss: Share of these frames that is lost at random.
        as_object: Print one JSON object instead of tables.
        analysis: ``full_frame``: the whole picture at ``width``, the same on every machine;
            ``auto``: with the close-ups or the wider network that a shard with this camera alone
            would take on this machine.

    Raises:
        SceneError, ModelError, CameraError: A scene or a network cannot be used.
    """
    scenes = [read_scene(folder) for folder in folders]
    networks = NetworkPool(settings)
    ppe = load_ppe_detector(settings)
    scores: list[SceneScore] = []
    for scene in scenes:
        plan = CameraPlan(width=width)
        if analysis == "auto":
            plan = plan_of(scene, width, networks.costs(width, scene.aspect))
        people = networks.get(plan.width, scene.aspect)
        keep = _keep(scene, fps, loss)
        scores.append(score_scene(scene, Networks(people=people, ppe=ppe, plan=plan), keep=keep))
        if not as_object:
            typer.echo(f"{scene.name} ... {_looked_at(plan)}", err=True)
    networks.close()
    ppe.close()
    typer.echo(json.dumps(as_json(scores), indent=2) if as_object else as_table(scores))


def _looked_at(plan: CameraPlan) -> str:
    close_ups = f" and {len(plan.regions)} close-up(s)" if plan.regions else ""
    return f"whole picture at {plan.width}{close_ups}"


def _keep(scene: Scene, fps: float | None, loss: float) -> Keep:
    """Which frames are analysed, the same ones in every run."""
    step = scene.fps / fps if fps is not None else 1.0
    chance = random.Random(_SEED)  # noqa: S311 - not for secrets
    numbers = {round(n * step) for n in range(int(len(scene.frames) / step) + 1)}
    kept = {number for number in sorted(numbers) if chance.random() >= loss}
    return kept.__contains__
