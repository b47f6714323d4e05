"""Putting what people are to be told into the outbox, in the transaction that changes it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from alerts.notices import SiteContext, notice_payload, plain_event
from alerts.policy import Facts, Plan, Step, Tell, plan
from alerts.policy_calendar import Calendar, Person
from alerts.policy_people import read_calendar
from safety.i18n import translator
from safety.store import outbox
from safety.store.policy_tables import Conversation
from safety.store.tables import Alert
from safety.types import Severity

DELIVERY_DEADLINE = timedelta(hours=24)
"""A notice that could not be delivered for so long is given up (and stays visible)."""

LISTED = 500
"""Alerts that one notice names at most."""

_CALENDARS = "anjeon_calendars"


def facts_of(alert: Alert, site: SiteContext) -> Facts:
    """What the policy looks at in an alert, with its rule's channels of today."""
    channels = site.rule_channels.get(alert.rule_id) if alert.rule_id else None
    return Facts(
        kind=alert.rule_kind or alert.kind,
        severity=Severity(alert.severity),
        zone_id=alert.zone_id,
        rule_channels=channels,
        spared=alert.params.get("channel_id") if alert.kind == "channel_failed" else None,
    )


def plan_of(session: Session, facts: Facts, site: SiteContext, started_at: datetime) -> Plan:
    """The ladder of an alert by today's policy, duty and channels."""
    # Without routes nobody's duty matters: in a storm every question to the record counts.
    calendar = _calendar(session, site, started_at) if site.policy.routes else Calendar()
    return plan(
        facts,
        site.policy,
        calendar,
        messengers=site.messengers,
        at_wall=started_at.timestamp(),
    )


def _calendar(session: Session, site: SiteContext, started_at: datetime) -> Calendar:
    """Who is on duty, read once in a transaction for all that begins on one day."""
    read: dict[date, tuple[SiteContext, Calendar]] = session.info.setdefault(_CALENDARS, {})
    known = read.get(started_at.date())
    if known is None or known[0] is not site:
        known = read[started_at.date()] = site, read_calendar(session, site, started_at)
    return known[1]


def tell_step(
    session: Session,
    alert: Alert,
    step: Step,
    *,
    site: SiteContext,
    facts: Mapping[str, Any],
    now: datetime,
) -> None:
    """Tell everybody of one step of the ladder; once, however often it is called."""
    minutes = max(1, round(step.after_s / 60))
    at = alert.raised_at if step.event == "raised" else now
    said = {"minutes": minutes}
    tell(session, alert, step.event, step.tells, site=site, at=at, facts=facts, now=now, said=said)


def tell_again(
    session: Session,
    alert: Alert,
    event: str,
    *,
    site: SiteContext,
    at: datetime,
    facts: Mapping[str, Any],
    now: datetime,
    said: Mapping[str, object] | None = None,
) -> None:
    """Tell those who have been told of this alert before, and only them."""
    known = told_so_far(session, alert.id)
    tell(session, alert, event, known, site=site, at=at, facts=facts, now=now, said=said)


def tell(
    session: Session,
    alert: Alert,
    event: str,
    tells: Sequence[Tell],
    *,
    site: SiteContext,
    at: datetime,
    facts: Mapping[str, Any],
    now: datetime,
    said: Mapping[str, object] | None = None,
) -> None:
    """Put one event into the outbox, once per channel."""
    for each in tells:
        payload = notice_payload(
            alert, event, site=site, at=at, facts=facts, people=each.people, said=said
        )
        deadline = now + DELIVERY_DEADLINE
        outbox.enqueue(session, alert, event, [each.channel_id], payload, now, deadline)


def told_so_far(session: Session, alert_id: str) -> list[Tell]:
    """Channels and persons that have got, or are getting, anything about this alert."""
    people: dict[str, dict[str, Person]] = {}
    for delivery in outbox.of_alert(session, alert_id):
        if plain_event(delivery.event) == "summary":
            continue
        known = people.setdefault(delivery.channel_id, {})
        for each in delivery.payload.get("recipients", ()):
            person = Person(id="", role="operator", **each)
            known[f"{person.name}|{person.phone}|{person.email}"] = person
    return [Tell(channel_id=key, people=tuple(found.values())) for key, found in people.items()]


def known_facts(alert: Alert) -> dict[str, Any]:
    """What an alert says of its situation, for machines."""
    names = {key: alert.params[key] for key in ("camera", "zone", "rule") if alert.params.get(key)}
    return {
        **names,
        "violation_id": alert.violation_id,
        "rule_id": alert.rule_id,
        "rule_kind": alert.rule_kind,
        "zone_id": alert.zone_id,
        "subject": alert.subject,
    }


def listed(session: Session, row: Conversation, site: SiteContext) -> list[dict[str, Any]]:
    """Alerts that joined a conversation and of which nobody has been told, oldest first."""
    translate = translator(site.language)
    query = select(Alert).where(col(Alert.id).in_(row.untold[:LISTED]))
    return [
        {
            "alert_id": alert.id,
            "violation_id": alert.violation_id,
            "severity": alert.severity,
            "raised_at": alert.raised_at.timestamp(),
            "text": translate(alert.message_key, **alert.params),
        }
        for alert in session.exec(query.order_by(col(Alert.raised_at), col(Alert.id)))
    ]
