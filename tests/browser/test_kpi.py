"""Figures in a real browser: hours typed on a phone, the pictures, and the hall display."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import FilePayload

from safety.app.demo import demo_spec
from safety.demo.history import load_history
from safety.i18n import translator
from safety.months import month_of, shifted
from safety.reports.signing import signed
from safety.site.apply import apply_site
from tests.support.browser import PHONE, Visitor
from tests.support.reports import report_of
from tests.support.web import Site

Visit = Callable[..., Visitor]


def sent_in_reports() -> list[FilePayload]:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return [
        {
            "name": f"site-{number}.json",
            "mimeType": "application/json",
            "buffer": signed(report_of(number), key),
        }
        for number in range(1, 9)
    ]


@pytest.mark.parametrize(("language", "size"), [("ko", PHONE), ("en", (1280, 800))])
def test_hours_are_typed_and_the_figures_are_drawn(
    site: Site, visitor: Visit, language: str, size: tuple[int, int]
) -> None:
    apply_site(site.database, demo_spec(), by="test", now=site.now)
    with site.database.transaction() as session:
        load_history(session, demo_spec(), now=site.now, months=13, per_day=0.3)
    month = shifted(month_of(site.now.date()), -1)
    manager = visitor(size=size)
    page = manager.sign_in("manager")
    page.click(f"button[name=language][value={language}]")
    page.wait_for_selector(f"html[lang={language}]")
    manager.open(f"/hours?year={month[:4]}")
    page.fill(f"input[name='hours-{month}-contractor']", "640")
    page.fill(f"input[name='heads-{month}-contractor']", "4")
    assert not manager.is_scrolled_sideways()
    page.click("main form[action='/hours'] button.primary")
    page.wait_for_selector("p.notice")
    manager.open(f"/kpi?month={month}")
    page.evaluate("document.querySelectorAll('img').forEach((each) => { each.loading = 'eager' })")
    manager.wait_until(
        "document.images.length > 1 && [...document.images].every((each) => each.naturalWidth > 0)"
    )
    assert not manager.is_scrolled_sideways()
    page.locator("details.numbers summary").first.click()
    assert page.locator("details.numbers[open] tbody tr").first.is_visible()
    page.select_option("#zone", demo_spec().zones[0].id)
    page.wait_for_selector(f"text={translator(language)('kpi.zone_note')}")
    manager.open(f"/reports/{month}")
    page.click("main form button.primary")
    page.wait_for_selector("p.notice")
    with page.expect_download() as download:
        page.click("a[href$='file.json']")
    assert download.value.suggested_filename == f"anjeon-{month}-r1.json"
    manager.open("/programme")
    page.set_input_files("input[name=reports]", sent_in_reports())
    page.click("main form button.primary")
    page.wait_for_selector("#funnel")
    page.evaluate("document.querySelectorAll('img').forEach((each) => { each.loading = 'eager' })")
    manager.wait_until("document.querySelector('#funnel img').naturalWidth > 0")
    page.locator("#funnel details.numbers summary").click()
    assert page.locator("#funnel details tbody tr").count() == 8
    assert not manager.is_scrolled_sideways()
    manager.open("/kpi/wall")
    assert page.locator(".huge").count() == 2
    assert not manager.is_scrolled_sideways()
