"""What keeps people out, and other sites' pages from acting in their name."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount

from dashboard.access import EVERYBODY, Guard
from dashboard.app import create_app
from dashboard.hub import Hub
from dashboard.onetime import create_one_time_login
from dashboard.routes import PAGES
from dashboard.security import CONTENT_SECURITY_POLICY, MAX_BODY_BYTES
from dashboard.visit import Scope
from safety.clock import ManualClock
from safety.config import Settings
from safety.i18n import translator
from safety.store.accounts import Role
from safety.store.database import Database
from tests.support.web import PASSWORD, Browser, Site

PUBLIC = {
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/login/once"),
    ("POST", "/login/once"),
    ("POST", "/language"),
    ("POST", "/theme"),
}
"""All that somebody may do without signing in."""

UNGUARDED = {"/healthz", "/readyz"}
"""For monitors: they must answer even if the record does not."""


def api_routes() -> list[APIRoute]:
    return [route for router in PAGES for route in router.routes if isinstance(route, APIRoute)]


def guards_of(route: APIRoute) -> Iterator[Guard]:
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        if isinstance(dependant.call, Guard):
            yield dependant.call


def cases() -> Iterator[tuple[str, str, Guard]]:
    for route in api_routes():
        if route.path in UNGUARDED:
            continue
        for method in sorted((route.methods or set()) - {"HEAD"}):
            guards = list(guards_of(route))
            assert len(guards) == 1, f"{method} {route.path} needs exactly one guard"
            yield method, route.path, guards[0]


def concrete(path: str) -> str:
    """An address for a route, with something made up for every placeholder."""
    parts = ["no-such-thing" if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


def test_only_these_routes_are_open_to_everybody() -> None:
    open_routes = {(method, path) for method, path, guard in cases() if guard is EVERYBODY}
    assert open_routes == PUBLIC


def test_nothing_but_the_listed_routers_and_static_files_is_served() -> None:
    settings = Settings()
    clock = ManualClock()
    app = create_app(
        settings, Database("sqlite:////nowhere/x.db"), Hub(settings, clock), clock=clock
    )
    mounted = [route.path for route in app.routes if isinstance(route, Mount)]
    assert mounted == ["/static"]
    assert app.docs_url is None
    assert app.openapi_url is None


def test_every_route_denies_strangers_and_lesser_roles(site: Site) -> None:
    stranger = site.browser()
    browsers = {role: site.signed_in(role) for role in Role}
    for method, path, guard in cases():
        if guard.role is None:
            continue
        address = concrete(path)
        refused = stranger.call(method, address)
        assert refused.status_code in {303, 401}, f"{method} {path} lets strangers in"
        if refused.status_code == 303:
            assert refused.headers["location"].startswith("/login")
        for role in Role:
            if not role.includes(guard.role):
                answer = browsers[role].call(method, address)
                assert answer.status_code == 403, f"{method} {path} lets a {role} in"


def test_every_route_denies_tokens_without_the_scope(site: Site) -> None:
    programs = {scope: site.program(scope.value) for scope in Scope}
    for method, path, guard in cases():
        if guard.role is None:
            continue
        for scope in Scope:
            if scope is not guard.scope:
                answer = programs[scope].request(method, concrete(path))
                assert answer.status_code == 403, f"{method} {path} lets a {scope} token in"


def test_a_token_does_no_more_than_its_maker_may(site: Site) -> None:
    program = site.program("configure", role=Role.VIEWER)
    assert program.get("/api/v1/channels").status_code == 403


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Basic YTpi", "Bearer", ""])
def test_wrong_tokens_are_nobody(site: Site, authorization: str) -> None:
    browser = site.signed_in()
    answer = browser.get("/api/v1/site", authorization=authorization)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


def test_expired_tokens_are_nobody(site: Site) -> None:
    token = site.token("read", days=1)
    headers = {"authorization": f"Bearer {token}"}
    browser = site.browser()
    assert browser.get("/api/v1/site", **headers).status_code == 200
    site.clock.shift_s += 2 * 86400
    assert browser.get("/api/v1/site", **headers).status_code == 401


class TestForgery:
    """Requests that a signed-in browser was tricked into."""

    @pytest.fixture
    def browser(self, site: Site) -> Browser:
        return site.signed_in()

    def post(self, browser: Browser, **headers: str) -> httpx.Response:
        data = {"csrf_token": headers.pop("field", "")}
        return browser.client.post("/theme", data={**data, "theme": "dark"}, headers=headers)

    def test_the_real_page_may(self, browser: Browser) -> None:
        answer = self.post(browser, field=browser.csrf_token, origin=browser.address)
        assert answer.status_code == 303

    @pytest.mark.parametrize(
        ("field", "headers"),
        [
            ("", {}),
            ("wrong", {}),
            ("right", {"origin": "http://evil.example"}),
            ("right", {"origin": "null"}),
            ("right", {"sec-fetch-site": "cross-site"}),
            ("right", {"sec-fetch-site": "same-site"}),
            ("", {"x-csrf-token": "wrong"}),
            ("한글", {}),
        ],
    )
    def test_others_may_not(self, browser: Browser, field: str, headers: dict[str, str]) -> None:
        token = browser.csrf_token if field == "right" else field
        assert self.post(browser, field=token, **headers).status_code == 403

    def test_another_sessions_token_is_of_no_use(self, site: Site, browser: Browser) -> None:
        other = site.signed_in(Role.VIEWER)
        assert self.post(browser, field=other.csrf_token).status_code == 403

    def test_another_site_cannot_sign_somebody_in(self, site: Site) -> None:
        fields = {"login": "admin", "password": PASSWORD}
        headers = {"origin": "http://evil.example"}
        answer = site.browser().client.post("/login", data=fields, headers=headers)
        assert answer.status_code == 403


class TestSignIn:
    """Signing in, and guessing passwords."""

    def test_wrong_password_and_unknown_login_look_the_same(self, site: Site) -> None:
        wrong = site.browser().sign_in("admin", "not the password at all")
        unknown = site.browser().sign_in("nobody", "not the password at all")
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.text.replace("admin", "X") == unknown.text.replace("nobody", "X")

    def test_guessing_becomes_slow_and_waiting_helps(self, site: Site) -> None:
        browser = site.browser()
        statuses = [
            browser.sign_in("admin", "not the password at all").status_code for _ in range(8)
        ]
        assert statuses[:5] == [401] * 5
        assert 429 in statuses
        answer = browser.sign_in("admin")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        site.clock.shift_s += 3600
        assert browser.sign_in("admin").status_code == 303

    def test_the_session_changes_at_sign_in(self, site: Site) -> None:
        browser = site.signed_in(Role.VIEWER)
        before = browser.client.cookies["anjeon_session"]
        browser.sign_in("viewer")
        assert browser.client.cookies["anjeon_session"] != before
        old = site.browser()
        old.client.cookies.set("anjeon_session", before)
        assert old.get("/account").status_code == 303

    def test_signing_out_ends_the_session_on_the_server(self, site: Site) -> None:
        browser = site.signed_in(Role.VIEWER)
        cookie = browser.client.cookies["anjeon_session"]
        assert browser.post("/logout").status_code == 303
        browser.client.cookies.set("anjeon_session", cookie)
        assert browser.get("/account").status_code == 303

    @pytest.mark.parametrize("seconds", [13 * 3600, 8 * 86400])
    def test_sessions_end(self, site: Site, seconds: int) -> None:
        browser = site.signed_in(Role.VIEWER)
        site.clock.shift_s += seconds
        assert browser.get("/account").status_code == 303

    def test_a_busy_session_ends_all_the_same(self, site: Site) -> None:
        browser = site.signed_in(Role.VIEWER)
        for _ in range(20):
            site.clock.shift_s += 9 * 3600
            last = browser.get("/account").status_code
        assert last == 303

    def test_the_cookie_is_out_of_reach_of_scripts(self, site: Site) -> None:
        answer = site.browser().sign_in("viewer")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie

    @pytest.mark.parametrize(
        "target",
        [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "evil",
            "javascript:alert(1)",
        ],
    )
    def test_signing_in_leads_to_no_other_site(self, site: Site, target: str) -> None:
        fields = {"login": "viewer", "password": PASSWORD, "next": target}
        assert site.browser().post("/login", fields).headers["location"] == "/"


class TestOneTimeLink:
    """The first sign-in, and forgotten passwords."""

    def token(self, site: Site) -> str:
        path = create_one_time_login(site.database, site.clock)
        return path.split("token=")[1]

    def test_it_leads_to_choosing_a_password(self, site: Site) -> None:
        browser = site.browser()
        assert browser.get(f"/login/once?token={self.token(site)}").status_code == 200
        answer = browser.post("/login/once", {"token": self.token(site)})
        assert answer.status_code == 303
        assert browser.get("/alerts").headers["location"] == "/password"
        browser.read_token("/password")
        chosen = {"new": "a new and long password", "again": "a new and long password"}
        assert browser.post("/password", chosen).status_code == 303
        assert browser.get("/alerts").status_code == 200
        assert site.browser().sign_in("admin", "a new and long password").status_code == 303

    def test_looking_at_it_does_not_use_it_up(self, site: Site) -> None:
        token = self.token(site)
        for _ in range(3):
            site.browser().get(f"/login/once?token={token}")
        assert site.browser().post("/login/once", {"token": token}).status_code == 303

    def test_it_works_once(self, site: Site) -> None:
        token = self.token(site)
        assert site.browser().post("/login/once", {"token": token}).status_code == 303
        assert site.browser().post("/login/once", {"token": token}).status_code == 401

    def test_it_works_for_fifteen_minutes(self, site: Site) -> None:
        token = self.token(site)
        site.clock.shift_s += 16 * 60
        assert site.browser().post("/login/once", {"token": token}).status_code == 401

    def test_guessing_it_becomes_slow(self, site: Site) -> None:
        browser = site.browser()
        statuses = [browser.post("/login/once", {"token": f"x{n}"}).status_code for n in range(8)]
        assert statuses[-1] == 429

    @pytest.mark.parametrize(
        ("new", "again"),
        [("short", "short"), ("admin1234567", "admin1234567"), ("a" * 20, "b" * 20)],
    )
    def test_weak_or_differing_passwords_are_refused(
        self, site: Site, new: str, again: str
    ) -> None:
        browser = site.browser()
        browser.post("/login/once", {"token": self.token(site)})
        browser.read_token("/password")
        assert browser.post("/password", {"new": new, "again": again}).status_code == 422


class TestHeaders:
    """What every answer carries."""

    @pytest.mark.parametrize("path", ["/login", "/nowhere", "/static/icon.svg", "/api/v1/site"])
    def test_every_answer_has_the_policy(self, site: Site, path: str) -> None:
        answer = site.browser().get(path)
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "unsafe" not in CONTENT_SECURITY_POLICY

    def test_pages_are_not_kept_and_versioned_files_are(self, site: Site) -> None:
        browser = site.signed_in(Role.VIEWER)
        assert browser.get("/alerts").headers["cache-control"] == "no-store"
        kept = browser.get("/static/icon.svg?v=abc").headers["cache-control"]
        assert "immutable" in kept

    @pytest.mark.parametrize(
        "host", ["", "a b", "evil.example/path", "x" * 300, "user@host", "<script>"]
    )
    def test_a_strange_host_is_refused(self, site: Site, host: str) -> None:
        assert site.browser().get("/login", host=host).status_code == 400


def test_no_page_has_inline_script_or_style() -> None:
    from dashboard.pages import environment

    for name in environment().list_templates(extensions=["html"]):
        source, _, _ = environment().loader.get_source(environment(), name)  # type: ignore[union-attr]
        assert " style=" not in source, name
        assert "<style" not in source, name
        assert " onclick=" not in source, name
        assert "<script>" not in source, name


def test_without_the_record_every_answer_says_so(site: Site) -> None:
    browser = site.signed_in()
    site.database.dispose()
    path = site.settings.data_dir / "anjeon.db"
    for each in path.parent.glob("anjeon.db*"):
        each.unlink()
    path.write_bytes(b"this is no database" * 100)
    page = browser.get("/alerts")
    assert page.status_code == 503
    assert translator("ko")("error.503") in page.text
    problem = browser.get("/api/v1/site")
    assert (problem.status_code, problem.json()["code"]) == (503, "store.corrupt")
    assert browser.get("/healthz").status_code == 200
    assert browser.get("/readyz").status_code == 503


@pytest.mark.parametrize("chunked", [False, True])
def test_huge_bodies_are_refused_unread(site: Site, chunked: bool) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 65536 + 2):
            yield b"x" * 65536

    content = pieces() if chunked else b"x" * (MAX_BODY_BYTES + 1)
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": site.address}
    try:
        answer = site.browser().client.post("/login", content=content, headers=headers)
    except httpx.WriteError:
        return  # the server hung up while we were still talking
    assert answer.status_code == 413
