"""From an alert to the ladder of who is told: a pure function of policy and calendar."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alerts.policy_calendar import Calendar, Person
from alerts.policy_spec import PolicySpec, RouteSpec, StepSpec
from safety.types import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the policy looks at in an alert.

    Attributes:
        kind: Kind of the rule, or of the alert where no rule was broken.
        rule_channels: Channels of the rule; None: all; empty: nobody is to be told.
        spared: A channel that must not be used: the alert is about it.
    """

    kind: str
    severity: Severity
    zone_id: str | None = None
    rule_channels: tuple[str, ...] | None = None
    spared: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """One channel with the persons it is to address; none: those of its own settings."""

    channel_id: str
    people: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an alert's ladder.

    Attributes:
        number: From 0 on; repetitions of the last step count on.
        after_s: Seconds since the alert.
        unmanned: Roles were asked for of which nobody is on duty; ``tells`` has those who are
            not away, or nobody by name.
    """

    number: int
    after_s: float
    tells: tuple[Tell, ...]
    unmanned: bool = False

    @property
    def event(self) -> str:
        """What the outbox calls it: told at once is ``raised``, later is ``escalated:N``."""
        return "raised" if self.after_s == 0 else f"escalated:{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens with an alert until somebody answers.

    Attributes:
        route: None: no route fits, and everybody is told at once.
        ends_with_situation: Whether the end of the situation ends the ladder too.
    """

    route: RouteSpec | None
    steps: tuple[Step, ...]
    ends_with_situation: bool = False


def plan(
    facts: Facts,
    policy: PolicySpec,
    calendar: Calendar,
    *,
    messengers: Sequence[str],
    at_wall: float,
) -> Plan:
    """The ladder of an alert that is raised at ``at_wall`` (Unix seconds).

    A step whose channels are all gone tells every messenger instead; a step for roles of which
    nobody is on duty tells those who are not away. Nobody being there is no reason for silence.
    """
    usable = tuple(each for each in messengers if each != facts.spared)
    if facts.rule_channels == ():
        usable = ()
    route = first_match(facts, policy, calendar.shifts_on(at_wall))
    specs = route.steps if route is not None else (StepSpec(),)
    steps = tuple(
        _step(number, after_s, spec, facts, calendar, usable, at_wall + after_s)
        for number, (after_s, spec) in enumerate(_timed(route, specs))
    )
    over = route is not None and route.until == "over"
    return Plan(route=route, steps=steps, ends_with_situation=over)


def first_match(facts: Facts, policy: PolicySpec, shifts_on: frozenset[str]) -> RouteSpec | None:
    """The first route whose conditions are met, if any is."""
    return next((r for r in policy.routes if _fits(r, facts, shifts_on)), None)


def _fits(route: RouteSpec, facts: Facts, shifts_on: frozenset[str]) -> bool:
    return (
        (not route.severities or facts.severity in route.severities)
        and (not route.kinds or facts.kind in route.kinds)
        and (not route.zones or facts.zone_id in route.zones)
        and (not route.shifts or bool(shifts_on & set(route.shifts)))
    )


def _timed(
    route: RouteSpec | None, steps: tuple[StepSpec, ...]
) -> Iterator[tuple[float, StepSpec]]:
    """Every step with its seconds, the repetitions of the last one included."""
    for step in steps:
        yield float(step.after_s), step
    if route is not None and route.repeat_s is not None:
        last = steps[-1]
        for number in range(1, route.repeats + 1):
            yield float(last.after_s + number * route.repeat_s), last


def _step(
    number: int,
    after_s: float,
    spec: StepSpec,
    facts: Facts,
    calendar: Calendar,
    usable: tuple[str, ...],
    at_wall: float,
) -> Step:
    channels = _channels(spec, facts, usable)
    if not spec.roles:
        tells = tuple(Tell(channel_id=channel_id) for channel_id in channels)
        return Step(number=number, after_s=after_s, tells=tells)
    on_duty = _addressed(channels, spec, calendar.on_duty(at_wall))
    if on_duty:
        return Step(number=number, after_s=after_s, tells=on_duty)
    present = _addressed(channels, spec, calendar.present(at_wall))
    nameless = tuple(Tell(channel_id=channel_id) for channel_id in channels)
    return Step(number=number, after_s=after_s, tells=present or nameless, unmanned=True)


def _channels(spec: StepSpec, facts: Facts, usable: tuple[str, ...]) -> tuple[str, ...]:
    if spec.channels is None:
        wanted = facts.rule_channels
        return tuple(each for each in usable if wanted is None or each in wanted)
    return tuple(each for each in usable if each in spec.channels) or usable


def _addressed(
    channels: tuple[str, ...], spec: StepSpec, people: tuple[Person, ...]
) -> tuple[Tell, ...]:
    asked = [person for person in people if person.role in spec.roles]
    tells = (
        Tell(channel_id=channel_id, people=tuple(p for p in asked if p.takes(channel_id)))
        for channel_id in channels
    )
    return tuple(tell for tell in tells if tell.people)
