"""What is kept and what goes: whatever happens, nothing that is open or held is deleted."""

import hashlib
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from safety.app.audit import parse_head, verify_trail
from safety.config import Settings
from safety.errors import ConfigError
from safety.evidence.retention import Limits, sweep
from safety.incidents.incident_entry import IncidentEntry
from safety.incidents.types import Kind
from safety.store import (
    alerts,
    audit,
    audit_chain,
    evidence,
    holds,
    incident_alerts,
    violations,
)
from safety.store.alerts import AlertState
from safety.store.database import Database
from safety.store.incident_tables import Incident
from safety.store.refusals import Conflict, Invalid, NotFound
from safety.store.tables import Evidence
from safety.types import Severity
from tests.support.database import after
from tests.support.violations import cleared, opened

DAY = 86_400.0
BYTES = 1000
ROOMY = Limits(
    keep=timedelta(days=30), audit=timedelta(days=2000), most_bytes=10**12, reserve_bytes=0
)
TIGHT = Limits(keep=timedelta(days=30), audit=timedelta(days=2000), most_bytes=1, reserve_bytes=0)


@dataclass
class Plant:
    """A record with violations and their files, and what the test itself knows of them."""

    database: Database
    directory: Path
    day: float = 0.0
    alerts: dict[int, str] = field(default_factory=dict)
    incidents: dict[int, str] = field(default_factory=dict)
    holds: dict[int, str] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    closed_incidents: set[int] = field(default_factory=set)

    def happen(self, number: int) -> None:
        """A violation opens, closes, raises its alert, and its clip is kept."""
        key = f"{number:032x}"
        path = self.path(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * BYTES)
        seen = opened(key)
        with self.database.transaction() as session:
            violations.save_violation(session, seen)
            violations.save_violation(session, cleared(seen))
            violations.get(session, key).closed_at = self.now
            alert = alerts.raise_alert(
                session,
                kind="violation",
                dedupe_key=key,
                severity=Severity.DANGER,
                message_key="alert.intrusion",
                params={},
                raised_at=self.now,
                violation_id=key,
            )
            assert alert is not None
            evidence.ready(
                session,
                violation_id=key,
                kind="clip",
                path=str(path.relative_to(self.directory)),
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                size_bytes=BYTES,
                started_at=self.now,
                ended_at=self.now,
                at=self.now,
            )
        self.alerts[number] = alert.id
        self.open.add(number)

    def decide(self, number: int) -> None:
        if number in self.open:
            with self.database.transaction() as session:
                alerts.decide(
                    session,
                    self.alerts[number],
                    verdict=AlertState.CONFIRMED,
                    by="k",
                    at=self.now,
                )
            self.open.discard(number)

    def hold(self, number: int) -> None:
        if number in self.alerts and number not in self.holds:
            with self.database.transaction() as session:
                placed = holds.place(
                    session, "alert", self.alerts[number], reason="police", by="k", at=self.now
                )
            self.holds[number] = placed.id

    def release(self, number: int) -> None:
        if number in self.holds:
            with self.database.transaction() as session:
                held = self.holds.pop(number)
                holds.release(session, held, reason="case over", by="k", at=self.now)

    def incident(self, number: int) -> None:
        if number in self.alerts and number not in self.incidents:
            entry = IncidentEntry(kind=Kind.NEAR_MISS, title="near", occurred_at=self.now)
            with self.database.transaction() as session:
                made = incident_alerts.open_incident(
                    session, [self.alerts[number]], entry, by="k", at=self.now
                )
            self.incidents[number] = made.id
            self.open.discard(number)

    def close_incident(self, number: int) -> None:
        if number in self.incidents:
            with self.database.transaction() as session:
                row = session.get_one(Incident, self.incidents[number])
                row.state, row.closed_at = "closed", self.now
            self.closed_incidents.add(number)

    def sweep(self, limits: Limits) -> str:
        room = sweep(self.database, self.directory, limits, now=self.now)
        return room.state

    def path(self, number: int) -> Path:
        return self.directory / "2026/01/05" / f"{number:032x}.mp4"

    @property
    def now(self) -> datetime:
        return after(self.day * DAY)

    @property
    def untouchable(self) -> set[int]:
        at_work = self.incidents.keys() - self.closed_incidents
        return self.open | set(self.holds) | at_work

    @property
    def there(self) -> set[int]:
        return {number for number in self.alerts if self.path(number).exists()}


@pytest.fixture
def plant(sqlite_database: Database, tmp_path: Path) -> Plant:
    return Plant(sqlite_database, tmp_path / "evidence")


DEEDS = ("happen", "decide", "hold", "release", "incident", "close_incident")


@settings(max_examples=12, deadline=None)
@given(
    deeds=st.lists(
        st.tuples(
            st.sampled_from((*DEEDS, *DEEDS, "age", "space")),
            st.integers(0, 3),
            st.sampled_from((0.0, 1.0, 31.0)),
        ),
        min_size=5,
        max_size=25,
    )
)
def test_whatever_happens_nothing_open_or_held_is_deleted(
    deeds: list[tuple[str, int, float]], migrated_file: Path
) -> None:
    with TemporaryDirectory() as folder:
        path = shutil.copy(migrated_file, Path(folder) / "anjeon.db")
        plant = Plant(Database(f"sqlite:///{path}"), Path(folder) / "evidence")
        gone: set[int] = set()
        for deed, number, days in deeds:
            plant.day += days
            if deed == "age":
                plant.sweep(ROOMY)
            elif deed == "space":
                plant.sweep(TIGHT)
                # Without room, everything else goes.
                assert plant.there == plant.untouchable - gone
            elif deed != "happen" or number not in plant.alerts:
                getattr(plant, deed)(number)
            gone |= plant.alerts.keys() - plant.there - plant.untouchable
            assert plant.untouchable <= plant.there | gone
        plant.database.dispose()


def test_evidence_goes_so_many_days_after_it_was_settled(plant: Plant) -> None:
    for number in (1, 2):
        plant.happen(number)
    plant.decide(1)
    plant.day = 29.9
    plant.sweep(ROOMY)
    assert plant.there == {1, 2}
    plant.day = 30.1
    assert plant.sweep(ROOMY) == "ok"
    assert plant.there == {2}
    with plant.database.reading() as session:
        rows = {row.violation_id[-1]: row.state for row in session.exec(select(Evidence))}
        entry = audit.list_entries(session, subject="age")[0]
    assert rows == {"1": "deleted", "2": "ready"}
    assert list(entry.detail["files"].values()) == [hashlib.sha256(b"\1" * BYTES).hexdigest()]


def test_without_room_the_oldest_goes_first_and_only_as_much_as_is_needed(plant: Plant) -> None:
    for number in (1, 2, 3):
        plant.day = number
        plant.happen(number)
        plant.decide(number)
    limits = Limits(keep=ROOMY.keep, audit=ROOMY.audit, most_bytes=2 * BYTES + 500, reserve_bytes=0)
    plant.sweep(limits)
    assert plant.there == {2, 3}


def test_where_only_open_and_held_evidence_is_left_the_disk_is_said_to_be_full(
    plant: Plant,
) -> None:
    plant.happen(1)
    plant.happen(2)
    plant.decide(2)
    plant.hold(2)
    assert plant.sweep(TIGHT) == "full"
    assert plant.there == {1, 2}


def test_blurred_copies_make_room_before_evidence_does(plant: Plant) -> None:
    plant.happen(1)
    plant.decide(1)
    copy = plant.path(1).with_name(f"{plant.path(1).stem}.faces.mp4")
    copy.write_bytes(b"x" * BYTES)
    limits = Limits(keep=ROOMY.keep, audit=ROOMY.audit, most_bytes=500, reserve_bytes=0)
    plant.sweep(limits)
    assert not copy.exists()
    assert plant.there == {1}
    plant.sweep(limits)
    assert plant.there == set()


def test_a_deletion_that_a_power_cut_interrupted_is_finished(plant: Plant) -> None:
    plant.happen(1)
    with plant.database.transaction() as session:
        session.exec(select(Evidence)).one().state = "deleting"
    plant.sweep(ROOMY)
    assert plant.there == set()


def test_what_was_deleted_does_not_come_back_when_it_is_reported_again(plant: Plant) -> None:
    plant.happen(1)
    plant.decide(1)
    plant.day = 40
    plant.sweep(ROOMY)
    with plant.database.transaction() as session:
        again = evidence.ready(
            session,
            violation_id=f"{1:032x}",
            kind="clip",
            path="x.mp4",
            sha256="0",
            size_bytes=1,
            started_at=plant.now,
            ended_at=plant.now,
            at=plant.now,
        )
        assert again.state == "deleted"


@pytest.mark.parametrize("reason", ["", " a ", "x" * 501])
def test_a_hold_needs_a_reason(plant: Plant, reason: str) -> None:
    plant.happen(1)
    with plant.database.transaction() as session, pytest.raises(Invalid):
        holds.place(session, "alert", plant.alerts[1], reason=reason, by="k", at=plant.now)


def test_a_hold_is_placed_and_released_once_and_both_are_on_record(plant: Plant) -> None:
    plant.happen(1)
    plant.hold(1)
    with plant.database.transaction() as session:
        with pytest.raises(Conflict):
            holds.place(session, "alert", plant.alerts[1], reason="police", by="k", at=plant.now)
        with pytest.raises(NotFound):
            holds.place(session, "incident", "nothing", reason="police", by="k", at=plant.now)
    held = plant.holds[1]
    plant.release(1)
    with plant.database.transaction() as session, pytest.raises(Conflict):
        holds.release(session, held, reason="again", by="k", at=plant.now)
    with plant.database.reading() as session:
        entries = audit.list_entries(session, subject=plant.alerts[1])
    assert [entry.action for entry in entries] == ["alert.release", "alert.hold"]


@pytest.mark.parametrize(
    ("deed", "complaint"),
    [
        (lambda path: path.write_bytes(b"other"), "is changed"),
        (lambda path: path.unlink(), "is missing"),
    ],
)
def test_verifying_finds_a_file_that_is_not_what_was_recorded(
    plant: Plant, deed: object, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plant.happen(1)
    plant.decide(1)
    told = Settings(data_dir=plant.directory.parent)
    with plant.database.reading() as session:
        head = str(audit_chain.head(session))
    assert verify_trail(told, head=head, files=True)
    assert callable(deed)
    deed(plant.path(1))
    assert not verify_trail(told, head=None, files=True)
    assert complaint in capsys.readouterr().err
    assert verify_trail(told, head=None, files=False)
    with plant.database.transaction() as session:
        entry = audit.list_entries(session)[0]
        entry.actor = "somebody else"
    assert not verify_trail(told, head=None, files=False)


@pytest.mark.parametrize("text", ["", "12", "12:abc", "x:" + "0" * 64, "1:" + "g" * 64])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_head(text)
