"""What the people of the made-up plant did with its alerts: near misses and corrective actions."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from safety.i18n import translator
from safety.incidents.incident_entry import IncidentEntry
from safety.incidents.types import ActionState, Control, Kind, State
from safety.site.spec import SiteSpec
from safety.store import incident_actions, incident_causes, incidents
from safety.store.alerts import AlertState
from safety.store.incident_actions import ActionEntry
from safety.store.incidents import Origin
from safety.store.tables import Alert

_EVERY = 40
"""One of so many confirmed alerts became an incident."""

_KINDS = (Kind.NEAR_MISS, Kind.UNSAFE_ACT, Kind.UNSAFE_CONDITION)
_WEIGHTS = (6, 3, 2)
_CAUSES = ("guard", "habit", "floor", "training", "pressure")
_CONTROLS = (Control.ENGINEERING, Control.ADMINISTRATIVE, Control.PPE, Control.ELIMINATION)


def people_did(
    session: Session, site: SiteSpec, *, chance: random.Random, by: str, now: datetime
) -> int:
    """Make incidents of some confirmed alerts; the older ones are closed by now.

    Returns:
        How many.
    """
    confirmed = select(Alert.id).where(Alert.state == AlertState.CONFIRMED.value)
    ids: Sequence[str] = session.exec(confirmed.order_by(col(Alert.raised_at), col(Alert.id))).all()
    chosen = ids[::_EVERY]
    for alert_id in chosen:
        alert = session.get(Alert, alert_id)
        if alert is not None:
            _incident(session, site, alert, chance, by, now)
    return len(chosen)


def _incident(
    session: Session, site: SiteSpec, alert: Alert, chance: random.Random, by: str, now: datetime
) -> None:
    say = translator(site.language)
    cause = chance.choice(_CAUSES)
    told_at = min(alert.raised_at + timedelta(hours=chance.uniform(1, 30)), now)
    entry = IncidentEntry(
        kind=chance.choices(_KINDS, _WEIGHTS)[0],
        title=say(f"history.title.{cause}", place=str(alert.params.get("place", ""))),
        occurred_at=alert.raised_at,
        place=str(alert.params.get("place", "")),
        frequency=chance.randint(1, 3),
        severity=chance.randint(1, 3),
    )
    origin = Origin(
        zone_id=alert.zone_id,
        camera_id=alert.camera_id,
        rule_id=alert.rule_id,
        alert_ids=(alert.id,),
    )
    row = incidents.add(session, entry, by=by, at=told_at, origin=origin)
    incidents.move(session, row.id, State.INVESTIGATING, by=by, at=told_at)
    incident_causes.add(
        session, row.id, text=say(f"history.cause.{cause}"), parent_id=None, by=by, at=told_at
    )
    _action(session, site, row.id, cause, chance, by, told_at, now)


def _action(
    session: Session,
    site: SiteSpec,
    incident_id: str,
    cause: str,
    chance: random.Random,
    by: str,
    told_at: datetime,
    now: datetime,
) -> None:
    say = translator(site.language)
    today = told_at.astimezone(ZoneInfo(site.timezone)).date()
    entry = ActionEntry(
        text=say(f"history.action.{cause}"),
        control=chance.choice(_CONTROLS),
        owner=say("history.owner"),
        due_on=today + timedelta(days=chance.randint(7, 40)),
    )
    action = incident_actions.add(session, incident_id, entry, today=today, by=by, at=told_at)
    done_at = told_at + timedelta(days=chance.lognormvariate(2.4, 0.6))
    if done_at >= now:
        return
    incidents.move(session, incident_id, State.ACTIONS, by=by, at=told_at)
    incident_actions.move(session, action.id, ActionState.DONE, by=by, at=done_at)
    verified_at = done_at + timedelta(days=3)
    if verified_at >= now:
        return
    note = say("history.verified")
    incident_actions.move(
        session, action.id, ActionState.VERIFIED, by=by, at=verified_at, note=note
    )
    incidents.move(session, incident_id, State.VERIFIED, by=by, at=verified_at)
    incidents.move(session, incident_id, State.CLOSED, by=by, at=verified_at, note=note)
