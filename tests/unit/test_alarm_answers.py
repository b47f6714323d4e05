"""Answers to an alarm that come twice, too late or from somebody who may not give them."""

from datetime import timedelta

import httpx
import pytest

from safety.store import audit
from safety.store.accounts import Role
from tests.support.factory import Factory
from tests.support.web import Site


@pytest.fixture
def alert(site: Site, factory: Factory) -> str:
    """The path of an alert that nobody has answered."""
    return f"/api/v1/alerts/{factory.intrude(site.clock.now(), files=False)}"


def deeds(site: Site, alert: str) -> list[str]:
    """What people did to it, as the audit trail has it."""
    with site.database.reading() as session:
        found = audit.list_entries(session, subject=alert.rpartition("/")[2])
        return [each.action for each in found]


def answers(client: httpx.Client, alert: str, **headers: str) -> list[int]:
    """Statuses of every way to acknowledge."""
    ids = {"ids": [alert.rpartition("/")[2]]}
    many = "/api/v1/alerts/acknowledge"
    return [
        client.post(f"{alert}/acknowledge", headers=headers).status_code,
        client.post(many, json=ids, headers=headers).status_code,
        client.post(f"{alert}/snooze", json={"minutes": 5}, headers=headers).status_code,
        client.post(f"{alert}/decide", json={"verdict": "confirmed"}, headers=headers).status_code,
    ]


def test_a_replayed_acknowledgement_changes_nothing(site: Site, alert: str) -> None:
    first, other = (site.program("acknowledge", role=role) for role in (Role.OPERATOR, Role.ADMIN))
    told = first.post(f"{alert}/acknowledge")
    for program in (first, other):
        again = program.post(f"{alert}/acknowledge")
        assert again.json() == told.json()
        assert again.headers["etag"] == told.headers["etag"]
        stale = program.post(f"{alert}/acknowledge", headers={"if-match": '"1"'})
        assert stale.status_code == 412
        listed = program.post("/api/v1/alerts/acknowledge", json={"ids": [told.json()["id"]]})
        assert listed.json() == {"acknowledged": []}
    assert deeds(site, alert) == ["alert.acknowledge"]


def test_who_may_not_answer_does_not(site: Site, alert: str) -> None:
    viewer = site.program("read", "acknowledge", role=Role.VIEWER)
    reader = site.program("read", role=Role.ADMIN)
    nobody = httpx.Client(base_url=site.address, headers={"authorization": "Bearer anj_made_up"})
    with nobody:
        for client, status in ((viewer, 403), (reader, 403), (nobody, 401)):
            assert answers(client, alert) == [status] * 4
    person = site.signed_in(Role.VIEWER)
    assert person.call("POST", f"{alert}/acknowledge").status_code == 403
    assert person.post(alert.removeprefix("/api/v1") + "/acknowledge").status_code == 403
    assert reader.get(alert).json()["state"] == "raised"
    assert deeds(site, alert) == []


def test_an_expired_or_revoked_token_answers_nothing(site: Site, alert: str) -> None:
    expiring = {"authorization": f"Bearer {site.token('acknowledge', days=1)}"}
    person = site.signed_in()
    wanted = {"name": "MES", "scopes": ["acknowledge"]}
    made = person.call("POST", "/api/v1/tokens", json=wanted).json()
    assert person.call("DELETE", f"/api/v1/tokens/{made['id']}").status_code == 204
    stranger = site.browser().client
    revoked = {"authorization": f"Bearer {made['token']}"}
    assert answers(stranger, alert, **revoked) == [401] * 4
    site.clock.shift_s += timedelta(days=1, seconds=1).total_seconds()
    assert answers(stranger, alert, **expiring) == [401] * 4
    reader = site.program("read")
    assert reader.get(alert).json()["state"] == "raised"
