"""What people said of alerts, as a file for whoever improves rules and networks.

Made only when a manager asks for it and says what for; it holds no names, and nothing here
trains anything (Personal Information Protection Act, article 28-12).
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from dashboard.formatting import iso_utc
from safety.incidents.texts import checked
from safety.store import audit
from safety.store.alerts import AlertState
from safety.store.incident_tables import AlertMerge, AlertReason
from safety.store.tables import Alert, ViolationRow

MOST: Final = 50_000
"""Judgements in one file, the newest ones."""


def judgements(
    session: Session, *, purpose: str, by: str, at: datetime
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Every judgement as one object, the newest first, and one that says what the file is for.

    Args:
        session: Any.
        purpose: In the manager's words.
        by: Who.
        at: UTC.

    Raises:
        IncidentError: No purpose is given, or it cannot be kept.
    """
    said = checked(purpose, "incident.dataset_purpose", most=500, least=1)
    rows = list(_rows(session))
    head = {"format": "anjeon-judgements-1", "purpose": said, "by": by, "at": iso_utc(at)}
    return head | {"judgements": len(rows)}, rows


def note(
    session: Session,
    head: Mapping[str, Any],
    *,
    by: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Put on record that the file was taken; before anybody has it."""
    what = {"purpose": head["purpose"], "judgements": head["judgements"], **(detail or {})}
    audit.record(session, actor=by, action="dataset.export", subject="alerts", at=at, detail=what)


def as_lines(found: list[dict[str, Any]]) -> str:
    """JSON Lines."""
    return "".join(json.dumps(each, ensure_ascii=False, default=str) + "\n" for each in found)


def _rows(session: Session) -> Iterator[dict[str, Any]]:
    query = (
        select(Alert, ViolationRow, AlertReason.reason)
        .join(ViolationRow, col(ViolationRow.id) == col(Alert.violation_id))
        .outerjoin(AlertReason, col(AlertReason.alert_id) == col(Alert.id))
        .where(
            col(Alert.state).in_((AlertState.CONFIRMED, AlertState.FALSE_POSITIVE)),
            col(Alert.id).not_in(select(AlertMerge.alert_id)),
        )
        .order_by(col(Alert.raised_at).desc(), col(Alert.id).desc())
        .limit(MOST)
    )
    for alert, seen, reason in session.exec(query):
        yield {
            "violation_id": seen.id,
            "rule_id": seen.rule_id,
            "rule_revision": seen.rule_revision,
            "rule_kind": seen.rule_kind,
            "camera_id": seen.camera_id,
            "zone_id": seen.zone_id,
            "opened_at": iso_utc(seen.opened_at),
            "duration_s": seen.duration_s,
            "details": seen.details,
            "verdict": alert.state,
            "reason": reason,
        }
