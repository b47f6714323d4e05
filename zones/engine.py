"""Evaluates the rules of one camera, frame by frame."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from safety.clock import Instant
from safety.errors import ConfigError
from safety.types import CameraState, Observation, PlantState, PpeItem, Violation
from zones.arming import Armament
from zones.calibration import FloorCalibration
from zones.drivers import Drivers
from zones.exchanges import Exchanges
from zones.floor_area import FloorAreas
from zones.geometry import Polygon
from zones.people import People
from zones.rules.base import Doubtful, EndReason, RuleContext
from zones.rules.lying import LyingWatch
from zones.rules.missing_ppe import MissingPpeMachine
from zones.running import RunningRule, ZoneView
from zones.specs import RuleSpec, ZoneSpec
from zones.stack import Stack
from zones.unreal import Unreal


@dataclass(frozen=True, slots=True, kw_only=True)
class PpeDuty:
    """Who has to wear what now, by one rule.

    Attributes:
        inside: Track ids of those in the zone, as of the newest observation.
    """

    rule_id: str
    zone_id: str
    items: frozenset[PpeItem]
    inside: frozenset[int]


class RuleEngine:
    """The rules of one camera and the violations they have open."""

    def __init__(
        self,
        *,
        camera_id: str,
        zones: Sequence[ZoneSpec],
        rules: Sequence[RuleSpec],
        rule_revisions: Mapping[str, int],
        new_id: Callable[[], str],
        calibration: FloorCalibration | None = None,
    ) -> None:
        """Start with nothing open.

        Args:
            camera_id: The camera whose observations it gets.
            zones: The zones in that camera's picture, and those on the floor that it sees.
            rules: The rules on those zones; disabled ones are not evaluated.
            rule_revisions: Revision of every rule, by rule id.
            new_id: Makes the id of a new violation, a UUID4 in hex.
            calibration: How the camera sees the floor, if that is known.

        Raises:
            ConfigError: An id occurs twice, a rule watches a zone that is not among
                ``zones``, a zone belongs to another camera or lies on floor that this one
                does not see, or a revision is missing.
        """
        self._camera_id = camera_id
        self._new_id = new_id
        self._drivers = Drivers()
        self._exchanges = Exchanges()
        self._unreal = Unreal()
        self._lying = LyingWatch()
        self._passed_over: dict[int, str] = {}
        self._rules: dict[str, RunningRule] = {}
        self._apply(zones, rules, rule_revisions, calibration)

    @property
    def open_violations(self) -> tuple[Violation, ...]:
        """The violations that are open, as last reported but with newest box and details."""
        return tuple(v for rule in self._rules.values() for v in rule.machine.open_violations)

    def update(self, observation: Observation, plant: PlantState) -> list[Violation]:
        """Take one observation; return the violations that opened, changed or closed."""
        driving = self._drivers.update(observation)
        stack = Stack.of(observation.persons)
        images = self._unreal.update(observation, stack, self._calibration)
        self._passed_over = dict.fromkeys(driving, "driver") | dict.fromkeys(images, "unreal")
        people = People(
            observation,
            driving=driving,
            unreal=images,
            calibration=self._calibration,
            stack=None if driving or images else stack,
            watch_lying=self._lying.update,
            areas=self._areas,
        )
        for one, other in self._exchanges.update(
            stack, observation.at.monotonic, observation.aspect
        ):
            self._lying.exchange(one, other)
            for rule in self._rules.values():
                rule.exchange(one, other)
        reports: list[Violation] = []
        for rule in self._rules.values():
            reports += rule.update(people, plant)
        return reports

    @property
    def passed_over(self) -> dict[int, str]:
        """Who in the newest frame is no pedestrian: track id → ``driver`` or ``unreal``."""
        return dict(self._passed_over)

    def watch(self, state: CameraState, now: Instant, plant: PlantState) -> list[Violation]:
        """Take what the camera is worth now, several times a second, frames or not.

        Returns:
            What opened, changed or closed because of that, and because a rule was disarmed.
        """
        reports: list[Violation] = []
        for rule in self._rules.values():
            reports += rule.watch(state, now, plant)
        return reports

    def states(self) -> dict[str, Armament]:
        """Whether every rule that is in use is armed, as of the newest frame or look."""
        return {rule_id: rule.armament for rule_id, rule in self._rules.items()}

    def doubts(self) -> dict[str, frozenset[str]]:
        """What armed rules cannot tell now, by rule; only of rules that cannot tell something."""
        return {
            rule_id: machine.doubts
            for rule_id, rule in self._rules.items()
            if isinstance(machine := rule.machine, Doubtful) and machine.doubts
        }

    @property
    def ppe_items(self) -> frozenset[PpeItem]:
        """The protective equipment that the rules in use ask for; none: nobody need look."""
        machines = (rule.machine for rule in self._rules.values())
        return frozenset(
            item for machine in machines if isinstance(machine, MissingPpeMachine)
            for item in machine.items
        )  # fmt: skip

    @property
    def ppe_wanted(self) -> dict[int, frozenset[PpeItem]]:
        """Whose equipment armed rules want looked at, as of the newest observation.

        Returns:
            Track id → items.
        """
        wanted: dict[int, frozenset[PpeItem]] = {}
        for rule in self._rules.values():
            if rule.armament.is_armed and isinstance(rule.machine, MissingPpeMachine):
                for track_id in rule.machine.inside:
                    wanted[track_id] = wanted.get(track_id, frozenset()) | rule.machine.items
        return wanted

    @property
    def ppe_duties(self) -> list[PpeDuty]:
        """Who has to wear what, by every armed rule; rules on trial oblige nobody."""
        return [
            PpeDuty(
                rule_id=rule_id,
                zone_id=rule.spec.zone_id,
                items=rule.machine.items,
                inside=rule.machine.inside,
            )
            for rule_id, rule in self._rules.items()
            if isinstance(rule.machine, MissingPpeMachine)
            and rule.armament.is_armed
            and rule.spec.mode == "active"
            and rule.spec.zone_id is not None
        ]

    def configure(
        self,
        zones: Sequence[ZoneSpec],
        rules: Sequence[RuleSpec],
        rule_revisions: Mapping[str, int],
        now: Instant,
        calibration: FloorCalibration | None = None,
    ) -> list[Violation]:
        """Replace the rules; those that did not change keep their state.

        Returns:
            The open violations of rules that changed or went, closed (``rule_changed``).

        Raises:
            ConfigError: As the constructor; then nothing has changed.
        """
        closed: list[Violation] = []
        for rule in self._apply(zones, rules, rule_revisions, calibration):
            closed += rule.machine.end("rule_changed", now)
        return closed

    def end(self, reason: EndReason, now: Instant) -> list[Violation]:
        """Close every open violation, because the camera cannot be watched any more."""
        return [v for rule in self._rules.values() for v in rule.machine.end(reason, now)]

    def _apply(
        self,
        zones: Sequence[ZoneSpec],
        rules: Sequence[RuleSpec],
        revisions: Mapping[str, int],
        calibration: FloorCalibration | None,
    ) -> list[RunningRule]:
        """Put the rules in force; return the ones that are not any more."""
        views = _views(self._camera_id, zones, calibration)
        _refuse_duplicates("rule", [rule.id for rule in rules])
        running: dict[str, RunningRule] = {}
        for spec in rules:
            zone = _view_of(spec, views)
            context = RuleContext(
                rule_revision=_revision_of(spec, revisions),
                camera_id=self._camera_id,
                zone_polygon=zone.polygon if zone else None,
                zone_floor_m=zone.floor_m if zone else None,
                calibration=calibration,
                new_id=self._new_id,
            )
            if not spec.enabled:
                continue
            before = self._rules.get(spec.id)
            if before is not None and before.is_made_from(spec, zone, context):
                running[spec.id] = before
            else:
                running[spec.id] = RunningRule(spec, zone, context)
        replaced = [r for rule_id, r in self._rules.items() if running.get(rule_id) is not r]
        self._rules = running
        self._calibration = calibration
        self._areas = FloorAreas()
        return replaced


def _views(
    camera_id: str, zones: Sequence[ZoneSpec], calibration: FloorCalibration | None
) -> dict[str, ZoneView]:
    _refuse_duplicates("zone", [zone.id for zone in zones])
    views: dict[str, ZoneView] = {}
    for zone in zones:
        if zone.camera_id not in {camera_id, None}:
            raise ConfigError(
                "config.zone_of_other_camera",
                "zone '{zone}' belongs to camera '{owner}', not to '{camera}'",
                zone=zone.id,
                owner=zone.camera_id,
                camera=camera_id,
            )
        polygon = polygon_of(zone, calibration)
        if polygon is None:
            raise ConfigError(
                "config.zone_not_seen",
                "camera '{camera}' does not see zone '{zone}' on the floor; calibrate the camera, "
                "or move the zone to where it looks",
                zone=zone.id,
                camera=camera_id,
            )
        views[zone.id] = ZoneView(polygon=polygon, floor_m=zone.floor_m)
    return views


def polygon_of(zone: ZoneSpec, calibration: FloorCalibration | None) -> Polygon | None:
    """A zone in the picture of a camera; None for floor that it does not see."""
    if zone.floor_m is None:
        return zone.polygon
    return None if calibration is None else calibration.picture_polygon(zone.floor_m)


def _view_of(rule: RuleSpec, views: Mapping[str, ZoneView]) -> ZoneView | None:
    if rule.zone_id is None:
        return None
    if rule.zone_id not in views:
        nearest = get_close_matches(rule.zone_id, views, n=1, cutoff=0)
        raise ConfigError(
            "config.unknown_zone",
            "rule '{rule}' watches zone '{zone}', which does not exist; {hint}",
            rule=rule.id,
            zone=rule.zone_id,
            hint=f"did you mean '{nearest[0]}'?" if nearest else "draw a zone first",
        )
    return views[rule.zone_id]


def _revision_of(rule: RuleSpec, revisions: Mapping[str, int]) -> int:
    if rule.id not in revisions:
        raise ConfigError(
            "config.rule_without_revision",
            "rule '{rule}' has no revision number; apply the site's configuration again",
            rule=rule.id,
        )
    return revisions[rule.id]


def _refuse_duplicates(what: str, ids: Sequence[str]) -> None:
    for number, identifier in enumerate(ids):
        if identifier in ids[:number]:
            raise ConfigError(
                "config.duplicate_id",
                "two {what}s are called '{id}'; give every {what} an id of its own",
                what=what,
                id=identifier,
            )
