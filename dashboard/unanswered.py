"""Alerts of which everybody was told and which nobody has answered: they stay on the wall."""

from dashboard.visit import Visit
from safety.store import conversations
from safety.store.tables import Alert


def read_unanswered(visit: Visit) -> list[tuple[Alert, str]]:
    """Those alerts, newest first, with their sentences."""
    with visit.database.reading() as session:
        rows = conversations.unanswered(session)
    return [(row, visit.translate(row.message_key, **row.params)) for row in rows]
