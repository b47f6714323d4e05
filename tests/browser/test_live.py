"""The live wall in a real Chromium, fed by an engine and a shard over the real protocol."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from safety.store import alerts
from safety.store.tables import Alert, Camera, Zone
from safety.store.tables import Site as SiteRow
from safety.types import CameraState, Severity
from tests.support.live import CELL, Plant, camera_status, playing
from tests.support.wall_pages import keep_picture, page_of, wait_for
from tests.support.web import Site

NO_WEBRTC = "delete window.RTCPeerConnection"
NO_ICE = """
const Real = RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(configuration) {
    super({ ...configuration, iceTransportPolicy: "relay" });
  }
};
"""
"""As behind a firewall that lets no UDP through: the browser has no way to send anything."""

DRAWN = """tile => {
  const canvas = tile.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, i) => i % 4 === 3 && value > 0);
}"""


@pytest.fixture
def cameras(site: Site) -> None:
    """Two cameras; the first has the robot cell as its zone."""
    with site.database.transaction() as session:
        session.merge(SiteRow(id=1, name="Plant 1", timezone="Asia/Seoul", language="en"))
        for number in (1, 2):
            spec = {"id": f"cam-{number}", "name": f"Camera {number}", "enabled": True}
            session.add(Camera(id=f"cam-{number}", position=number, spec=spec))
        session.flush()
        zone = {"id": "cell", "name": "Robot cell", "camera_id": "cam-1", "polygon": CELL}
        session.add(Zone(id="cell", camera_id="cam-1", spec=zone))


@contextmanager
def watching(
    chromium: Browser, site: Site, *, script: str = "", width_px: int = 1280, height_px: int = 800
) -> Iterator[tuple[Plant, Page]]:
    """The wall, with both cameras well."""
    statuses = camera_status("cam-1"), camera_status("cam-2")
    with (
        playing(site.settings, *statuses) as plant,
        page_of(chromium, site, script=script, width_px=width_px, height_px=height_px) as page,
    ):
        yield plant, page


def wait_for_video(page: Page) -> None:
    """Until every camera that is seen shows moving video."""
    wait_for(
        page,
        "[...document.querySelectorAll('.tile video')]"
        ".every(v => v.videoWidth === 1280 && v.currentTime > 0.5 && !v.hidden)",
    )


def raise_alert(site: Site) -> str:
    with site.database.transaction() as session:
        alert = alerts.raise_alert(
            session,
            kind="camera_blind",
            dedupe_key="blind-1",
            severity=Severity.WARNING,
            message_key="alert.camera_blind",
            params={"camera": "Camera 2", "time": "10:00", "reason": "no_frames"},
            raised_at=datetime.now(UTC),
            camera_id="cam-2",
        )
    assert alert is not None
    return alert.id


@pytest.mark.usefixtures("cameras")
def test_video_plays_with_boxes_drawn_over_it(chromium: Browser, site: Site) -> None:
    with watching(chromium, site) as (_, page):
        wait_for_video(page)
        expect(page.locator("#watching")).to_have_text("All 2 cameras monitored")
        first = page.locator("#tile-cam-1")
        before = first.locator("video").evaluate("video => video.currentTime")
        wait_for(
            page, "t => document.querySelector('#tile-cam-1 video').currentTime > t + 1", before
        )
        wait_for(page, f"({DRAWN})(document.querySelector('#tile-cam-1'))")
        expect(first.locator("[data-part=state]")).to_have_class("state state-live")
        keep_picture(page, "wall")


@pytest.mark.usefixtures("cameras")
def test_boxes_belong_to_the_picture_that_is_shown(chromium: Browser, site: Site) -> None:
    """Base + ticks of what the data channel brings are RTP timestamps of shown pictures."""
    spy = """
    window.shown = new Set();
    window.told = new Set();
    const callback = HTMLVideoElement.prototype.requestVideoFrameCallback;
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (f) {
      return callback.call(this, (now, data) => {
        if (this.closest("#tile-cam-1")) window.shown.add(data.rtpTimestamp);
        f(now, data);
      });
    };
    const make = RTCPeerConnection.prototype.createDataChannel;
    RTCPeerConnection.prototype.createDataChannel = function (...args) {
      const channel = make.apply(this, args);
      channel.addEventListener("message", ({ data }) => {
        const { b, t } = JSON.parse(data);
        if (b !== null) window.told.add((b + t) % 2 ** 32);
      });
      return channel;
    };
    """
    with watching(chromium, site, script=spy) as (_, page):
        wait_for_video(page)
        wait_for(page, "[...shown].filter(time => told.has(time)).length >= 10")


@pytest.mark.usefixtures("cameras")
@pytest.mark.parametrize("script", [NO_WEBRTC, NO_ICE], ids=["no WebRTC", "no way through"])
def test_still_pictures_where_video_does_not_come(
    chromium: Browser, site: Site, script: str
) -> None:
    with watching(chromium, site, script=script) as (_, page):
        tile = page.locator("#tile-cam-1")
        expect(tile.locator(".still")).to_be_visible(timeout=30_000)
        expect(tile.locator("[data-part=remark]")).to_contain_text("shown as still pictures")
        first = tile.locator(".still").get_attribute("src")
        expect(tile.locator(".still")).not_to_have_attribute("src", first or "")
        wait_for(page, f"({DRAWN})(document.querySelector('#tile-cam-1'))")


@pytest.mark.usefixtures("cameras")
def test_h265_is_shown_as_still_pictures_and_says_so(chromium: Browser, site: Site) -> None:
    statuses = camera_status("cam-1", codec="hevc"), camera_status("cam-2")
    with playing(site.settings, *statuses), page_of(chromium, site) as page:
        tile = page.locator("#tile-cam-1")
        expect(tile.locator(".still")).to_be_visible()
        expect(tile.locator("[data-part=remark]")).to_contain_text("H.265")
        expect(page.locator("#tile-cam-2 video")).to_be_visible()


@pytest.mark.usefixtures("cameras")
def test_a_blind_camera_is_hatched_and_says_why(chromium: Browser, site: Site) -> None:
    with watching(chromium, site) as (plant, page):
        wait_for_video(page)
        blind = {"state": CameraState.BLIND, "reason": "no_frames"}
        plant.set(camera_status("cam-2", **blind))
        tile = page.locator("#tile-cam-2")
        expect(tile.locator(".plate")).to_be_visible()
        expect(tile.locator(".plate")).to_contain_text("No pictures come from the camera")
        expect(tile.locator("video")).not_to_be_visible()
        expect(page.locator("#watching")).to_have_text("1 of 2 cameras monitored")
        keep_picture(page, "wall-blind")
        plant.set(camera_status("cam-2"))
        expect(tile.locator(".plate")).to_be_hidden()
        wait_for_video(page)


@pytest.mark.usefixtures("cameras")
def test_a_silent_engine_leaves_nothing_green_and_all_comes_back(
    chromium: Browser, site: Site
) -> None:
    with watching(chromium, site) as (plant, page):
        wait_for_video(page)
        plant.stop(plant.engine)
        expect(page.locator("#watching")).to_contain_text("does not answer", timeout=30_000)
        expect(page.locator(".tile.is-blind")).to_have_count(2)
        expect(page.locator(".state-live")).to_have_count(0)
        keep_picture(page, "wall-silent")
        plant.start()
        expect(page.locator(".state-live")).to_have_count(2)
        wait_for_video(page)


@pytest.mark.usefixtures("cameras")
def test_a_dashboard_that_is_gone_leaves_nothing_green(chromium: Browser, site: Site) -> None:
    with watching(chromium, site) as (_, page):
        wait_for_video(page)
        page.route("**/api/v1/live/status", lambda route: route.abort())
        expect(page.locator("#watching")).to_contain_text("No connection", timeout=30_000)
        expect(page.locator(".state-live")).to_have_count(0)
        page.unroute("**/api/v1/live/status")
        expect(page.locator(".state-live")).to_have_count(2)


@pytest.mark.usefixtures("cameras")
def test_video_comes_back_after_the_shard_was_restarted(chromium: Browser, site: Site) -> None:
    with watching(chromium, site) as (plant, page):
        wait_for_video(page)
        plant.stop(plant.shard)
        expect(page.locator("#tile-cam-1")).to_have_class("tile is-live is-stalled", timeout=30_000)
        plant.start()
        expect(page.locator(".is-stalled")).to_have_count(0, timeout=40_000)
        wait_for_video(page)


@pytest.mark.usefixtures("cameras")
def test_an_alert_is_announced_and_acknowledged_on_the_wall(chromium: Browser, site: Site) -> None:
    with watching(chromium, site) as (_, page):
        expect(page.locator("#banner")).to_be_hidden()
        alert_id = raise_alert(site)
        expect(page.locator("#banner")).to_be_visible()
        expect(page.locator("#banner-where")).to_have_text("Camera 2")
        expect(page.locator("#tile-cam-2 [data-part=open-alerts]")).to_have_text("1 open")
        keep_picture(page, "wall-alert")
        page.click("#banner-acknowledge")
        expect(page.locator("#banner")).to_be_hidden()
    with site.database.reading() as session:
        alert = session.get(Alert, alert_id)
        assert alert is not None
        assert alert.acknowledged_by == "admin"


@pytest.mark.usefixtures("cameras")
def test_one_camera_by_keyboard_and_back(chromium: Browser, site: Site) -> None:
    with watching(chromium, site) as (_, page):
        page.locator("#tile-cam-2 h2 a").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#tile-cam-1")).to_be_hidden()
        expect(page).to_have_url(site.address + "/?camera=cam-2")
        page.keyboard.press("Escape")
        expect(page.locator("#tile-cam-1")).to_be_visible()
        expect(page.locator("#tile-cam-2 h2 a")).to_be_focused()
        wait_for_video(page)


@pytest.mark.usefixtures("cameras")
def test_the_wall_screen_shows_nothing_but_the_wall(chromium: Browser, site: Site) -> None:
    with watching(chromium, site, width_px=1920, height_px=1080) as (_, page):
        wait_for_video(page)
        page.click("#wall-mode")
        expect(page.locator(".bar")).to_be_hidden()
        expect(page.locator("#tile-cam-1 video")).to_be_in_viewport(ratio=1)
        expect(page.locator("#tile-cam-2 video")).to_be_in_viewport(ratio=1)
        keep_picture(page, "wall-mode")
        page.click("#wall-mode")
        expect(page.locator(".bar")).to_be_visible()


@pytest.mark.usefixtures("cameras")
def test_the_wall_fits_a_phone(chromium: Browser, site: Site) -> None:
    with watching(chromium, site, width_px=390, height_px=844) as (_, page):
        wait_for(page, "document.querySelector('#tile-cam-1 video').currentTime > 0.5")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        keep_picture(page, "wall-phone")


def test_a_site_without_cameras_says_what_to_do(chromium: Browser, site: Site) -> None:
    with page_of(chromium, site, login="viewer") as page:
        expect(page.locator(".empty")).to_be_visible()


@pytest.mark.usefixtures("cameras")
def test_video_takes_over_from_still_pictures_when_it_works_again(
    chromium: Browser, site: Site
) -> None:
    with watching(chromium, site) as (_, page):
        page.route("**/offer", lambda route: route.abort())
        page.reload()
        tile = page.locator("#tile-cam-1")
        expect(tile.locator(".still")).to_be_visible(timeout=30_000)
        page.unroute("**/offer")
        expect(tile.locator("video")).to_be_visible(timeout=45_000)
        wait_for_video(page)
        expect(tile.locator("[data-part=remark]")).to_be_hidden()
