"""Evidence in the dashboard: who sees what, who looked, and what is held."""

from datetime import timedelta

import cv2
import numpy as np
from sqlalchemy import text

from dashboard import viewing
from safety.i18n import translator
from safety.store import audit, evidence
from safety.store.accounts import Role
from safety.store.tables import Evidence
from tests.support.factory import Factory
from tests.support.web import Site


def files(site: Site) -> dict[str, Evidence]:
    with site.database.reading() as session:
        return {row.kind: row for row in evidence.of_violation(session, f"{1:032x}")}


def looks(site: Site) -> list[tuple[str, str]]:
    with site.database.reading() as session:
        entries = audit.list_entries(session, subject=f"{1:032x}", only=viewing.ACTIONS)
    return [(entry.actor, entry.action) for entry in reversed(entries)]


def test_every_look_is_on_record_once_and_lists_show_nobody(site: Site, factory: Factory) -> None:
    alert = factory.intrude(site.clock.now(), lasts_s=1)
    clip, picture = files(site)["clip"].id, files(site)["picture"].id
    operator = site.signed_in(Role.OPERATOR)
    assert operator.get(f"/evidence/{clip}", range="bytes=0-99").status_code == 206
    assert operator.get(f"/evidence/{clip}", range="bytes=100-199").status_code == 206
    assert operator.get(f"/evidence/{clip}?download=1").status_code == 200
    small = operator.get(f"/evidence/{picture}?small=1")
    shown = cv2.imdecode(np.frombuffer(small.content, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape == (117, 208, 3)
    assert looks(site) == [("operator", "evidence.view"), ("operator", "evidence.download")]
    site.clock.shift_s = timedelta(minutes=11).total_seconds()
    operator.get(f"/evidence/{clip}")
    assert len(looks(site)) == 3
    program = site.program("read", role=Role.OPERATOR)
    assert program.get(f"/api/v1/evidence/{clip}").status_code == 200
    assert looks(site)[-1] == ("operator/api", "evidence.view")
    page = operator.get(f"/alerts/{alert}").text
    assert translator("ko")("action.evidence.download") in page
    assert (
        translator("ko")("action.evidence.download")
        not in site.signed_in(Role.VIEWER).get(f"/alerts/{alert}").text
    )


def test_a_viewer_sees_a_blurred_copy_and_everybody_may_take_one_along(
    site: Site, factory: Factory
) -> None:
    factory.intrude(site.clock.now(), lasts_s=1)
    picture = files(site)["picture"]
    original = (site.settings.evidence_dir / str(picture.path)).read_bytes()
    viewer = site.signed_in(Role.VIEWER)
    for path in (f"/evidence/{picture.id}", f"/api/v1/evidence/{picture.id}/blurred"):
        answer = viewer.get(path)
        assert answer.status_code == 200
        assert answer.content != original
    assert site.signed_in(Role.OPERATOR).get(f"/evidence/{picture.id}").content == original
    assert looks(site) == [("viewer", "evidence.view_blurred"), ("operator", "evidence.view")]


def test_refusals(site: Site, factory: Factory) -> None:
    factory.intrude(site.clock.now(), lasts_s=1)
    clip = files(site)["clip"].id
    operator = site.signed_in(Role.OPERATOR)
    for path, status in {
        f"/evidence/{clip}/blurred?part=hands": 422,
        "/evidence/nothing/blurred": 404,
        "/evidence/nothing?small=1": 404,
    }.items():
        assert operator.get(path).status_code == status
    (site.settings.evidence_dir / str(files(site)["picture"].path)).write_bytes(b"no picture")
    picture = files(site)["picture"].id
    assert operator.get(f"/evidence/{picture}?small=1").status_code == 404
    assert operator.get(f"/evidence/{picture}/blurred").status_code == 422
    factory.falsify_paths("../anjeon.db")
    for path in ("", "/blurred", "?small=1"):
        assert operator.get(f"/evidence/{clip}{path}").status_code == 404
    assert looks(site) == []


def test_evidence_is_held_by_an_operator_and_released_by_a_manager(
    site: Site, factory: Factory
) -> None:
    alert = factory.intrude(site.clock.now(), lasts_s=1)
    viewer, operator = site.signed_in(Role.VIEWER), site.signed_in(Role.OPERATOR)
    assert viewer.post(f"/alerts/{alert}/hold", {"reason": "police"}).status_code == 403
    assert operator.post(f"/alerts/{alert}/hold", {"reason": ""}).status_code == 422
    assert operator.post("/alerts/nothing/hold", {"reason": "police"}).status_code == 404
    assert operator.post(f"/alerts/{alert}/hold", {"reason": "<b>경찰</b>"}).status_code == 303
    assert operator.post(f"/alerts/{alert}/hold", {"reason": "police"}).status_code == 409
    page = operator.get(f"/alerts/{alert}").text
    assert "&lt;b&gt;경찰&lt;/b&gt;" in page
    assert "/release" not in page
    manager = site.signed_in(Role.MANAGER)
    page = manager.get(f"/alerts/{alert}").text
    start = page.index(f"/alerts/{alert}/holds/")
    path = page[start : page.index('"', start)]
    assert operator.post(path, {"reason": "over"}).status_code == 403
    assert manager.post(path, {"reason": "case over"}).status_code == 303
    assert manager.post(path, {"reason": "case over"}).status_code == 409


def test_clips_of_all_cameras_are_shown_and_those_without_one_are_named(
    site: Site, factory: Factory
) -> None:
    now = site.clock.now()
    alert = factory.intrude(now, lasts_s=1)
    factory.film_elsewhere(f"{1:032x}", "robot", now.shifted(-0.5))
    factory.fail_elsewhere(f"{1:032x}", "aisle", "no_answer")
    operator = site.signed_in(Role.OPERATOR)
    operator.post("/language", {"language": "en"})
    page = operator.get(f"/alerts/{alert}").text
    assert page.count("<video") == 2
    assert 'data-begins="-0.5"' in page
    assert "The clip of 지게차 통로, which sees the same place, is being made." in page
    site.clock.shift_s = timedelta(minutes=3).total_seconds()
    page = operator.get(f"/alerts/{alert}").text
    assert "No clip of 지게차 통로, which sees the same place" in page
    assert "did not answer" in page
    assert "hx-get" not in page[page.index('id="evidence"') : page.index("<figure")]
    found = site.program("read").get(f"/api/v1/alerts/{alert}").json()["evidence"]
    assert sorted((each["kind"], each["other_camera"] or "") for each in found) == [
        ("clip", ""),
        ("clip", "robot"),
        ("picture", ""),
    ]


def test_the_evidence_of_an_incident_is_held_on_its_page(site: Site, factory: Factory) -> None:
    alert = factory.intrude(site.clock.now(), lasts_s=1)
    operator, manager = site.signed_in(Role.OPERATOR), site.signed_in(Role.MANAGER)
    for browser in (operator, manager):
        browser.post("/language", {"language": "en"})
    made = operator.post(
        "/incidents",
        {
            "alert": alert,
            "kind": "near_miss",
            "title": "Near the press",
            "occurred_at": site.now.strftime("%Y-%m-%dT%H:%M"),
        },
    )
    page = made.headers["location"].partition("?")[0]
    shown = operator.get(page).text
    assert "Clips: 1 · pictures: 1 · " in shown
    assert "Nothing of it is deleted while the incident is open." in shown
    hold = f"{page}/hold"
    assert site.signed_in(Role.VIEWER).post(hold, {"reason": "police"}).status_code == 403
    for reason, status in (("", 422), ("x", 422), ("<i>police</i>", 303), ("again", 409)):
        assert operator.post(hold, {"reason": reason}).status_code == status
    assert operator.post("/incidents/nothing/hold", {"reason": "police"}).status_code == 404
    shown = operator.get(page).text
    assert "&lt;i&gt;police&lt;/i&gt;" in shown
    assert "/release" not in shown
    shown = manager.get(page).text
    start = shown.index(f"{page}/holds/")
    release = shown[start : shown.index('"', start)]
    assert operator.post(release, {"reason": "over"}).status_code == 403
    assert manager.post(release, {"reason": "case over"}).status_code == 303
    assert "police" not in manager.get(page).text.partition('id="history"')[0]


def test_the_audit_page_says_whether_the_trail_is_sound(site: Site, factory: Factory) -> None:
    manager = site.signed_in(Role.MANAGER)
    manager.post("/language", {"language": "en"})
    assert translator("en")("audit.never_verified") in manager.get("/audit").text
    assert manager.post("/audit/verify").status_code == 303
    assert "are as they were written" in manager.get("/audit").text
    with site.database.engine.begin() as connection:
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = 1"))
    manager.post("/audit/verify")
    assert "1 places are NOT as they were written" in manager.get("/audit").text


def test_programs_hold_and_release_and_go_through_the_trail(site: Site, factory: Factory) -> None:
    alert = factory.intrude(site.clock.now(), lasts_s=1)
    program = site.program("acknowledge", "read")
    path = f"/api/v1/alerts/{alert}/holds"
    for body in ({}, {"reason": "x"}, {"reason": "police", "until": "2099"}):
        assert program.post(path, json=body).status_code == 422
    assert program.post("/api/v1/alerts/none/holds", json={"reason": "police"}).status_code == 404
    assert program.post("/api/v1/incidents/no/holds", json={"reason": "police"}).status_code == 404
    held = program.post(path, json={"reason": "police"})
    assert held.status_code == 201
    assert [each["id"] for each in program.get(path).json()["items"]] == [held.json()["id"]]
    release = f"/api/v1/holds/{held.json()['id']}/release"
    assert program.post(release, json={"reason": "case over"}).status_code == 403
    manager = site.program("configure", "read", role=Role.MANAGER)
    assert manager.post(release, json={"reason": "case over"}).json()["released_by"]
    assert manager.post(release, json={"reason": "case over"}).status_code == 409
    assert manager.post("/api/v1/holds/none/release", json={"reason": "abc"}).status_code == 404
    assert program.get(path).json()["items"] == []
    seen = manager.get("/api/v1/audit/verification").json()
    assert seen["findings"] == []
    assert seen["head"].startswith(f"{seen['entries']}:")


def test_evidence_that_was_deleted_says_so(site: Site, factory: Factory) -> None:
    alert = factory.intrude(site.clock.now(), lasts_s=1)
    with site.database.transaction() as session:
        for row in evidence.of_violation(session, f"{1:032x}"):
            row.state, row.reason = "deleted", "age"
    clip = files(site)["clip"].id
    operator = site.signed_in(Role.OPERATOR)
    assert operator.get(f"/evidence/{clip}").status_code == 404
    assert translator("ko")("evidence.deleted") in operator.get(f"/alerts/{alert}").text
