"""Self-tests of sirens, as a program reads them."""

from datetime import timedelta

import pytest

from safety.store import drills, siren_tests
from safety.store.accounts import Role
from safety.store.siren_tables import SirenTest
from safety.store.tables import Drill
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
    listed = reader.get("/api/v1/siren-tests").json()["items"]
    assert [each["id"] for each in listed] == ["t2", "t1", "t0"]
    [newest] = reader.get("/api/v1/siren-tests?channel=horn&limit=1").json()["items"]
    assert (newest["passed"], newest["latency_s"], newest["problem"]) == (False, None, "no power")
    assert reader.get("/api/v1/siren-tests?limit=0").status_code == 422


def test_the_channels_page_says_how_the_last_self_test_went(site: Site) -> None:
    at = utc(site.clock.now())
    with site.database.transaction() as session:
        for number, passed in enumerate((False, True, False)):
            siren_tests.save(
                session,
                SirenTest(
                    id=f"t{number}",
                    channel_id="siren",
                    at=at + timedelta(minutes=number),
                    passed=passed,
                    latency_s=0.0214 if passed else None,
                    problem="" if passed else "no power",
                    problem_key="" if passed else "channel.device_unreachable",
                    problem_params={} if passed else {"device": "10.0.0.7:1", "problem": "<cut>"},
                ),
            )
    manager = site.signed_in(Role.MANAGER)
    page = manager.get("/channels").text
    assert page.count("10.0.0.7:1") == 1
    assert "&lt;cut&gt;" in page
    assert "<cut>" not in page
    every = manager.get("/channels/siren").text
    assert every.count("10.0.0.7:1") == 2
    assert "21 ms" in every or "21ms" in every


def test_drills_are_listed_newest_first_and_count_as_nothing(site: Site) -> None:
    at = utc(site.clock.now())
    reader = site.program("read")
    before = reader.get("/api/v1/violations").json()["items"]
    with site.database.transaction() as session:
        for number, outcome in enumerate(("sounded", "refused", "sounded")):
            drills.save(
                session,
                Drill(
                    id=f"d{number}",
                    camera_id="press" if number else "gate",
                    channel_id="horn",
                    scene="cell_intrusion.mp4",
                    outcome=outcome,
                    reason="" if outcome == "sounded" else "another drill is being held",
                    total_s=0.18 if outcome == "sounded" else None,
                    at=at + timedelta(minutes=number),
                    by="kim",
                ),
            )
    listed = reader.get("/api/v1/drills").json()["items"]
    assert [(each["id"], each["total_s"]) for each in listed] == [
        ("d2", 0.18),
        ("d1", None),
        ("d0", 0.18),
    ]
    first = reader.get("/api/v1/drills?camera=press&limit=1").json()
    second = reader.get(f"/api/v1/drills?camera=press&cursor={first['next_cursor']}").json()
    assert [each["id"] for each in first["items"] + second["items"]] == ["d2", "d1"]
    assert reader.get("/api/v1/drills?cursor=nobody").status_code == 404
    assert reader.get("/api/v1/violations").json()["items"] == before
