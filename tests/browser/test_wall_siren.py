"""The siren of a wall screen: off at first, then sound and full screen until acknowledged."""

from collections.abc import Callable

from tests.support.browser import PHONE, Visitor
from tests.support.factory import Factory
from tests.support.web import Site

Visit = Callable[..., Visitor]

SOUNDING = "document.documentElement.dataset.siren === 'sounding'"
QUIET = "document.documentElement.dataset.siren === 'quiet'"
SHOWN = "document.getElementById('alarm-screen').open"


def test_it_fills_the_screen_and_sounds_until_somebody_acknowledges(
    site: Site, factory: Factory, visitor: Visit
) -> None:
    wall = visitor(size=PHONE, reduced_motion="reduce")
    wall.sign_in("operator")
    page = wall.open("/")
    opened_at = site.clock.now()
    factory.intrude(opened_at, files=False)
    page.wait_for_selector("#banner:not([hidden])")
    assert not page.evaluate(SHOWN), "nobody has turned it on for this screen"
    page.click("#wall-siren")
    wall.wait_until(SHOWN)
    wall.wait_until(SOUNDING)
    page.keyboard.press("Escape")
    wall.wait_until(SHOWN)
    animated = "getComputedStyle(document.getElementById('alarm-screen')).animationName"
    assert page.evaluate(animated) == "none", "nothing moves for those who do not want it"
    assert not wall.is_scrolled_sideways()
    page.click("[data-do=fold]")
    wall.wait_until(f"!{SHOWN}")
    assert page.evaluate(SOUNDING), "the cameras can be looked at; the sound goes on"
    page.reload()
    wall.wait_until(SHOWN)
    page.click("[data-do=acknowledge]")
    wall.wait_until(f"!{SHOWN}")
    wall.wait_until(QUIET)
