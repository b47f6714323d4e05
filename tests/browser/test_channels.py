"""Adding a messenger on a phone, in Korean: the mistake is named, then it is saved and tested."""

from collections.abc import Callable

import pytest

from tests.support.browser import PHONE, Visitor
from tests.support.web import Site

Visit = Callable[..., Visitor]


@pytest.mark.usefixtures("factory")
def test_a_messenger_is_added_on_a_phone(site: Site, visitor: Visit) -> None:
    manager = visitor(size=PHONE, locale="ko-KR")
    manager.sign_in("manager")
    page = manager.open("/channels")
    assert not manager.is_scrolled_sideways()
    page.click("a[href='/channels/new?kind=kakaowork']")
    page.fill("#name", "안전관리팀")
    page.fill("#app_key", "비밀키를 그대로")
    page.fill("#emails", "kim@example.com\nlee@example.com")
    page.click("#channel-form button.primary")
    page.wait_for_selector("#problem-app_key")
    assert page.input_value("#emails") == "kim@example.com\nlee@example.com"
    assert page.locator("#app_key[aria-describedby=problem-app_key]").count() == 1
    assert not manager.is_scrolled_sideways()
    page.fill("#app_key", "env:ANJEON_TEST_NO_SUCH_KEY")
    page.focus("#channel-form button.primary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#deliveries")
    page.on("dialog", lambda dialog: dialog.accept())
    with page.expect_navigation():
        page.click("form[action$='/test'] button")
    said = page.locator(".problem[role=alert]").inner_text()
    assert "env:ANJEON_TEST_NO_SUCH_KEY" in said
    # That the test failed is an answer of ours, 502, which browsers complain about.
    manager.complaints[:] = [said for said in manager.complaints if "502" not in said]
