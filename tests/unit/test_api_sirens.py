"""Self-tests of sirens, as a program reads them."""

from datetime import timedelta

import pytest

from safety.store import siren_tests
from safety.store.siren_tables import SirenTest
from safety.store.times import utc
from tests.support.web import Site

pytestmark = pytest.mark.usefixtures("factory")


def test_self_tests_are_listed_newest_first(site: Site) -> None:
    at = utc(site.clock.now())
    with site.database.transaction() as session:
        for number, channel_id in enumerate(("horn", "lamp", "horn")):
            siren_tests.save(
                session,
                SirenTest(
                    id=f"t{number}",
                    channel_id=channel_id,
                    at=at + timedelta(minutes=number),
                    passed=number != 2,
                    latency_s=0.02 if number != 2 else None,
                    problem="no power" if number == 2 else "",
                ),
            )
    reader = site.program("read")
    listed = reader.get("/api/v1/siren-tests").json()
    assert [each["id"] for each in listed] == ["t2", "t1", "t0"]
    [newest] = reader.get("/api/v1/siren-tests?channel=horn&limit=1").json()
    assert (newest["passed"], newest["latency_s"], newest["problem"]) == (False, None, "no power")
    assert reader.get("/api/v1/siren-tests?limit=0").status_code == 422
