"""Runs rules over recorded observations or over a film."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from cameras.analyst import Analyst
from cameras.film import frames_of
from cameras.observations import Recorded
from cameras.ppe import look_at_once
from cameras.specs import CameraSpec
from safety.clock import Instant
from safety.perception.detector import Detector, ObjectDetector
from safety.types import PlantState, Violation
from zones.calibration import FloorCalibration
from zones.engine import RuleEngine, polygon_of
from zones.specs import RuleSpec, ZoneSpec
from zones.survey import solve

GAP_S = 5.0
"""Nothing was observed for so long: the camera was blind, and open violations end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One violation that the rules would have opened.

    Attributes:
        opened_at, closed_at: On the recording's clocks; ``closed_at`` is None if it was still
            open when the recording ended.
        details: As of its last report.
    """

    rule_id: str
    rule_kind: str
    camera_id: str
    zone_id: str | None
    subject: str
    opened_at: Instant
    closed_at: Instant | None
    details: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenery:
    """One camera's part of a site, to run rules on.

    Attributes:
        rules: Those that concern this camera; a disabled one is not run.
    """

    camera: CameraSpec
    zones: tuple[ZoneSpec, ...]
    rules: tuple[RuleSpec, ...]

    @property
    def calibration(self) -> FloorCalibration | None:
        """How the camera sees the floor.

        Raises:
            ValueError: Its calibration cannot be used.
        """
        return None if self.camera.calibration is None else solve(self.camera.calibration)


def replay_observations(recorded: Iterable[Recorded], scenery: Scenery) -> list[Firing]:
    """What the rules make of observations, which must come in order of time."""
    engine = _engine(scenery)
    story = _Story()
    last: Instant | None = None
    for each in recorded:
        at = each.observation.at
        if last is not None and not 0 <= at.monotonic - last.monotonic <= GAP_S:
            # A gap, or another boot's clock: the tracks begin anew as well.
            story.add(engine.end("camera_blind", last))
            engine = _engine(scenery)
        story.add(engine.update(each.observation, each.plant))
        last = at
    return story.firings()


def replay_film(
    film: Path,
    sceneries: Sequence[Scenery],
    people: Detector,
    ppe: ObjectDetector | None,
    *,
    starts: Instant,
) -> list[list[Firing]]:
    """What each set of rules makes of one camera's film; every picture is analysed once.

    What the plant said meanwhile is unknown, so everything is armed.

    Args:
        sceneries: The same camera with different rules; at least one.
        people, ppe: The networks; without ``ppe`` nobody's equipment is known.
        starts: When the film is said to begin.

    Raises:
        CameraError: The film cannot be read; what came before the damage is lost with it.
        ModelError: A network failed.
    """
    runs = [
        (Analyst(_engine(scenery), calibration=scenery.calibration), _Story())
        for scenery in sceneries
    ]
    frames = frames_of(
        film, camera_id=sceneries[0].camera.id, width_px=people.network_px[0], starts=starts
    )
    for frame in frames:
        (detections,) = people.detect([frame.picture])
        for analyst, story in runs:
            observation = analyst.observe(frame, detections)
            story.add(analyst.judge(observation, PlantState()))
            if ppe is not None:
                wanted = analyst.rules.ppe_wanted
                look_at_once(ppe, analyst.ppe, frame, observation.persons, wanted)
    return [story.firings() for _, story in runs]


class _Story:
    """The violations as they are reported."""

    def __init__(self) -> None:
        self._latest: dict[str, Violation] = {}

    def add(self, reports: Iterable[Violation]) -> None:
        for report in reports:
            self._latest[report.id] = report

    def firings(self) -> list[Firing]:
        return sorted(self._made(), key=lambda firing: firing.opened_at.wall)

    def _made(self) -> Iterator[Firing]:
        for violation in self._latest.values():
            yield Firing(
                rule_id=violation.rule_id,
                rule_kind=violation.rule_kind,
                camera_id=violation.camera_id,
                zone_id=violation.zone_id,
                subject=violation.subject,
                opened_at=violation.opened_at,
                closed_at=violation.closed_at,
                details=dict(violation.details),
            )


def _engine(scenery: Scenery) -> RuleEngine:
    calibration = scenery.calibration
    zones = [zone for zone in scenery.zones if polygon_of(zone, calibration) is not None]
    seen = {None, *(zone.id for zone in zones)}
    rules = [rule for rule in scenery.rules if rule.zone_id in seen]
    return RuleEngine(
        camera_id=scenery.camera.id,
        zones=zones,
        rules=rules,
        rule_revisions={rule.id: 1 for rule in rules},
        new_id=lambda: uuid4().hex,
        calibration=calibration,
    )


def with_proposals(rules: Sequence[RuleSpec], proposals: Sequence[RuleSpec]) -> list[RuleSpec]:
    """The rules with proposed ones in the place of those of the same id, or added."""
    proposed = {rule.id: rule for rule in proposals}
    kept = [proposed.pop(rule.id, rule) for rule in rules]
    return [*kept, *proposed.values()]
