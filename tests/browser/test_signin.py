"""Signing in with a real browser: by password, by link, in both languages, on a phone."""

from collections.abc import Callable

import pytest

from dashboard.onetime import create_one_time_login
from tests.support.browser import DESK, PHONE, Visitor
from tests.support.factory import Factory
from tests.support.web import Site

Visit = Callable[..., Visitor]

PAGES = (
    "/",
    "/alerts",
    "/cameras",
    "/zones",
    "/zones/press-2",
    "/rules/press-entry",
    "/channels",
    "/health",
    "/audit",
    "/users",
    "/account",
    "/more",
)


def test_the_first_sign_in_needs_no_password_and_asks_for_one(site: Site, visitor: Visit) -> None:
    somebody = visitor()
    page = somebody.open(create_one_time_login(site.database, site.clock))
    page.click("button.primary")
    page.fill("#new", "a fine long password")
    page.fill("#again", "a fine long password")
    page.click("button.primary")
    page.wait_for_selector("header.bar")
    assert page.url == f"{site.address}/"


def test_the_language_is_switched_on_the_page_and_kept(visitor: Visit) -> None:
    somebody = visitor()
    page = somebody.open("/login")
    assert page.get_attribute("html", "lang") == "ko"
    page.click("button[lang=en]")
    page.wait_for_selector("html[lang=en]")
    page = somebody.sign_in("viewer")
    assert page.get_attribute("html", "lang") == "en"
    page.click("button[lang=ko]")
    page.wait_for_selector("html[lang=ko]")
    assert "로그아웃" in page.inner_text("header.bar")


def test_the_theme_is_switched_on_the_page(visitor: Visit) -> None:
    somebody = visitor(color_scheme="light")
    page = somebody.sign_in("viewer")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("button[name=theme][value=dark]")
    page.wait_for_selector("html[data-theme=dark]")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


@pytest.mark.usefixtures("factory")
@pytest.mark.parametrize("size", [PHONE, DESK, (1100, 700), (320, 640)])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_page_scrolls_sideways(
    visitor: Visit, factory: Factory, site: Site, size: tuple[int, int], language: str
) -> None:
    alert = factory.intrude(site.clock.now())
    somebody = visitor(size=size)
    somebody.open("/login").click(f"button[lang={language}]")
    somebody.sign_in()
    for path in (*PAGES, f"/alerts/{alert}"):
        somebody.open(path)
        assert not somebody.is_scrolled_sideways(), path


@pytest.mark.usefixtures("factory")
def test_the_keyboard_alone_gets_through(visitor: Visit) -> None:
    page = visitor().open("/login")
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type("long enough to be a password")
    page.keyboard.press("Enter")
    page.wait_for_selector("header.bar")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_nothing_overlaps_in_the_navigation(visitor: Visit) -> None:
    somebody = visitor(size=(1280, 800))
    somebody.open("/login").click("button[lang=en]")
    page = somebody.sign_in()
    for width in (1961, 1960, 1761, 1760, 1280, 1000, 861):
        page.set_viewport_size({"width": width, "height": 800})
        tabs = page.locator(".tab:visible").last.bounding_box()
        tools = page.locator("#sound").bounding_box()
        assert tabs is not None
        assert tools is not None
        assert tabs["x"] + tabs["width"] <= tools["x"], (width, tabs, tools)
