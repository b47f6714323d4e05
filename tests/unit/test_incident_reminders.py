"""Reminders of corrective actions and legal deadlines: once at their time, until it is done."""

from datetime import UTC, date, datetime, timedelta

import pytest

from alerts.notices import SiteContext
from safety.engine.reminders import remind
from safety.i18n import translator
from safety.incidents.accident_entry import AccidentEntry
from safety.incidents.incident_entry import IncidentEntry
from safety.incidents.reminders import action_stage, form_stage
from safety.incidents.types import (
    AccidentKind,
    ActionState,
    Control,
    Kind,
    Outcome,
    Representative,
    WorkerGroup,
)
from safety.store import accidents, alert_lists, incident_actions, incidents, outbox
from safety.store.database import Database
from safety.store.incident_actions import ActionEntry

MORNING = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
"""Half past nine in Seoul."""
TODAY = date(2026, 3, 2)
SITE = SiteContext(name="Works", timezone="Asia/Seoul", language="ko", messengers=("log",))


@pytest.mark.parametrize(
    ("days", "action", "form"),
    [
        (8, None, None),
        (7, None, "in7"),
        (4, None, "in7"),
        (3, None, "in3"),
        (1, None, "in1"),
        (0, "today", "today"),
        (-1, "week0", "week0"),
        (-7, "week0", "week0"),
        (-8, "week1", "week1"),
    ],
)
def test_stages(days: int, action: str | None, form: str | None) -> None:
    due_on = TODAY + timedelta(days=days)
    assert (action_stage(due_on, TODAY), form_stage(due_on, TODAY)) == (action, form)


def told(database: Database) -> dict[str, str]:
    """Kinds of reminders in the record with their states; each was told to the messenger."""
    with database.reading() as session:
        rows = alert_lists.list_alerts(session)
        for row in rows:
            assert [each.channel_id for each in outbox.of_alert(session, row.id)] == ["log"]
            title = translator("ko")(f"alert.title.{row.kind}", **row.params)
            assert "{" not in title
        return {
            row.dedupe_key.split(":")[0] + ":" + row.dedupe_key.split(":")[-1]: row.state
            for row in rows
        }


def test_an_overdue_action_is_told_once_a_week_until_it_is_done(sqlite_database: Database) -> None:
    database = sqlite_database
    with database.transaction() as session:
        made = incidents.add(
            session,
            IncidentEntry(kind=Kind.NEAR_MISS, title="손", occurred_at=MORNING),
            by="m",
            at=MORNING,
        )
        todo = incident_actions.add(
            session,
            made.id,
            ActionEntry(text="방호장치", control=Control.ENGINEERING, owner="팀장", due_on=TODAY),
            today=TODAY,
            by="m",
            at=MORNING,
        )
    # Nobody is woken for it: the working day has not begun.
    assert remind(database, site=SITE, now=MORNING - timedelta(hours=3)) == 0
    assert [remind(database, site=SITE, now=MORNING) for _ in range(3)] == [1, 0, 0]
    assert told(database) == {"action_due:today": "raised"}
    assert remind(database, site=SITE, now=MORNING + timedelta(days=1)) == 1
    assert told(database) == {"action_due:today": "expired", "action_due:week0": "raised"}
    assert remind(database, site=SITE, now=MORNING + timedelta(days=6)) == 0
    with database.transaction() as session:
        incident_actions.move(session, todo.id, ActionState.DONE, by="m", at=MORNING)
    assert remind(database, site=SITE, now=MORNING + timedelta(days=8)) == 0
    assert set(told(database).values()) == {"expired"}


def test_a_serious_accident_is_told_at_once_and_its_form_in_working_hours(
    sqlite_database: Database,
) -> None:
    database = sqlite_database
    entry = AccidentEntry(
        occurred_on=TODAY - timedelta(days=26),
        kind=AccidentKind.FALL,
        outcome=Outcome.FATALITY,
        worker_group=WorkerGroup.OWN,
        deaths=1,
    )
    night = MORNING + timedelta(hours=14)
    with database.transaction() as session:
        made = accidents.add(session, entry, by="m", at=MORNING)
        # What came with a file is history.
        accidents.add(session, entry, by="m", at=MORNING, import_id="x")
    assert remind(database, site=SITE, now=night) == 1
    assert told(database) == {"report_due:week3": "raised"}
    assert remind(database, site=SITE, now=MORNING) == 1
    with database.transaction() as session:
        accidents.report(session, made.id, by="m", at=MORNING)
        accidents.submit(
            session, made.id, representative=Representative.CONFIRMED, by="m", at=MORNING
        )
    assert remind(database, site=SITE, now=MORNING) == 0
    assert told(database) == {"report_due:week3": "expired", "form_due:in3": "expired"}
