"""The API of incidents, actions and accidents, as a program uses it."""

from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from safety.store import audit
from safety.store.accounts import Role
from tests.support.factory import Factory
from tests.support.web import Site, every

CAUSE = {"text": "the cover was open"}
ACCIDENT = {"occurred_on": "2026-01-02", "kind": "caught", "worker_group": "own", "lost_days": 14}
CSV = "발생일,발생 형태,근로자 구분,휴업 일수,재해 정도\n"


@pytest.fixture
def admin(site: Site) -> httpx.Client:
    return site.program("read", "acknowledge", "configure")


@pytest.fixture
def incident(site: Site, admin: httpx.Client) -> dict[str, Any]:
    return post(admin, "/api/v1/incidents", body(site))


def body(site: Site, **changes: object) -> dict[str, object]:
    return {"kind": "near_miss", "title": "손", "occurred_at": site.now.isoformat()} | changes


def post(client: httpx.Client, path: str, json: object, **headers: str) -> dict[str, Any]:
    answer = client.post(path, json=json, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    found: dict[str, Any] = answer.json()
    return found


def action(site: Site) -> dict[str, str]:
    due = site.now.date().replace(year=site.now.year + 1)
    return {
        "text": "방호장치",
        "control": "engineering",
        "owner": "팀장",
        "due_on": due.isoformat(),
    }


def test_from_an_alert_to_a_closed_incident(
    site: Site, factory: Factory, admin: httpx.Client
) -> None:
    alerts = [factory.intrude(site.clock.now().shifted(-n), files=False) for n in (1, 2, 3)]
    merged = post(admin, f"/api/v1/alerts/{alerts[0]}/merge", {"alerts": [alerts[1]]})
    assert merged == {"alerts": [alerts[1]]}
    made = post(admin, "/api/v1/incidents", body(site, alerts=[alerts[0]]))
    assert set(made["alerts"]) == set(alerts[:2])
    assert made["rule_id"] == "press-entry"
    path = f"/api/v1/incidents/{made['id']}"
    assert len(post(admin, f"{path}/alerts", {"alerts": [alerts[2]]})["alerts"]) == 3
    place = f"{path}/alerts/{alerts[2]}"
    assert admin.delete(place).status_code == 428
    assert len(admin.delete(place, headers={"if-match": "*"}).json()["alerts"]) == 2
    assert admin.get(f"/api/v1/alerts/{alerts[2]}").json()["state"] == "confirmed"
    post(admin, f"{path}/state", {"state": "investigating"}, **{"if-match": "*"})
    post(admin, f"{path}/causes", CAUSE)
    todo = post(admin, f"{path}/actions", action(site))["actions"][0]
    post(admin, f"{path}/state", {"state": "actions"}, **{"if-match": "*"})
    for state in ("done", "verified"):
        done = post(
            admin,
            f"/api/v1/actions/{todo['id']}/state",
            {"state": state, "note": "seen"},
            **{"if-match": "*"},
        )
        assert done["state"] == state
    for state in ("verified", "closed"):
        closed = post(admin, f"{path}/state", {"state": state}, **{"if-match": "*"})
    assert closed["state"] == "closed"
    assert closed["closed_by"] == "admin/api"
    found = admin.get("/api/v1/rules/press-entry/precision").json()
    # The merged alert counts with the one that it was merged into.
    assert (found["confirmed"], found["false"], found["share"]) == (2, 0, 1.0)
    assert 0.15 < found["lower"] < 0.2


def test_edits_name_the_version_they_were_made_from(
    site: Site, admin: httpx.Client, incident: dict[str, Any]
) -> None:
    path = f"/api/v1/incidents/{incident['id']}"
    etag = admin.get(path).headers["etag"]
    changed = body(site, place="2동")
    assert admin.put(path, json=changed).status_code == 428
    assert admin.put(path, json=changed, headers={"if-match": etag}).json()["place"] == "2동"
    assert admin.put(path, json=changed, headers={"if-match": etag}).status_code == 412
    todo = post(admin, f"{path}/actions", action(site))["actions"][0]
    other = action(site) | {"owner": "설비팀"}
    place = f"/api/v1/actions/{todo['id']}"
    assert admin.put(place, json=other).status_code == 428
    assert admin.put(place, json=other, headers={"if-match": '"1"'}).json()["owner"] == "설비팀"
    assert admin.put(place, json=other, headers={"if-match": '"1"'}).status_code == 412


def test_a_repeated_request_makes_nothing_new(site: Site, admin: httpx.Client) -> None:
    one, other = body(site), body(site, title="other")
    key = {"idempotency-key": "3b0c"}
    first = post(admin, "/api/v1/incidents", one, **key)
    assert post(admin, "/api/v1/incidents", one, **key)["id"] == first["id"]
    assert admin.post("/api/v1/incidents", json=other, headers=key).status_code == 409
    for _ in range(2):
        made = post(admin, "/api/v1/accidents", ACCIDENT, **key)
    assert len(admin.get("/api/v1/accidents").json()["items"]) == 1
    assert made["outcome"] == "lost_time"


def test_pages_hold_everything_once(site: Site, admin: httpx.Client) -> None:
    made = {post(admin, "/api/v1/incidents", body(site))["id"] for _ in range(5)}
    seen = [item["id"] for item in every(admin, "/api/v1/incidents")]
    assert (set(seen), len(seen)) == (made, 5)
    assert admin.get("/api/v1/incidents?state=closed").json()["items"] == []


def test_who_may_do_what(site: Site, incident: dict[str, Any]) -> None:
    operator = site.signed_in(Role.OPERATOR)
    path = f"/api/v1/incidents/{incident['id']}"
    match = {"if-match": "*"}
    moved = operator.call("POST", f"{path}/state", json={"state": "investigating"}, **match)
    assert moved.status_code == 200
    note = {"state": "closed", "note": "nothing to do"}
    operator.call("POST", f"{path}/causes", json=CAUSE)
    assert operator.call("POST", f"{path}/state", json=note, **match).status_code == 403
    made = operator.call("POST", f"{path}/actions", json=action(site)).json()["actions"][0]
    place = f"/api/v1/actions/{made['id']}/state"
    assert operator.call("POST", place, json={"state": "done"}, **match).status_code == 200
    verify = {"state": "verified", "note": "seen"}
    assert operator.call("POST", place, json=verify, **match).status_code == 403
    # Accidents concern somebody's health.
    assert operator.get("/api/v1/accidents").status_code == 403
    viewer = site.signed_in(Role.VIEWER)
    assert viewer.get(path).status_code == 200
    assert viewer.call("POST", "/api/v1/incidents", json=body(site)).status_code == 403


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("incidents", {"title": ""}),
    ("incidents", {"title": "900101-1234567"}),
    ("incidents", {"title": "x" * 201}),
    ("incidents", {"kind": "accident"}),
    ("incidents", {"occurred_at": "2999-01-01T00:00:00Z"}),
    ("incidents", {"occurred_at": "0001-01-01T00:00:00+09:00"}),
    ("incidents", {"occurred_at": "2026-01-01T00:00:00"}),
    ("incidents", {"frequency": 2}),
    ("incidents", {"frequency": 9, "severity": 1}),
    ("incidents", {"people": [{"role": "worker", "count": 0}]}),
    ("incidents", {"people": [{"role": "worker", "note": "900101-1234567"}]}),
    ("incidents", {"name": "김민수"}),
    ("accidents", {"occurred_on": "2999-01-01"}),
    ("accidents", {"lost_days": -1}),
    ("accidents", {"outcome": "fatality"}),
    ("accidents", {"description": "김민수 900101-1234567"}),
    ("accidents", {"occurred_time": "25:00"}),
    ("accidents", {"deaths": 2}),
]


def test_what_is_refused(site: Site, admin: httpx.Client) -> None:
    for path, wrong in REFUSED:
        good = body(site) if path == "incidents" else ACCIDENT
        answer = admin.post(f"/api/v1/{path}", json=good | wrong)
        assert answer.status_code == 422, (wrong, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "1234567" not in answer.text
        assert admin.get(f"/api/v1/{path}").json()["items"] == []


def test_what_is_not_there_is_not_found(admin: httpx.Client, incident: dict[str, Any]) -> None:
    for path in ("incidents/x", "actions/x", "actions/x/photo", "accidents/x"):
        assert admin.get(f"/api/v1/{path}").status_code == 404
    assert admin.get("/api/v1/accidents/imports/x").status_code == 404
    match = {"if-match": "*"}
    assert (
        admin.delete(f"/api/v1/incidents/{incident['id']}/causes/x", headers=match).status_code
        == 404
    )
    cause = CAUSE | {"parent_id": "x"}
    path = f"/api/v1/incidents/{incident['id']}/causes"
    assert admin.post(path, json=cause).status_code == 404


def test_accidents_with_their_duties_and_form(
    site: Site, admin: httpx.Client, incident: dict[str, Any]
) -> None:
    path = f"/api/v1/incidents/{incident['id']}"
    post(admin, f"{path}/causes", CAUSE)
    post(admin, f"{path}/actions", action(site))
    dead = ACCIDENT | {"deaths": 1, "lost_days": 0, "incident_id": incident["id"]}
    made = post(admin, "/api/v1/accidents", dead)
    assert (made["form_due_on"], made["report_now"]) == ("2026-02-02", True)
    place = f"/api/v1/accidents/{made['id']}"
    match = {"if-match": "*"}
    assert post(admin, f"{place}/report", None, **match)["report_now"] is False
    workplace = {"name": "한빛정밀", "workers": 120, "relation": "own"}
    tag = admin.get("/api/v1/workplace").headers["etag"]
    assert admin.put("/api/v1/workplace", json=workplace).status_code == 428
    assert admin.put("/api/v1/workplace", json=workplace, headers={"if-match": tag}).is_success
    form = admin.get(f"{place}/form30").json()
    assert form["section_1"]["name"] == "한빛정밀"
    assert form["section_3"]["when"] == "2026년 1월 2일 (금)"
    assert CAUSE["text"] in form["section_3"]["cause"]
    assert "방호장치" in form["section_4"]["plan"]
    assert "business_number" in form["missing"]
    assert "section_2" not in form
    submitted = post(admin, f"{place}/submit", {"representative": "confirmed"}, **match)
    assert submitted["form_state"] == "done"
    void = post(admin, f"{place}/void", {"reason": "entered twice"}, **match)
    assert (void["form_due_on"], void["report_now"]) == (None, False)
    assert admin.get("/api/v1/accidents").json()["items"] == []
    assert len(admin.get("/api/v1/accidents?void=true").json()["items"]) == 1
    with site.database.reading() as session:
        deeds = [each.action for each in audit.list_entries(session, subject=made["id"])]
    assert deeds == ["accident.void", "accident.submit", "accident.report", "accident.add"]


def test_a_file_is_looked_at_then_taken_over_once(admin: httpx.Client) -> None:
    post(admin, "/api/v1/accidents", ACCIDENT)
    text = CSV + (
        "2026-01-02,끼임,소속 근로자,14,\n"  # on record
        "2026-01-03,넘어짐,소속 근로자,3,\n"
        "2026-01-03,넘어짐,소속 근로자,3,\n"  # twice in the file
        "2099-01-01,넘어짐,소속 근로자,3,\n"
        "어제,넘어짐,우리,3,\n"
    )
    content = text.encode("cp949")
    path = "/api/v1/accidents/imports"
    found = admin.post(f"{path}?filename=../../a.csv", content=content).json()
    assert (found["ready"], found["doubles"], found["state"]) == (1, 2, "checked")
    assert [(p["line"], p["column"]) for p in found["problems"]] == [
        (5, "occurred_on"),
        (6, "occurred_on"),
        (6, "worker_group"),
    ]
    assert len(admin.get("/api/v1/accidents").json()["items"]) == 1
    done = admin.post(f"{path}/{found['id']}/apply").json()
    assert (done["imported"], done["state"]) == (1, "imported")
    assert admin.post(f"{path}/{found['id']}/apply").status_code == 409
    again = admin.post(path, content=content).json()
    assert (again["ready"], again["doubles"]) == (0, 3)
    assert len(admin.get("/api/v1/accidents").json()["items"]) == 2
    for content in (b"", b"\x00\x01", b"a,b\n1,2\n", b"PK\x03\x04nonsense"):
        assert admin.post(path, content=content).status_code == 422


def test_a_picture_is_encoded_anew_and_nothing_else_is_taken(
    site: Site, admin: httpx.Client, incident: dict[str, Any]
) -> None:
    path = f"/api/v1/incidents/{incident['id']}"
    todo = post(admin, f"{path}/actions", action(site))["actions"][0]
    place = f"/api/v1/actions/{todo['id']}/photo"
    sent = cv2.imencode(".png", np.full((80, 60, 3), 90, np.uint8))[1].tobytes()
    match = {"if-match": "*"}
    shown = admin.put(place, content=sent + b"<script>", headers=match).json()
    answer = admin.get(shown["photo"])
    assert answer.headers["content-type"] == "image/jpeg"
    assert b"script" not in answer.content
    assert cv2.imdecode(np.frombuffer(answer.content, np.uint8), 1).shape == (80, 60, 3)  # type: ignore[union-attr]
    bomb = sent[:16] + (60000).to_bytes(4, "big") * 2 + sent[24:]
    for content in (b"", b"GIF89a", b"<svg/>", bomb):
        assert admin.put(place, content=content, headers=match).status_code == 422
    assert admin.put(place, content=bytes(17 * 1024 * 1024), headers=match).status_code == 413
    assert admin.get(shown["photo"]).content == answer.content
