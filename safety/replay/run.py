"""Runs rules over recorded observations or over a film."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from cameras.analyst import Analyst
from cameras.film import Damage, frames_of
from cameras.gaze import Gaze, look
from cameras.observations import Recorded
from cameras.ppe import look_at_once
from cameras.region_plan import CameraPlan, same_look
from cameras.specs import CameraSpec
from cameras.thinning import Thinning
from safety.clock import Instant
from safety.perception.detector import Detector, ObjectDetector
from safety.types import Detections, Frame, PlantState, Violation
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


Load = Callable[[int, float], Detector]
"""Gives the network of a width for an aspect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A scenery, and how the camera's pictures are looked at for its rules."""

    scenery: Scenery
    plan: CameraPlan


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
    looks: Sequence[Look],
    load: Load,
    ppe: ObjectDetector | None,
    *,
    starts: Instant,
    damage: Damage | None = None,
) -> list[list[Firing]]:
    """What each set of rules makes of one camera's film, analysed as often and as closely as live.

    Sets of rules for which the pictures are looked at in the same way share that work. What the
    plant said meanwhile is unknown, so everything is armed.

    Args:
        looks: The same camera with different rules; at least one.
        load: Gives the networks for persons.
        ppe: The network for equipment; without it nobody's equipment is known.
        starts: When the film is said to begin.
        damage: Where it is noted what could not be shown.

    Raises:
        CameraError: Nothing of the film can be shown.
        ModelError: A network failed.
    """
    runs = [_Run(look) for look in looks]
    views: list[tuple[Gaze, list[_Run]]] = []
    for run in runs:
        alike = next((sharing for gaze, sharing in views if same_look(gaze.plan, run.plan)), None)
        if alike is None:
            views.append((Gaze(run.plan), [run]))
        else:
            alike.append(run)
    camera = looks[0].scenery.camera
    thinning = Thinning(camera.max_fps)
    frames = frames_of(
        film, camera_id=camera.id, width_px=camera.network_width, starts=starts, damage=damage
    )
    for frame in frames:
        if not thinning.wants(frame.captured_at):
            continue
        aspect = frame.width_px / frame.height_px
        for gaze, sharing in views:
            width = gaze.plan.width
            detections = look(load(width, aspect), frame, gaze.due(frame), width)
            for run in sharing:
                run.take(frame, detections, ppe)
    return [run.story.firings() for run in runs]


class _Run:
    """One set of rules on a film."""

    def __init__(self, look: Look) -> None:
        self.plan = look.plan
        self.story = _Story()
        scenery = look.scenery
        self._analyst = Analyst(_engine(scenery), calibration=scenery.calibration)

    def take(self, frame: Frame, detections: Detections, ppe: ObjectDetector | None) -> None:
        analyst = self._analyst
        observation = analyst.observe(frame, detections)
        self.story.add(analyst.judge(observation, PlantState()))
        if ppe is not None:
            wanted = analyst.rules.ppe_wanted
            look_at_once(ppe, analyst.ppe, frame, observation.persons, wanted)


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
