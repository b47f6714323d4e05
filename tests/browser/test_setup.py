"""Setting the site up in a real browser: drawing a zone, its rule, a new colleague."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from tests.support.browser import DESK, PHONE, Visitor
from tests.support.factory import Factory
from tests.support.web import Site

Visit = Callable[..., Visitor]

OUTLINE = ((0.2, 0.3), (0.7, 0.3), (0.7, 0.8), (0.2, 0.8))


def spec_of(site: Site) -> SiteSpec:
    with site.database.reading() as session:
        return load_site(session).spec


def tap(page: Page, corner: tuple[float, float]) -> None:
    box = page.locator(".editor svg").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + corner[0] * box["width"], box["y"] + corner[1] * box["height"])


@pytest.fixture
def drawing(visitor: Visit, factory: Factory) -> Callable[..., Page]:
    def begin(size: tuple[int, int] = DESK) -> Page:
        somebody = visitor(size=size)
        somebody.sign_in("manager")
        page = somebody.open("/zones/new?camera=aisle")
        page.wait_for_selector("[data-editor-tools]:not([hidden])")
        return page

    return begin


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_zone_is_drawn_by_tapping(
    site: Site, drawing: Callable[..., Page], size: tuple[int, int]
) -> None:
    page = drawing(size)
    for corner in (*OUTLINE, OUTLINE[0]):
        tap(page, corner)
    page.fill("#name", "하역장")
    page.click("#zone-form button.primary")
    page.wait_for_selector("p.notice")
    zone = next(zone for zone in spec_of(site).zones if zone.name == "하역장")
    for drawn, wanted in zip(zone.polygon or (), OUTLINE, strict=True):
        assert drawn == pytest.approx(wanted, abs=0.01)
    assert [rule.kind for rule in spec_of(site).rules if rule.zone_id == zone.id] == ["intrusion"]


def test_corners_are_dragged_and_added_from_an_edge(
    site: Site, visitor: Visit, factory: Factory
) -> None:
    somebody = visitor()
    somebody.sign_in("manager")
    page = somebody.open("/zones/fence")
    box = page.locator(".editor svg").bounding_box()
    assert box is not None

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"])
        page.mouse.up()

    drag((0.2, 0.2), (0.1, 0.1))
    drag((0.5, 0.8), (0.5, 0.95))
    page.click("#zone-form button.primary")
    page.wait_for_selector("p.notice")
    polygon = next(zone for zone in spec_of(site).zones if zone.id == "fence").polygon
    assert polygon is not None
    assert len(polygon) == 5
    assert polygon[0] == pytest.approx((0.1, 0.1), abs=0.01)
    assert polygon[3] == pytest.approx((0.5, 0.95), abs=0.01)


def test_a_zone_is_drawn_with_the_keyboard_alone(site: Site, drawing: Callable[..., Page]) -> None:
    page = drawing()
    page.focus("[data-tool=add]")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.focus("[data-corner='0']")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Delete")
    page.focus("[data-corner='0']")
    page.keyboard.press("ArrowUp")
    page.fill("#name", "Keys")
    page.keyboard.press("Enter")
    page.wait_for_selector("p.notice")
    zone = next(zone for zone in spec_of(site).zones if zone.name == "Keys")
    assert len(zone.polygon or ()) == 3


def test_an_outline_that_crosses_itself_is_explained(drawing: Callable[..., Page]) -> None:
    page = drawing()
    for corner in (OUTLINE[0], OUTLINE[2], OUTLINE[1], OUTLINE[3], OUTLINE[0]):
        tap(page, corner)
    page.fill("#name", "X")
    page.click("#zone-form button.primary")
    assert "교차" in page.inner_text("#problem-polygon")
    page.wait_for_selector(".editor polygon.own", state="attached")


def test_a_rule_is_set_and_its_zone_deleted(site: Site, visitor: Visit, factory: Factory) -> None:
    somebody = visitor()
    somebody.sign_in("manager")
    page = somebody.open("/zones/fence")
    page.click("text=체류 규칙 추가")
    page.fill("#limit_s", "90")
    page.click("#rule-form button.primary")
    page.wait_for_selector("p.notice")
    assert "90" in page.inner_text("table")
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("text=위험구역 삭제")
    page.wait_for_url("**/zones?camera=robot**")
    assert [zone.id for zone in spec_of(site).zones] == ["press-2"]


def test_a_new_colleague_gets_a_link_that_works(site: Site, visitor: Visit) -> None:
    admin = visitor()
    admin.sign_in()
    page = admin.open("/users")
    page.fill("#login", "lee")
    page.fill("#name", "이반장")
    page.click("form.stack button.primary")
    link = page.inner_text("#one-time-link")
    page = visitor().open(link.removeprefix(site.address))
    page.click("button.primary")
    page.wait_for_selector("#again")
