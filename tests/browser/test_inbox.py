"""The inbox in a real browser: an alert comes, sounds, is acknowledged and judged."""

from collections.abc import Callable

from safety.store import alerts
from tests.support.browser import PHONE, Visitor
from tests.support.factory import Factory
from tests.support.web import Site

Visit = Callable[..., Visitor]


def state_of(site: Site, alert_id: str) -> str:
    with site.database.reading() as session:
        return alerts.get(session, alert_id).state


def test_an_alert_appears_by_itself_and_one_tap_acknowledges_it(
    site: Site, factory: Factory, visitor: Visit
) -> None:
    somebody = visitor(size=PHONE)
    somebody.sign_in("operator")
    page = somebody.open("/alerts")
    alert = factory.intrude(site.clock.now())
    page.wait_for_selector(f"#alert-{alert}")
    somebody.wait_until("document.title.startsWith('(1)')")
    assert page.get_attribute("#alarm", "data-open") == "1"
    page.click(f"#acknowledge-{alert}")
    page.wait_for_selector(f"#alert-{alert} .tag-acknowledged")
    assert state_of(site, alert) == "acknowledged"
    somebody.wait_until("!document.title.startsWith('(')")


def test_two_taps_say_false_alarm(site: Site, factory: Factory, visitor: Visit) -> None:
    alert = factory.intrude(site.clock.now())
    somebody = visitor(size=PHONE)
    somebody.sign_in("operator")
    page = somebody.open("/alerts")
    page.click(f"#alert-{alert} summary")
    page.click(f"#alert-{alert} button[value=outside]")
    page.wait_for_selector("#inbox .empty")
    assert state_of(site, alert) == "false_positive"


def test_the_picture_is_shown_and_the_clip_plays(
    site: Site, factory: Factory, visitor: Visit
) -> None:
    alert = factory.intrude(site.clock.now())
    somebody = visitor()
    somebody.sign_in("operator")
    page = somebody.open(f"/alerts/{alert}")
    somebody.wait_until("document.querySelector('#evidence img').naturalWidth === 640")
    page.evaluate("document.querySelector('video').play()")
    somebody.wait_until("document.querySelector('video').currentTime > 0.3")


def test_the_picture_that_is_still_coming_comes(
    site: Site, factory: Factory, visitor: Visit
) -> None:
    alert = factory.intrude(site.clock.now(), files=False)
    somebody = visitor()
    somebody.sign_in("operator")
    page = somebody.open(f"/alerts/{alert}")
    assert page.locator("#evidence img").count() == 0
    opened = site.clock.now()
    factory.film_elsewhere(f"{1:032x}", "robot", opened.shifted(-0.6))
    factory.film(f"{1:032x}", opened)
    # Two cameras' clips, moved by one bar to the same moment.
    page.wait_for_selector(".in-step:not([hidden])")
    begins = "[...document.querySelectorAll('.clips video')].map((v) => Number(v.dataset.begins))"
    times = "[...document.querySelectorAll('.clips video')].map((v) => v.currentTime)"
    one, other = page.evaluate(begins)
    page.locator(".in-step input").fill(str(round(one + 0.8, 1)))
    somebody.wait_until(f"Math.abs({times}[0] + {one} - {times}[1] - {other}) < 0.11")
    somebody.wait_until(f"{times}[0] > 0.5")
    assert other < one


def test_a_new_alert_sounds_once_the_sound_is_on(
    site: Site, factory: Factory, visitor: Visit
) -> None:
    somebody = visitor()
    somebody.context.add_init_script(
        """
        window.tones = 0;
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (when) {
          window.tones += 1;
          start.call(this, when);
        };
        """
    )
    somebody.sign_in("operator")
    page = somebody.open("/alerts")
    page.click("#sound")
    page.wait_for_selector("#sound[aria-pressed=true]")
    somebody.wait_until("window.tones === 3")
    factory.intrude(site.clock.now())
    somebody.wait_until("window.tones === 6")


def test_what_somebody_else_has_judged_meanwhile_is_shown(
    site: Site, factory: Factory, visitor: Visit
) -> None:
    alert = factory.intrude(site.clock.now())
    somebody = visitor()
    somebody.sign_in("operator")
    page = somebody.open(f"/alerts/{alert}")
    with site.database.transaction() as session:
        alerts.decide(
            session, alert, verdict=alerts.AlertState.CONFIRMED, by="somebody", at=site.now
        )
    page.wait_for_selector("#state .tag-confirmed")
    assert page.locator("#state button").count() == 0


def test_an_expired_session_leads_to_the_sign_in_page(site: Site, visitor: Visit) -> None:
    somebody = visitor()
    page = somebody.sign_in("viewer")
    page = somebody.open("/alerts")
    site.clock.shift_s += 13 * 3600
    page.wait_for_url("**/login")
    somebody.complaints = [each for each in somebody.complaints if "401" not in each]


def test_a_page_that_hears_nothing_says_so(site: Site, visitor: Visit) -> None:
    somebody = visitor()
    somebody.sign_in("viewer")
    page = somebody.open("/alerts")
    assert not page.is_visible("#offline")
    somebody.context.set_offline(True)
    page.wait_for_selector("#offline:not([hidden])")
    somebody.context.set_offline(False)
    page.wait_for_selector("#offline", state="hidden")
    somebody.complaints.clear()  # htmx tells the console about every request that failed
