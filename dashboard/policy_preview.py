"""What would happen if an alert came now: the plan itself, with names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from alerts.notices import SiteContext
from alerts.open import carries_notices
from alerts.policy import Facts, Plan, plan
from alerts.policy_people import read_calendar
from dashboard.policy_words import spoken_length
from safety.i18n import Translate
from safety.site.spec import SiteSpec
from safety.types import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewStep:
    """One step: when, and which channel tells whom by name."""

    at: datetime
    after_s: float
    after: str
    tells: Sequence[tuple[str, str]]
    unmanned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would happen.

    Attributes:
        route: Its name; empty if no route fits and everybody is told at once.
    """

    route: str
    steps: Sequence[PreviewStep]


def site_context(site: SiteSpec) -> SiteContext:
    """As much of the site as the policy asks for."""
    return SiteContext(
        name=site.name,
        timezone=site.timezone,
        language=site.language,
        messengers=tuple(c.id for c in site.channels if c.enabled and carries_notices(c)),
        rule_channels={rule.id: rule.channels for rule in site.rules},
        policy=site.policy,
        shifts=site.plant.shifts,
    )


def planned(session: Session, site: SiteSpec, facts: Facts, at: datetime) -> Plan:
    """The plan for such an alert at a moment, with those who would be on duty."""
    context = site_context(site)
    return plan(
        facts,
        site.policy,
        read_calendar(session, context, at),
        messengers=context.messengers,
        at_wall=at.timestamp(),
    )


def facts_for(site: SiteSpec, *, kind: str, severity: str, zone: str) -> Facts:
    """An alert of this kind in this zone; its rule's channels are those of the first such rule."""
    rules = (r for r in site.rules if r.kind == kind and (not zone or r.zone_id == zone))
    rule = next(rules, None)
    return Facts(
        kind=kind,
        severity=Severity(severity) if severity in set(Severity) else Severity.DANGER,
        zone_id=zone or None,
        rule_channels=rule.channels if rule is not None else None,
    )


def preview(
    session: Session, site: SiteSpec, facts: Facts, at: datetime, translate: Translate
) -> Preview:
    """What would happen if such an alert came at this moment."""
    made = planned(session, site, facts, at)
    names = {channel.id: channel.name for channel in site.channels}
    steps = [
        PreviewStep(
            at=at + timedelta(seconds=step.after_s),
            after_s=step.after_s,
            after=spoken_length(step.after_s, translate),
            tells=[
                (names.get(t.channel_id, t.channel_id), ", ".join(p.name for p in t.people))
                for t in step.tells
            ],
            unmanned=step.unmanned,
        )
        for step in made.steps
    ]
    return Preview(route=made.route.name if made.route else "", steps=steps)
