"""Pages and forms, as a browser sends them."""

import re
from zoneinfo import ZoneInfo

import pytest

from dashboard import formatting
from dashboard.routes.login import own_path
from safety.i18n import translator
from safety.site.apply import load_site
from safety.site.spec import SiteSpec
from safety.store import alerts
from safety.store.accounts import Role
from tests.support.factory import Factory
from tests.support.web import PASSWORD, Browser, Site

SQUARE = "10, 10\n50, 10\n50, 50\n10, 50"
PAGES = (
    "/",
    "/alerts",
    "/alerts?show=all",
    "/cameras",
    "/zones",
    "/zones/press-2",
    "/zones/new?camera=press",
    "/zones/press-2/rules/new?kind=dwell",
    "/rules",
    "/rules/new?kind=proximity",
    "/rules/press-entry",
    "/machines",
    "/mutes",
    "/channels",
    "/health",
    "/audit",
    "/users",
    "/account",
    "/more",
)


def spec(site: Site) -> SiteSpec:
    with site.database.reading() as session:
        return load_site(session).spec


def alert_state(site: Site, alert_id: str) -> str:
    with site.database.reading() as session:
        return alerts.get(session, alert_id).state


def test_signing_in_leads_to_the_page_that_was_wanted(site: Site) -> None:
    browser = site.browser()
    assert browser.get("/alerts").headers["location"] == "/login?next=/alerts"
    fields = {"login": "viewer", "password": PASSWORD, "next": "/alerts"}
    assert browser.post("/login", fields).headers["location"] == "/alerts"


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.usefixtures("factory")
def test_every_page_is_complete_in_both_languages(site: Site, language: str) -> None:
    browser = site.signed_in()
    browser.post("/language", {"language": language})
    for path in PAGES:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert f'<html lang="{language}"' in answer.text
        assert translator(language)("footer.supplementary") in answer.text
        shown = re.sub(r"<[^>]*>", " ", answer.text)
        assert not re.search(
            r"\b(nav|alert|alerts|reason|rules|zones|health|role)\.[a-z_]+\b", shown
        )


@pytest.mark.parametrize("path", PAGES)
def test_empty_sites_say_what_to_do(site: Site, path: str) -> None:
    if "press" in path:
        assert site.signed_in().get(path).status_code == 404
    else:
        assert site.signed_in().get(path).status_code == 200


class TestInbox:
    """Alerts on the page."""

    def test_one_tap_acknowledges(self, site: Site, factory: Factory) -> None:
        alert = factory.intrude(site.clock.now())
        browser = site.signed_in(Role.OPERATOR)
        answer = browser.post(f"/alerts/{alert}/acknowledge")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/alerts/{alert}")
        assert alert_state(site, alert) == "acknowledged"

    def test_htmx_gets_the_card_alone(self, site: Site, factory: Factory) -> None:
        alert = factory.intrude(site.clock.now())
        browser = site.signed_in(Role.OPERATOR)
        headers = {"hx-request": "true"}
        answer = browser.call("POST", f"/alerts/{alert}/acknowledge?part=card", **headers)
        assert answer.text.strip().startswith("<li")

    @pytest.mark.parametrize("verdict", ["confirmed", "false_positive"])
    def test_a_verdict_with_a_note(self, site: Site, factory: Factory, verdict: str) -> None:
        alert = factory.intrude(site.clock.now())
        browser = site.signed_in(Role.OPERATOR)
        browser.post(f"/alerts/{alert}/decide", {"verdict": verdict, "note": "<b>청소</b>"})
        assert alert_state(site, alert) == verdict
        assert "&lt;b&gt;청소&lt;/b&gt;" in browser.get(f"/alerts/{alert}").text

    def test_viewers_see_no_buttons(self, site: Site, factory: Factory) -> None:
        alert = factory.intrude(site.clock.now())
        assert "/acknowledge" not in site.signed_in(Role.VIEWER).get(f"/alerts/{alert}").text

    def test_polling_costs_nothing_while_nothing_changes(
        self, site: Site, factory: Factory
    ) -> None:
        alert = factory.intrude(site.clock.now())
        browser = site.signed_in(Role.OPERATOR)
        page = browser.get("/alerts").text
        [address] = re.findall(r'hx-get="(/alerts/list[^"]+)"', page)
        address = address.replace("&amp;", "&")
        assert browser.get(address).status_code == 204
        browser.post(f"/alerts/{alert}/acknowledge")
        assert browser.get(address).status_code == 200

    def test_what_is_judged_leaves_the_list(self, site: Site, factory: Factory) -> None:
        alert = factory.intrude(site.clock.now())
        browser = site.signed_in(Role.OPERATOR)
        assert alert in browser.get("/alerts").text
        browser.post(f"/alerts/{alert}/decide", {"verdict": "confirmed"})
        assert alert not in browser.get("/alerts").text
        assert alert in browser.get("/alerts?show=all&camera=press").text
        assert alert not in browser.get("/alerts?show=all&camera=robot").text

    def test_the_timeline_tells_the_story(self, site: Site, factory: Factory) -> None:
        alert = factory.intrude(site.clock.now().shifted(-30), lasts_s=8)
        browser = site.signed_in(Role.OPERATOR)
        browser.post("/language", {"language": "en"})
        browser.post(f"/alerts/{alert}/acknowledge")
        text = browser.get(f"/alerts/{alert}").text
        story = [
            "Danger detected",
            "Siren commanded after 87 ms",
            "Notice of the alert delivered to Log",
            "The danger is over",
            "Acknowledged by operator",
        ]
        places = [text.index(sentence) for sentence in story]
        assert places == sorted(places)

    def test_red_is_for_danger_now(self, site: Site, factory: Factory) -> None:
        factory.go_blind("robot", site.clock.now())
        browser = site.signed_in()
        assert "badge is-danger" not in browser.get("/alerts").text
        factory.intrude(site.clock.now())
        assert "badge is-danger" in browser.get("/alerts").text

    def test_an_unknown_verdict_is_refused(self, site: Site, factory: Factory) -> None:
        alert = factory.intrude(site.clock.now())
        answer = site.signed_in().post(f"/alerts/{alert}/decide", {"verdict": "perhaps"})
        assert answer.status_code == 422


class TestZones:
    """Drawing zones and setting rules."""

    @pytest.fixture
    def manager(self, site: Site, factory: Factory) -> Browser:
        return site.signed_in(Role.MANAGER)

    def draw(self, browser: Browser, **fields: str) -> str:
        wanted = {"camera": "aisle", "name": "통로", "corners": SQUARE, **fields}
        answer = browser.post("/zones", wanted)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].split("?")[0].removeprefix("/zones/")

    def test_a_zone_with_its_first_rule_in_one_step(self, site: Site, manager: Browser) -> None:
        zone_id = self.draw(manager, alert_on_entry="yes")
        site_spec = spec(site)
        zone = next(zone for zone in site_spec.zones if zone.id == zone_id)
        assert zone.polygon == ((0.1, 0.1), (0.5, 0.1), (0.5, 0.5), (0.1, 0.5))
        [rule] = [rule for rule in site_spec.rules if rule.zone_id == zone_id]
        assert (rule.kind, rule.name) == ("intrusion", "통로 침입")

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"corners": "10, 10\n50, 50"}, "polygon.corner_count"),
            ({"corners": "10, 10\n50, 50\n50, 10\n10, 50"}, "polygon.crosses_itself"),
            ({"corners": "10, 10\n50, x\n50, 10"}, "zones.corners_unreadable"),
            ({"corners": "10, 10\n150, 10\n50, 50"}, "polygon.outside_picture"),
            ({"corners": "10, 10\nnan, 10\n50, 50"}, "polygon.outside_picture"),
            ({"name": ""}, "invalid.string_too_short"),
            ({"name": "x" * 130}, "invalid.string_too_long"),
        ],
    )
    def test_what_cannot_be_a_zone_is_explained(
        self, site: Site, manager: Browser, fields: dict[str, str], said: str
    ) -> None:
        wanted = {"camera": "aisle", "name": "통로", "corners": SQUARE, **fields}
        answer = manager.post("/zones", wanted)
        assert answer.status_code == 422
        sentence = translator("ko")(said).split("{")[0]
        assert sentence in answer.text
        assert len(spec(site).zones) == 2

    def test_a_stale_form_overwrites_nothing(self, site: Site, manager: Browser) -> None:
        page = manager.get("/zones/press-2").text
        [etag] = re.findall(r'name="etag" value="([^"]*)"', page)
        fields = {"name": "첫째", "corners": SQUARE, "etag": etag.replace("&#34;", '"')}
        assert manager.post("/zones/press-2", fields).status_code == 303
        assert manager.post("/zones/press-2", {**fields, "name": "둘째"}).status_code == 412
        assert next(zone for zone in spec(site).zones if zone.id == "press-2").name == "첫째"

    def test_deleting_a_zone_takes_its_rules_along(self, site: Site, manager: Browser) -> None:
        assert manager.post("/zones/press-2/delete").status_code == 303
        assert [zone.id for zone in spec(site).zones] == ["fence"]
        assert [rule.id for rule in spec(site).rules] == ["fence-stay"]

    def test_rules_are_added_changed_and_removed(self, site: Site, manager: Browser) -> None:
        fields: dict[str, str | list[str]] = {
            "kind": "dwell",
            "name": "체류",
            "enabled": "yes",
            "severity": "warning",
            "limit_s": "45",
            "hold_to_open_s": "0",
            "hold_to_close_s": "1.5",
            "cooldown_s": "10",
            "channels.given": "some",
            "channels": ["log"],
            "zone_id": "press-2",
        }
        assert manager.post("/rules", fields).status_code == 303
        rule = next(rule for rule in spec(site).rules if rule.name == "체류")
        assert rule.channels == ("log",)
        fields |= {"channels.given": "all", "limit_s": "60"}
        assert manager.post(f"/rules/{rule.id}", fields).status_code == 303
        changed = next(each for each in spec(site).rules if each.id == rule.id)
        assert (changed.channels, getattr(changed, "limit_s", None)) == (None, 60.0)
        assert manager.post(f"/rules/{rule.id}/delete").status_code == 303
        assert rule.id not in {each.id for each in spec(site).rules}

    def test_equipment_that_has_to_be_worn_is_ticked(self, site: Site, manager: Browser) -> None:
        page = manager.get("/zones/press-2/rules/new?kind=missing_ppe").text
        assert page.count('name="items"') == 4
        assert page.count("checked>안전") == 2
        fields: dict[str, str | list[str]] = {
            "kind": "missing_ppe",
            "name": "보호구",
            "enabled": "yes",
            "severity": "warning",
            "items": ["vest"],
            "zone_id": "press-2",
            "hold_to_open_s": "3",
            "hold_to_close_s": "2",
            "cooldown_s": "60",
        }
        assert manager.post("/rules", fields).status_code == 303
        rule = next(rule for rule in spec(site).rules if rule.name == "보호구")
        assert rule.kind == "missing_ppe"
        assert [item.value for item in rule.items] == ["vest"]
        refused = manager.post(f"/rules/{rule.id}", {**fields, "items": []})
        assert refused.status_code == 422
        assert translator("ko")("invalid.too_short") in refused.text

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("hold_to_open_s", "soon", "invalid.float_parsing"),
            ("hold_to_close_s", "-1", "invalid.greater_than_equal"),
            ("cooldown_s", "999999999", "invalid.less_than_equal"),
            ("severity", "mild", "invalid.enum"),
            ("body", "nose", "invalid.literal_error"),
        ],
    )
    def test_what_cannot_be_a_rule_is_explained_at_its_field(
        self, manager: Browser, field: str, value: str, said: str
    ) -> None:
        fields = {
            "kind": "intrusion",
            "name": "침입",
            "severity": "danger",
            "body": "feet",
            "hold_to_open_s": "0",
            "hold_to_close_s": "1",
            "cooldown_s": "10",
            "zone_id": "press-2",
            field: value,
        }
        answer = manager.post("/rules", fields)
        assert answer.status_code == 422
        sentence = translator("ko")(said).split("{")[-1].split("}")[-1]
        assert sentence in answer.text

    def test_operators_only_look(self, site: Site, factory: Factory) -> None:
        operator = site.signed_in(Role.OPERATOR)
        assert "zones/new" not in operator.get("/zones").text
        assert operator.get("/zones/press-2").status_code == 200


class TestPeople:
    """Users and one's own account."""

    def test_somebody_new_signs_in_by_link(self, site: Site) -> None:
        admin = site.signed_in()
        answer = admin.post("/users", {"login": "kim", "name": "김안전", "role": "manager"})
        [token] = re.findall(r"/login/once\?token=([\w-]+)", answer.text)
        browser = site.browser()
        assert browser.post("/login/once", {"token": token}).status_code == 303
        assert browser.get("/").headers["location"] == "/password"

    @pytest.mark.parametrize(
        "fields",
        [
            {"login": "admin", "name": "X", "role": "viewer"},
            {"login": "한글", "name": "X", "role": "viewer"},
            {"login": "", "name": "X", "role": "viewer"},
            {"login": "x", "name": "X", "role": "emperor"},
        ],
    )
    def test_bad_accounts_are_refused(self, site: Site, fields: dict[str, str]) -> None:
        assert site.signed_in().post("/users", fields).status_code == 422

    def test_locking_out_is_immediate(self, site: Site) -> None:
        admin, viewer = site.signed_in(), site.signed_in(Role.VIEWER)
        page = admin.get("/users").text
        row = page[page.index('id="user-viewer"') :]
        [path, *_] = re.findall(r'action="(/users/\w+/disabled)"', row)
        assert admin.post(path, {"disabled": "yes"}).status_code == 303
        assert viewer.get("/alerts").status_code == 303
        assert site.browser().sign_in("viewer").status_code == 401

    def test_the_last_admin_stays(self, site: Site) -> None:
        admin = site.signed_in()
        page = admin.get("/users").text
        row = page[page.index('id="user-admin"') :]
        [path, *_] = re.findall(r'action="(/users/\w+/role)"', row)
        assert admin.post(path, {"role": "viewer"}).status_code == 409

    def test_changing_the_password_signs_other_browsers_out(self, site: Site) -> None:
        here, there = site.signed_in(Role.VIEWER), site.signed_in(Role.VIEWER)
        wrong = {"current": "nonsense nonsense", "new": "b" * 12, "again": "b" * 12}
        assert here.post("/account/password", wrong).status_code == 422
        fields = {**wrong, "current": PASSWORD}
        assert here.post("/account/password", fields).status_code == 303
        assert here.get("/account").status_code == 200
        assert there.get("/account").status_code == 303

    def test_a_token_is_shown_once(self, site: Site) -> None:
        browser = site.signed_in(Role.OPERATOR)
        fields: dict[str, str | list[str]] = {
            "name": "MES",
            "scope": ["read", "configure"],
            "lifetime": "30",
        }
        answer = browser.post("/account/tokens", fields)
        [token] = re.findall(r'id="made-token">(anjeon_[\w-]+)<', answer.text)
        bearer = {"authorization": f"Bearer {token}"}
        assert site.browser().get("/api/v1/alerts", **bearer).status_code == 200
        assert site.browser().get("/api/v1/channels", **bearer).status_code == 403
        assert token not in browser.get("/account").text


class TestChannels:
    """The test button."""

    def test_a_twin_receives_the_test(self, site: Site, factory: Factory) -> None:
        answer = site.signed_in(Role.MANAGER).post("/channels/log/test")
        assert answer.headers["location"] == "/channels?done=test_sent"
        recorded = (site.settings.data_dir / "recording.jsonl").read_text("utf-8")
        assert "warning" in recorded
        assert '"test"' in recorded

    def test_a_broken_siren_says_what_to_do(self, site: Site, factory: Factory) -> None:
        answer = site.signed_in(Role.MANAGER).post("/channels/siren/test")
        assert answer.status_code == 502
        assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("/alerts?show=all", "/alerts?show=all"), ("", "/"), ("//x", "/"), ("/\\x", "/"), ("x", "/")],
)
def test_own_paths(wanted: str, found: str) -> None:
    assert own_path(wanted) == found


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7260, "2 h 1 min"), (90000, "1 d 1 h")],
)
def test_durations(seconds: float, said: str) -> None:
    assert formatting.duration(seconds, translator("en")) == said


def test_times_name_their_zone() -> None:
    at = formatting.utc_from_unix(1_767_600_000)
    assert formatting.full_time(at, ZoneInfo("Asia/Seoul")) == "2026-01-05 17:00:00 KST"
    assert formatting.short_time(at, ZoneInfo("Asia/Seoul"), at) == "17:00:00 KST"


@pytest.mark.parametrize(("share", "said"), [(0.99999, "99.9 %"), (1.0, "100 %"), (None, "–")])
def test_all_means_all(share: float | None, said: str) -> None:
    assert formatting.percent(share) == said
