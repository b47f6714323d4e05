"""A safety manager sets a machine, its feed and a camera up in a real browser, without any file."""

from collections.abc import Callable

from playwright.sync_api import expect

from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.store.accounts import Role
from tests.support.browser import PHONE, Visitor
from tests.support.factory import Factory
from tests.support.web import Site


def spec_of(site: Site) -> SiteSpec:
    with site.database.reading() as session:
        return load_site(session).spec


def test_a_machine_its_feed_and_a_camera_are_set_up_on_a_phone(
    site: Site, visitor: Callable[..., Visitor], factory: Factory
) -> None:
    manager = visitor(size=PHONE)
    manager.sign_in(Role.MANAGER.value)
    page = manager.open("/machines/machines/new")
    page.fill("#name", "Press")
    page.click("#part-form button.primary")
    page.wait_for_selector("p.notice")

    page = manager.open("/machines/feeds/new?kind=simulated")
    rows = page.locator("[data-rows][data-token='@0']").first
    page.select_option("select[name$='.machine_id']", "press")
    rows.locator("[data-add-row]").first.click()  # a step of the machine's cycle
    steps = page.locator("input[name$='.seconds']")
    steps.last.fill("3")
    names = [steps.nth(number).get_attribute("name") for number in range(steps.count())]
    assert len(set(names)) == len(names)
    page.locator("[data-rows]").last.locator("[data-remove-row]").last.click()
    page.get_by_role("button", name="시험하기").click()
    expect(page.locator("#trial p.notice")).to_be_visible()
    expect(page.locator("#trial")).to_contain_text("Press")
    page.click("#part-form .actions button.primary")
    page.wait_for_selector("#now")
    [feed] = spec_of(site).plant.feeds
    assert feed.machine_ids == ("press",)

    page = manager.open("/cameras/new?kind=synthetic")
    page.fill("#name", "Gate")
    page.get_by_role("button", name="시험하기").click()
    expect(page.locator("#trial img")).to_have_js_property("complete", True)
    assert page.locator("#trial img").evaluate("image => image.naturalWidth") > 0
    page.click("#camera-form .actions button.primary")
    page.wait_for_selector("p.notice")
    page.fill("#reason", "공사")
    page.get_by_role("button", name="감시 끄기").click()
    page.wait_for_selector("#is-off")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    gate = next(camera for camera in spec_of(site).cameras if camera.name == "Gate")
    assert (gate.enabled, gate.disabled_reason) == (False, "공사")
    assert manager.complaints == []
