"""Muting a zone for lock-out or maintenance: who may, for how long, and where it is shown."""

from datetime import timedelta

import pytest
from sqlmodel import select

from alerts.intake_events import raise_not_paused
from alerts.notices import SiteContext
from safety.clock import SystemClock
from safety.i18n import translator
from safety.store import audit, mutes
from safety.store.accounts import Role
from safety.store.refusals import Conflict, Invalid, NotFound
from safety.store.tables import Alert, Mute
from safety.types import Phase, Severity, Violation
from tests.support.factory import Factory
from tests.support.web import Site

pytestmark = pytest.mark.usefixtures("factory")


def begin(site: Site, **changes: object) -> Mute:
    values = {
        "zone_id": "fence",
        "kind": "lockout",
        "person": "김민수",
        "reason": "그리퍼 교체",
        "ends_at": site.now + timedelta(hours=1),
        "by": "manager",
        "at": site.now,
    } | changes
    with site.database.transaction() as session:
        return mutes.begin(session, **values)  # type: ignore[arg-type]


def lasting(site: Site) -> list[str]:
    with site.database.reading() as session:
        return [mute.person for mute in mutes.active(session, site.now)]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"person": "  "}, Invalid),
        ({"person": "x" * 121}, Invalid),
        ({"reason": "ok"}, Invalid),
        ({"hours": 0.0}, Invalid),
        ({"hours": -1.0}, Invalid),
        ({"hours": 8.01}, Invalid),
        ({"zone_id": "nowhere"}, NotFound),
    ],
)
def test_no_mute_without_person_reason_zone_and_a_near_end(
    site: Site, changes: dict[str, object], error: type[Exception]
) -> None:
    hours = changes.pop("hours", 1.0)
    assert isinstance(hours, float)
    with pytest.raises(error):
        begin(site, ends_at=site.now + timedelta(hours=hours), **changes)
    assert lasting(site) == []


def test_a_mute_ends_by_itself_or_early_and_all_of_it_is_audited(site: Site) -> None:
    first = begin(site, ends_at=site.now + timedelta(hours=8))
    begin(site, person="박지훈", ends_at=site.now + timedelta(minutes=10))
    assert lasting(site) == ["박지훈", "김민수"]
    site.clock.shift_s = 11 * 60
    assert lasting(site) == ["김민수"]
    with site.database.transaction() as session:
        mutes.end(session, first.id, by="other", at=site.now)
    assert lasting(site) == []
    with pytest.raises(Conflict), site.database.transaction() as session:
        mutes.end(session, first.id, by="other", at=site.now)
    with site.database.reading() as session:
        told = [(entry.action, entry.actor) for entry in audit.list_entries(session, limit=3)]
        assert told == [("mute.end", "other"), ("mute.begin", "manager"), ("mute.begin", "manager")]
        assert len(mutes.recent(session)) == 2


def test_managers_mute_and_end_on_the_page_and_everybody_sees_it_on_the_wall(site: Site) -> None:
    manager, viewer = site.signed_in(Role.MANAGER), site.signed_in(Role.VIEWER)
    form = {"zone": "fence", "kind": "lockout", "person": "김민수", "reason": "그리퍼 교체"}
    refused = manager.post("/mutes", {**form, "person": "", "minutes": "60"})
    assert refused.status_code == 422
    assert translator("ko")("mute.person") in refused.text
    assert 'value="그리퍼 교체"' in refused.text
    assert manager.post("/mutes", {**form, "minutes": "99999"}).status_code == 422
    assert manager.post("/mutes", {**form, "minutes": "60"}).status_code == 303
    for browser in (manager, viewer):
        for path in ("/", "/mutes", "/mutes/now"):
            page = browser.get(path)
            assert page.status_code == 200
            assert "김민수" in page.text
    assert viewer.post("/mutes", {**form, "minutes": "60"}).status_code == 403
    with site.database.reading() as session:
        (mute,) = session.exec(select(Mute)).all()
        mute_id = mute.id
    assert viewer.post(f"/mutes/{mute_id}/end").status_code == 403
    assert manager.post(f"/mutes/{mute_id}/end").status_code == 303
    assert manager.post(f"/mutes/{mute_id}/end").status_code == 409
    assert "김민수" not in viewer.get("/").text
    assert "김민수" in viewer.get("/mutes").text


def test_programs_mute_with_their_token_and_read_the_plant(site: Site) -> None:
    manager, viewer = site.signed_in(Role.MANAGER), site.signed_in(Role.VIEWER)
    ends = (site.now + timedelta(hours=2)).isoformat()
    body = {"zone_id": "fence", "person": "Kim", "reason": "new gripper", "ends_at": ends}
    assert viewer.call("POST", "/api/v1/mutes", json=body).status_code == 403
    made = manager.call("POST", "/api/v1/mutes", json=body)
    assert made.status_code == 201, made.text
    lasting = viewer.get("/api/v1/mutes?lasting=true").json()["items"]
    assert [each["person"] for each in lasting] == ["Kim"]
    for wrong in ({"person": ""}, {"ends_at": ends[:19]}, {"zone_id": "x"}, {"kind": "party"}):
        assert manager.call("POST", "/api/v1/mutes", json=body | wrong).status_code in {404, 422}
    ended = manager.call("POST", f"/api/v1/mutes/{made.json()['id']}/end")
    assert ended.json()["ended_by"] == "manager"
    assert viewer.get("/api/v1/mutes?lasting=true").json()["items"] == []
    assert viewer.get("/api/v1/plant").json()["known"] is False


def test_a_vehicle_that_did_not_pause_is_one_alert_that_is_past(
    site: Site, factory: Factory
) -> None:
    now = SystemClock().now()
    near = Violation(
        id="a" * 32,
        revision=0,
        phase=Phase.OPENED,
        rule_id="near",
        rule_revision=1,
        rule_kind="proximity",
        camera_id="robot",
        zone_id=None,
        subject="person-1+amr",
        severity=Severity.DANGER,
        captured_at=now,
        opened_at=now,
    )
    context = SiteContext(name="Works", timezone="Asia/Seoul", language="ko", messengers=("log",))
    for _ in range(2):
        with site.database.transaction() as session:
            raise_not_paused(session, vehicle="AMR 1", violation=near, site=context, now=now)
    with site.database.reading() as session:
        (alert,) = session.exec(select(Alert).where(Alert.kind == "not_paused")).all()
        assert alert.cleared_at is not None
        alert_id = alert.id
    page = site.signed_in(Role.VIEWER).get(f"/alerts/{alert_id}")
    assert translator("ko")("alert.title.not_paused", vehicle="AMR 1") in page.text
