"""Whether a rule has calmed down, and Form 30 from what is known."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from dashboard.incident_calm import CalmVerdict, judged, read_calm
from dashboard.incident_linking import precision
from safety.i18n import translator
from safety.incidents.accident_entry import AccidentEntry
from safety.incidents.form30 import Findings, PlannedAction, WorkplaceEntry, draft
from safety.incidents.incident_entry import IncidentEntry
from safety.incidents.types import (
    AccidentKind,
    ActionState,
    Control,
    Kind,
    Outcome,
    WorkerGroup,
)
from safety.kpi.comparison import Period
from safety.store import coverage, incident_actions, incidents, violations
from safety.store.database import Database
from safety.store.incident_actions import ActionEntry
from safety.store.incident_judging import Judged
from safety.store.incidents import Origin
from safety.types import CameraState
from tests.support.database import NOON
from tests.support.violations import START, opened

HOUR = 3600.0


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((20, 100.0), (3, 100.0), CalmVerdict.CALMER),
        ((3, 100.0), (20, 100.0), CalmVerdict.WORSE),
        ((4, 100.0), (3, 100.0), CalmVerdict.NOT_SHOWN),
        # Fewer, but only because less was watched.
        ((20, 200.0), (2, 20.0), CalmVerdict.NOT_SHOWN),
        ((20, 100.0), (0, 7.9), CalmVerdict.TOO_EARLY),
        ((0, 100.0), (0, 100.0), CalmVerdict.TOO_EARLY),
        ((5, 0.0), (0, 100.0), CalmVerdict.TOO_EARLY),
    ],
)
def test_what_may_be_said(
    before: tuple[int, float], after: tuple[int, float], verdict: CalmVerdict
) -> None:
    found = judged(
        Period(cases=before[0], exposure=before[1]),
        Period(cases=after[0], exposure=after[1]),
        since=NOON,
    )
    assert found.verdict is verdict


def test_precision_has_an_interval_and_nothing_is_said_of_nothing() -> None:
    assert precision(Judged()).share is None
    found = precision(Judged(confirmed=9, false=1))
    assert found.share == 0.9
    assert (round(found.interval.lower, 4), round(found.interval.upper, 4)) == (0.5550, 0.9975)


def test_violations_are_counted_per_hour_that_was_watched(sqlite_database: Database) -> None:
    done = NOON + timedelta(days=40)
    now = done + timedelta(days=3)
    with sqlite_database.transaction() as session:
        for day in (-10, -5, -1, 1, 40):
            seen = opened(f"{day % 100:032x}", at=START.shifted(0))
            moment = replace(seen.opened_at, wall=(done + timedelta(days=day)).timestamp())
            shifted = replace(seen, opened_at=moment, captured_at=moment, rule_id="entry")
            violations.save_violation(session, shifted)
        for start, hours in ((done - timedelta(days=9), 30), (done + timedelta(hours=1), 20)):
            for state in (CameraState.LIVE, CameraState.BLIND):
                coverage.save_interval(
                    session,
                    camera_id="cam-1",
                    state=state,
                    reason="ok",
                    started_at=start,
                    seconds=hours * HOUR,
                    is_open=False,
                )
        made = incidents.add(
            session,
            IncidentEntry(kind=Kind.NEAR_MISS, title="x", occurred_at=NOON),
            by="m",
            at=NOON,
            origin=Origin(rule_id="entry", camera_id="cam-1"),
        )
        entry = ActionEntry(
            text="x", control=Control.ENGINEERING, owner="x", due_on=date(2026, 3, 1)
        )
        todo = incident_actions.add(session, made.id, entry, today=NOON.date(), by="m", at=NOON)
        assert read_calm(session, made, [todo], now=now) is None
        incident_actions.move(session, todo.id, ActionState.DONE, by="m", at=done)
        found = read_calm(session, made, [todo], now=now)
        assert found is not None
        assert (found.before.cases, found.before.exposure) == (3, 30.0)
        assert (found.after.cases, found.after.exposure) == (1, 20.0)


def test_the_form_takes_from_the_incident_what_the_accident_does_not_say() -> None:
    accident = AccidentEntry(
        occurred_on=date(2026, 3, 5),
        occurred_time="09:30",
        kind=AccidentKind.CAUGHT,
        outcome=Outcome.LOST_TIME,
        worker_group=WorkerGroup.CONTRACTOR,
        lost_days=14.0,
        place="2동",
    )
    findings = Findings(
        place="elsewhere",
        description="손이 끼임",
        causes=("덮개 열림", "점검 없음"),
        actions=(
            PlannedAction(
                text="방호장치",
                control=Control.ENGINEERING,
                owner="팀장",
                due_on=date(2026, 4, 1),
            ),
        ),
    )
    workplace = WorkplaceEntry(name="한빛", relation=WorkerGroup.CONTRACTOR, workers=0)
    form = draft(
        accident,
        workplace,
        findings,
        translate=translator("ko"),
        today=date(2026, 4, 6),
    )
    said = form.as_json()
    assert said["due_on"] == "2026-04-05"
    assert form.due is not None
    assert form.due.days == -1
    assert said["section_1"]["workers"] == "0"
    assert said["section_3"]["when"] == "2026년 3월 5일 (목)"
    assert said["section_3"]["place"] == "2동"
    assert said["section_3"]["description"] == "손이 끼임"
    assert said["section_3"]["cause"] == "1. 덮개 열림\n2. 점검 없음"
    assert "3. 공학적 대책" in said["section_4"]["plan"]
    assert {"client_name", "client_number", "process", "unsafe_act"} <= set(said["missing"])
    assert "plan" not in said["missing"]
