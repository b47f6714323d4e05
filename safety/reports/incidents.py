"""Incidents of a month with their causes and corrective actions, without names."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from safety.incidents.types import ActionState
from safety.reports.schema import ActionRow, IncidentRow
from safety.store import incident_actions, incident_causes, incidents
from safety.store.incident_tables import CorrectiveAction, Incident

_MOST = 500


def incident_rows(
    session: Session, *, since: datetime, until: datetime, zone: ZoneInfo, today: date
) -> tuple[IncidentRow, ...]:
    """Incidents that happened in a window, oldest first; 500 at most.

    Args:
        session: A session.
        since, until: UTC.
        zone: Of the site.
        today: The day for which "overdue" is told, by the site's calendar.
    """
    found = incidents.list_incidents(session, since=since, until=until, limit=_MOST)
    return tuple(_row(session, one, zone, today) for one in reversed(found))


def _row(session: Session, incident: Incident, zone: ZoneInfo, today: date) -> IncidentRow:
    causes = incident_causes.of_incident(session, incident.id)
    actions = incident_actions.of_incident(session, incident.id)
    return IncidentRow(
        number=incident.number,
        kind=incident.kind,
        state=incident.state,
        occurred_on=incident.occurred_at.astimezone(zone).date(),
        place=incident.place,
        summary=incident.title,
        causes=tuple(cause.text for cause in causes),
        actions=tuple(_action(action, zone, today) for action in actions),
    )


def _action(action: CorrectiveAction, zone: ZoneInfo, today: date) -> ActionRow:
    done_on = None if action.done_at is None else action.done_at.astimezone(zone).date()
    return ActionRow(
        text=action.text,
        control=action.control,
        state=action.state,
        due_on=action.due_on,
        done_on=done_on,
        overdue=action.state == ActionState.OPEN.value and action.due_on < today,
    )
