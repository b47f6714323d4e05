"""The floor in a real browser: zones, calibration by clicking, and the live plan."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from playwright.sync_api import FilePayload, Page

from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from tests.support.browser import PHONE, Visitor
from tests.support.floor_site import IN_VIEW, PLACES, PLAN, seen_at, with_floor
from tests.support.web import Site

Visit = Callable[..., Visitor]

PICTURE = cv2.imencode(".png", np.full((120, 160, 3), 220, np.uint8))[1].tobytes()
Place = tuple[float, float]


def spec_of(site: Site) -> SiteSpec:
    with site.database.reading() as session:
        return load_site(session).spec


def on_plan(place: Place) -> Place:
    """A place in metres as a share of the plan's drawing, from its upper left corner."""
    (left, bottom), wide, high = PLAN.origin_m, PLAN.width_m, PLAN.height_m
    return (place[0] - left) / wide, 1 - (place[1] - bottom) / high


def point(page: Page, selector: str, share: Place) -> Place:
    """Where in the window a share of an SVG's view is; the view may not fill its box."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    view = page.locator(selector).get_attribute("viewBox")
    assert view is not None
    wide, high = (float(part) for part in view.split()[2:])
    stretched = page.locator(selector).get_attribute("preserveAspectRatio") == "none"
    scale = min(box["width"] / wide, box["height"] / high)
    shown = (box["width"], box["height"]) if stretched else (wide * scale, high * scale)
    return (
        box["x"] + (box["width"] - shown[0]) / 2 + share[0] * shown[0],
        box["y"] + (box["height"] - shown[1]) / 2 + share[1] * shown[1],
    )


def open_as_manager(site: Site, visitor: Visit, path: str, **options: object) -> Visitor:
    with_floor(site)
    somebody = visitor(**options)
    somebody.sign_in("manager")
    somebody.open(path)
    return somebody


def test_a_floor_zone_is_drawn_on_the_plan_snapped_undone_and_saved(
    site: Site, visitor: Visit
) -> None:
    page = open_as_manager(site, visitor, "/zones/new?on=floor").page
    svg = ".editor.on-plan > svg"
    page.wait_for_selector("[data-editor-tools]:not([hidden])")
    page.locator(svg).scroll_into_view_if_needed()
    # The second corner lands beside a corner of the zone in front of the press.
    for corner in ((-4.0, 5.0), (-1.1, 5.1), (-1.1, 7.1), (-4.0, 9.0), (-4.0, 5.0)):
        page.mouse.click(*point(page, svg, on_plan(corner)))
    assert page.locator(".on-plan polygon.own").count() == 1
    page.focus("[data-corner='0']")
    page.keyboard.press("Insert")
    assert page.locator("circle.corner").count() == 5
    page.keyboard.press("Control+z")
    assert page.locator("circle.corner").count() == 4
    page.click("[data-tool=redo]")
    assert page.locator("circle.corner").count() == 5
    page.click("[data-tool=undo]")
    page.fill("#name", "옆")
    page.click("#zone-form button.primary")
    page.wait_for_selector("p.notice")
    zone = next(zone for zone in spec_of(site).zones if zone.name == "옆")
    assert zone.floor_m is not None
    assert zone.floor_m[1] == IN_VIEW[0]
    assert zone.floor_m[2] == IN_VIEW[3]
    assert zone.floor_m[0] == pytest.approx((-4.0, 5.0), abs=0.15)


def test_a_camera_is_calibrated_by_clicking(site: Site, visitor: Visit) -> None:
    somebody = open_as_manager(site, visitor, "/cameras/robot/floor")
    page = somebody.page
    picture, plan = '[data-side="picture"] svg', '[data-side="plan"] svg'
    page.locator(picture).scroll_into_view_if_needed()
    for place in PLACES:
        page.mouse.click(*point(page, picture, seen_at(*place)))
        page.mouse.click(*point(page, plan, on_plan(place)))
    state = "document.getElementById('verdict').dataset.state"
    somebody.wait_until(f"{state} === 'usable'")
    somebody.wait_until("document.querySelectorAll('.uncertainty').length > 5")
    # A wrong number is seen at once, and can be corrected.
    inputs = page.locator("#pairs-table tbody tr").nth(5).locator("input")
    right = inputs.nth(2).input_value()
    inputs.nth(2).fill("-9")
    somebody.wait_until("document.querySelector('#pairs-table tr.is-unused') !== null")
    inputs.nth(2).fill(right)
    somebody.wait_until("document.querySelector('#pairs-table tr.is-unused') === null")
    page.click("[data-save]")
    page.wait_for_selector("p.notice")
    saved = spec_of(site).cameras[1].calibration
    assert saved is not None
    assert len(saved.pairs) == len(PLACES)


def test_a_floor_zone_is_moved_in_a_picture_on_a_phone_and_every_view_follows(
    site: Site, visitor: Visit
) -> None:
    options = {"size": PHONE, "has_touch": True}
    somebody = open_as_manager(site, visitor, "/zones/front?camera=press", **options)
    page = somebody.page
    view = "[data-view=press] polygon"
    before = page.locator(view).get_attribute("points")
    page.focus("[data-corner='0']")
    page.keyboard.press("ArrowDown")
    somebody.wait_until(f"document.querySelector('{view}').getAttribute('points') !== {before!r}")
    assert not somebody.is_scrolled_sideways()
    page.click("#zone-form button.primary")
    page.wait_for_selector("p.notice")
    zone = next(zone for zone in spec_of(site).zones if zone.id == "front")
    assert zone.floor_m is not None
    assert zone.floor_m[0] != IN_VIEW[0]
    assert zone.floor_m[2] == pytest.approx(IN_VIEW[2], abs=0.02)


def test_the_plan_says_what_is_not_monitored_and_never_shows_it_as_watched(
    site: Site, visitor: Visit
) -> None:
    somebody = open_as_manager(site, visitor, "/plan", size=PHONE)
    page = somebody.page
    somebody.wait_until("document.querySelectorAll('.plan polygon.hatch.is-shown').length === 2")
    assert page.locator(".plan .cut-out .is-open").count() == 0
    assert page.locator("#plan-sentence.is-complete").count() == 0
    assert "감시되지 않" in page.inner_text("[data-zone=front]")
    assert not somebody.is_scrolled_sideways()
    page.click("details summary")
    drawing = FilePayload(name="plan.png", mimeType="image/png", buffer=PICTURE)
    page.set_input_files("#plan-file", drawing)
    page.wait_for_selector("image.plan-picture", state="attached")
    # What the engine said too long ago is no word either.
    silent = {"content_type": "text/event-stream", "body": ""}
    page.route("**/plan/live", lambda route: route.fulfill(**silent))
    page.reload()
    somebody.wait_until("document.getElementById('plan').classList.contains('is-lost')")
