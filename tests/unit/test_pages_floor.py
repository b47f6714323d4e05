"""Zones on the floor, floor calibration and the plan, as a browser sends and gets them."""

import json

import cv2
import httpx
import numpy as np
import pytest

from dashboard.plan_picture import LONGEST_PX
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.store.accounts import Role
from tests.support.floor_site import BEHIND, CALIBRATION, IN_VIEW, PLAN, seen_at, with_floor
from tests.support.web import Browser, Site


def spec_of(site: Site) -> SiteSpec:
    with site.database.reading() as session:
        return load_site(session).spec


@pytest.fixture
def manager(site: Site) -> Browser:
    with_floor(site)
    return site.signed_in(Role.MANAGER)


def percent(corners: tuple[tuple[float, float], ...]) -> str:
    places = (seen_at(*corner) for corner in corners)
    return "\n".join(f"{100 * u:.3f}, {100 * v:.3f}" for u, v in places)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_pages_are_whole_in_both_languages(site: Site, manager: Browser, language: str) -> None:
    manager.post("/language", {"language": language})
    for path in (
        "/plan",
        "/zones",
        "/zones/front",
        "/zones/front?camera=press",
        "/zones/store",
        "/zones/new?on=floor",
        "/zones/new?camera=press&on=floor",
        "/cameras/press/floor",
        "/cameras/robot/floor",
    ):
        answer = manager.get(path)
        assert answer.status_code == 200, path
        for key in ("zones.", "plan.", "floor.", "live.no_picture_now"):
            assert f">{key}" not in answer.text, path


class TestZones:
    def test_a_zone_drawn_in_a_calibrated_picture_lies_on_the_floor(
        self, site: Site, manager: Browser
    ) -> None:
        fields = {"name": "통로", "camera": "press", "on": "floor", "corners": percent(IN_VIEW)}
        assert manager.post("/zones", fields).status_code == 303
        zone = next(zone for zone in spec_of(site).zones if zone.name == "통로")
        assert zone.camera_id is None
        assert np.array(zone.floor_m) == pytest.approx(np.array(IN_VIEW), abs=0.02)

    def test_a_corner_above_the_horizon_is_refused_with_its_number(
        self, site: Site, manager: Browser
    ) -> None:
        corners = "40, 60\n60, 60\n50, 2"
        fields = {"name": "통로", "camera": "press", "on": "floor", "corners": corners}
        answer = manager.post("/zones", fields)
        assert answer.status_code == 422
        assert "모서리 3" in answer.text
        assert len(spec_of(site).zones) == 4

    def test_an_uncalibrated_picture_has_no_floor(self, manager: Browser) -> None:
        assert manager.get("/zones/new?camera=robot&on=floor").status_code == 404

    def test_a_floor_zone_is_changed_on_the_plan(self, site: Site, manager: Browser) -> None:
        corners = "0, 5\n2, 5\n2, 8.25\n0, 8"
        fields = {"name": "앞", "camera": "", "on": "floor", "corners": corners}
        assert manager.post("/zones/front", fields).status_code == 303
        zone = next(zone for zone in spec_of(site).zones if zone.id == "front")
        assert zone.floor_m == ((0.0, 5.0), (2.0, 5.0), (2.0, 8.25), (0.0, 8.0))

    def test_a_floor_zone_can_be_deleted(self, site: Site, manager: Browser) -> None:
        answer = manager.post("/zones/store/delete")
        assert answer.headers["location"] == "/zones?done=deleted"
        assert "store" not in {zone.id for zone in spec_of(site).zones}

    def test_every_calibrated_camera_shows_what_it_sees_of_an_outline(
        self, manager: Browser
    ) -> None:
        drawn = {"camera": "", "corners": IN_VIEW}
        views = manager.call("POST", "/zones/views", json=drawn).json()["views"]
        assert list(views) == ["press"]
        wanted = {tuple(np.round(seen_at(*corner), 2)) for corner in IN_VIEW}
        assert {tuple(np.round(corner, 2)) for corner in views["press"]} == wanted
        drawn = {"camera": "", "corners": BEHIND}
        assert manager.call("POST", "/zones/views", json=drawn).json()["views"] == {"press": None}

    def test_what_no_camera_sees_is_hatched_and_said(self, manager: Browser) -> None:
        assert 'data-hatched="yes"' in manager.get("/zones/store").text
        assert 'data-hatched="no"' in manager.get("/zones/front").text

    def test_the_wall_shows_floor_zones_in_the_pictures_that_see_them(
        self, manager: Browser
    ) -> None:
        cameras = manager.get("/api/v1/live/status").json()["cameras"]
        zones = {each["id"]: {zone["id"] for zone in each["zones"]} for each in cameras}
        assert zones["press"] == {"press-2", "front"}
        assert zones["robot"] == {"fence"}


class TestCalibration:
    def body(self, **changes: object) -> dict[str, object]:
        return {**CALIBRATION.model_dump(mode="json"), **changes}

    def test_the_fit_is_shown_while_points_are_clicked(self, manager: Browser) -> None:
        report = manager.call("POST", "/cameras/robot/floor/examine", json=self.body()).json()
        assert report["usable"]
        assert all(pair["residual_m"] < 0.01 for pair in report["pairs"])
        assert report["camera_m"][2] == pytest.approx(4, abs=0.1)
        assert report["grid"]
        assert report["ellipses"]
        assert report["in_view"]

    def test_a_bad_fit_is_explained_and_not_saved(self, site: Site, manager: Browser) -> None:
        pairs = [(10, 50, -3, 4), (30, 50, -1, 4), (60, 50, 1, 4), (90, 50, 3, 4)]
        text = "\n".join(", ".join(map(str, pair)) for pair in pairs)
        answer = manager.post("/cameras/robot/floor", {"pairs": text, "aspect": "1.7778"})
        assert answer.status_code == 422
        assert "한 줄" in answer.text
        assert "30, 50, -1, 4" in answer.text
        assert spec_of(site).cameras[1].calibration is None

    def test_a_good_one_is_saved_and_removed(self, site: Site, manager: Browser) -> None:
        lines = [
            f"{u * 100:.3f}, {v * 100:.3f}, {x}, {y}"
            for (u, v), (x, y) in ((p.picture, p.plan_m) for p in CALIBRATION.pairs)
        ]
        fields = {"pairs": "\n".join(lines), "aspect": "1.7778", "k1": "0", "k2": "0"}
        assert manager.post("/cameras/robot/floor", fields).status_code == 303
        saved = spec_of(site).cameras[1].calibration
        assert saved is not None
        assert saved.lens is None
        assert len(saved.pairs) == 8
        assert manager.post("/cameras/robot/floor/delete").status_code == 303
        assert spec_of(site).cameras[1].calibration is None

    @pytest.mark.parametrize(("name", "value"), [("k1", "7"), ("limit_m", "-1")])
    def test_absurd_numbers_are_explained_beside_their_field(
        self, manager: Browser, name: str, value: str
    ) -> None:
        answer = manager.post("/cameras/robot/floor", {"pairs": "", "aspect": "1.7", name: value})
        assert answer.status_code == 422
        assert 'class="problem"' in answer.text


class TestPlan:
    def test_nothing_is_watched_without_an_engine(self, manager: Browser) -> None:
        text = manager.get("/plan").text
        assert "감시되지 않습니다" in text
        assert "is-complete" not in text

    def test_the_plan_is_streamed(self, site: Site, manager: Browser) -> None:
        with manager.client.stream("GET", "/plan/live") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            line = next(each for each in answer.iter_lines() if each.startswith("data: "))
        moment = json.loads(line.removeprefix("data: "))
        assert moment["cameras"] == {"press": {"state": "blind", "text": "감시 안 됨"}}
        assert moment["zones"]["front"]["state"] == "unwatched"
        assert moment["people"] == []

    def test_its_measures_are_changed_or_refused(self, site: Site, manager: Browser) -> None:
        fields = {"width_m": "50", "height_m": "25", "x_m": "-5", "y_m": "0"}
        assert manager.post("/plan", fields).status_code == 303
        plan = spec_of(site).plant.plan
        assert plan is not None
        assert (plan.width_m, plan.origin_m) == (50.0, (-5.0, 0.0))
        assert manager.post("/plan", {**fields, "width_m": "-3"}).status_code == 422
        assert spec_of(site).plant.plan == plan


class TestPicture:
    def put(self, manager: Browser, content: bytes) -> httpx.Response:
        headers = {
            "origin": manager.address,
            "x-csrf-token": manager.csrf_token,
            "content-type": "image/png",
        }
        return manager.client.put("/plan/picture", content=content, headers=headers)

    def png(self, width: int, height: int) -> bytes:
        return cv2.imencode(".png", np.full((height, width, 3), 200, np.uint8))[1].tobytes()

    def test_it_is_encoded_anew_and_replaced(self, site: Site, manager: Browser) -> None:
        assert self.put(manager, self.png(4000, 100)).status_code == 204
        plan = spec_of(site).plant.plan
        assert plan is not None
        assert (plan.width_m, plan.image_sha256 is None) == (PLAN.width_m, False)
        address = f"/plan/picture/{plan.image_sha256}.jpg"
        assert address in manager.get("/plan").text
        answer = manager.get(address)
        assert answer.headers["content-type"] == "image/jpeg"
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape[1] == LONGEST_PX
        assert self.put(manager, self.png(300, 200)).status_code == 204
        assert manager.get(address).status_code == 404
        assert len(list(site.settings.plans_dir.iterdir())) == 1
        manager.post("/plan/picture/delete")
        assert list(site.settings.plans_dir.iterdir()) == []

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"\xff\xd8" + b"\xff\xe0\x00\x00" * 3,
            b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00\x01\x00\x00" * 2,
        ],
        ids=["empty", "svg", "cut off", "jpeg cut off", "jpeg going round", "65536 squared"],
    )
    def test_what_is_no_picture_or_too_large_is_refused(
        self, site: Site, manager: Browser, content: bytes
    ) -> None:
        assert self.put(manager, content).status_code == 422
        assert not site.settings.plans_dir.exists()

    @pytest.mark.parametrize("name", ["x.jpg", "..%2F..%2Fanjeon.db", "0" * 64 + ".jpg"])
    def test_only_the_present_picture_is_served(self, manager: Browser, name: str) -> None:
        assert manager.get(f"/plan/picture/{name}").status_code == 404
