"""What the policy does, in plain sentences: "First …, after 1 min …, until somebody answers."."""

from collections.abc import Mapping, Sequence

from alerts.policy_spec import PolicySpec, RouteSpec, StepSpec
from dashboard.formatting import duration
from dashboard.inbox_filter import KINDS_OF_OTHERS
from dashboard.rule_words import Names
from safety.i18n import Translate


def kind_key(kind: str) -> str:
    """The translation key of a rule's or another alert's kind."""
    return f"policy.kind.{kind}" if kind in KINDS_OF_OTHERS else f"rules.kind.{kind}"


def spoken_length(seconds: float, translate: Translate) -> str:
    """A length of time as people say it: whole minutes without seconds."""
    if 60 <= seconds < 3600 and seconds % 60 == 0:
        return translate("policy.minutes", minutes=round(seconds / 60))
    return duration(seconds, translate)


def route_sentence(route: RouteSpec, names: Names, translate: Translate) -> str:
    """When the route holds, who is told when, and what ends it."""
    parts = [_conditions(route, names, translate)]
    parts += [_step(step, number, names, translate) for number, step in enumerate(route.steps)]
    if route.repeat_s is not None:
        every = spoken_length(route.repeat_s, translate)
        parts.append(translate("policy.say.repeat", every=every, times=route.repeats))
    parts.append(translate(f"policy.say.until.{route.until}"))
    return " ".join(parts)


def policy_sentences(policy: PolicySpec, translate: Translate) -> list[str]:
    """What holds for all routes."""
    return [
        translate(
            "policy.say.grouping",
            gap=spoken_length(policy.gap_s, translate),
            every=spoken_length(policy.update_every_s, translate),
        ),
        translate("policy.say.cooldown", seconds=spoken_length(policy.cooldown_s, translate)),
        translate(
            "policy.say.limit",
            burst=policy.limit.burst,
            per_minute=f"{policy.limit.per_minute:g}",
        ),
    ]


def _conditions(route: RouteSpec, names: Names, translate: Translate) -> str:
    said = [
        _any_of("severities", [translate(f"severity.{s}") for s in route.severities], translate),
        _any_of("kinds", [translate(kind_key(kind)) for kind in route.kinds], translate),
        _any_of("zones", _named(names["zones"], route.zones), translate),
        _any_of("shifts", _named(names["shifts"], route.shifts), translate),
    ]
    conditions = "; ".join(each for each in said if each)
    if not conditions:
        return translate("policy.say.always")
    return translate("policy.say.if", conditions=conditions)


def _any_of(field: str, options: Sequence[str], translate: Translate) -> str:
    return translate(f"policy.say.any.{field}", options=", ".join(options)) if options else ""


def _step(step: StepSpec, number: int, names: Names, translate: Translate) -> str:
    if step.channels is None:
        channels = translate("policy.say.all_channels")
    else:
        channels = ", ".join(_named(names["channels"], step.channels))
    roles = ", ".join(translate(f"policy.role.{role}") for role in step.roles)
    people = translate("policy.say.on_duty", roles=roles) if roles else ""
    key = "first" if number == 0 and step.after_s == 0 else "after"
    tell = "persons" if roles else "channels"
    return translate(
        f"policy.say.{key}.{tell}",
        channels=channels,
        people=people,
        time=spoken_length(step.after_s, translate),
    )


def _named(names: Mapping[str, str], ids: Sequence[str]) -> list[str]:
    return [names.get(each, each) for each in ids]
