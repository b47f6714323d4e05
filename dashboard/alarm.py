"""What every page shows of the alerts: how many are open, and whether one is dangerous now."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from dashboard.visit import Visit
from safety.store import alert_lists
from safety.store.alerts import AlertState
from safety.store.tables import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """The alerts that nobody has acknowledged.

    Attributes:
        open: How many conversations.
        danger: Whether the situation of one of them lasts.
        newest: Id of the newest one, for the sound; empty if there is none.
    """

    open: int = 0
    danger: bool = False
    newest: str = ""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the page has to show something else."""
        return f"{self.open}-{int(self.danger)}-{self.newest[:12]}"


def read_alarm(visit: Visit) -> Alarm:
    """The alarm as it stands now."""
    with visit.database.reading() as session:
        return alarm(session)


def alarm(session: Session) -> Alarm:
    """The alarm, read in an open session."""
    raised = Alert.state == AlertState.RAISED.value
    leads = col(Alert.leads).is_(True)
    number = session.exec(select(func.count()).where(raised, leads)).one()
    danger = select(Alert.id).where(
        raised, col(Alert.cleared_at).is_(None), Alert.kind == "violation"
    )
    # One that joins a conversation sounds as well.
    newest = alert_lists.list_alerts(session, state=AlertState.RAISED, limit=1)
    return Alarm(
        open=number,
        danger=session.exec(danger.limit(1)).first() is not None,
        newest=newest[0].id if newest else "",
    )
