"""What a shard's plans were made from, noted down so that a replay can make the same ones."""

from collections.abc import Sequence
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cameras.region_plan import CameraPlan
from cameras.region_plan_heights import LearnedHeights
from cameras.region_planner import Basis, Known, Part, outlooks_of

log = structlog.get_logger(__name__)


class _Note(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class CameraNote(_Note):
    """One camera's picture, and how tall people looked in it as far as that was learned."""

    width_px: int = Field(gt=0)
    height_px: int = Field(gt=0)
    horizon: float | None = None
    growth: float | None = None

    @property
    def learned(self) -> LearnedHeights | None:
        """How tall people look by where they stand."""
        if self.horizon is None or self.growth is None:
            return None
        return LearnedHeights(horizon=self.horizon, growth=self.growth)


class PlanNote(_Note):
    """All that the cameras of one shard were planned with, the configuration apart.

    Attributes:
        costs: Width and height of a network, and its milliseconds per picture.
        share: Of the machine.
        cameras: By id; those that have shown a picture.
    """

    costs: tuple[tuple[int, int, float], ...] = ()
    share: float = Field(default=1.0, ge=0, le=1)
    cameras: dict[str, CameraNote] = {}


def note_of(basis: Basis) -> PlanNote:
    """Note down what a plan is made from."""
    return PlanNote(
        costs=tuple((width, height, ms) for (width, height), ms in basis.costs.items()),
        share=basis.share,
        cameras={
            each.part.spec.id: CameraNote(
                width_px=each.size[0],
                height_px=each.size[1],
                horizon=None if each.learned is None else each.learned.horizon,
                growth=None if each.learned is None else each.learned.growth,
            )
            for each in basis.inputs
            if each.size is not None
        },
    )


def plans_as_noted(parts: Sequence[Part], note: PlanNote) -> dict[str, CameraPlan]:
    """The plans that the shard would make of these cameras, by id; others have none."""
    inputs = [
        Known(part=part, size=(seen.width_px, seen.height_px), learned=seen.learned)
        for part in parts
        if (seen := note.cameras.get(part.spec.id)) is not None
    ]
    costs = {(width, height): ms for width, height, ms in note.costs}
    return {key: each.plan for key, each in outlooks_of(inputs, costs, note.share).items()}


def write_note(path: Path, note: PlanNote) -> None:
    """Keep it; nothing depends on it while cameras are watched, so a full disk is only logged."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_text(note.model_dump_json(), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        log.warning("plan_not_noted", file=path.name, why=str(error))


def read_notes(folder: Path) -> list[PlanNote]:
    """The notes of all shards that have run here, the newest first; damaged ones are left out."""
    files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    notes = []
    for path in files:
        try:
            notes.append(PlanNote.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as error:
            log.warning("plan_note_unreadable", file=path.name, why=str(error))
    return notes
