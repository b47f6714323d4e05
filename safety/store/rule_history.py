"""Every form a rule ever had, so that an old violation can be explained years later."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from safety.store.refusals import NotFound
from safety.store.tables import Rule, RuleRevision


def append(session: Session, zones: Sequence[Mapping[str, Any]], *, by: str, at: datetime) -> None:
    """Give every rule that means something else than before its next revision.

    A rule means something else if its specification changed, or its zone's place.
    A rule that was removed once and comes back continues its numbers.

    Args:
        session: The transaction in which the ``rule`` table was just written.
        zones: Specifications of the zones now in force.
        by: Who changed the configuration.
        at: UTC.
    """
    by_id = {zone["id"]: zone for zone in zones}
    newest = _newest(session)
    for rule in session.exec(select(Rule).order_by(col(Rule.position))):
        zone = by_id.get(rule.spec.get("zone_id", ""), {})
        last = newest.get(rule.id)
        if last and last.spec == rule.spec and _place(last.zone_spec) == _place(zone):
            rule.revision = last.revision
            continue
        rule.revision = last.revision + 1 if last else 1
        session.add(
            RuleRevision(
                rule_id=rule.id,
                revision=rule.revision,
                spec=dict(rule.spec),
                zone_spec=dict(zone),
                created_at=at,
                created_by=by,
            )
        )
    session.flush()


def get(session: Session, rule_id: str, revision: int) -> RuleRevision:
    """The rule as it was at this revision, with its zone.

    Raises:
        NotFound: There is no such revision.
    """
    row = session.get(RuleRevision, (rule_id, revision))
    if row is None:
        raise NotFound("rule revision", f"{rule_id}/{revision}")
    return row


def of_rule(session: Session, rule_id: str) -> Sequence[RuleRevision]:
    """All forms of one rule, newest first."""
    query = select(RuleRevision).where(RuleRevision.rule_id == rule_id)
    return session.exec(query.order_by(col(RuleRevision.revision).desc())).all()


def _newest(session: Session) -> dict[str, RuleRevision]:
    last = (
        select(RuleRevision.rule_id, func.max(RuleRevision.revision).label("revision"))
        .group_by(RuleRevision.rule_id)
        .subquery()
    )
    query = select(RuleRevision).join(
        last,
        (col(RuleRevision.rule_id) == last.c.rule_id)
        & (col(RuleRevision.revision) == last.c.revision),
    )
    return {row.rule_id: row for row in session.exec(query)}


def _place(zone: Mapping[str, Any]) -> tuple[Any, ...]:
    return zone.get("polygon"), zone.get("camera_id"), zone.get("floor_m")
