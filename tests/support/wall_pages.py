"""The live wall in a browser: signed in, with faults of the page told from servers away."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.support.web import PASSWORD, Site


@contextmanager
def page_of(
    chromium: Browser,
    site: Site,
    *,
    login: str = "admin",
    width_px: int = 1280,
    height_px: int = 800,
    script: str = "",
) -> Iterator[Page]:
    """A page on which somebody is signed in; fails at the end if it reported faults.

    Args:
        chromium: The browser.
        site: Where to sign in.
        login: Of the person.
        width_px, height_px: Size of the window.
        script: Runs before every page's own.
    """
    context = chromium.new_context(
        base_url=site.address, viewport={"width": width_px, "height": height_px}
    )
    if script:
        context.add_init_script(script)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if is_fault(line.text) else None)
    page.goto("/login")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_url(site.address + "/")
    yield page
    context.close()
    assert faults == []


def wait_for(page: Page, expression: str, arg: object = None, *, limit_s: float = 20) -> None:
    """Until an expression, or function of ``arg``, is true in the page.

    Playwright's own waiting evaluates text inside the page, which our policy forbids.

    Raises:
        TimeoutError: It did not become true.
    """
    for _ in range(round(limit_s / 0.1)):
        if page.evaluate(expression, arg):
            return
        page.wait_for_timeout(100)
    raise TimeoutError(f"not within {limit_s:g} s: {expression}")


def is_fault(line: str) -> bool:
    """Whether a line on the console is a fault of the page, not a server that is away."""
    return "Content Security Policy" in line or "Uncaught" in line


def keep_picture(page: Page, name: str) -> None:
    """Save what the page shows where ``ANJEON_SCREENSHOTS`` says, to be looked at."""
    folder = os.environ.get("ANJEON_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")
