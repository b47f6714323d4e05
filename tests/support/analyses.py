"""Analysed frames, made by hand."""

from cameras.analysis import Analysis
from safety.types import Frame, Observation, PlantState, TrackedPerson


def analysis_of(frame: Frame, *persons: TrackedPerson) -> Analysis:
    """A frame in which these persons were found, breaking no rule."""
    return Analysis(
        frame=frame,
        observation=Observation(
            camera_id=frame.camera_id,
            at=frame.captured_at,
            sequence=frame.sequence,
            aspect=frame.width_px / frame.height_px,
            persons=persons,
        ),
        plant=PlantState(),
        open_violations=(),
    )
