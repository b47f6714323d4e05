"""A conversation's life: it begins, goes up its ladder until somebody answers, and ends.

Everything is read from and written to the record, in one transaction each, so that a restart
goes on where it was. Steps count from the beginning of the conversation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from alerts.grouping import Before, Part, is_answered, part_of, situation_of
from alerts.notices import SiteContext
from alerts.policy import Facts, Plan
from alerts.telling import facts_of, known_facts, listed, plan_of, tell_again, tell_step
from safety.store import alerts, conversations
from safety.store.alerts import AlertState, Cleared
from safety.store.policy_tables import Conversation
from safety.store.tables import Alert
from safety.types import Severity

GIVEN_UP_S = 60.0
"""Seconds after the last step after which a ladder has ended without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """How far a ladder went: steps that were taken, and whether it came to its end in vain."""

    steps: int = 0
    exhausted: bool = False


def begin(
    session: Session,
    alert: Alert,
    *,
    facts: Facts,
    known: Mapping[str, Any],
    site: SiteContext,
    now: datetime,
) -> Part:
    """Begin a conversation about a new alert, or let it join the one there is.

    Args:
        facts: What the policy looks at.
        known: What is known of the situation, for machines.
        now: UTC.
    """
    key = situation_of(alert)
    found = _newest_locked(session, key)
    part = _part(session, alert, found, site)
    if part is Part.REPEATS:
        # It stands in the inbox by itself; later ones still join the conversation before it.
        row = conversations.new(alert, key=f"{key}|{part}", at=now)
        _end(row, part, now)
        conversations.save(session, row)
    elif found is None or part is Part.LEADS:
        row = conversations.new(alert, key=key, at=now)
        plan = plan_of(session, facts, site, now)
        _climb(session, alert, row, plan, known=known, site=site, logical=now, now=now)
        _schedule(row, plan, site)
        conversations.save(session, row)
    else:
        conversations.join(session, found[1], alert)
        lead, row = found
        _schedule(row, plan_of(session, facts_of(lead, site), site, row.started_at), site)
    return part


def cleared(
    session: Session,
    ended: Cleared,
    *,
    at: datetime,
    known: Mapping[str, Any],
    site: SiteContext,
    now: datetime,
    silent: bool = False,
) -> None:
    """An alert's situation has ended; if it was the last one of its conversation, say so.

    Args:
        silent: Nobody has seen it end, or it never lasted: tell nobody that it is over.
    """
    found = conversations.locked(session, ended.lead_id)
    if found is None:
        if not silent:
            alert = alerts.get(session, ended.alert_id)
            tell_again(session, alert, "cleared", site=site, at=at, facts=known, now=now)
        return
    lead, row = found
    row.last_at = max(row.last_at, at)
    if not conversations.is_over(session, lead.id):
        return
    row.over_at = at
    row.over_told = silent or (row.ended_at is not None and row.clears > 0)
    if not row.over_told and (row.clears == 0 or _may_update(row, now, site)):
        _tell_over(session, lead, row, site=site, known=known, now=now)
    _schedule(row, plan_of(session, facts_of(lead, site), site, row.started_at), site)


def resumed(session: Session, alert: Alert, *, site: SiteContext) -> None:
    """An alert's situation goes on after all: nobody is told again, and the ladder goes on."""
    found = conversations.locked(session, alert.lead_id or alert.id)
    if found is None:
        return
    lead, row = found
    conversations.resume(session, row)
    _schedule(row, plan_of(session, facts_of(lead, site), site, row.started_at), site)


def advance(
    session: Session,
    lead_id: str,
    *,
    site: SiteContext,
    logical: datetime,
    now: datetime,
    snoozed: bool = False,
) -> Advance:
    """Do what is due in a conversation, and note when to look at it next.

    Args:
        lead_id: The alert that leads it.
        logical: The time by which the ladder counts; it does not jump as ``now`` may.
        now: UTC, for the outbox.
        snoozed: Somebody does not want the ladder to go on yet.
    """
    found = conversations.locked(session, lead_id)
    if found is None:
        return Advance()
    lead, row = found
    steps, ended = row.steps, row.end_reason
    plan = plan_of(session, facts_of(lead, site), site, row.started_at)
    if is_answered(lead):
        _answered(session, lead, row, site=site, now=now)
    elif row.ended_at is None and plan.ends_with_situation and row.over_at is not None:
        _end(row, "over", now)
    elif row.ended_at is None and not snoozed:
        row.snoozed_until = row.snoozed_by = None
        known = known_facts(lead)
        _climb(session, lead, row, plan, known=known, site=site, logical=logical, now=now)
        _give_up(row, plan, logical, now)
    if row.untold and _may_update(row, logical, site):
        _tell_update(session, lead, row, site=site, now=now)
    if not row.over_told and _may_update(row, logical, site):
        _tell_over(session, lead, row, site=site, known=known_facts(lead), now=now)
    row.next_at = None
    _schedule(row, plan, site, snoozed=snoozed)
    session.flush()
    exhausted = row.end_reason == "exhausted" and ended is None
    return Advance(steps=row.steps - steps, exhausted=exhausted)


def _newest_locked(session: Session, key: str) -> tuple[Alert, Conversation] | None:
    lead_id = conversations.newest(session, key)
    return conversations.locked(session, lead_id) if lead_id is not None else None


def _part(
    session: Session,
    alert: Alert,
    found: tuple[Alert, Conversation] | None,
    site: SiteContext,
) -> Part:
    policy = site.policy
    if found is None:
        before = None
    else:
        before = Before(
            severity=Severity(found[1].severity),
            answered=is_answered(found[0]),
            last_at=found[1].last_at,
            lasts=found[1].over_at is None,
        )
    since = alert.raised_at - timedelta(seconds=policy.cooldown_s)
    repeated = found is not None and conversations.repeats(session, alert, found[0].id, since=since)
    return part_of(Severity(alert.severity), alert.raised_at, before, policy, repeated=repeated)


def _climb(
    session: Session,
    lead: Alert,
    row: Conversation,
    plan: Plan,
    *,
    known: Mapping[str, Any],
    site: SiteContext,
    logical: datetime,
    now: datetime,
) -> None:
    """Take the steps that are due, each once."""
    elapsed_s = (logical - row.started_at).total_seconds()
    for step in plan.steps[row.steps :]:
        if step.after_s > elapsed_s:
            break
        tell_step(session, lead, step, site=site, facts=known, now=now)
        row.steps += 1


def _give_up(row: Conversation, plan: Plan, logical: datetime, now: datetime) -> None:
    """A ladder of several steps that has come to its end without an answer is over."""
    if len(plan.steps) < 2 or row.steps < len(plan.steps):
        return
    over_at = row.started_at + timedelta(seconds=plan.steps[-1].after_s + GIVEN_UP_S)
    if logical >= over_at:
        _end(row, "exhausted", now)


def _end(row: Conversation, reason: str, now: datetime) -> None:
    row.ended_at, row.end_reason = now, reason
    row.snoozed_until = row.snoozed_by = None


def _answered(
    session: Session, lead: Alert, row: Conversation, *, site: SiteContext, now: datetime
) -> None:
    if row.end_reason == "acknowledged":
        return
    _end(row, "acknowledged", now)
    if lead.state != AlertState.EXPIRED and lead.acknowledged_at is not None:
        facts = {**known_facts(lead), "by": lead.acknowledged_by}
        if row.untold:
            facts["alerts"] = listed(session, row, site)
            row.untold = []
        at = lead.acknowledged_at
        said = {"by": lead.acknowledged_by or ""}
        tell_again(session, lead, "acknowledged", site=site, at=at, facts=facts, now=now, said=said)


def _tell_update(
    session: Session, lead: Alert, row: Conversation, *, site: SiteContext, now: datetime
) -> None:
    row.updates += 1
    facts = {**known_facts(lead), "alerts": listed(session, row, site)}
    said = {"count": len(row.untold)}
    event = f"updated:{row.updates}"
    tell_again(session, lead, event, site=site, at=now, facts=facts, now=now, said=said)
    row.untold, row.told_at = [], now


def _tell_over(
    session: Session,
    lead: Alert,
    row: Conversation,
    *,
    site: SiteContext,
    known: Mapping[str, Any],
    now: datetime,
) -> None:
    facts = dict(known)
    if row.untold:
        facts["alerts"] = listed(session, row, site)
        row.untold = []
    row.clears += 1
    event = "cleared" if row.clears == 1 else f"cleared:{row.clears}"
    tell_again(session, lead, event, site=site, at=row.over_at or now, facts=facts, now=now)
    row.over_told, row.told_at = True, now


def _may_update(row: Conversation, logical: datetime, site: SiteContext) -> bool:
    every = timedelta(seconds=site.policy.update_every_s)
    # A time of telling that lies ahead comes from a clock that was set back since.
    return row.told_at is None or not timedelta() <= logical - row.told_at < every


def _schedule(row: Conversation, plan: Plan, site: SiteContext, *, snoozed: bool = False) -> None:
    """Note when to look at the conversation next, unless an answer waits to be looked at."""
    if row.next_at == conversations.AT_ONCE:
        return
    times: list[datetime] = []
    if row.ended_at is None:
        ladder = _next_step(row, plan)
        if snoozed and ladder is not None and row.snoozed_until is not None:
            ladder = max(ladder, row.snoozed_until)
        times += [ladder] if ladder is not None else []
    if row.untold or not row.over_told:
        every = timedelta(seconds=site.policy.update_every_s)
        times.append((row.told_at or row.started_at) + every)
    row.next_at = min(times, default=None)


def _next_step(row: Conversation, plan: Plan) -> datetime | None:
    if plan.ends_with_situation and row.over_at is not None:
        return conversations.AT_ONCE
    if row.steps < len(plan.steps):
        return row.started_at + timedelta(seconds=plan.steps[row.steps].after_s)
    if len(plan.steps) < 2:
        return None
    return row.started_at + timedelta(seconds=plan.steps[-1].after_s + GIVEN_UP_S)
