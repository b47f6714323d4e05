"""Hours of protective equipment, on every database."""

from datetime import UTC, datetime

from safety.store import ppe_hours
from safety.store.database import Database
from safety.store.ppe_hours import PpeAmount, PpeKey


def test_hours_add_up_and_are_forgotten_in_time(database: Database) -> None:
    first, second = (datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in (8, 9))
    amount = PpeAmount(zone_id="press", worn_s=10.5, missing_s=2, unknown_s=1, stays=2)
    with database.transaction() as session:
        for hour in (first, second, second):
            ppe_hours.add(session, {PpeKey(hour, "cam", "r", "hardhat"): amount})
        ppe_hours.prune(session, before=second)
        other = PpeKey(second, "cam-2", "r2", "hardhat")
        ppe_hours.add(session, {other: amount})
    until = datetime(2026, 1, 6, tzinfo=UTC)
    with database.reading() as session:
        by_rule = ppe_hours.counts(session, since=first, until=until, by_rule=True)
        (together,) = ppe_hours.counts(session, since=first, until=until, by_rule=False)
    assert [(row.hour, row.rule_id, row.worn_s) for row in by_rule] == [
        (second, "r", 21),
        (second, "r2", 10.5),
    ]
    assert (together.worn_s, together.missing_s, together.unknown_s) == (31.5, 6, 3)
    assert (together.stays, together.zone_id) == (6, "")
