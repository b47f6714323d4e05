"""Rule kind ``blind_spot``: a camera that should watch a zone sees nothing."""

from typing import Literal

from pydantic import Field

from safety.clock import Instant
from safety.types import CameraState, PlantState, Severity, Violation
from zones.people import People, Subject
from zones.rules.base import CameraRuleBase, EndReason, RuleContext
from zones.rules.episode import EpisodeMachine, Episodes


class BlindSpotSpec(CameraRuleBase):
    """A camera is blind while the rule is armed.

    Without a zone every camera in camera_ids is meant. A camera that is starting counts as blind.
    Each camera counts for itself: that another one sees the same floor does not help, for it may
    not see what the first one would.
    """

    kind: Literal["blind_spot"] = "blind_spot"
    severity: Severity = Severity.WARNING
    """How urgent a violation is."""
    hold_to_open_s: float = Field(default=5.0, ge=0, le=3600)
    """Seconds the condition must last before a violation opens."""
    when_degraded: bool = False
    """Also when the camera is analysed too seldom or its pictures are doubtful."""

    def machine(self, context: RuleContext) -> "BlindSpotMachine":
        return BlindSpotMachine(self, context)


class BlindSpotMachine(EpisodeMachine[str]):
    """Since when the camera is blind."""

    def __init__(self, spec: BlindSpotSpec, context: RuleContext) -> None:
        super().__init__(
            Episodes(
                spec,
                context,
                kind=spec.kind,
                hold_to_open_s=spec.hold_to_open_s,
                duration="blind_s",
            )
        )
        self._camera_id = context.camera_id
        self._wrong = {CameraState.BLIND} | (
            {CameraState.DEGRADED} if spec.when_degraded else set()
        )

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        # That a camera is blind ends every other violation; it is what this one is about.
        return [] if reason == "camera_blind" else super().end(reason, now)

    def update(self, people: People, plant: PlantState) -> list[Violation]:
        return []

    def watch(self, state: CameraState, now: Instant) -> list[Violation]:
        camera = Subject(name=self._camera_id, box=None, born_at=now.monotonic)
        breaking = {self._camera_id: {"state": state.value}} if state in self._wrong else {}
        return self._episodes.update(now, {self._camera_id: camera}, breaking, aspect=1.0)
