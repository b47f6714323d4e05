"""Weekly self-tests: when they are due, what is put on record, who is told."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts.channels.recording import RecordingSpec, read_recording
from alerts.dispatcher import Dispatcher
from alerts.siren_selftest import is_due
from alerts.sirens import SirenControl
from safety.clock import ManualClock
from safety.engine.channels import ChannelDesk
from safety.engine.recorder import Recorder
from safety.engine.self_tests import SelfTestDesk
from safety.engine.site import EngineSite
from safety.errors import ChannelError
from safety.site.spec import SiteSpec
from safety.store import siren_tests
from safety.store.database import Database
from tests.support.violations import opened

SEOUL = ZoneInfo("Asia/Seoul")
MONDAY = datetime(2026, 1, 5, 8, 30, tzinfo=SEOUL)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "last_at", "last_ok", "now", "due"),
    [
        ("mon", None, True, MONDAY - MINUTE, False),
        ("mon", None, True, MONDAY, True),
        ("mon", None, True, MONDAY + HOUR, True),
        ("mon", None, True, MONDAY + HOUR + MINUTE, False),
        ("mon", None, True, MONDAY + DAY, False),
        ("never", None, True, MONDAY, False),
        ("tue", None, True, MONDAY, False),
        ("tue", None, True, MONDAY + DAY, True),
        ("mon", MONDAY - 7 * DAY, True, MONDAY, True),
        ("mon", MONDAY, True, MONDAY + MINUTE, False),
        ("mon", MONDAY.astimezone(UTC), True, MONDAY + MINUTE, False),
        ("mon", MONDAY, False, MONDAY + 9 * MINUTE, False),
        ("mon", MONDAY, False, MONDAY + 10 * MINUTE, True),
        ("mon", MONDAY, False, MONDAY + 3 * DAY, True),
        ("never", MONDAY, False, MONDAY + HOUR, False),
    ],
)
def test_when_a_siren_is_due(
    day: str, last_at: datetime | None, last_ok: bool, now: datetime, due: bool
) -> None:
    spec = RecordingSpec.model_validate({"id": "s", "name": "S", "self_test_day": day})
    assert is_due(spec, last_at, last_ok, now) is due


class Plant:
    """A siren, and the parts of the engine that a self-test concerns."""

    def __init__(self, directory: Path, database: Database) -> None:
        self.file = directory / "siren" / "log.jsonl"
        spec = RecordingSpec(id="horn", name="Horn", path=self.file, self_test_day="mon")
        self.clock = ManualClock(wall=(MONDAY - HOUR).timestamp())
        self.database = database
        self.site = EngineSite(
            spec=SiteSpec(name="Ansan", channels=(spec,)), revision=1, rule_revisions={}
        )
        self.told: list[tuple[str, bool, str]] = []
        self.sirens = SirenControl({}, clock=self.clock)
        dispatcher = Dispatcher(database, {}, clock=self.clock)
        self.channels = ChannelDesk(self.sirens, dispatcher, clock=self.clock, data_dir=directory)
        self.recorder = Recorder(database, clock=self.clock)
        self.desk = self.new_desk()

    def new_desk(self) -> SelfTestDesk:
        return SelfTestDesk(
            clock=self.clock,
            database=self.database,
            recorder=self.recorder,
            sirens=self.sirens,
            channels=self.channels,
            site=lambda: self.site,
            health=self._health,
        )

    async def look(self, after: timedelta) -> None:
        """Let time pass, and the desk look."""
        self.clock.advance(after.total_seconds())
        await self.desk.look()
        await self.recorder.drained()

    @property
    def sounded(self) -> list[tuple[str, float]]:
        """What the siren was told: level and seconds."""
        return [(entry["level"], entry["ttl_s"]) for entry in read_recording(self.file)]

    def on_record(self) -> list[tuple[bool, str]]:
        with self.database.reading() as session:
            return [(test.passed, test.problem_key) for test in siren_tests.list_tests(session)]

    def _health(self, channel_id: str, ok: bool, error: ChannelError | None) -> None:
        self.told.append((channel_id, ok, error.key if error else ""))


@pytest.fixture
async def plant(tmp_path: Path, sqlite_database: Database) -> AsyncIterator[Plant]:
    plant = Plant(tmp_path, sqlite_database)
    await plant.channels.configure(plant.site.channels)
    recording = asyncio.create_task(plant.recorder.run())
    yield plant
    recording.cancel()
    await asyncio.gather(recording, return_exceptions=True)


async def test_once_a_week_at_the_mildest_level_and_on_record(plant: Plant) -> None:
    await plant.look(HOUR - MINUTE)
    assert plant.sounded == []
    await plant.look(MINUTE)
    await plant.look(MINUTE)
    assert plant.sounded == [("warning", 1.5)]
    assert plant.on_record() == [(True, "")]
    assert plant.told == [], "a test that passes is nothing to tell"
    plant.desk = plant.new_desk()
    await plant.look(MINUTE)
    assert len(plant.sounded) == 1, "a restarted engine knows that it was done"
    await plant.look(7 * DAY)
    assert len(plant.sounded) == 2


async def test_a_failure_is_told_and_tried_again_until_it_passes(plant: Plant) -> None:
    plant.file.parent.write_text("in the way")
    await plant.look(HOUR)
    await plant.look(MINUTE)
    assert plant.told == [("horn", False, "channel.self_test_failed")]
    assert plant.on_record() == [(False, "channel.recording_unwritable")]
    plant.file.parent.unlink()
    await plant.look(10 * MINUTE)
    assert plant.told[1:] == [("horn", True, "")]
    assert plant.on_record()[0] == (True, "")


async def test_no_test_while_a_siren_is_needed(plant: Plant) -> None:
    plant.clock.advance(HOUR.total_seconds())
    violation = opened(at=plant.clock.now())
    await plant.sirens.report(violation, None)
    await plant.look(timedelta(0))
    assert plant.on_record() == []
    await plant.sirens.attend(violation.id)
    await plant.look(MINUTE)
    assert plant.on_record() == [(True, "")]
