"""What people are told of a situation from its beginning to its end, read from the outbox."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.escalation import advance
from alerts.escalation_book import EscalationBook
from alerts.grouping import Before, Part, part_of
from alerts.intake import close_lost, record_violation
from alerts.notices import SiteContext
from alerts.policy_spec import PolicySpec, RouteSpec, StepSpec
from safety.clock import Instant
from safety.store import alerts, contacts, conversations, outbox
from safety.store.alerts import AlertState
from safety.store.contacts import ContactValues
from safety.store.database import Database
from safety.store.refusals import Conflict, Invalid
from safety.store.tables import Alert, Delivery
from safety.store.times import utc
from safety.types import Severity, Violation
from tests.support.database import after
from tests.support.violations import START, cleared, opened

LADDER = RouteSpec(
    id="danger",
    name="Danger",
    severities=(Severity.DANGER,),
    steps=(
        StepSpec(channels=("chat",), roles=("operator",)),
        StepSpec(after_s=60, channels=("chat",), roles=("manager",)),
        StepSpec(after_s=180, channels=("sms",), roles=("manager",)),
    ),
)
PLAIN = SiteContext(name="Ansan", timezone="Asia/Seoul", language="en", messengers=("chat",))
ESCALATING = replace(
    PLAIN,
    messengers=("chat", "sms"),
    policy=PolicySpec(routes=(LADDER,), update_every_s=60),
)


class Plant:
    """A record whose policy is carried out whenever time passes.

    ``wall_jump_s`` is by how much the clock on the wall was set since the beginning.
    """

    def __init__(self, database: Database, site: SiteContext = ESCALATING) -> None:
        self.database = database
        self.site = site
        self.passed_s = 0.0
        self.wall_jump_s = 0.0
        self._book = EscalationBook()
        self._made = 0

    @property
    def now(self) -> Instant:
        at = START.shifted(self.passed_s)
        return Instant(wall=at.wall + self.wall_jump_s, monotonic=at.monotonic)

    def intrude(self, **values: object) -> Violation:
        """Somebody comes into the zone; another person each time unless the values say so."""
        self._made += 1
        made = replace(opened(f"v{self._made}", at=self.now), subject=f"person-{self._made}")
        violation = replace(made, **values)  # type: ignore[arg-type]
        self.report(violation)
        return violation

    def leave(self, violation: Violation) -> None:
        self.report(replace(cleared(violation), closed_at=self.now, captured_at=self.now))

    def report(self, violation: Violation) -> None:
        with self.database.transaction() as session:
            record_violation(
                session,
                violation,
                rule_channels=None,
                site=self.site,
                siren_latency_s=None,
                now=self.now,
            )

    def wait(self, seconds: float) -> None:
        """Let time pass, looking every second as the engine does (every ten, for long times)."""
        end = self.passed_s + seconds
        while self.passed_s < end:
            self.passed_s = min(end, self.passed_s + (1.0 if seconds <= 20 else 10.0))
            self.look()

    def look(self) -> None:
        with self.database.reading() as session:
            due = self._book.due(conversations.waiting(session), self.now)
        for each in due:
            with self.database.transaction() as session:
                advance(
                    session,
                    each.lead_id,
                    site=self.site,
                    logical=each.logical,
                    now=utc(self.now),
                    snoozed=each.snoozed,
                )

    def restart(self) -> None:
        self._book = EscalationBook()

    def acknowledge(self, alert_id: str) -> None:
        with self.database.transaction() as session:
            alerts.acknowledge(session, alert_id, by="kim", at=utc(self.now))
        self.look()

    def snooze(self, alert_id: str, minutes: int) -> None:
        with self.database.transaction() as session:
            conversations.snooze(session, alert_id, minutes=minutes, by="kim", at=utc(self.now))
        self.look()

    def alert(self, violation: Violation) -> Alert:
        with self.database.reading() as session:
            found = alerts.list_alerts(session, limit=1000)
        return next(each for each in found if each.violation_id == violation.id)

    def deliveries(self) -> list[Delivery]:
        with self.database.reading() as session:
            found = alerts.list_alerts(session, limit=1000)
            rows = [row for each in found for row in outbox.of_alert(session, each.id)]
        return sorted(rows, key=lambda row: (row.created_at, row.event))

    @property
    def told(self) -> list[str]:
        """Events in the outbox, oldest first, with their channel if there is more than one."""
        several = len(self.site.messengers) > 1
        return [f"{r.channel_id} {r.event}" if several else r.event for r in self.deliveries()]


@pytest.fixture
def plant(sqlite_database: Database) -> Plant:
    return Plant(sqlite_database)


@pytest.fixture
def plain(sqlite_database: Database) -> Plant:
    return Plant(sqlite_database, PLAIN)


CHAT_SMS = ["chat raised", "chat escalated:1", "sms escalated:2"]


def test_the_ladder_is_climbed_until_everybody_was_told(plant: Plant) -> None:
    alert = plant.alert(plant.intrude())
    plant.wait(50)
    assert plant.told == CHAT_SMS[:1]
    plant.wait(20)
    assert plant.told == CHAT_SMS[:2]
    plant.wait(300)
    assert plant.told == CHAT_SMS
    assert "Nobody has acknowledged for 3 min" in plant.deliveries()[-1].payload["text"]
    with plant.database.reading() as session:
        assert [each.id for each in conversations.unanswered(session)] == [alert.id]
        assert conversations.waiting(session) == []
    plant.acknowledge(alert.id)
    assert plant.told == [*CHAT_SMS, "chat acknowledged", "sms acknowledged"]
    with plant.database.reading() as session:
        assert conversations.unanswered(session) == []


@pytest.mark.parametrize("end", ["acknowledge", "confirm", "dismiss"])
def test_an_answer_ends_the_ladder_and_those_who_were_told_hear_of_it(
    plant: Plant, end: str
) -> None:
    alert = plant.alert(plant.intrude())
    plant.wait(70)
    with plant.database.transaction() as session:
        at = utc(plant.now)
        if end == "acknowledge":
            alerts.acknowledge(session, alert.id, by="kim", at=at)
        else:
            confirmed = end == "confirm"
            verdict: alerts.Verdict = (
                AlertState.CONFIRMED if confirmed else AlertState.FALSE_POSITIVE
            )
            alerts.decide(session, alert.id, verdict=verdict, by="kim", at=at)
    plant.wait(400)
    assert plant.told == [*CHAT_SMS[:2], "chat acknowledged"]
    assert "Acknowledged by kim" in plant.deliveries()[-1].payload["text"]


@pytest.mark.parametrize(("until", "goes_on"), [("acknowledged", True), ("over", False)])
def test_the_end_of_the_situation_ends_the_ladder_where_that_is_wanted(
    sqlite_database: Database, until: str, goes_on: bool
) -> None:
    route = LADDER.model_copy(update={"until": until})
    site = replace(ESCALATING, policy=PolicySpec(routes=(route,)))
    plant = Plant(sqlite_database, site)
    violation = plant.intrude()
    plant.wait(5)
    plant.leave(violation)
    plant.wait(100)
    assert ("chat escalated:1" in plant.told) is goes_on
    assert "chat cleared" in plant.told


def test_persons_on_duty_are_in_the_notice_and_in_their_language(plant: Plant) -> None:
    with plant.database.transaction() as session:
        contacts.save(
            session,
            "kim",
            ContactValues(name="김민수", role="operator", phone="010-1234-5678", language="ko"),
            by="test",
            at=after(0),
        )
    plant.intrude()
    (delivery,) = plant.deliveries()
    assert delivery.payload["recipients"] == [
        {"name": "김민수", "phone": "+821012345678", "email": None}
    ]
    assert "사람" in delivery.payload["text"]


@pytest.mark.parametrize("jump_s", [-7200.0, 7200.0])
def test_a_clock_that_is_set_hastens_and_delays_no_step(plant: Plant, jump_s: float) -> None:
    plant.intrude()
    plant.wait(10)
    plant.wall_jump_s = jump_s
    plant.wait(45)
    assert set(plant.told) == set(CHAT_SMS[:1])
    plant.wait(20)
    assert set(plant.told) == set(CHAT_SMS[:2])
    plant.wait(60)
    assert set(plant.told) == set(CHAT_SMS[:2])


def test_a_restart_goes_on_where_it_was_and_tells_nothing_twice(plant: Plant) -> None:
    plant.intrude()
    plant.wait(30)
    plant.restart()
    plant.wait(40)
    assert plant.told == CHAT_SMS[:2]
    plant.passed_s += 600  # Away meanwhile.
    plant.restart()
    plant.look()
    assert plant.told == CHAT_SMS
    plant.restart()
    plant.wait(100)
    assert plant.told == CHAT_SMS


def test_reminders_that_are_snoozed_come_later_and_new_persons_are_told_meanwhile(
    plant: Plant,
) -> None:
    alert = plant.alert(plant.intrude())
    plant.wait(30)
    plant.snooze(alert.id, 5)
    plant.wait(40)
    plant.intrude()
    plant.wait(100)
    assert plant.told == ["chat raised", "chat updated:1"]
    plant.wait(200)
    assert plant.told == ["chat raised", "chat updated:1", *CHAT_SMS[1:]]


@pytest.mark.parametrize("minutes", [0, -5, 61, 100_000])
def test_no_snooze_without_an_end_soon(plant: Plant, minutes: int) -> None:
    alert = plant.alert(plant.intrude())
    with pytest.raises(Invalid):
        plant.snooze(alert.id, minutes)


def test_what_has_been_answered_cannot_be_snoozed(plant: Plant) -> None:
    alert = plant.alert(plant.intrude())
    plant.acknowledge(alert.id)
    with pytest.raises(Conflict):
        plant.snooze(alert.id, 5)


def test_one_situation_is_one_conversation(plain: Plant) -> None:
    violations = [plain.intrude() for _ in range(4)]
    lead, *joined = [plain.alert(each) for each in violations]
    assert [each.lead_id for each in joined] == [lead.id] * 3
    plain.wait(70)
    assert plain.told == ["raised", "updated:1"]
    update = plain.deliveries()[-1].payload
    assert update["text"].startswith("[Ansan] 3 more of the same")
    assert {each["alert_id"] for each in update["data"]["alerts"]} == {a.id for a in joined}
    for each in violations[:-1]:
        plain.leave(each)
    assert plain.told == ["raised", "updated:1"], "it lasts as long as the last one"
    plain.leave(violations[-1])
    assert plain.told == ["raised", "updated:1", "cleared"]
    plain.acknowledge(lead.id)
    assert {plain.alert(each).state for each in violations} == {"acknowledged"}


def test_a_situation_that_comes_and_goes_tells_no_more_than_one_update_a_minute(
    plain: Plant,
) -> None:
    for _ in range(30):
        violation = plain.intrude()
        plain.wait(2)
        plain.leave(violation)
        plain.wait(2)
    assert plain.told[:2] == ["raised", "cleared"]
    assert len(plain.told) <= 2 + 2 * 2
    plain.wait(100)
    with plain.database.reading() as session:
        named = {
            each["alert_id"]
            for d in plain.deliveries()
            for each in d.payload["data"].get("alerts", ())
        }
        everyone = {each.id for each in alerts.list_alerts(session, limit=100)}
    assert len(named) == len(everyone) - 1 == 29, "each but the first is named by an update"


def test_a_missing_helmet_never_hides_a_person_at_a_machine(plain: Plant) -> None:
    """Both on one camera and in one zone, the helmet's conversation acknowledged and cooling."""
    helmet = plain.intrude(
        rule_id="helmet", rule_kind="missing_ppe", severity=Severity.WARNING, subject="person-1"
    )
    plain.acknowledge(plain.alert(helmet).id)
    entry = plain.intrude(subject="person-1")
    assert plain.alert(entry).lead_id is None
    raised = {d.alert_id for d in plain.deliveries() if d.event == "raised"}
    assert raised == {plain.alert(helmet).id, plain.alert(entry).id}


def test_a_camera_is_no_reason_to_be_silent(plain: Plant) -> None:
    plain.intrude(zone_id="zone-1")
    plain.intrude(zone_id="zone-2")
    assert plain.told == ["raised", "raised"]


def test_somebody_else_after_the_answer_is_told_anew_and_the_same_person_is_not(
    plain: Plant,
) -> None:
    first = plain.intrude(subject="person-1")
    plain.wait(5)
    plain.acknowledge(plain.alert(first).id)
    plain.leave(first)
    before = plain.told
    plain.wait(5)
    again = plain.intrude(subject="person-1")
    plain.wait(20)
    assert plain.told == before
    assert plain.alert(again).leads, "the inbox still shows it"
    plain.intrude(subject="person-2")
    assert plain.told == [*before, "raised"]


def test_a_shard_that_is_lost_ends_the_situation_without_saying_that_it_is_over(
    plain: Plant,
) -> None:
    violation = plain.intrude()
    with plain.database.transaction() as session:
        close_lost(session, violation.id, site=plain.site, now=plain.now)
    plain.wait(5)
    assert plain.told == ["raised"]
    plain.wait(100)
    plain.intrude()
    assert plain.told == ["raised", "raised"]


NOON = after(0)


@pytest.mark.parametrize(
    ("severity", "before", "gap_s", "repeated", "part"),
    [
        (Severity.DANGER, None, 0, False, Part.LEADS),
        (Severity.DANGER, (Severity.DANGER, False, True), 0, False, Part.JOINS),
        (Severity.DANGER, (Severity.DANGER, False, False), 60, False, Part.JOINS),
        (Severity.DANGER, (Severity.DANGER, False, False), 61, False, Part.LEADS),
        (Severity.DANGER, (Severity.DANGER, False, True), 9999, False, Part.JOINS),
        (Severity.DANGER, (Severity.WARNING, False, True), 0, False, Part.LEADS),
        (Severity.WARNING, (Severity.DANGER, False, True), 0, False, Part.JOINS),
        (Severity.DANGER, (Severity.DANGER, True, True), 0, False, Part.LEADS),
        (Severity.DANGER, (Severity.DANGER, True, True), 0, True, Part.REPEATS),
        (Severity.DANGER, (Severity.WARNING, True, True), 0, True, Part.LEADS),
        (Severity.DANGER, (Severity.DANGER, False, False), 61, True, Part.JOINS),
    ],
)
def test_what_a_new_alert_is_to_the_conversation_before_it(
    severity: Severity,
    before: tuple[Severity, bool, bool] | None,
    gap_s: float,
    repeated: bool,
    part: Part,
) -> None:
    known = None
    if before is not None:
        worst, answered, lasts = before
        known = Before(severity=worst, answered=answered, last_at=NOON, lasts=lasts)
    at: datetime = NOON + timedelta(seconds=gap_s)
    assert part_of(severity, at, known, PolicySpec(), repeated=repeated) is part
