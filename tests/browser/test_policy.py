"""Writing a ladder in a real browser, seeing what it would do, and answering a list of alerts."""

from collections.abc import Callable

import pytest

from safety.i18n import translator
from safety.store import alerts
from tests.support.browser import PHONE, Visitor
from tests.support.factory import Factory
from tests.support.web import Site

Visit = Callable[..., Visitor]


@pytest.mark.parametrize(("language", "size"), [("ko", (1280, 800)), ("en", PHONE)])
def test_a_ladder_is_written_previewed_and_answered(
    site: Site, factory: Factory, visitor: Visit, language: str, size: tuple[int, int]
) -> None:
    nothing_fits = translator(language)("policy.preview.no_route")
    manager = visitor(size=size)
    page = manager.sign_in("manager")
    page.click(f"button[name=language][value={language}]")
    page.wait_for_selector(f"html[lang={language}]")
    manager.open("/policy/routes/new")
    page.fill("#name", "Danger")
    page.check("#severities input[value=danger]")
    page.check("#step-0 input[value=log]")
    page.check("#step-0 input[value=operator]")
    page.fill("#after-1", "60")
    page.check("#step-1 input[value=manager]")
    page.wait_for_selector(f"#sentence p:has-text('{'1분 뒤' if language == 'ko' else '1 min'}')")
    assert not manager.is_scrolled_sideways()
    page.click("#route-form button.primary")
    page.wait_for_selector("li[id^=route-]")
    page.select_option("#severity", "warning")
    page.wait_for_selector(f"#preview:has-text('{nothing_fits}')")
    assert page.locator("#preview li").count() == 1
    page.select_option("#severity", "danger")
    page.wait_for_selector("#preview li:nth-of-type(2)")
    assert not manager.is_scrolled_sideways()
    for path in ("/contacts", "/alerts"):
        manager.open(path)
        assert not manager.is_scrolled_sideways(), path
    made = [factory.intrude(site.clock.now(), files=False) for _ in range(2)]
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#acknowledge-listed")
    page.wait_for_selector(f"#alert-{made[1]} .tag-acknowledged")
    with site.database.reading() as session:
        assert {alerts.get(session, key).state for key in made} == {"acknowledged"}
    assert manager.complaints == []
