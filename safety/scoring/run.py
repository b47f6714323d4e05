"""Runs a scene through the product's own chain and compares what it said with the truth."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from cameras.analyst import Analyst
from cameras.film import frames_of
from cameras.gaze import Gaze, look
from cameras.ppe import look_at_once
from cameras.region_plan import CameraPlan
from safety.clock import Instant, ManualClock, SystemClock
from safety.perception.detector import Detector, ObjectDetector
from safety.scoring.events import KINDS, Alarm, RuleScore, score_events
from safety.scoring.identity import IdentityScore, Step, score_identities
from safety.scoring.plant import ScenePlant
from safety.scoring.scene import LEAST_VISIBLE, Scene, TrueFrame
from safety.scoring.site import CAMERA_ID, calibration_of, hold_s, rules_of, zones_of
from safety.types import Frame, Observation, PlantState, TrackedPerson, Violation
from zones.engine import RuleEngine

_SAME = 0.3
"""A box is a person's from this overlap on."""

Keep = Callable[[int], bool]
"""Whether the frame of this number is analysed at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """What looks at the frames.

    Attributes:
        people: The network for persons.
        ppe: The network for equipment; None: nobody looks at that.
        plan: How the pictures are looked at, with ``people`` of its width; None: the whole
            picture of every frame.
    """

    people: Detector
    ppe: ObjectDetector | None
    plan: CameraPlan | None = None

    def gaze(self) -> Gaze:
        """Looks at a film from its beginning."""
        return Gaze(self.plan or CameraPlan(width=self.people.network_px[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneScore:
    """How the chain did on one scene.

    Attributes:
        rules: By kind of rule; only kinds that the scene was scored for.
        floor_errors_m: Of every person found in every frame.
        fps: Frames analysed per second of work, network included.
        alarms: What was said, for people to read.
    """

    name: str
    rules: dict[str, RuleScore]
    identity: IdentityScore
    floor_errors_m: list[float]
    fps: float
    alarms: tuple[Alarm, ...]

    @property
    def floor_error_p50_m(self) -> float | None:
        """Median; None if nobody was found."""
        return float(np.median(self.floor_errors_m)) if self.floor_errors_m else None


@dataclass(slots=True)
class _Story:
    """What was said during the scene, as it is told."""

    opened: dict[str, tuple[Violation, str | None]] = field(default_factory=dict)
    latest: dict[str, Violation] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    floor_errors_m: list[float] = field(default_factory=list)


def score_scene(scene: Scene, networks: Networks, *, keep: Keep = lambda _: True) -> SceneScore:
    """Run and score one scene.

    Raises:
        SceneError, CameraError, ModelError: The scene or a network cannot be used.
    """
    clock, stopwatch = ManualClock(), SystemClock()
    begin = clock.now()
    rules, plant = rules_of(scene), ScenePlant(scene, clock)
    analyst = _analyst(scene)
    story, gaze = _Story(), networks.gaze()
    seconds, analysed = 0.0, 0
    for number, frame in _frames(scene, networks.people.network_px[0], begin, keep):
        state = plant.state(frame.captured_at)
        started = stopwatch.now().monotonic
        observation, reports = _analyse(analyst, frame, state, networks, gaze)
        seconds += stopwatch.now().monotonic - started
        analysed += 1
        _note(story, scene, number, observation, reports)
    alarms = tuple(_alarm(*opened, story.latest, begin) for opened in story.opened.values())
    holds = {rule.kind: hold_s(rule) for rule in rules}
    scores: dict[str, RuleScore] = {
        kind: score_events(kind, scene.events, alarms, hold_s=hold)
        for kind, hold in holds.items()
        if kind in KINDS.values()
    }
    return SceneScore(
        name=scene.name,
        rules=scores,
        identity=score_identities(story.steps),
        floor_errors_m=story.floor_errors_m,
        fps=analysed / seconds if seconds else 0.0,
        alarms=alarms,
    )


def _analyst(scene: Scene) -> Analyst:
    calibration = calibration_of(scene)
    rules = rules_of(scene)
    engine = RuleEngine(
        camera_id=CAMERA_ID,
        zones=[
            zone
            for zone in zones_of(scene)
            if zone.floor_m is None or calibration.picture_polygon(zone.floor_m) is not None
        ],
        rules=rules,
        rule_revisions={rule.id: 1 for rule in rules},
        new_id=lambda: uuid4().hex,
        calibration=calibration,
    )
    return Analyst(engine, calibration=calibration)


def _frames(scene: Scene, width_px: int, begin: Instant, keep: Keep) -> Iterator[tuple[int, Frame]]:
    film = frames_of(scene.video, camera_id=CAMERA_ID, width_px=width_px, starts=begin)
    for number, frame in enumerate(film):
        if number >= len(scene.frames):
            return
        if keep(number):
            yield number, frame


def _analyse(
    analyst: Analyst, frame: Frame, plant: PlantState, networks: Networks, gaze: Gaze
) -> tuple[Observation, list[Violation]]:
    detections = look(networks.people, frame, gaze.due(frame), gaze.plan.width)
    observation = analyst.observe(frame, detections)
    reports = analyst.judge(observation, plant)
    if networks.ppe is not None:
        wanted = analyst.rules.ppe_wanted
        look_at_once(networks.ppe, analyst.ppe, frame, observation.persons, wanted)
    return observation, reports


def _note(
    story: _Story, scene: Scene, number: int, observation: Observation, reports: list[Violation]
) -> None:
    truth = scene.frames[number]
    overlaps = _overlaps(truth.boxes, observation.persons)
    for violation in reports:
        if violation.id not in story.opened:
            story.opened[violation.id] = violation, _person(scene, truth, violation)
        story.latest[violation.id] = violation
    shown = truth.visible >= LEAST_VISIBLE
    # Boxes on people of whom hardly anything is seen are no mistakes, and no merit either.
    counted = np.array(
        [not len(column) or column.max() < _SAME or bool(shown[column.argmax()])
         for column in overlaps.T], bool
    )  # fmt: skip
    tracks = np.array([person.track_id for person in observation.persons], np.int64)
    story.steps.append(
        Step(
            people=truth.people[shown],
            tracks=tracks[counted] if len(tracks) else tracks,
            overlaps=overlaps[shown][:, counted] if len(tracks) else overlaps[shown],
        )
    )
    for column, person in zip(overlaps.T, observation.persons, strict=True):
        if person.floor is not None and len(column) and column.max() >= _SAME:
            foot = truth.feet_m[column.argmax()]
            place = (person.floor.x_m, person.floor.y_m)
            story.floor_errors_m.append(float(np.hypot(*(foot - place))))


def _overlaps(
    boxes: NDArray[np.float32], persons: tuple[TrackedPerson, ...]
) -> NDArray[np.float64]:
    """Intersection over union of true boxes (rows) and found persons (columns)."""
    found = np.array([person.box for person in persons], np.float64).reshape(-1, 1, 4)
    true = boxes.astype(np.float64).reshape(1, -1, 4)
    low = np.maximum(true[..., :2], found[..., :2])
    high = np.minimum(true[..., 2:], found[..., 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = np.prod(true[..., 2:] - true[..., :2], -1) + np.prod(
        found[..., 2:] - found[..., :2], -1
    )
    result: NDArray[np.float64] = (shared / np.maximum(areas - shared, 1e-12)).T
    return result


def _person(scene: Scene, truth: TrueFrame, violation: Violation) -> str | None:
    """Name of the true person whom a violation shows; None: nobody."""
    if violation.box is None or not len(truth.boxes):
        return None
    shown = TrackedPerson(
        track_id=0, box=np.array(violation.box, np.float32), score=1.0,
        keypoints=np.zeros((17, 3), np.float32), age_s=0.0,
    )  # fmt: skip
    overlap = _overlaps(truth.boxes, (shown,))[:, 0]
    return scene.people[truth.people[overlap.argmax()]] if overlap.max() >= _SAME else None


def _alarm(
    first: Violation, person: str | None, latest: dict[str, Violation], begin: Instant
) -> Alarm:
    last = latest[first.id]
    nearest = last.details.get("nearest_m")
    missing = first.details.get("missing")
    return Alarm(
        kind=first.rule_kind,
        person=person,
        about_person=first.subject.startswith("person-"),
        opened_s=first.opened_at.monotonic - begin.monotonic,
        closed_s=None if last.closed_at is None else last.closed_at.monotonic - begin.monotonic,
        items=frozenset(str(i) for i in missing)
        if isinstance(missing, list | tuple)
        else frozenset(),
        distance_m=float(nearest) if isinstance(nearest, int | float) else None,
    )
