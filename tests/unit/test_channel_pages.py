"""The pages of channels: added, changed, retried and removed by managers, and by nobody else."""

from datetime import timedelta

from sqlmodel import select

from safety.site.apply import load_site
from safety.store import audit, outbox, push
from safety.store.accounts import Role
from safety.store.tables import Alert
from tests.support.factory import Factory
from tests.support.web import Browser, Site

KAKAO = {
    "kind": "kakaowork",
    "name": "<b>안전</b> 👷",
    "enabled": "yes",
    "app_key": "env:KAKAO_KEY",
    "emails": "kim@example.com\r\nlee@example.com",
    "api_url": "https://api.kakaowork.com",
}


def added(browser: Browser) -> str:
    answer = browser.post("/channels", KAKAO)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def channels(site: Site) -> dict[str, object]:
    with site.database.reading() as session:
        return {spec.id: spec for spec in load_site(session).spec.channels}


def test_a_channel_is_added_changed_and_removed(site: Site, factory: Factory) -> None:
    browser = site.signed_in(Role.MANAGER)
    place = added(browser)
    page = browser.get(place).text
    assert "&lt;b&gt;안전&lt;/b&gt; 👷" in page
    assert "<b>안전</b>" not in page
    spec = channels(site)[place.rpartition("/")[2]]
    assert getattr(spec, "emails", None) == ("kim@example.com", "lee@example.com")
    etag = page.partition('name="etag" value="')[2].partition('"')[0].replace("&#34;", '"')
    changed = {**KAKAO, "name": "Safety team", "etag": etag}
    assert browser.post(place, changed).headers["location"] == f"{place}?done=saved"
    assert "Safety team" in browser.get("/channels").text
    assert browser.post(place, changed).status_code == 412, "made from a version that is gone"
    assert browser.post(f"{place}/delete").headers["location"] == "/channels?done=deleted"
    assert browser.get(place).status_code == 404


def test_mistakes_are_shown_where_they_are(site: Site, factory: Factory) -> None:
    browser = site.signed_in(Role.MANAGER)
    before = channels(site)
    answer = browser.post("/channels", {**KAKAO, "app_key": "abc", "emails": "a@b\nc"})
    assert answer.status_code == 422
    assert 'id="problem-app_key"' in answer.text
    assert 'id="problem-emails"' in answer.text
    assert browser.get("/channels/new?kind=smoke_signals").status_code == 404
    assert channels(site) == before


def test_a_channel_that_a_rule_names_stays(site: Site, factory: Factory) -> None:
    browser = site.signed_in(Role.MANAGER)
    assert browser.post("/channels/log/delete").status_code == 409
    assert "log" in channels(site)


def test_what_was_given_up_is_tried_again(site: Site, factory: Factory) -> None:
    factory.intrude(site.clock.now(), files=False)
    with site.database.transaction() as session:
        alert = session.exec(select(Alert)).one()
        payload = {"text": "somebody is in Press 2"}
        until = site.now + timedelta(hours=1)
        [row] = outbox.enqueue(session, alert, "drill", ["log"], payload, site.now, until)
        outbox.dead(session, row.id, error="HTTP 403")
        delivery_id = row.id
    browser = site.signed_in(Role.MANAGER)
    page = browser.get("/channels/log").text
    assert "somebody is in Press 2" in page
    assert "HTTP 403" in page
    assert browser.post("/channels/log/retry").status_code == 303
    with site.database.reading() as session:
        again = outbox.get(session, delivery_id)
        [entry] = audit.list_entries(session, subject=delivery_id)
    assert again.state == outbox.PENDING
    assert (entry.action, entry.actor) == ("delivery.retry", "manager")


def test_addresses_are_for_managers(site: Site, factory: Factory) -> None:
    place = added(site.signed_in(Role.MANAGER))
    browser = site.signed_in(Role.OPERATOR)
    assert browser.get(place).status_code == 403
    assert browser.post(f"{place}/delete").status_code == 403
    assert "kim@example.com" not in browser.get("/channels").text


def test_a_person_lets_a_browser_be_notified(site: Site, factory: Factory) -> None:
    manager, viewer = site.signed_in(Role.MANAGER), site.signed_in(Role.VIEWER)
    assert 'data-key=""' in viewer.get("/account").text, "no channel of this kind yet"
    fields = {"kind": "webpush", "name": "Push", "contact": "a@example.com", "enabled": "yes"}
    assert manager.post("/channels", {**fields, "services": "mozilla.com"}).status_code == 303
    assert 'data-key="B' in viewer.get("/account").text
    browser = {"endpoint": "https://updates.push.services.mozilla.com/1", "auth": "A" * 22}
    assert viewer.post("/account/push", {**browser, "p256dh": "short"}).status_code == 422
    assert viewer.post("/account/push", {**browser, "p256dh": "A" * 87}).status_code == 204
    with site.database.reading() as session:
        [row] = push.subscriptions(session)
    assert manager.post("/account/push/remove", browser).status_code == 204
    with site.database.reading() as session:
        assert push.subscriptions(session) == [row], "it is somebody else's"
    assert viewer.post("/account/push/remove", browser).status_code == 204
    with site.database.reading() as session:
        assert push.subscriptions(session) == []
