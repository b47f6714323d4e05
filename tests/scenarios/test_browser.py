"""The whole product as its users meet it: a real browser in front of every real part.

One plant for the file: two RTSP cameras, engine, shard, dashboard, broker and siren. The tests
leave it as they found it: both cameras live, no rule switched on, no siren sounding.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from dashboard.onetime import create_one_time_login
from safety.demo import SITE
from safety.types import Picture
from tests.support.browser import DESK, PHONE, Visitor
from tests.support.mosquitto import Mosquitto
from tests.support.plant import CELL_POLYGON, Plant, SirenLog, mqtt_siren
from tests.support.requirements import need
from tests.support.rtsp import RtspServer
from tests.support.videos import write_film
from tests.support.wall_pages import keep_picture, wait_for

SCENE = SITE.parent / "scenes" / "cell_intrusion.mp4"
INSIDE = (60, 82)
"""First and last picture of the scene in which one worker is well inside the cell."""

DRAWN = """tile => {
  const canvas = tile.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, i) => i % 4 === 3 && value > 0);
}"""
PLAYABLE_OR_SAID = """video =>
  video.hidden
    ? !document.querySelector("[data-unplayable]").hidden
    : video.videoWidth > 0"""
MOVING = "camera => document.querySelector(`#tile-${camera} video`).currentTime > 0.5"

pytestmark = pytest.mark.timeout(300)


def worker_who_stays() -> list[Picture]:
    """A worker moves about in the cell; the end goes over into the beginning."""
    first, last = INSIDE
    with av.open(str(SCENE)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    there = [np.asarray(frame, np.uint8) for frame in frames[first : last + 1]]
    return [*there, *there[-2:0:-1]]


def smaller(picture: Picture) -> Picture:
    """Half as wide and high."""
    return np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5), np.uint8)


def site(*, rules_on: tuple[str, ...] = (), server: RtspServer, broker: Mosquitto) -> Any:
    """Two cameras that look at the robot cell, each with a rule: nobody inside."""
    cameras, zones, rules = [], [], []
    for name, label in (("cell", "Robot cell"), ("hall", "Hall")):
        source = {"kind": "rtsp", "url": server.url(name)}
        cameras.append({"id": name, "name": label, "source": source})
        zones.append(
            {
                "id": f"{name}-zone",
                "name": label,
                "camera_id": name,
                "polygon": [list(corner) for corner in CELL_POLYGON],
            }
        )
        rules.append(
            {
                "id": f"{name}-rule", "kind": "intrusion", "name": f"Nobody in the {name}",
                "zone_id": f"{name}-zone", "enabled": name in rules_on,
                "hold_to_close_s": 20.0,
            }
        )  # fmt: skip
    return {
        "version": 1, "name": "Test plant", "timezone": "Asia/Seoul", "language": "en",
        "cameras": cameras, "zones": zones, "rules": rules, "channels": [mqtt_siren(broker)],
    }  # fmt: skip


class World:
    """The plant and what surrounds it."""

    def __init__(self, directory: Path, server: RtspServer, broker: Mosquitto) -> None:
        self.server = server
        self.broker = broker
        self.siren = SirenLog(broker, directory / "siren.jsonl")
        self.plant = Plant(directory, site(server=server, broker=broker))

    def watch(self, *rules_on: str) -> None:
        """Switch exactly these rules on; the running shard is told."""
        self.plant.apply(site(rules_on=rules_on, server=self.server, broker=self.broker))

    def all_quiet(self) -> None:
        """Switch every rule off and wait until nothing lasts any more."""
        self.watch()
        self.plant.wait_for(
            lambda: all(row.phase == "closed" for row in self.plant.violations()),
            why="what lasted is over",
        )
        self.plant.wait_for(lambda: self.siren.level == "off", why="the siren is quiet")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    need("mosquitto")
    directory = tmp_path_factory.mktemp("plant")
    worker = worker_who_stays()
    h264 = write_film(directory / "cell.mp4", worker)
    h265 = write_film(directory / "hall.mp4", map(smaller, worker), codec="h265")
    broker = Mosquitto(directory)
    broker.start()
    with ExitStack() as stack:
        stack.callback(broker.stop)
        server = stack.enter_context(RtspServer({"cell": h264, "hall": h265}))
        made = World(directory, server, broker)
        stack.callback(made.siren.stop)
        stack.callback(made.plant.stop)
        made.plant.start("engine")
        made.plant.start("dashboard")
        made.plant.wait_live("cell", "hall")
        made.plant.wait_for(made.plant.dashboard_answers, why="a dashboard that answers")
        yield made


@pytest.fixture(scope="module")
def session(world: World, chromium: Browser) -> StorageState:
    """The first sign-in: a one-time link, then a password of one's own."""
    context = chromium.new_context()
    page = Visitor(context, world.plant).open(
        create_one_time_login(world.plant.database, world.plant.clock)
    )
    page.click("button.primary")
    page.fill("#new", "a fine long password")
    page.fill("#again", "a fine long password")
    page.click("button.primary")
    page.wait_for_url(world.plant.address + "/")
    state = context.storage_state()
    context.close()
    return state


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(world: World, session: StorageState, chromium: Browser) -> Iterator[Visit]:
    """Makes signed-in visitors; at the end no page may have complained."""
    made: list[Visitor] = []
    with ExitStack() as stack:

        def make(size: tuple[int, int] = DESK, *, faults: bool = False) -> Visitor:
            context = chromium.new_context(
                viewport={"width": size[0], "height": size[1]}, storage_state=session
            )
            stack.callback(context.close)
            visitor = Visitor(context, world.plant)
            if not faults:
                made.append(visitor)
            return visitor

        yield make
        complaints = [complaint for each in made for complaint in each.complaints]
    assert complaints == []


def newest_alert(world: World, known: set[str]) -> str:
    """Wait for an alert that is not among the known ones."""
    world.plant.wait_for(
        lambda: any(a.id not in known for a in world.plant.alerts()), why="an alert is on record"
    )
    return next(a.id for a in world.plant.alerts() if a.id not in known)


def ids(world: World) -> set[str]:
    return {alert.id for alert in world.plant.alerts()}


def test_the_wall_shows_live_video_with_people_and_zones(world: World, visit: Visit) -> None:
    page = visit().open("/")
    wait_for(page, MOVING, "cell")
    video = page.locator("#tile-cell video")
    assert video.evaluate("video => video.videoWidth") == 1280
    wait_for(page, f"({DRAWN})(document.querySelector('#tile-cell'))")
    expect(page.locator("#watching")).to_have_text("All 2 cameras monitored")
    keep_picture(page, "wall")


def test_h265_is_analysed_and_shown_as_still_pictures_in_words(world: World, visit: Visit) -> None:
    page = visit().open("/")
    tile = page.locator("#tile-hall")
    expect(tile.locator(".still")).to_be_visible(timeout=40_000)
    expect(tile.locator("[data-part=remark]")).to_contain_text("H.265")
    first = tile.locator(".still").get_attribute("src")
    expect(tile.locator(".still")).not_to_have_attribute("src", first or "")
    wait_for(page, f"({DRAWN})(document.querySelector('#tile-hall'))")


def test_an_alert_comes_by_itself_and_one_tap_silences_the_siren(
    world: World, visit: Visit
) -> None:
    page = visit().open("/alerts")
    known = ids(world)
    world.watch("cell")
    alert = newest_alert(world, known)
    card = page.locator(f"#alert-{alert}")
    expect(card).to_be_visible(timeout=30_000)
    expect(card.locator("img")).to_be_visible(timeout=40_000)
    wait_for(page, f"document.querySelector('#alert-{alert} img').naturalWidth > 0")
    world.plant.wait_for(lambda: world.siren.level == "danger", why="the siren sounds")
    keep_picture(page, "inbox")
    page.click(f"#acknowledge-{alert}")
    world.plant.wait_for(lambda: world.siren.level == "off", why="it is silenced")
    assert any(row.phase != "closed" for row in world.plant.violations())
    expect(card.locator(".tag-acknowledged")).to_be_visible()
    expect(card).to_contain_text("admin")
    card.locator("h2 a").click()
    clip = page.locator("#evidence video")
    expect(clip).to_be_visible(timeout=30_000)
    clip.evaluate("video => video.play()")
    wait_for(page, "document.querySelector('#evidence video').currentTime > 1")
    assert clip.evaluate("video => video.error") is None
    keep_picture(page, "alert")
    world.all_quiet()


def test_acknowledging_by_keyboard_alone(world: World, visit: Visit) -> None:
    page = visit().open("/alerts")
    known = ids(world)
    world.watch("cell")
    alert = newest_alert(world, known)
    expect(page.locator(f"#acknowledge-{alert}")).to_be_visible(timeout=30_000)
    world.plant.wait_for(lambda: world.siren.level == "danger", why="the siren sounds")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == f"acknowledge-{alert}":
            break
    page.keyboard.press("Enter")
    expect(page.locator(f"#alert-{alert} .tag-acknowledged")).to_be_visible(timeout=30_000)
    world.plant.wait_for(lambda: world.siren.level == "off", why="it is silenced")
    world.all_quiet()


def test_the_clip_of_an_h265_camera_is_on_record_and_offered(world: World, visit: Visit) -> None:
    known = ids(world)
    world.watch("hall")
    alert = newest_alert(world, known)
    page = visit().open(f"/alerts/{alert}")
    link = page.locator("#evidence figcaption a[href*='download']")
    expect(link).to_be_visible(timeout=40_000)
    # Whether a browser has a decoder for it is the browser's affair; that it says so is ours.
    wait_for(page, f"({PLAYABLE_OR_SAID})(document.querySelector('#evidence video'))")
    keep_picture(page, "alert-h265")
    with page.expect_download() as download:
        link.click()
    with av.open(str(download.value.path())) as clip:
        assert clip.streams.video[0].codec_context.name == "hevc"
        assert sum(1 for _ in clip.decode(video=0)) > 30
    world.all_quiet()


def tap(page: Page, corner: tuple[float, float]) -> None:
    box = page.locator(".editor svg").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + corner[0] * box["width"], box["y"] + corner[1] * box["height"])


@pytest.mark.parametrize(
    ("language", "size", "saved"),
    [("en", DESK, "Drawn here"), ("ko", PHONE, "여기에 그림")],
)
def test_a_zone_drawn_in_the_page_is_obeyed_by_the_running_shard(
    world: World, visit: Visit, language: str, size: tuple[int, int], saved: str
) -> None:
    known = ids(world)
    visitor = visit(size)
    page = visitor.open("/account")
    page.click(f"footer button[lang={language}]")
    page = visitor.open("/zones/new?camera=cell")
    wait_for(page, "document.querySelector('.editor img').naturalWidth > 0")
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)]
    for corner in (*corners, corners[0]):
        tap(page, corner)
    page.fill("#name", saved)
    keep_picture(page, f"zone-{language}")
    page.click("#zone-form button.primary")
    expect(page.locator("p.notice")).to_be_visible()
    alert = newest_alert(world, known)
    visitor.open("/alerts")
    expect(page.locator(f"#alert-{alert}")).to_contain_text(saved, timeout=30_000)
    assert page.get_attribute("html", "lang") == language
    page.click("footer button[lang=en]")
    world.all_quiet()


PAGES = (
    "/", "/alerts", "/alerts?show=all", "/cameras", "/zones", "/zones/cell-zone",
    "/zones/new?camera=cell", "/zones/cell-zone/rules/new?kind=dwell", "/rules/cell-rule",
    "/channels", "/health", "/audit", "/users", "/account", "/more", "/nowhere",
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_page_is_wider_than_a_phone(world: World, visit: Visit, language: str) -> None:
    visitor = visit(PHONE, faults=True)
    visitor.open("/account").click(f"footer button[lang={language}]")
    for path in (*PAGES, *(f"/alerts/{alert}" for alert in sorted(ids(world))[:1])):
        visitor.open(path)
        assert not visitor.is_scrolled_sideways(), path
    not_found = "status of 404"
    assert [each for each in visitor.complaints if not_found not in each] == []
    visitor.open("/account").click("footer button[lang=en]")


def test_a_dead_camera_is_not_monitored_and_comes_back(world: World, visit: Visit) -> None:
    page = visit(faults=True).open("/")
    wait_for(page, MOVING, "cell")
    world.server.kill()
    expect(page.locator("#tile-cell.is-blind")).to_be_visible(timeout=30_000)
    expect(page.locator("#tile-cell [data-part=state]")).to_have_text("NOT MONITORED")
    expect(page.locator("#watching.is-complete")).to_have_count(0)
    keep_picture(page, "wall-blind")
    world.server.start()
    expect(page.locator("#tile-cell.is-live")).to_be_visible(timeout=40_000)
    wait_for(page, MOVING, "cell", limit_s=60)
    world.plant.wait_live("cell", "hall")


def test_without_an_engine_nothing_is_called_monitored(world: World, visit: Visit) -> None:
    visitor = visit(faults=True)
    page = visitor.open("/")
    wait_for(page, MOVING, "cell")
    world.plant.kill("engine")
    expect(page.locator(".tile.is-blind")).to_have_count(2, timeout=40_000)
    expect(page.locator("#watching.is-complete")).to_have_count(0)
    keep_picture(page, "wall-no-engine")
    world.plant.start("engine")
    expect(page.locator("#watching.is-complete")).to_be_visible(timeout=60_000)
    wait_for(page, MOVING, "cell", limit_s=60)
    assert [each for each in visitor.complaints if "Failed to load resource" not in each] == []
