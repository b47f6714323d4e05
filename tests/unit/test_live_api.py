"""What the live routes answer, and to whom; no engine and no shard unless a test starts one."""

from typing import Any

import pytest

from safety.store.accounts import Role
from safety.store.tables import Camera, Zone
from safety.types import CameraState
from tests.support.live import CELL, camera_status, playing
from tests.support.waiting import wait_until
from tests.support.web import Browser, Site

OFFER = {"type": "offer", "sdp": "v=0\r\n"}


@pytest.fixture(autouse=True)
def cameras(site: Site) -> None:
    with site.database.transaction() as session:
        for position, changes in enumerate(({}, {"enabled": False})):
            camera_id = f"cam-{position + 1}"
            spec = {"id": camera_id, "name": f"Camera {position + 1}", "enabled": True, **changes}
            session.add(Camera(id=camera_id, position=position, spec=spec))
        session.flush()
        zone = {"id": "cell", "name": "Cell", "camera_id": "cam-1", "polygon": CELL}
        session.add(Zone(id="cell", camera_id="cam-1", spec=zone))


def tiles(browser: Browser) -> dict[str, dict[str, Any]]:
    status = browser.get("/api/v1/live/status").json()
    return {tile["id"]: tile for tile in status["cameras"]}


def test_without_an_engine_every_camera_is_not_monitored(site: Site) -> None:
    status = site.signed_in().get("/api/v1/live/status").json()
    assert status["sentence"] == "감시 엔진이 응답하지 않습니다. 감시 여부를 확인할 수 없습니다."
    assert status["complete"] is False
    assert {tile["state"] for tile in status["cameras"]} == {"blind"}
    assert [tile["reason_text"] for tile in status["cameras"]] == [
        "감시 엔진이 응답하지 않습니다",
        "사용하지 않도록 설정되어 있습니다",
    ]


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (CameraState.LIVE, "ok", ""),
        (CameraState.DEGRADED, "slow", "분석 속도가 기준보다 느립니다"),
        (CameraState.BLIND, "unauthorized", "카메라의 사용자 이름 또는 비밀번호가 맞지 않습니다"),
    ],
)
def test_the_state_is_told_in_words(
    site: Site, state: CameraState, reason: str, words: str
) -> None:
    browser = site.signed_in(Role.VIEWER)
    with playing(site.settings, camera_status("cam-1", state=state, reason=reason)):
        wait_until(lambda: tiles(browser)["cam-1"]["reason_text"] == words)
        tile = tiles(browser)["cam-1"]
    assert tile["state"] == state.value
    assert bool(tile["since_text"]) == bool(words)
    outline = [list(corner) for corner in CELL]
    assert tile["zones"] == [{"id": "cell", "name": "Cell", "polygon": outline, "hatched": False}]


def test_a_zone_in_which_people_are_too_small_is_hatched_and_said(site: Site) -> None:
    browser = site.signed_in(Role.VIEWER)
    status = camera_status(
        "cam-1",
        state=CameraState.DEGRADED,
        reason="cannot_resolve",
        unresolved_zones=("cell",),
        zone_heights_px={"cell": 31.4},
    )
    with playing(site.settings, status):
        wait_until(lambda: tiles(browser)["cam-1"]["zones"][0]["hatched"])
        page = browser.get("/cameras").text
        wall = browser.get("/api/v1/live/status").json()
    assert "구역은 감시되지 않음" in tiles(browser)["cam-1"]["reason_text"]
    assert "감시되지 않음: 사람이 너무 작게 보입니다." in page
    assert "31픽셀" in page
    assert wall["sentence"] == "카메라 2대 중 1대 감시 중, 감시되지 않는 구역 1곳"
    assert wall["complete"] is False


def test_word_that_is_too_old_counts_for_nothing(site: Site) -> None:
    browser = site.signed_in(Role.VIEWER)
    with playing(site.settings, camera_status("cam-1")) as plant:
        wait_until(lambda: tiles(browser)["cam-1"]["state"] == "live")
        plant.stop(plant.engine)
        site.clock.shift_s += 3.1
        assert tiles(browser)["cam-1"]["state"] == "blind"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/v1/live/nowhere/offer", OFFER, 404),
        ("/api/v1/live/..%2Fcam-1/offer", OFFER, 404),
        ("/api/v1/live/cam-1/offer", OFFER, 422),
        ("/api/v1/live/cam-1/offer", {"type": "offer"}, 422),
        ("/api/v1/live/cam-1/offer", {"type": "rollback", "sdp": ""}, 422),
        ("/api/v1/live/cam-1/offer", {"type": "offer", "sdp": "x" * 70_000}, 422),
        ("/api/v1/live/cam-1/offer", {"type": "offer", "sdp": "x" * 2_000_000}, 413),
        ("/api/v1/live/cam-1/offer", [], 422),
    ],
)
def test_bad_offers_are_refused(site: Site, path: str, body: object, status: int) -> None:
    assert site.signed_in(Role.VIEWER).call("POST", path, json=body).status_code == status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/live/nowhere/snapshot.jpg", 404),
        ("/api/v1/live/cam-1/snapshot.jpg", 503),
        ("/api/v1/live/cam-1/snapshot.jpg?width=8", 422),
        ("/api/v1/live/cam-1/snapshot.jpg?width=100000", 422),
    ],
)
def test_pictures_that_are_not_there(site: Site, path: str, status: int) -> None:
    answer = site.signed_in(Role.VIEWER).get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/live/status"),
        ("GET", "/api/v1/live/cam-1/snapshot.jpg"),
        ("POST", "/api/v1/live/cam-1/offer"),
    ],
)
def test_nobody_sees_anything_without_signing_in(site: Site, method: str, path: str) -> None:
    assert site.browser().call(method, path, json=OFFER).status_code == 401


def test_an_offer_without_the_token_of_the_page_is_refused(site: Site) -> None:
    browser = site.signed_in()
    browser.csrf_token = "forged"
    assert browser.call("POST", "/api/v1/live/cam-1/offer", json=OFFER).status_code == 403


def test_a_still_picture_comes_with_what_was_seen_in_it(site: Site) -> None:
    browser = site.signed_in(Role.VIEWER)
    with playing(site.settings, camera_status("cam-1")):
        wait_until(lambda: tiles(browser)["cam-1"]["state"] == "live")
        path = "/api/v1/live/cam-1/snapshot.jpg"
        wait_until(lambda: "x-anjeon-overlay" in browser.get(path).headers)
        answer = browser.get(path)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8")
    assert answer.headers["x-anjeon-overlay"].startswith('{"t":')
