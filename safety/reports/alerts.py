"""What became of a month's alerts."""

import statistics
from datetime import datetime

from sqlmodel import Session

from safety.kpi.intervals import share_interval
from safety.reports.schema import AlertFacts, Figure
from safety.store.alerts import AlertState
from safety.store.report_counts import alert_counts, delivery_counts


def alert_facts(session: Session, *, since: datetime, until: datetime) -> AlertFacts:
    """Alerts that were raised, and notices that were sent, in a window (UTC)."""
    alerts = alert_counts(session, since=since, until=until)
    notices = delivery_counts(session, since=since, until=until)
    confirmed = alerts.states.get(AlertState.CONFIRMED, 0)
    false = alerts.states.get(AlertState.FALSE_POSITIVE, 0)
    waited = alerts.acknowledged_s
    return AlertFacts(
        raised=alerts.raised,
        acknowledged=len(waited),
        median_acknowledge_s=round(statistics.median(waited), 3) if waited else None,
        confirmed=confirmed,
        false_alarms=false,
        precision=share(confirmed, confirmed + false),
        deliveries=notices.all,
        delivered=notices.delivered,
        late=notices.late,
        given_up=notices.given_up,
    )


def share(hits: int, of: int) -> Figure:
    """A share with its exact interval, None of nothing."""
    if not of:
        return Figure(cases=0, exposure=0, per=1, value=None, lower=None, upper=None)
    interval = share_interval(hits, of)
    return Figure(
        cases=hits,
        exposure=of,
        per=1,
        value=round(hits / of, 6),
        lower=round(interval.lower, 6),
        upper=round(interval.upper, 6),
    )
