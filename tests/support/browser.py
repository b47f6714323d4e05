"""Real Chromium, and a watch on everything it complains about."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.support.requirements import need
from tests.support.web import PASSWORD, Site

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)

PHONE = (390, 844)
DESK = (1280, 800)

expect.set_options(timeout=20_000)


def chromium_path() -> str:
    """Where the browser is; skips the test where there is none."""
    need("chromium")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return found or str(shutil.which("google-chrome"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser per file. Files that use it hold no async tests: both want the event loop."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


class Dashboard(Protocol):
    """Whatever has a dashboard."""

    @property
    def address(self) -> str: ...


class Visitor:
    """Somebody with a browser of their own; keeps what the browser complained about.

    A request to any other host is a complaint too.
    """

    def __init__(self, context: BrowserContext, site: Dashboard) -> None:
        self.context = context
        self.site = site
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def open(self, path: str) -> Page:
        """Go to a page of the dashboard."""
        self.page.goto(self.site.address + path)
        return self.page

    def sign_in(self, login: str = "admin") -> Page:
        """Fill in the sign-in page."""
        page = self.open("/login")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.click("button.primary")
        page.wait_for_selector("header.bar")
        return page

    def wait_until(self, condition: str, *, limit_s: float = 40.0) -> None:
        """Wait for a JavaScript expression to hold.

        ``Page.wait_for_function`` cannot be used: the page's policy forbids ``eval``.

        Raises:
            AssertionError: It did not.
        """
        for _ in range(round(limit_s / 0.05)):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"did not happen within {limit_s:g} s: {condition}")

    def is_scrolled_sideways(self) -> bool:
        """Whether the page is wider than the window."""
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(self.page.evaluate(wide))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.site.address + "/", "data:", "blob:")):
            self.complaints.append(f"request to {request.url}")

    def _heard(self, message: ConsoleMessage) -> None:
        # A picture that is not there and a form that is refused are answers of ours.
        answered = "snapshot.jpg" in str(message.location) or "status of 422" in message.text
        if message.type in {"error", "warning"} and not answered:
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors; at the end nobody's browser may have complained."""
    made: list[Visitor] = []
    with ExitStack() as stack:

        def make(*, size: tuple[int, int] = DESK, **options: object) -> Visitor:
            context = chromium.new_context(
                viewport={"width": size[0], "height": size[1]},
                **options,  # type: ignore[arg-type]
            )
            stack.callback(context.close)
            made.append(Visitor(context, site))
            return made[-1]

        yield make
        complaints = [complaint for each in made for complaint in each.complaints]
    assert complaints == []
