"""Who is told, and when: tables, and what holds for every policy."""

from datetime import UTC, date, datetime, time
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alerts.policy import Facts, Plan, plan
from alerts.policy_calendar import Calendar, Change, Person
from alerts.policy_spec import ContactRole, PolicySpec, RouteSpec, StepSpec
from safety.site.document import parse_site, write_site
from safety.site.problems import SiteError
from safety.store.contacts import ROLES
from safety.types import Severity
from zones.plant import ShiftSpec

MONDAY_10 = datetime(2026, 1, 5, 1, 0, tzinfo=UTC).timestamp()
"""10:00 in Seoul."""
MONDAY_22 = MONDAY_10 + 12 * 3600
NEW_YEAR_10 = datetime(2026, 1, 1, 1, 0, tzinfo=UTC).timestamp()

DAY = ShiftSpec(id="day", name="Day", start=time(8), end=time(20))
NIGHT = ShiftSpec(id="night", name="Night", start=time(20), end=time(8), on_holidays=True)

KIM = Person(id="kim", name="Kim", role="operator", shifts=frozenset({"day"}))
LEE = Person(id="lee", name="Lee", role="operator", shifts=frozenset({"night"}))
PARK = Person(id="park", name="Park", role="manager", channels=frozenset({"sms"}))

MESSENGERS = ("chat", "mail", "sms")


def calendar(*changes: Change, people: tuple[Person, ...] = (KIM, LEE, PARK)) -> Calendar:
    return Calendar(people=people, changes=changes, shifts=(DAY, NIGHT))


def route(*steps: StepSpec, **values: object) -> RouteSpec:
    return RouteSpec.model_validate({"id": "r", "name": "R", "steps": steps, **values})


def planned(
    *routes: RouteSpec,
    kind: str = "intrusion",
    severity: Severity = Severity.DANGER,
    zone_id: str | None = "press",
    rule_channels: tuple[str, ...] | None = None,
    at: float = MONDAY_10,
    when: Calendar | None = None,
) -> Plan:
    facts = Facts(kind=kind, severity=severity, zone_id=zone_id, rule_channels=rule_channels)
    return plan(
        facts,
        PolicySpec(routes=routes),
        when or calendar(),
        messengers=MESSENGERS,
        at_wall=at,
    )


def told(made: Plan) -> list[tuple[str, float, dict[str, tuple[str, ...]]]]:
    """Event, seconds, and the persons by channel of every step."""
    return [
        (s.event, s.after_s, {t.channel_id: tuple(p.id for p in t.people) for t in s.tells})
        for s in made.steps
    ]


def test_without_a_policy_everybody_is_told_at_once_and_once() -> None:
    assert told(planned()) == [("raised", 0, {"chat": (), "mail": (), "sms": ()})]


def test_a_ladder_goes_from_operator_to_manager_by_sms() -> None:
    ladder = route(
        StepSpec(channels=("chat",), roles=("operator",)),
        StepSpec(after_s=60, channels=("chat", "sms"), roles=("operator", "manager")),
        repeat_s=120,
        repeats=2,
    )
    second = {"chat": ("kim",), "sms": ("kim", "park")}
    assert told(planned(ladder)) == [
        ("raised", 0, {"chat": ("kim",)}),
        ("escalated:1", 60, second),
        ("escalated:2", 180, second),
        ("escalated:3", 300, second),
    ]


@pytest.mark.parametrize(
    ("conditions", "matches"),
    [
        ({}, True),
        ({"severities": ["danger"]}, True),
        ({"severities": ["warning", "info"]}, False),
        ({"kinds": ["intrusion"]}, True),
        ({"kinds": ["missing_ppe"]}, False),
        ({"zones": ["press", "robot"]}, True),
        ({"zones": ["robot"]}, False),
        ({"shifts": ["day"]}, True),
        ({"shifts": ["night"]}, False),
        ({"severities": ["danger"], "zones": ["robot"]}, False),
    ],
)
def test_a_route_takes_what_meets_all_its_conditions(
    conditions: dict[str, object], matches: bool
) -> None:
    made = planned(route(StepSpec(channels=("sms",)), **conditions))
    assert (made.route is not None) is matches
    assert set(told(made)[0][2]) == ({"sms"} if matches else set(MESSENGERS))


def test_the_first_route_that_fits_is_the_way() -> None:
    first = route(StepSpec(channels=("mail",)), severities=["warning"])
    second = RouteSpec(id="s", name="S", steps=(StepSpec(channels=("sms",)),))
    assert set(told(planned(first, second))[0][2]) == {"sms"}
    assert set(told(planned(first, second, severity=Severity.WARNING))[0][2]) == {"mail"}


@pytest.mark.parametrize(
    ("at", "changes", "expected", "unmanned"),
    [
        (MONDAY_10, (), ("kim",), False),
        (MONDAY_22, (), ("lee",), False),
        # New Year's Day: no day shift, and the night shift begins only at 20:00.
        (NEW_YEAR_10, (), ("kim", "lee"), True),
        (MONDAY_10, ("kim away",), ("lee",), True),
        (MONDAY_10, ("lee on",), ("kim", "lee"), False),
        (MONDAY_10, ("kim away", "lee on"), ("lee",), False),
        (MONDAY_10, ("kim away", "lee away"), (), True),
        (MONDAY_10, ("kim away", "kim on"), ("lee",), True),
    ],
)
def test_those_on_duty_are_told_and_nobody_there_is_no_reason_for_silence(
    at: float, changes: tuple[str, ...], expected: tuple[str, ...], unmanned: bool
) -> None:
    made = [
        Change(
            person_id=text.split()[0],
            first_day=date(2026, 1, 1),
            last_day=date(2026, 1, 5),
            on_duty=text.endswith("on"),
        )
        for text in changes
    ]
    ladder = route(StepSpec(channels=("chat",), roles=("operator",)))
    (step,) = planned(ladder, at=at, when=calendar(*made)).steps
    (tell,) = step.tells
    assert (tuple(p.id for p in tell.people), step.unmanned) == (expected, unmanned)


def test_a_change_of_duty_ends_with_its_last_day_at_the_site() -> None:
    away = Change(
        person_id="kim", first_day=date(2026, 1, 5), last_day=date(2026, 1, 5), on_duty=False
    )
    midnight = datetime(2026, 1, 5, 15, 0, tzinfo=UTC).timestamp()
    on = calendar(away)
    assert KIM not in on.present(midnight - 1)
    assert KIM in on.present(midnight)


def test_a_shift_that_is_gone_leaves_nobody_out() -> None:
    person = Person(id="x", name="X", role="operator", shifts=frozenset({"gone"}))
    assert calendar(people=(person,)).on_duty(MONDAY_10) == (person,)


@pytest.mark.parametrize(
    ("rule_channels", "named", "expected"),
    [
        (None, None, {"chat", "mail", "sms"}),
        (("mail",), None, {"mail"}),
        (("siren",), None, set()),
        (("mail",), ("sms",), {"sms"}),
        (None, ("gone",), {"chat", "mail", "sms"}),
        ((), ("sms",), set()),
    ],
)
def test_channels_of_rule_and_route(
    rule_channels: tuple[str, ...] | None, named: tuple[str, ...] | None, expected: set[str]
) -> None:
    made = planned(route(StepSpec(channels=named)), rule_channels=rule_channels)
    assert set(told(made)[0][2]) == expected


def test_a_channel_that_failed_is_not_told_of_it() -> None:
    facts = Facts(kind="channel_failed", severity=Severity.WARNING, spared="sms")
    made = plan(facts, PolicySpec(), calendar(), messengers=MESSENGERS, at_wall=MONDAY_10)
    assert set(told(made)[0][2]) == {"chat", "mail"}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"steps": []}, "at least 1 item"),
        ({"steps": [{"after_s": 60}, {"after_s": 60}]}, "later than the one before"),
        ({"steps": [{"after_s": 60}, {"after_s": 30}]}, "later than the one before"),
        ({"steps": [{"roles": ["ceo"]}]}, "Input should be 'operator'"),
        ({"steps": [{}], "repeat_s": 5}, "greater than or equal to 60"),
        ({"steps": [{"after_s": -1}]}, "greater than or equal to 0"),
        ({"steps": [{"afterwards": 1}]}, "Extra inputs"),
    ],
)
def test_a_route_that_makes_no_sense_is_refused(values: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        RouteSpec.model_validate({"id": "r", "name": "R", **values})


def test_two_routes_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two routes"):
        PolicySpec(routes=(route(StepSpec()), route(StepSpec())))


def test_the_store_knows_the_roles_of_the_policy() -> None:
    assert get_args(ContactRole) == ROLES


roles = st.sampled_from(get_args(ContactRole))
channels = st.lists(st.sampled_from([*MESSENGERS, "gone"]), unique=True).map(tuple)
steps = st.lists(
    st.builds(
        StepSpec,
        after_s=st.integers(0, 3600),
        channels=st.none() | channels,
        roles=st.lists(roles, unique=True, max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda step: step.after_s,
).map(lambda found: tuple(sorted(found, key=lambda step: step.after_s)))
routes = st.lists(
    st.builds(
        RouteSpec,
        id=st.just("r"),
        name=st.just("R"),
        severities=st.lists(st.sampled_from(Severity), max_size=2).map(tuple),
        zones=st.lists(st.sampled_from(["press", "robot"]), max_size=1).map(tuple),
        shifts=st.lists(st.sampled_from(["day", "night"]), max_size=1).map(tuple),
        steps=steps,
        repeat_s=st.none() | st.integers(60, 600),
    ),
    max_size=3,
).map(lambda found: tuple(r.model_copy(update={"id": f"r{i}"}) for i, r in enumerate(found)))
persons = st.lists(
    st.builds(
        Person,
        id=st.uuids().map(str),
        name=st.just("N"),
        role=roles,
        channels=st.frozensets(st.sampled_from(MESSENGERS), max_size=2),
        shifts=st.frozensets(st.sampled_from(["day", "night", "gone"]), max_size=2),
    ),
    max_size=4,
).map(tuple)


@given(
    routes=routes, people=persons, at=st.floats(1.7e9, 1.8e9), severity=st.sampled_from(Severity)
)
def test_every_alert_reaches_somebody_and_the_ladder_only_goes_up(
    routes: tuple[RouteSpec, ...], people: tuple[Person, ...], at: float, severity: Severity
) -> None:
    made = planned(*routes, severity=severity, at=at, when=calendar(people=people))
    assert made.steps
    assert all(step.tells for step in made.steps), "a step told nobody"
    times = [step.after_s for step in made.steps]
    assert times == sorted(set(times))
    assert len({step.event for step in made.steps}) == len(made.steps)
    for step in made.steps:
        assert len({tell.channel_id for tell in step.tells}) == len(step.tells)
        assert {tell.channel_id for tell in step.tells} <= set(MESSENGERS)
        assert all(p.takes(tell.channel_id) for tell in step.tells for p in tell.people)


SITE_YAML = """
version: 1
name: Works
channels:
  - {id: chat, kind: recording, name: Chat}
policy:
  routes:
    - id: danger
      name: Danger
      severities: [danger]
      steps:
        - channels: [chat]
          roles: [operator]
        - after_s: 60
          channels: [CHANNEL]
"""


def test_the_policy_is_part_of_the_site_document() -> None:
    site = parse_site(SITE_YAML.replace("CHANNEL", "chat"))
    (danger,) = site.policy.routes
    assert [step.after_s for step in danger.steps] == [0, 60]
    assert parse_site(write_site(site)) == site


@pytest.mark.parametrize(
    ("change", "line", "why"),
    [
        (("CHANNEL", "chatt"), 15, "did you mean 'chat'"),
        (("severities: [danger]", "zones: [press]"), 10, "this site has no zone"),
        (("severities: [danger]", "shifts: [night]"), 10, "this site has no shift"),
        (("roles: [operator]", "roles: [operater]"), 13, "operator"),
        (("after_s", "after"), 14, "did you mean 'after_s'"),
        (("policy:", "policy:\n  unlimited: [hook]"), 7, "there is no channel 'hook'"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said_with_its_line(
    change: tuple[str, str], line: int, why: str
) -> None:
    text = SITE_YAML.replace(*change).replace("CHANNEL", "chat")
    with pytest.raises(SiteError) as caught:
        parse_site(text)
    assert any(p.line == line and why in p.message for p in caught.value.problems), str(
        [(p.line, p.message) for p in caught.value.problems]
    )
