"""Muting a zone in a real browser, by keyboard alone, and what the wall then says."""

from collections.abc import Callable

import pytest

from tests.support.browser import Visitor
from tests.support.web import Site

Visit = Callable[..., Visitor]


@pytest.mark.usefixtures("factory")
def test_a_zone_is_muted_by_keyboard_seen_on_the_wall_and_watched_again(
    site: Site, visitor: Visit
) -> None:
    viewer = visitor()
    viewer.sign_in("viewer")
    wall = viewer.open("/")
    manager = visitor()
    manager.sign_in("manager")
    page = manager.open("/mutes")
    page.focus("#zone")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("김민수")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("그리퍼 교체")
    page.keyboard.press("Enter")
    page.wait_for_selector("form[action$='/end']")
    # The wall that was open before asks by itself.
    wall.wait_for_selector("#muted p:has-text('김민수')", timeout=15_000)
    viewer.open("/mutes")
    assert viewer.page.locator("form[action$='/end']").count() == 0
    page.focus("form[action$='/end'] button")
    page.keyboard.press("Enter")
    page.wait_for_selector("form[action$='/end']", state="detached")
    viewer.open("/")
    assert viewer.page.locator("#muted p").count() == 0
    assert viewer.complaints == manager.complaints == []
