"""The REST API, as a program uses it."""

from typing import Any

import httpx
import pytest

from cameras.specs import CameraSpec
from safety.i18n import translator
from safety.store.accounts import Role
from tests.support.factory import Factory
from tests.support.web import Site, every

ZONE = {
    "id": "gate",
    "name": "Gate",
    "camera_id": "press",
    "polygon": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]],
}
RULE = {"kind": "dwell", "id": "gate-stay", "name": "Gate", "zone_id": "gate", "limit_s": 20}
YAML = {"content-type": "application/yaml"}
JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain"}
SPOKEN_PASSWORD = {"id": "x", "name": "X", "source": {"kind": "rtsp", "url": "rtsp://u:p@h/"}}

pytestmark = pytest.mark.usefixtures("factory")


@pytest.fixture
def admin(site: Site) -> httpx.Client:
    return site.program("read", "acknowledge", "configure")


class TestAlerts:
    """Reading, acknowledging and judging."""

    def test_pages_hold_every_alert_once(
        self, site: Site, factory: Factory, admin: httpx.Client
    ) -> None:
        now = site.clock.now()
        made = [factory.intrude(now.shifted(-n), files=False) for n in range(7)]
        seen = [item["id"] for item in every(admin, "/api/v1/alerts", limit=3)]
        assert seen == made

    def test_acknowledging_counts_the_version_up(
        self, site: Site, factory: Factory, admin: httpx.Client
    ) -> None:
        path = f"/api/v1/alerts/{factory.intrude(site.clock.now(), files=False)}"
        etag = admin.get(path).headers["etag"]
        answer = admin.post(f"{path}/acknowledge", headers={"if-match": etag})
        assert answer.json()["state"] == "acknowledged"
        assert answer.json()["acknowledged_by"] == "admin/api"
        assert answer.headers["etag"] != etag
        assert admin.post(f"{path}/acknowledge").json()["version"] == answer.json()["version"]
        late = admin.post(
            f"{path}/decide", json={"verdict": "confirmed"}, headers={"if-match": etag}
        )
        assert late.status_code == 412

    def test_a_decision_is_made_once(
        self, site: Site, factory: Factory, admin: httpx.Client
    ) -> None:
        path = f"/api/v1/alerts/{factory.intrude(site.clock.now(), files=False)}/decide"
        decided = admin.post(path, json={"verdict": "false_positive", "note": "a cat"}).json()
        assert (decided["state"], decided["note"]) == ("false_positive", "a cat")
        again = admin.post(path, json={"verdict": "confirmed"})
        assert (again.status_code, again.json()["code"]) == (409, "alert.transition")

    def test_evidence_is_served_with_ranges(
        self, site: Site, factory: Factory, admin: httpx.Client
    ) -> None:
        alert = factory.intrude(site.clock.now())
        files = admin.get(f"/api/v1/alerts/{alert}").json()["evidence"]
        assert [file["kind"] for file in files] == ["picture", "clip"]
        picture, clip = (admin.get(file["url"]) for file in files)
        assert picture.headers["content-type"] == "image/jpeg"
        assert len(clip.content) == files[1]["size_bytes"]
        part = admin.get(files[1]["url"], headers={"range": "bytes=0-99"})
        assert (part.status_code, len(part.content)) == (206, 100)


class TestParts:
    """Cameras, zones, rules and channels."""

    def test_a_zone_and_its_rule_come_and_go(self, admin: httpx.Client) -> None:
        made = admin.put("/api/v1/zones/gate", json=ZONE)
        assert made.status_code == 201
        assert admin.put("/api/v1/rules/gate-stay", json=RULE).status_code == 201
        etag = admin.get("/api/v1/zones/gate").headers["etag"]
        assert etag == made.headers["etag"]
        in_use = admin.delete("/api/v1/zones/gate", headers={"if-match": etag})
        assert (in_use.status_code, in_use.json()["code"]) == (409, "site.in_use")
        assert admin.delete("/api/v1/rules/gate-stay", headers={"if-match": "*"}).status_code == 204
        assert admin.delete("/api/v1/zones/gate", headers={"if-match": etag}).status_code == 204
        assert admin.get("/api/v1/zones/gate").status_code == 404

    def test_an_edit_names_what_it_was_made_from(self, admin: httpx.Client) -> None:
        zone = admin.get("/api/v1/zones/press-2")
        wanted = {**zone.json(), "name": "Press two"}
        path, etag = "/api/v1/zones/press-2", zone.headers["etag"]
        assert admin.put(path, json=wanted).status_code == 428
        assert admin.put(path, json=wanted, headers={"if-match": etag}).status_code == 200
        assert admin.put(path, json=wanted, headers={"if-match": etag}).status_code == 412
        assert admin.put(path, json=wanted, headers={"if-match": "*"}).status_code == 200

    def test_a_change_raises_the_revision_and_is_audited(
        self, site: Site, admin: httpx.Client
    ) -> None:
        before = admin.get("/api/v1/site").json()["config_revision"]
        admin.put("/api/v1/zones/gate", json=ZONE)
        assert admin.get("/api/v1/site").json()["config_revision"] == before + 1
        assert "admin/api" in site.signed_in().get("/audit").text

    def test_cameras_that_nobody_vouches_for_are_blind(self, admin: httpx.Client) -> None:
        cameras = admin.get("/api/v1/cameras").json()["items"]
        assert [camera["state"] for camera in cameras] == ["blind"] * 3
        assert {camera["reason"] for camera in cameras} == {"engine_silent"}

    def test_addresses_are_for_managers(self, site: Site) -> None:
        program = site.program("read")
        assert "source" not in program.get("/api/v1/cameras").text
        assert program.get("/api/v1/cameras/press").status_code == 403
        assert program.get("/api/v1/channels").status_code == 403

    def test_a_camera_round_trips(self, admin: httpx.Client) -> None:
        answer = admin.get("/api/v1/cameras/press")
        assert CameraSpec.model_validate(answer.json()).id == "press"
        headers = {"if-match": answer.headers["etag"]}
        assert admin.put("/api/v1/cameras/press", json=answer.json(), headers=headers).is_success


class TestSiteDocument:
    """The whole site as YAML."""

    def test_export_and_apply_change_nothing(self, admin: httpx.Client) -> None:
        exported = admin.get("/api/v1/site/export")
        assert exported.headers["content-type"].startswith("application/yaml")
        etag = admin.get("/api/v1/site").headers["etag"]
        path, headers = "/api/v1/site/apply", {**YAML, "if-match": etag}
        applied = admin.post(path, content=exported.content, headers=headers).json()
        assert applied["added"] == applied["changed"] == applied["removed"] == []
        renamed = exported.content.replace(b"name:", b"name: New ", 1)
        assert admin.post(path, content=renamed, headers=headers).json()["site"] == ["name"]
        assert admin.post(path, content=renamed, headers=headers).status_code == 412
        assert admin.post(path, content=renamed, headers=YAML).status_code == 428

    def test_every_problem_comes_with_its_line(self, admin: httpx.Client) -> None:
        text = "version: 1\nname: X\ncamera: []\nzones: [{id: a, name: A, camera_id: b}]\n"
        answer = admin.post("/api/v1/site/apply", content=text, headers=YAML)
        assert answer.status_code == 422
        wheres = [problem["where"] for problem in answer.json()["problems"]]
        assert wheres[0].startswith("line 3")
        assert len(wheres) >= 2

    def test_only_administrators_apply(self, site: Site) -> None:
        manager = site.program("configure", role=Role.MANAGER)
        answer = manager.post("/api/v1/site/apply", content="x", headers=YAML)
        assert answer.status_code == 403


class TestTokens:
    """Tokens, made by a signed-in person."""

    def test_a_token_works_until_it_is_revoked(self, site: Site) -> None:
        browser = site.signed_in(Role.OPERATOR)
        wanted = {"name": "MES", "scopes": ["read", "acknowledge"]}
        made = browser.call("POST", "/api/v1/tokens", json=wanted).json()
        bearer = {"authorization": f"Bearer {made['token']}"}
        stranger = site.browser()
        assert stranger.get("/api/v1/site", **bearer).status_code == 200
        assert browser.call("DELETE", f"/api/v1/tokens/{made['id']}").status_code == 204
        assert stranger.get("/api/v1/site", **bearer).status_code == 401

    def test_nobody_hands_out_more_than_their_role(self, site: Site) -> None:
        wanted = {"name": "MES", "scopes": ["configure"]}
        answer = site.signed_in(Role.OPERATOR).call("POST", "/api/v1/tokens", json=wanted)
        assert (answer.status_code, answer.json()["code"]) == (422, "token.role")

    def test_tokens_of_others_are_out_of_reach(self, site: Site) -> None:
        wanted = {"name": "MES", "scopes": ["read"]}
        made = site.signed_in().call("POST", "/api/v1/tokens", json=wanted).json()
        answer = site.signed_in(Role.VIEWER).call("DELETE", f"/api/v1/tokens/{made['id']}")
        assert answer.status_code == 404


class TestRecord:
    """Violations and coverage."""

    def test_violations(self, site: Site, factory: Factory, admin: httpx.Client) -> None:
        factory.intrude(site.clock.now().shifted(-60), lasts_s=4.0, files=False)
        [violation] = admin.get("/api/v1/violations", params={"camera": "press"}).json()["items"]
        assert violation["end_reason"] == "cleared"
        assert violation["duration_s"] == pytest.approx(4.0)
        assert admin.get(f"/api/v1/violations/{violation['id']}").json() == violation

    def test_a_camera_without_record_was_not_watched(self, admin: httpx.Client) -> None:
        [coverage] = admin.get("/api/v1/coverage", params={"camera": "robot"}).json()["items"]
        assert coverage["unrecorded_s"] == 86400
        assert coverage["live_s"] == 0


BAD_ZONES: list[tuple[dict[str, Any], str]] = [
    ({**ZONE, "polygon": [[0.1, 0.1], [0.5, 0.1]]}, "corners"),
    ({**ZONE, "polygon": [[0.1, 0.1], [0.5, 0.5], [0.5, 0.1], [0.1, 0.5]]}, "crosses"),
    ({**ZONE, "polygon": [[0.1, 0.1], [0.5, 0.1], [0.5, 1.5]]}, "outside"),
    ({**ZONE, "camera_id": "nowhere"}, "nowhere"),
    ({**ZONE, "colour": "red"}, "colour"),
    ({**ZONE, "id": "other"}, "other"),
    ({**ZONE, "name": ""}, "name"),
    ({key: value for key, value in ZONE.items() if key != "polygon"}, "polygon"),
]


@pytest.mark.parametrize(("body", "names"), BAD_ZONES)
def test_zones_that_cannot_be(admin: httpx.Client, body: dict[str, Any], names: str) -> None:
    answer = admin.put("/api/v1/zones/gate", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert names in answer.text


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("PUT", "/api/v1/zones/gate", {"content": b"{", "headers": JSON}, 422),
        ("PUT", "/api/v1/zones/gate", {"content": b"[]", "headers": JSON}, 422),
        ("PUT", "/api/v1/zones/gate", {"content": b"{}", "headers": TEXT}, 422),
        ("PUT", "/api/v1/rules/x", {"json": {**RULE, "id": "x", "kind": "levitation"}}, 422),
        ("PUT", "/api/v1/rules/x", {"json": {**RULE, "id": "x", "limit_s": "soon"}}, 422),
        ("PUT", "/api/v1/rules/x", {"json": {**RULE, "id": "x", "zone_id": "nowhere"}}, 422),
        ("PUT", "/api/v1/cameras/x", {"json": SPOKEN_PASSWORD}, 422),
        ("POST", "/api/v1/site/apply", {"content": b"name: X"}, 415),
        ("POST", "/api/v1/site/apply", {"content": b"\xff\xfe", "headers": YAML}, 422),
        ("POST", "/api/v1/site/apply", {"content": b"", "headers": YAML}, 422),
        ("POST", "/api/v1/alerts/nothing/acknowledge", {}, 404),
        ("POST", "/api/v1/alerts/nothing/decide", {"json": {"verdict": "maybe"}}, 422),
        ("GET", "/api/v1/alerts?limit=0", {}, 422),
        ("GET", "/api/v1/alerts?limit=9999", {}, 422),
        ("GET", "/api/v1/alerts?state=happy", {}, 422),
        ("GET", "/api/v1/alerts?cursor=nothing", {}, 404),
        ("GET", "/api/v1/cameras?cursor=nothing", {}, 404),
        ("GET", "/api/v1/siren-tests?cursor=nothing", {}, 404),
        ("GET", "/api/v1/violations/nothing", {}, 404),
        ("GET", "/api/v1/violations?since=yesterday", {}, 422),
        ("GET", "/api/v1/coverage?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", {}, 422),
        ("GET", "/api/v1/coverage?since=1900-01-01T00:00:00Z", {}, 422),
        ("GET", "/api/v1/evidence/nothing", {}, 404),
        ("GET", "/api/v1/evidence/..%2f..%2fanjeon.db", {}, 404),
        ("GET", "/static/..%2f..%2fapp.py", {}, 404),
        ("GET", "/static/%2e%2e/app.py", {}, 404),
        ("DELETE", "/api/v1/zones/nothing", {"headers": {"if-match": "*"}}, 404),
        ("DELETE", "/api/v1/site", {}, 405),
        ("GET", "/api/v1/nothing", {}, 404),
    ],
)  # fmt: skip
def test_bad_input(
    admin: httpx.Client, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    answer = admin.request(method, path, **options)
    assert answer.status_code == status, answer.text
    if path.startswith("/api/"):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


def test_a_path_in_the_record_cannot_lead_out_of_the_evidence(
    site: Site, factory: Factory, admin: httpx.Client
) -> None:
    alert = factory.intrude(site.clock.now())
    factory.falsify_paths("../anjeon.db")
    for file in admin.get(f"/api/v1/alerts/{alert}").json()["evidence"]:
        assert admin.get(file["url"]).status_code == 404


def test_problems_are_told_in_the_readers_language(site: Site) -> None:
    browser = site.signed_in()
    browser.post("/language", {"language": "ko"})
    problem = browser.get("/api/v1/alerts/nothing").json()
    assert problem["title"] == translator("ko")("error.404")


def test_the_api_describes_itself(admin: httpx.Client) -> None:
    described = admin.get("/api/v1/openapi.json").json()
    paths = described["paths"]
    assert "/api/v1/alerts/{alert_id}/acknowledge" in paths
    assert all(path.startswith("/api/v1/") for path in paths)
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path} says nothing"
