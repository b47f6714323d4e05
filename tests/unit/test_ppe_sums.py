"""For how long what has to be worn is worn: sums by hour, and nothing of anybody."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cameras.messages import MESSAGES, PpeSum, PpeSums
from cameras.messages.ppe import MOST_SUMS
from cameras.ppe_sums import PpeSumming
from safety.clock import ManualClock
from safety.engine.ppe_sums import PpeSumDesk
from safety.store import ppe_hours
from safety.store.database import Database
from safety.types import PlantState, PpeItem, PpeState, TrackedPerson
from tests.support.observations import INSIDE, OUTSIDE, Place, engine_of, observation, person
from zones.rules.missing_ppe import MissingPpeSpec

HAT, VEST = PpeItem.HARDHAT, PpeItem.VEST
STATES = {"w": PpeState.WORN, "m": PpeState.MISSING, "?": PpeState.UNKNOWN}


class Camera:
    """A camera whose frames are judged and added up."""

    def __init__(self, *rules: MissingPpeSpec) -> None:
        self.engine = engine_of(*rules)
        self.told: list[PpeSums] = []
        self.summing = PpeSumming(self.told.append)
        self._at_s = 0.0

    def see(self, persons: Sequence[TrackedPerson], seconds: float, *, step_s: float = 0.1) -> None:
        for _ in range(round(seconds / step_s)):
            seen = observation(persons, self._at_s)
            self.engine.update(seen, PlantState())
            self.summing.analysed(seen, self.engine.ppe_duties)
            self._at_s += step_s

    def sums(self) -> dict[tuple[str, PpeItem], PpeSum]:
        self.summing.flush()
        total = PpeSums(camera_id="cam", sums=())
        for each in self.told:
            total = each.with_earlier(total)
        return {(each.rule_id, each.item): each for each in total.sums}


def rule(**fields: object) -> MissingPpeSpec:
    return MissingPpeSpec.model_validate(
        {"id": "r", "name": "R", "zone_id": "press", "items": ["hardhat"], **fields}
    )


def wearing(track_id: int, state: str, place: Place = INSIDE) -> TrackedPerson:
    return person(track_id, place, ppe={HAT: STATES[state]})


def test_person_seconds_are_added_up_by_what_is_known() -> None:
    camera = Camera(rule())
    camera.see([wearing(1, "w"), wearing(2, "m"), wearing(3, "?"), wearing(4, "m", OUTSIDE)], 30)
    found = camera.sums()[("r", HAT)]
    assert found.worn_s == found.missing_s == found.unknown_s == pytest.approx(30, abs=0.2)
    assert (found.zone_id, found.stays) == ("press", 2)


@pytest.mark.parametrize("fields", [{"mode": "shadow"}, {"enabled": False}])
def test_rules_that_oblige_nobody_count_nothing(fields: dict[str, object]) -> None:
    camera = Camera(rule(**fields))
    camera.see([wearing(1, "m")], 30)
    assert camera.sums() == {}


def test_who_comes_back_stays_again_and_nobodys_number_is_told() -> None:
    camera = Camera(rule())
    for _ in range(3):
        camera.see([wearing(71, "w")], 20)
        camera.see([wearing(71, "w", OUTSIDE)], 20)
    assert camera.sums()[("r", HAT)].stays == 3
    camera.see([wearing(71, "?")], 20)
    assert camera.sums()[("r", HAT)].stays == 3
    assert "71" not in json.dumps([each.model_dump() for each in camera.told])


def test_a_gap_in_the_pictures_is_no_time() -> None:
    camera = Camera(rule())
    camera.see([wearing(1, "w")], 1800, step_s=60)
    assert camera.sums()[("r", HAT)].worn_s == pytest.approx(29, abs=1)


def test_sums_are_told_every_ten_seconds_and_pass_the_wire() -> None:
    camera = Camera(rule())
    camera.see([wearing(1, "w")], 60)
    assert len(camera.told) == 5
    assert all(MESSAGES.validate_json(each.model_dump_json()) == each for each in camera.told)


def test_while_the_engine_is_away_sums_wait_and_only_so_many() -> None:
    sums = tuple(
        PpeSum(hour=hour * 3600, rule_id="r", zone_id="press", item=HAT, worn_s=1, stays=1)
        for hour in range(MOST_SUMS + 5)
    )
    told = PpeSums(camera_id="cam", sums=sums)
    waiting = told.with_earlier(told)
    assert len(waiting.sums) == MOST_SUMS
    assert waiting.sums[-1].worn_s == waiting.sums[-1].stays == 2
    assert waiting.sums[0].hour == 5 * 3600


async def test_the_engine_keeps_what_the_record_does_not_take(
    tmp_path: Path, sqlite_database: Database
) -> None:
    record = sqlite_database
    desk = PpeSumDesk(clock=ManualClock(), database=record)
    one = PpeSum(hour=1_767_571_200, rule_id="r", zone_id="press", item=HAT, worn_s=6, stays=1)
    desk.take(PpeSums(camera_id="cam", sums=(one,)))
    broken = PpeSumDesk(clock=ManualClock(), database=Database(f"sqlite:///{tmp_path}/no/such.db"))
    broken.take(PpeSums(camera_id="cam", sums=(one, one)))
    await broken.flush()
    broken._database = record
    await broken.flush()
    await desk.flush()
    await desk.flush()
    with record.reading() as session:
        (row,) = ppe_hours.counts(
            session,
            since=datetime(2026, 1, 5, tzinfo=UTC),
            until=datetime(2026, 1, 5, 1, tzinfo=UTC),
            by_rule=True,
        )
    assert (row.rule_id, row.worn_s, row.stays) == ("r", 18.0, 3)
