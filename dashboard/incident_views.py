"""Incidents as people see them: on the board, and one with all that belongs to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlmodel import Session

from dashboard import inbox
from dashboard.inbox import AlertView
from dashboard.incident_calm import Calm, read_calm
from dashboard.visit import Visit
from safety.incidents import risk
from safety.incidents.risk import Level
from safety.incidents.types import INJURIES, MOVES, Kind, State
from safety.store import (
    accidents,
    alerts,
    audit,
    evidence_keeping,
    holds,
    incident_action_lists,
    incident_actions,
    incident_alerts,
    incident_causes,
    incidents,
)
from safety.store.evidence_keeping import Kept
from safety.store.evidence_tables import LegalHold
from safety.store.incident_action_lists import ActionCounts
from safety.store.incident_tables import Accident, CorrectiveAction, Incident, IncidentCause
from safety.store.tables import Audit

CLOSED_DAYS: Final = 30
"""How long a closed incident stays on the board."""
MOST_CARDS: Final = 60
"""In one column; the list holds all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An incident on the board."""

    incident: Incident
    level: Level | None
    actions: ActionCounts
    alerts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The incidents in one state."""

    state: State
    cards: Sequence[Card]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A cause, and how many stand above it."""

    cause: IncidentCause
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """One incident with all that belongs to it.

    Attributes:
        kept: The evidence of its alerts.
        holds: What keeps it beyond its time.
        next: Where it may go now.
        accident_missing: Somebody was hurt, and no accident is entered for it.
    """

    incident: Incident
    level: Level | None
    level_after: Level | None
    whys: Sequence[Why]
    actions: Sequence[CorrectiveAction]
    alerts: Sequence[AlertView]
    accidents: Sequence[Accident]
    calm: Calm | None
    history: Sequence[Audit]
    kept: Kept
    holds: Sequence[LegalHold]
    next: Sequence[State]

    @property
    def is_open(self) -> bool:
        return self.incident.state != State.CLOSED

    @property
    def is_held(self) -> bool:
        """Whether a hold is on the incident itself, not only on some of its alerts."""
        return any(hold.incident_id for hold in self.holds)

    @property
    def accident_missing(self) -> bool:
        return Kind(self.incident.kind) in INJURIES and not self.accidents


def today_of(visit: Visit) -> date:
    """The site's date."""
    return visit.now.astimezone(visit.zone).date()


def read_board(visit: Visit, *, kind: str | None) -> list[Column]:
    """The board; closed incidents leave it after a while."""
    with visit.database.reading() as session:
        columns = []
        for state in State:
            rows = list(
                incidents.list_incidents(session, states=[state], kind=kind, limit=MOST_CARDS)
            )
            if state is State.CLOSED:
                oldest = visit.now - timedelta(days=CLOSED_DAYS)
                rows = [row for row in rows if row.closed_at and row.closed_at >= oldest]
            columns.append(Column(state=state, cards=cards(session, rows, today_of(visit))))
        return columns


def cards(session: Session, rows: Sequence[Incident], today: date) -> list[Card]:
    """The incidents with their numbers, in a fixed number of queries."""
    ids = [row.id for row in rows]
    actions = incident_action_lists.counts(session, ids, today=today)
    linked: Mapping[str, int] = incident_alerts.counts(session, ids)
    return [
        Card(
            incident=row,
            level=risk.level(row.frequency, row.severity),
            actions=actions.get(row.id, ActionCounts()),
            alerts=linked.get(row.id, 0),
        )
        for row in rows
    ]


def read_incident(visit: Visit, incident_id: str) -> IncidentView:
    """One incident.

    Raises:
        NotFound: There is none.
    """
    with visit.database.reading() as session:
        row = incidents.get(session, incident_id)
        found = [alerts.get(session, each) for each in incident_alerts.linked(session, row.id)]
        actions = incident_actions.of_incident(session, row.id)
        return IncidentView(
            incident=row,
            level=risk.level(row.frequency, row.severity),
            level_after=risk.level(row.frequency_after, row.severity_after),
            whys=_tree(incident_causes.of_incident(session, row.id)),
            actions=actions,
            alerts=inbox.alert_views(session, visit.translate, found),
            accidents=accidents.page(session, incident_id=row.id),
            calm=read_calm(session, row, actions, now=visit.now),
            history=audit.list_entries(session, subject=row.id),
            kept=evidence_keeping.of_incident(session, row.id),
            holds=holds.over_incident(session, row.id),
            next=MOVES[State(row.state)],
        )


def _tree(causes: Sequence[IncidentCause]) -> list[Why]:
    """Depth first, so that every cause stands below what it explains."""
    below: dict[str | None, list[IncidentCause]] = {}
    for each in causes:
        below.setdefault(each.parent_id, []).append(each)
    found: list[Why] = []
    waiting = [(each, 0) for each in reversed(below.get(None, []))]
    while waiting:
        cause, depth = waiting.pop()
        found.append(Why(cause=cause, depth=depth))
        waiting += [(each, depth + 1) for each in reversed(below.get(cause.id, []))]
    return found
