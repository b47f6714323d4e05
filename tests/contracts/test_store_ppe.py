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
        (row,) = ppe_hours.between(session, since=first, until=datetime(2026, 1, 6, tzinfo=UTC))
        assert (row.hour, row.worn_s, row.missing_s, row.stays) == (second, 21, 4, 4)
