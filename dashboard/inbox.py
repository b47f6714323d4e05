"""Alerts as people see them: with names, picture and clip, one card for each conversation."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from dashboard.inbox_filter import InboxFilter, found_by_id, wanted_alerts
from safety.i18n import Translate
from safety.store import alert_lists, alerts, conversations, evidence
from safety.store.alerts import OPEN_STATES, AlertState
from safety.store.policy_tables import Conversation
from safety.store.tables import Alert, Camera, Evidence, RuleRevision, ViolationRow

PAGE_SIZE = 30
FILES_WAIT = timedelta(minutes=2)
"""How long after an alert its picture and clips may still come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """One alert with everything that belongs to it.

    Attributes:
        title: Its sentence, in the reader's language.
        camera_name, zone_name, rule_name: Names as of the violation; empty if none.
        picture, clip: Evidence; None if there is none (yet).
        talk: The conversation that it leads; None: it joined another's, or is older than those.
    """

    alert: Alert
    title: str
    violation: ViolationRow | None
    camera_name: str
    zone_name: str
    rule_name: str
    picture: Evidence | None
    clip: Evidence | None
    talk: Conversation | None = None

    @property
    def lasts(self) -> bool:
        """Whether the situation has not ended: this alert's, or that of one that joined it."""
        if self.talk is not None and self.talk.members > 1:
            return self.talk.over_at is None
        return self.alert.cleared_at is None

    @property
    def more(self) -> int:
        """How many alerts joined it."""
        return self.talk.members - 1 if self.talk is not None else 0

    @property
    def unanswered(self) -> bool:
        """Whether everybody was told and nobody has answered."""
        return self.is_raised and self.talk is not None and self.talk.end_reason == "exhausted"

    def awaits_picture(self, now: datetime) -> bool:
        """Whether a picture that is not there may still come."""
        return self.violation is not None and now - self.alert.raised_at < FILES_WAIT

    @property
    def can_snooze(self) -> bool:
        """Whether somebody would still be told unless it is answered."""
        talk = self.talk
        waits = talk is not None and talk.ended_at is None and talk.next_at is not None
        return self.is_raised and waits

    @property
    def is_raised(self) -> bool:
        return self.alert.state == AlertState.RAISED

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to judge it."""
        return self.alert.state in OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """One page of the inbox.

    Attributes:
        next_before: Where the next page starts; None if this is the last one.
    """

    items: Sequence[AlertView]
    next_before: str | None

    @property
    def fingerprint(self) -> str:
        """Changes whenever the list has to be drawn anew."""
        state = ",".join(
            f"{v.alert.id}:{v.alert.version}:{v.picture is None}:{v.more}:{v.lasts}:{v.unanswered}"
            for v in self.items
        )
        return hashlib.sha256(state.encode()).hexdigest()[:16]


def inbox_page(
    session: Session,
    translate: Translate,
    wanted: InboxFilter,
    *,
    before: str | None = None,
    limit: int = PAGE_SIZE,
) -> InboxPage:
    """Conversations, newest first: the alerts that lead them.

    Raises:
        NotFound: ``before`` names no alert.
    """
    exact = found_by_id(session, wanted) if before is None else None
    if exact is not None:
        return InboxPage(items=alert_views(session, translate, [exact]), next_before=None)
    asked = wanted_alerts(session, wanted)
    rows = alert_lists.page(session, asked, before=before, limit=limit + 1)
    shown = rows[:limit]
    more = len(rows) > limit
    return InboxPage(
        items=alert_views(session, translate, shown), next_before=shown[-1].id if more else None
    )


def alert_views(session: Session, translate: Translate, rows: Sequence[Alert]) -> list[AlertView]:
    """The alerts with their names and evidence, in a fixed number of queries."""
    violation_ids = [row.violation_id for row in rows if row.violation_id]
    violations = _by_id(session, violation_ids)
    pictures = evidence.of_violations(session, violation_ids, kind="picture")
    clips = evidence.of_violations(session, violation_ids, kind="clip")
    cameras = camera_names(session, {row.camera_id for row in rows if row.camera_id})
    rules = _rule_names(session, list(violations.values()))
    talks = conversations.of_alerts(session, [row.id for row in rows if row.leads])
    views = []
    for row in rows:
        violation = violations.get(row.violation_id or "")
        rule_name, zone_name = rules.get(violation.id, ("", "")) if violation else ("", "")
        views.append(
            AlertView(
                alert=row,
                title=alert_title(row, translate),
                violation=violation,
                camera_name=cameras.get(row.camera_id or "", row.camera_id or ""),
                zone_name=zone_name,
                rule_name=rule_name,
                picture=pictures.get(row.violation_id or ""),
                clip=clips.get(row.violation_id or ""),
                talk=talks.get(row.id),
            )
        )
    return views


def alert_title(row: Alert, translate: Translate) -> str:
    """The short sentence for a list, where time and place stand beside it."""
    key = row.message_key.replace("alert.", "alert.title.", 1)
    title = translate(key, **row.params)
    return title if title != key else translate(row.message_key, **row.params)


def alert_view(session: Session, translate: Translate, alert_id: str) -> AlertView:
    """One alert.

    Raises:
        NotFound: There is none.
    """
    return alert_views(session, translate, [alerts.get(session, alert_id)])[0]


def _by_id(session: Session, ids: Collection[str]) -> dict[str, ViolationRow]:
    rows = session.exec(select(ViolationRow).where(col(ViolationRow.id).in_(ids)))
    return {row.id: row for row in rows}


def camera_names(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Names by id; cameras that are gone have none."""
    rows = session.exec(select(Camera).where(col(Camera.id).in_(ids)))
    return {row.id: str(row.spec.get("name", row.id)) for row in rows}


def _rule_names(session: Session, violations: Sequence[ViolationRow]) -> dict[str, tuple[str, str]]:
    """Names of rule and zone as they were when each violation opened, by violation id."""
    wanted = {row.rule_id for row in violations}
    rows = session.exec(select(RuleRevision).where(col(RuleRevision.rule_id).in_(wanted)))
    names = {
        (row.rule_id, row.revision): (
            str(row.spec.get("name", row.rule_id)),
            str(row.zone_spec.get("name", "")),
        )
        for row in rows
    }
    return {
        row.id: names.get((row.rule_id, row.rule_revision), (row.rule_id, row.zone_id or ""))
        for row in violations
    }
