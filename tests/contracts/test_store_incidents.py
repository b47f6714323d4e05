"""Incidents on record, on every database: from alert to closed, each step audited."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlmodel import Session

from safety.incidents.errors import IncidentError
from safety.incidents.incident_entry import IncidentEntry, Person
from safety.incidents.types import ActionState, Control, FalseAlarm, Kind, Role, State
from safety.store import (
    alerts,
    audit,
    idempotency,
    incident_action_lists,
    incident_actions,
    incident_alerts,
    incident_causes,
    incident_judging,
    incidents,
    violations,
)
from safety.store.alerts import AlertState, Verdict
from safety.store.database import Database
from safety.store.incident_actions import ActionEntry
from safety.store.refusals import Conflict, Invalid, NotFound
from safety.types import Severity
from tests.support.database import NOON, after
from tests.support.violations import opened

TODAY = NOON.date()


def raise_alert(session: Session, number: int, rule_id: str = "entry") -> str:
    seen = replace(opened(f"{number:032x}"), rule_id=rule_id)
    violations.save_violation(session, seen)
    alert = alerts.raise_alert(
        session,
        kind="violation",
        dedupe_key=seen.id,
        severity=Severity.DANGER,
        message_key="alert.intrusion",
        params={},
        raised_at=after(number),
        violation_id=seen.id,
        camera_id=seen.camera_id,
    )
    assert alert is not None
    return alert.id


def entry(**changes: Any) -> IncidentEntry:
    values: dict[str, Any] = {
        "kind": Kind.NEAR_MISS,
        "title": "손이 프레스에 가까웠다",
        "occurred_at": NOON,
    }
    return IncidentEntry(**values | changes)


def action(**changes: Any) -> ActionEntry:
    values: dict[str, Any] = {
        "text": "광전자식 방호장치 설치",
        "control": Control.ENGINEERING,
        "owner": "생산팀장",
        "due_on": TODAY + timedelta(days=7),
    }
    return ActionEntry(**values | changes)


def deeds(session: Session, subject: str) -> list[str]:
    return [each.action for each in reversed(audit.list_entries(session, subject=subject))]


def test_from_alerts_to_closed_and_open_again(database: Database) -> None:
    with database.transaction() as session:
        first, second, third = (raise_alert(session, n) for n in (1, 2, 3))
        incident_judging.merge(session, first, [second], by="op", at=after(9))
        made = incident_alerts.open_incident(session, [first], entry(), by="op", at=after(10))
        assert (made.number, made.state, made.rule_id, made.version) == (1, "draft", "entry", 1)
        incident_alerts.link(session, made.id, [third], by="op", at=after(11))
        assert set(incident_alerts.linked(session, made.id)) == {first, second, third}
        assert {alerts.get(session, each).state for each in (first, second, third)} == {"confirmed"}
    common: dict[str, Any] = {"by": "manager", "at": after(20)}
    with database.transaction() as session:
        incidents.move(session, made.id, State.INVESTIGATING, **common)
        why = incident_causes.add(session, made.id, text="덮개가 열림", parent_id=None, **common)
        deeper = incident_causes.add(session, made.id, text="점검 없음", parent_id=why.id, **common)
        todo = incident_actions.add(session, made.id, action(), today=TODAY, **common)
        incidents.move(session, made.id, State.ACTIONS, **common)
        with pytest.raises(Conflict, match="not verified"):
            incidents.move(session, made.id, State.VERIFIED, **common)
        incident_actions.move(session, todo.id, ActionState.DONE, **common)
        with pytest.raises(Conflict, match="not verified"):
            incidents.move(session, made.id, State.VERIFIED, **common)
        incident_actions.move(session, todo.id, ActionState.VERIFIED, note="현장 확인", **common)
        incidents.move(session, made.id, State.VERIFIED, **common)
        closed = incidents.move(session, made.id, State.CLOSED, **common)
        assert (closed.closed_by, closed.closed_at) == ("manager", after(20))
        for forbidden in (
            lambda: incidents.change(session, made.id, entry(title="other"), **common),
            lambda: incident_causes.remove(session, made.id, deeper.id, **common),
            lambda: incident_actions.add(session, made.id, action(), today=TODAY, **common),
            lambda: incident_alerts.link(session, made.id, [first], **common),
        ):
            with pytest.raises(Conflict, match="closed"):
                forbidden()
        with pytest.raises(IncidentError):
            incidents.move(session, made.id, State.INVESTIGATING, **common)
        again = incidents.move(
            session, made.id, State.INVESTIGATING, note="같은 일이 또 있었다", **common
        )
        assert (again.reopened, again.closed_at) == (1, None)
    with database.reading() as session:
        assert deeds(session, made.id) == [
            "incident.add",
            "incident.link",
            "incident.move",
            "incident.cause",
            "incident.cause",
            "incident.action",
            "incident.move",
            "incident.action",
            "incident.action",
            "incident.move",
            "incident.move",
            "incident.reopen",
        ]
        assert incidents.get(session, made.id).version == len(deeds(session, made.id))


@pytest.mark.parametrize("state", State)
def test_an_incident_goes_only_where_the_next_step_is(database: Database, state: State) -> None:
    with database.transaction() as session:
        made = incidents.add(session, entry(), by="op", at=NOON)
        if state is State.INVESTIGATING:
            incidents.move(session, made.id, state, by="op", at=NOON)
            return
        with pytest.raises(Conflict, match="cannot go"):
            incidents.move(session, made.id, state, by="op", at=NOON)


def test_closing_without_an_action_needs_a_cause_and_a_reason(database: Database) -> None:
    with database.transaction() as session:
        made = incidents.add(session, entry(), by="op", at=NOON)
        close: dict[str, Any] = {"by": "op", "at": NOON}
        incidents.move(session, made.id, State.INVESTIGATING, **close)
        with pytest.raises(Conflict, match="action first"):
            incidents.move(session, made.id, State.ACTIONS, **close)
        with pytest.raises(Conflict, match="why"):
            incidents.move(session, made.id, State.CLOSED, note="nothing to do", **close)
        incident_causes.add(session, made.id, text="a drill", parent_id=None, **close)
        with pytest.raises(IncidentError):
            incidents.move(session, made.id, State.CLOSED, **close)
        incidents.move(session, made.id, State.CLOSED, note="nothing to do", **close)


REFUSED: list[dict[str, Any]] = [
    {"title": ""},
    {"title": "\u200b\u0000"},
    {"title": "x" * 201},
    {"title": "김민수 900101-1234567"},
    {"description": "주민번호 9001011234568 입니다"},
    {"description": "x" * 4001},
    {"people": (Person(role=Role.WORKER, note="９００１０１－１２３４５６７"),)},
    {"people": (Person(role=Role.WORKER, count=0),)},
    {"people": (Person(role=Role.WORKER),) * 21},
    {"occurred_at": after(1)},
    {"frequency": 2},
    {"frequency": 4, "severity": 1},
    {"frequency_after": 0, "severity_after": 1},
]


def test_what_an_incident_cannot_say(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        for changes in REFUSED:
            with pytest.raises(IncidentError):
                incidents.add(session, entry(**changes), by="op", at=NOON)
        kept = incidents.add(session, entry(title="<b>🔥\x07위험</b>"), by="op", at=NOON)
        assert kept.title == "<b>🔥위험</b>"


def test_two_editors_do_not_overwrite_each_other(database: Database) -> None:
    with database.transaction() as session:
        made = incidents.add(session, entry(), by="op", at=NOON)
        changed = incidents.change(
            session, made.id, entry(place="2동"), by="op", at=NOON, expected_version=1
        )
        assert changed.version == 2
        with pytest.raises(Conflict, match="meantime"):
            incidents.change(
                session, made.id, entry(place="3동"), by="x", at=NOON, expected_version=1
            )
        # Saying the same again is no change.
        assert incidents.change(session, made.id, entry(place="2동"), by="x", at=NOON).version == 2


def test_numbers_are_unique_when_two_are_made_at_once(database: Database) -> None:
    meeting = Barrier(2)

    def make() -> None:
        meeting.wait(10)
        with database.transaction() as session:
            incidents.add(session, entry(), by="op", at=NOON)

    threads = [Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    with database.reading() as session:
        assert {each.number for each in incidents.list_incidents(session)} == {1, 2}


def test_causes_are_a_tree_and_go_with_what_explains_them(database: Database) -> None:
    with database.transaction() as session:
        made = incidents.add(session, entry(), by="op", at=NOON)

        def why(text: str, parent: str | None) -> str:
            return incident_causes.add(
                session, made.id, text=text, parent_id=parent, by="op", at=NOON
            ).id

        top = why("one", None)
        parent = top
        for number in range(incident_causes.MOST_WHYS - 1):
            parent = why(f"why {number}", parent)
        with pytest.raises(IncidentError):
            why("one too many", parent)
        beside = why("beside", None)
        with pytest.raises(NotFound):
            why("of nothing", "no-such-cause")
        incident_causes.remove(session, made.id, top, by="op", at=NOON)
        assert [each.id for each in incident_causes.of_incident(session, made.id)] == [beside]


class TestActions:
    """Corrective actions."""

    @pytest.fixture
    def incident_id(self, database: Database) -> str:
        with database.transaction() as session:
            return incidents.add(session, entry(), by="op", at=NOON).id

    def test_the_one_that_is_due_first_comes_first(
        self, database: Database, incident_id: str
    ) -> None:
        with database.transaction() as session:
            for ahead in (9, 1, 5):
                wanted = action(due_on=TODAY + timedelta(days=ahead))
                incident_actions.add(session, incident_id, wanted, today=TODAY, by="m", at=NOON)
        with database.reading() as session:
            rows = incident_action_lists.list_actions(session, limit=2)
            rest = incident_action_lists.list_actions(session, after=rows[-1].id)
            days = [(each.due_on - TODAY).days for each in (*rows, *rest)]
            assert days == [1, 5, 9]
            late = incident_action_lists.list_actions(session, due_before=TODAY + timedelta(days=5))
            assert len(late) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"due_on": TODAY - timedelta(days=1)},
            {"due_on": date(2099, 1, 1)},
            {"text": ""},
            {"owner": " "},
            {"owner": "x" * 121},
            {"text": "900101-1234567"},
        ],
    )
    def test_what_an_action_cannot_say(
        self, sqlite_database: Database, changes: dict[str, Any]
    ) -> None:
        with sqlite_database.transaction() as session:
            made = incidents.add(session, entry(), by="op", at=NOON)
            with pytest.raises(IncidentError):
                incident_actions.add(
                    session, made.id, action(**changes), today=TODAY, by="m", at=NOON
                )

    def test_an_overdue_action_can_be_reworded_but_not_postponed_into_the_past(
        self, database: Database, incident_id: str
    ) -> None:
        later = TODAY + timedelta(days=30)
        with database.transaction() as session:
            made = incident_actions.add(
                session, incident_id, action(), today=TODAY, by="m", at=NOON
            )
            change: Callable[..., Any] = lambda wanted: incident_actions.change(  # noqa: E731
                session, made.id, wanted, today=later, by="m", at=NOON
            )
            assert change(action(owner="설비팀")).owner == "설비팀"
            with pytest.raises(IncidentError):
                change(action(due_on=TODAY + timedelta(days=8)))
            assert change(action(due_on=later)).due_on == later
            incident_actions.move(
                session, made.id, ActionState.DROPPED, note="겹침", by="m", at=NOON
            )
            with pytest.raises(Conflict):
                change(action(text="again"))
            with pytest.raises(Conflict):
                incident_actions.move(
                    session, made.id, ActionState.VERIFIED, note="seen", by="m", at=NOON
                )


class TestJudging:
    """Confirmed, or false with a reason."""

    def test_the_precision_of_a_rule_counts_each_situation_once(self, database: Database) -> None:
        with database.transaction() as session:
            real, twin, false, open_, other = (
                raise_alert(session, n, "entry" if n < 5 else "stay") for n in range(1, 6)
            )
            incident_judging.merge(session, real, [twin], by="op", at=NOON)
            assert alerts.get(session, twin).state == "acknowledged"
            judged: list[tuple[str, Verdict, FalseAlarm | None]] = [
                (real, AlertState.CONFIRMED, None),
                (false, AlertState.FALSE_POSITIVE, FalseAlarm.OUTSIDE),
                (other, AlertState.FALSE_POSITIVE, FalseAlarm.NO_PERSON),
            ]
            for alert_id, verdict, reason in judged:
                incident_judging.judge(
                    session, alert_id, verdict=verdict, reason=reason, by="op", at=NOON
                )
            assert alerts.get(session, twin).state == "confirmed"
            found = incident_judging.judged(session)
            assert (found["entry"].confirmed, found["entry"].false) == (1, 1)
            assert found["entry"].reasons == {"outside": 1}
            assert (found["stay"].confirmed, found["stay"].false) == (0, 1)
            assert incident_judging.judged(session, since=after(5)).keys() == {"stay"}
            assert incident_judging.judged(session, rule_id="none") == {}
            assert alerts.get(session, open_).state == "raised"

    def test_reasons_belong_to_false_alarms_and_another_reason_needs_words(
        self, database: Database
    ) -> None:
        with database.transaction() as session:
            alert_id = raise_alert(session, 1)
            wrong: list[tuple[Verdict, FalseAlarm]] = [
                (AlertState.CONFIRMED, FalseAlarm.OUTSIDE),
                (AlertState.FALSE_POSITIVE, FalseAlarm.OTHER),
            ]
            for verdict, reason in wrong:
                with pytest.raises(IncidentError):
                    incident_judging.judge(
                        session, alert_id, verdict=verdict, reason=reason, by="op", at=NOON
                    )
            assert alerts.get(session, alert_id).state == "raised"

    def test_what_cannot_be_merged(self, database: Database) -> None:
        with database.transaction() as session:
            a, b, c = (raise_alert(session, n) for n in (1, 2, 3))
            incident_alerts.open_incident(session, [a], entry(), by="op", at=NOON)
            incident_alerts.open_incident(session, [b], entry(), by="op", at=NOON)
            incident_judging.judge(session, c, verdict=AlertState.FALSE_POSITIVE, by="op", at=NOON)
            for into, others in ((a, [b]), (a, [c]), (c, [a])):
                with pytest.raises(Conflict):
                    incident_judging.merge(session, into, others, by="op", at=NOON)
            with pytest.raises(Conflict):
                incident_alerts.open_incident(session, [c], entry(), by="op", at=NOON)
            with pytest.raises(IncidentError):
                incident_judging.merge(session, a, [a], by="op", at=NOON)
            with pytest.raises(NotFound):
                incident_judging.merge(session, a, ["nothing"], by="op", at=NOON)

    def test_merging_what_was_merged_keeps_one_in_front(self, database: Database) -> None:
        with database.transaction() as session:
            a, b, c = (raise_alert(session, n) for n in (1, 2, 3))
            incident_judging.merge(session, b, [c], by="op", at=NOON)
            incident_judging.merge(session, a, [b], by="op", at=NOON)
            assert set(incident_judging.merged_into(session, a)) == {b, c}
            # Named by one that is merged itself, the one in front is meant.
            incident_judging.merge(session, c, [a], by="op", at=NOON)
            assert set(incident_judging.merged_into(session, a)) == {b, c}
            assert incident_judging.merged_into(session, b) == []


class TestIdempotency:
    """The same request twice."""

    def ask(self, database: Database, key: str | None, request: bytes, actor: str = "a") -> Any:
        with database.transaction() as session:

            def do() -> dict[str, Any]:
                return {"number": incidents.add(session, entry(), by=actor, at=NOON).number}

            return idempotency.once(
                session, key=key, actor=actor, place="POST /x", request=request, at=NOON, do=do
            )

    def test_a_key_does_a_thing_once_and_others_keys_are_others(self, database: Database) -> None:
        assert self.ask(database, "k", b"1") == self.ask(database, "k", b"1") == {"number": 1}
        assert self.ask(database, "k", b"1", actor="b") == {"number": 2}
        assert self.ask(database, None, b"1") == {"number": 3}
        with pytest.raises(Conflict):
            self.ask(database, "k", b"2")

    @pytest.mark.parametrize("key", ["", "x" * 201, "한글", "a\nb"])
    def test_strange_keys_are_refused(self, sqlite_database: Database, key: str) -> None:
        with pytest.raises(Invalid):
            self.ask(sqlite_database, key, b"1")

    def test_a_failed_deed_may_be_tried_again(self, database: Database) -> None:
        def fail() -> dict[str, Any]:
            raise Conflict("incident.changed", "no")

        with pytest.raises(Conflict), database.transaction() as session:
            idempotency.once(
                session, key="k", actor="a", place="POST /x", request=b"1", at=NOON, do=fail
            )
        assert self.ask(database, "k", b"1") == {"number": 1}
