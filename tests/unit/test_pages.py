"""Pages as a browser gets them, without a browser."""

from tests.support.web import Site


def test_nobody_gets_past_the_sign_in_page(site: Site) -> None:
    answer = site.browser().get("/alerts")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/alerts"


def test_signing_in_leads_to_the_page_that_was_wanted(site: Site) -> None:
    browser = site.browser()
    answer = browser.post(
        "/login", {"login": "viewer", "password": "long enough to be a password", "next": "/alerts"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")
    assert browser.get("/alerts").status_code == 200
