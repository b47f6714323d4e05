"""Alerts, their audit trail, and the outbox."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import Session

from safety.store import alert_lists, alerts, audit, outbox, violations
from safety.store.alerts import AlertState
from safety.store.database import Database
from safety.store.refusals import Conflict, NotFound
from safety.store.tables import Alert
from safety.types import Severity
from tests.support.database import NOON, after
from tests.support.violations import opened

Step = Callable[[Session, str], object]

STEPS: dict[str, Step] = {
    "acknowledge": lambda s, i: alerts.acknowledge(s, i, by="kim", at=NOON),
    "confirm": lambda s, i: alerts.decide(s, i, verdict=AlertState.CONFIRMED, by="kim", at=NOON),
    "dismiss": lambda s, i: alerts.decide(
        s, i, verdict=AlertState.FALSE_POSITIVE, by="kim", at=NOON
    ),
    "expire": lambda s, i: alerts.expire(s, i, at=NOON),
}


def _raise(database: Database, key: str = "v1", at: float = 0.0, camera: str = "cam-1") -> str:
    with database.transaction() as session:
        violations.save_violation(session, opened(key, camera_id=camera))
        alert = alerts.raise_alert(
            session,
            kind="violation",
            dedupe_key=key,
            severity=Severity.DANGER,
            message_key="alert.intrusion",
            params={"zone": "프레스"},
            raised_at=after(at),
            violation_id=key,
            camera_id=camera,
        )
        assert alert is not None
        return alert.id


def _get(database: Database, alert_id: str) -> Alert:
    with database.reading() as session:
        return alerts.get(session, alert_id)


def _walk(database: Database, alert_id: str, *steps: str) -> None:
    for step in steps:
        with database.transaction() as session:
            STEPS[step](session, alert_id)


def test_the_same_situation_raises_one_alert(database: Database) -> None:
    alert_id = _raise(database)
    with database.transaction() as session:
        again = alerts.raise_alert(
            session,
            kind="violation",
            dedupe_key="v1",
            severity=Severity.DANGER,
            message_key="alert.intrusion",
            params={},
            raised_at=after(9),
        )
        assert again is None
        (found,) = alerts.list_alerts(session)
    assert (found.id, found.params, found.raised_at) == (alert_id, {"zone": "프레스"}, NOON)


@pytest.mark.parametrize(
    ("steps", "state", "version"),
    [
        (["acknowledge"], AlertState.ACKNOWLEDGED, 2),
        (["acknowledge", "acknowledge"], AlertState.ACKNOWLEDGED, 2),
        (["acknowledge", "confirm"], AlertState.CONFIRMED, 3),
        (["acknowledge", "dismiss"], AlertState.FALSE_POSITIVE, 3),
        (["acknowledge", "expire"], AlertState.EXPIRED, 3),
        (["confirm"], AlertState.CONFIRMED, 2),
        (["dismiss"], AlertState.FALSE_POSITIVE, 2),
        (["expire"], AlertState.EXPIRED, 2),
    ],
)
def test_alerts_go_their_legal_ways(
    database: Database, steps: list[str], state: AlertState, version: int
) -> None:
    alert_id = _raise(database)
    _walk(database, alert_id, *steps)
    alert = _get(database, alert_id)
    assert (alert.state, alert.version) == (state, version)
    by_people = state is not AlertState.EXPIRED or "acknowledge" in steps
    assert (alert.acknowledged_by == "kim") is by_people


@pytest.mark.parametrize("end", ["confirm", "dismiss", "expire"])
@pytest.mark.parametrize("step", list(STEPS))
def test_an_alert_that_is_over_stays_as_it_is(database: Database, end: str, step: str) -> None:
    alert_id = _raise(database)
    _walk(database, alert_id, end)
    before = _get(database, alert_id)
    with pytest.raises(Conflict) as caught:
        _walk(database, alert_id, step)
    assert caught.value.key == "alert.transition"
    assert _get(database, alert_id) == before


def test_a_change_made_from_an_old_view_is_refused(database: Database) -> None:
    alert_id = _raise(database)
    _walk(database, alert_id, "acknowledge")
    with pytest.raises(Conflict, match="by kim") as caught, database.transaction() as session:
        alerts.decide(
            session,
            alert_id,
            verdict=AlertState.CONFIRMED,
            by="lee",
            at=NOON,
            expected_version=1,
        )
    assert caught.value.key == "alert.changed"


@pytest.mark.parametrize("step", list(STEPS))
def test_unknown_alerts_are_not_found(database: Database, step: str) -> None:
    with pytest.raises(NotFound):
        _walk(database, "unknown", step)


def test_what_people_do_is_audited_and_what_anjeon_does_is_not(database: Database) -> None:
    alert_id = _raise(database)
    _walk(database, alert_id, "acknowledge", "acknowledge")
    with database.transaction() as session:
        alerts.decide(
            session, alert_id, verdict=AlertState.FALSE_POSITIVE, by="lee", at=NOON, note="비닐"
        )
        alerts.clear(session, "v1", at=NOON)
        entries = audit.list_entries(session, subject=alert_id)
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("lee", "alert.decide"),
        ("kim", "alert.acknowledge"),
    ]
    assert entries[0].detail == {"verdict": "false_positive", "note": "비닐"}


def test_an_undone_acknowledgement_leaves_no_audit(database: Database) -> None:
    alert_id = _raise(database)

    def fail() -> None:
        with database.transaction() as session:
            alerts.acknowledge(session, alert_id, by="kim", at=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as session:
        assert audit.list_entries(session) == []
        assert alerts.get(session, alert_id).state == "raised"


def test_the_end_of_the_situation_is_noted_once(database: Database) -> None:
    alert_id = _raise(database)
    with database.transaction() as session:
        assert [alert.id for alert in alerts.uncleared(session, kind="violation")] == [alert_id]
        cleared = alerts.clear(session, "v1", at=after(5))
        assert cleared is not None
        assert alerts.clear(session, "v1", at=after(9)) is None
        assert alerts.clear(session, "unknown", at=after(9)) is None
        assert alerts.uncleared(session) == []
    alert = _get(database, alert_id)
    assert (alert.cleared_at, alert.state, alert.version) == (after(5), "raised", 2)


def test_pages_hold_every_alert_once_newest_first(database: Database) -> None:
    made = [_raise(database, f"v{n}", at, f"cam-{n % 2}") for n, at in enumerate([0, 5, 5, 5, 9])]
    seen: list[str] = []
    with database.reading() as session:
        while page := alerts.list_alerts(session, before=seen[-1] if seen else None, limit=2):
            seen += [alert.id for alert in page]
        assert sorted(seen) == sorted(made)
        assert (seen[0], seen[-1]) == (made[4], made[0])
        assert {alert.camera_id for alert in alerts.list_alerts(session, camera="cam-1")} == {
            "cam-1"
        }
        with pytest.raises(NotFound):
            alerts.list_alerts(session, before="unknown")


def test_alerts_are_found_and_counted_by_state(database: Database) -> None:
    one, two, three = (_raise(database, f"v{n}") for n in range(3))
    _walk(database, one, "acknowledge")
    _walk(database, two, "dismiss")
    with database.reading() as session:
        assert [each.id for each in alerts.list_alerts(session, state="raised")] == [three]
        still_open = alerts.list_alerts(session, state=alerts.OPEN_STATES)
        assert {each.id for each in still_open} == {one, three}
        counts = alerts.counts(session)
        attended = alerts.attended_violations(session, ["v0", "v1", "v2", "unknown"])
    assert counts == {
        AlertState.RAISED: 1,
        AlertState.ACKNOWLEDGED: 1,
        AlertState.CONFIRMED: 0,
        AlertState.FALSE_POSITIVE: 1,
        AlertState.EXPIRED: 0,
    }
    assert attended == {"v0": AlertState.ACKNOWLEDGED, "v1": AlertState.FALSE_POSITIVE}


def _enqueue(database: Database, *channels: str, event: str = "raised") -> list[str]:
    with database.transaction() as session:
        (alert,) = alerts.list_alerts(session)
        rows = outbox.enqueue(session, alert, event, channels, {"n": 1}, NOON, after(3600))
        return [row.id for row in rows]


def test_an_event_reaches_the_outbox_once_per_channel(database: Database) -> None:
    _raise(database)
    assert len(_enqueue(database, "office", "night")) == 2
    assert len(_enqueue(database, "office", "night", "boss")) == 1
    assert len(_enqueue(database, "office", event="cleared")) == 1


def test_deliveries_fall_due_and_are_done_or_given_up(database: Database) -> None:
    _raise(database)
    good, bad, slow = _enqueue(database, "good", "bad", "slow")
    with database.transaction() as session:
        assert {row.id for row in outbox.due(session, NOON, 10)} == {good, bad, slow}
        assert [row.id for row in outbox.due(session, NOON, 10, channel_id="bad")] == [bad]
        outbox.delivered(session, good, at=after(1))
        outbox.delivered(session, good, at=after(2))
        outbox.failed(session, slow, error="HTTP 500", retry_at=after(30))
        outbox.dead(session, bad, error="HTTP 410")
        assert outbox.due(session, after(29), 10) == []
        assert [row.id for row in outbox.due(session, after(30), 10)] == [slow]
        rows = {row.channel_id: row for row in outbox.of_channel(session, "good")}
        rows |= {row.channel_id: row for row in outbox.of_channel(session, "bad", state="dead")}
        rows |= {row.channel_id: row for row in outbox.of_channel(session, "slow")}
        backlog = outbox.backlog(session)
    assert {name: (row.state, row.attempts, row.last_error) for name, row in rows.items()} == {
        "good": ("delivered", 1, None),
        "bad": ("dead", 1, "HTTP 410"),
        "slow": ("pending", 1, "HTTP 500"),
    }
    assert rows["good"].delivered_at == after(1)
    assert backlog == {
        "bad": outbox.Backlog(dead=1),
        "slow": outbox.Backlog(waiting=1, oldest_at=NOON),
    }


def test_what_was_delivered_is_neither_failed_nor_given_up_afterwards(database: Database) -> None:
    _raise(database)
    (delivery,) = _enqueue(database, "office")
    with database.transaction() as session:
        outbox.delivered(session, delivery, at=NOON)
        outbox.failed(session, delivery, error="late", retry_at=NOON)
        outbox.dead(session, delivery, error="late")
        assert outbox.get(session, delivery).state == "delivered"
        with pytest.raises(NotFound):
            outbox.delivered(session, "unknown", at=NOON)


def test_the_longest_due_come_first_and_no_more_than_asked_for(database: Database) -> None:
    _raise(database)
    first, second, third = _enqueue(database, "a", "b", "c")
    with database.transaction() as session:
        outbox.failed(session, third, error="x", retry_at=after(1))
        outbox.failed(session, second, error="x", retry_at=after(2))
        outbox.failed(session, first, error="x", retry_at=after(3))
        assert [row.id for row in outbox.due(session, after(9), 2)] == [third, second]


def test_a_clock_that_was_set_back_holds_nothing_up(database: Database) -> None:
    _raise(database)
    (delivery,) = _enqueue(database, "office")
    an_hour_ago = NOON - timedelta(hours=1)
    with database.reading() as session:
        assert [row.id for row in outbox.due(session, an_hour_ago, 10)] == [delivery]


def test_what_was_given_up_can_be_retried_by_hand(database: Database) -> None:
    _raise(database)
    (delivery,) = _enqueue(database, "office")
    with database.transaction() as session:
        with pytest.raises(Conflict):
            outbox.retry(session, delivery, by="kim", now=NOON, deadline=after(60))
        outbox.dead(session, delivery, error="deadline", attempted=False)
        row = outbox.retry(session, delivery, by="kim", now=after(90), deadline=after(150))
        assert (row.state, row.attempts, row.deadline_at) == ("pending", 0, after(150))
        assert audit.list_entries(session, actor="kim")[0].action == "delivery.retry"
        assert [each.id for each in outbox.of_alert(session, row.alert_id)] == [delivery]


def test_the_lists_know_every_state() -> None:
    assert set(alert_lists.STATES) == set(AlertState)
