"""The policy, contacts and the inbox over HTTP: what is saved, refused and shown."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.intake import record_violation
from dashboard.policy_preview import site_context
from safety.site.apply import load_site
from safety.store import alerts, audit, contacts
from safety.store.accounts import Role
from safety.store.contacts import ContactValues
from safety.store.refusals import Conflict
from safety.store.tables import Alert
from tests.support.violations import opened
from tests.support.web import Site, every

LADDER: dict[str, str | list[str]] = {
    "name": "Danger",
    "severities": ["danger"],
    "step.0.after_s": "0",
    "step.0.channels": ["log"],
    "step.0.roles": ["operator"],
    "step.1.after_s": "60",
    "step.1.roles": ["manager"],
    "step.2.after_s": "",
    "until": "acknowledged",
}


def policy_of(site: Site) -> Any:
    with site.database.reading() as session:
        return load_site(session).spec.policy


def raise_alert(site: Site, number: int, zone: str = "press-2", **values: Any) -> Alert:
    """An alert as the engine raises it."""
    with site.database.reading() as session:
        context = site_context(load_site(session).spec)
    at = site.clock.now().shifted(number / 1000)
    violation = replace(
        opened(f"v{number}", at=at, camera_id="press"),
        **{"zone_id": zone, "rule_id": "press-entry", "subject": f"person-{number}", **values},
    )
    with site.database.transaction() as session:
        record_violation(
            session, violation, rule_channels=None, site=context, siren_latency_s=None, now=at
        )
    with site.database.reading() as session:
        found = alerts.list_alerts(session, limit=200)
    return next(each for each in found if each.violation_id == violation.id)


@pytest.mark.usefixtures("factory")
def test_a_ladder_is_written_said_in_a_sentence_moved_and_deleted(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    said = manager.post("/policy/routes/new/sentence", LADDER).text
    assert "Log" in said
    assert manager.post("/policy/routes/new", LADDER).status_code == 303
    assert manager.post("/policy/routes/new", {**LADDER, "name": "Other"}).status_code == 303
    first, second = policy_of(site).routes
    assert [step.after_s for step in first.steps] == [0, 60]
    assert first.steps[0].channels == ("log",)
    assert first.steps[1].channels is None
    page = manager.get("/policy").text
    assert "Danger" in page
    assert manager.post(f"/policy/routes/{second.id}/up").status_code == 303
    assert [route.name for route in policy_of(site).routes] == ["Other", "Danger"]
    assert manager.post(f"/policy/routes/{second.id}/delete").status_code == 303
    assert [route.name for route in policy_of(site).routes] == ["Danger"]
    # What a route names cannot be removed from under it.
    program = site.program("configure")
    etag = program.get("/api/v1/channels/log").headers["etag"]
    refused = program.delete("/api/v1/channels/log", headers={"if-match": etag})
    assert refused.status_code == 409


@pytest.mark.usefixtures("factory")
@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"step.0.after_s": "soon"},
        {"step.1.after_s": "0"},
        {"step.0.after_s": "", "step.1.after_s": ""},
        {"step.0.channels": ["gone"]},
        {"step.0.roles": ["ceo"]},
        {"zones": ["gone"]},
        {"repeat_s": "5"},
        {"until": "never"},
        {"severities": ["<script>"]},
    ],
)
def test_a_ladder_that_makes_no_sense_is_refused_and_shown_again(
    site: Site, wrong: dict[str, Any]
) -> None:
    manager = site.signed_in(Role.MANAGER)
    answer = manager.post("/policy/routes/new", {**LADDER, **wrong})
    assert answer.status_code == 422
    assert 'class="problem"' in answer.text
    assert "<script>" not in answer.text.split("<main")[1]
    assert policy_of(site).routes == ()


@pytest.mark.usefixtures("factory")
def test_an_edit_made_from_an_old_page_is_refused(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    values = {"gap_s": "60", "update_every_s": "30", "cooldown_s": "60", "burst": "5"}
    values |= {"per_minute": "6", "etag": '"old"'}
    assert manager.post("/policy", values).status_code == 422
    assert manager.post("/policy", {**values, "etag": ""}).status_code == 303
    assert (policy_of(site).update_every_s, policy_of(site).limit.burst) == (30, 5)
    assert manager.post("/policy", {**values, "etag": "", "burst": "0"}).status_code == 422


@pytest.mark.usefixtures("factory")
def test_contacts_are_kept_changed_and_forgotten(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    fields: dict[str, str | list[str]] = {
        "name": "김민수",
        "role": "operator",
        "phone": "010-1234-5678",
        "channels": ["log"],
    }
    assert manager.post("/contacts/new", fields).status_code == 303
    with site.database.reading() as session:
        (kim,) = contacts.list_contacts(session)
    assert (kim.phone, kim.channels) == ("+821012345678", ["log"])
    assert "김민수" in manager.get("/contacts").text
    changed: dict[str, str | list[str]] = {**fields, "role": "manager", "version": str(kim.version)}
    assert manager.post(f"/contacts/{kim.id}", changed).status_code == 303
    assert manager.post(f"/contacts/{kim.id}", changed).status_code == 422, "an old version"
    today = site.now.date()
    days = {"contact": kim.id, "what": "away", "first_day": f"{today}"}
    days["last_day"] = f"{today + timedelta(days=1)}"
    assert manager.post("/contacts/changes", days).status_code == 303
    assert manager.post("/contacts/changes", {**days, "last_day": "soon"}).status_code == 422
    wrong_order = {**days, "first_day": f"{today + timedelta(days=9)}"}
    assert manager.post("/contacts/changes", wrong_order).status_code == 422
    assert manager.post(f"/contacts/{kim.id}/delete", {"version": "2"}).status_code == 303
    with site.database.reading() as session:
        assert contacts.list_contacts(session) == []
        entries = audit.list_entries(session, subject=kim.id)
    assert "1234" not in str([entry.detail for entry in entries])


@pytest.mark.usefixtures("factory")
@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "김민수 900101-1234567"},
        {"role": "ceo"},
        {"phone": "call me"},
        {"phone": "010"},
        {"email": "no address"},
        {"language": "fr"},
    ],
)
def test_a_contact_that_cannot_be_used_is_refused(site: Site, wrong: dict[str, str]) -> None:
    manager = site.signed_in(Role.MANAGER)
    fields = {"name": "Kim", "role": "operator", **wrong}
    assert manager.post("/contacts/new", fields).status_code == 422
    with site.database.reading() as session:
        assert contacts.list_contacts(session) == []


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        ("010-1234-5678", "+821012345678"),
        ("02 123 4567", "+8221234567"),
        ("+49 (30) 1234567", "+49301234567"),
    ],
)
def test_telephone_numbers_are_kept_as_the_world_writes_them(number: str, kept: str) -> None:
    assert contacts.e164(number) == kept


@pytest.mark.usefixtures("factory")
def test_only_what_was_listed_is_acknowledged_and_by_those_who_may(site: Site) -> None:
    first = raise_alert(site, 1)
    other = raise_alert(site, 2, zone="fence", rule_kind="dwell")
    later = raise_alert(site, 3, zone="", camera_id="aisle")
    viewer = site.signed_in(Role.VIEWER)
    listed = {"alert": [first.id, other.id, "no-such-alert"]}
    assert viewer.post("/alerts/acknowledge", listed).status_code == 403
    operator = site.signed_in(Role.OPERATOR)
    for _ in range(2):  # Sent again, nothing changes.
        assert operator.post("/alerts/acknowledge", listed).status_code == 303
    with site.database.reading() as session:
        states = {key: alerts.get(session, key).state for key in (first.id, other.id, later.id)}
        entries = audit.list_entries(session, subject=first.id)
    assert list(states.values()) == ["acknowledged", "acknowledged", "raised"]
    assert [entry.action for entry in entries] == ["alert.acknowledge"]
    program = site.program("acknowledge")
    body = {"ids": [first.id, later.id]}
    answer = program.post("/api/v1/alerts/acknowledge", json=body)
    assert answer.json() == {"acknowledged": [later.id]}
    assert program.post("/api/v1/alerts/acknowledge", json=body).json() == {"acknowledged": []}
    assert site.program("read").post("/api/v1/alerts/acknowledge", json=body).status_code == 403


@pytest.mark.usefixtures("factory")
def test_the_inbox_shows_conversations_and_finds_them(site: Site) -> None:
    lead = raise_alert(site, 1)
    joined = raise_alert(site, 2)
    other = raise_alert(site, 3, zone="fence", rule_kind="dwell", rule_id="fence-stay")
    assert joined.lead_id == lead.id
    viewer = site.signed_in(Role.VIEWER)

    def shown(query: str) -> set[str]:
        text = viewer.get(f"/alerts?{query}").text
        return {each.id for each in (lead, joined, other) if f'id="alert-{each.id}"' in text}

    assert shown("") == {lead.id, other.id}
    assert shown("zone=fence") == {other.id}
    assert shown("kind=intrusion") == {lead.id}
    assert shown("severity=warning") == set()
    assert shown("q=프레스 2") == {lead.id}
    assert shown(f"q={joined.id[:12]}") == {joined.id}
    assert shown("q=nothing of the sort") == set()
    assert shown("q=%3Cscript%3E&severity=odd&show=all") == set()
    assert shown("camera=press&zone=fence") == {other.id}
    page = viewer.get(f"/alerts/{lead.id}").text
    assert f"/alerts/{joined.id}" in page
    program = site.program("read")
    rows = program.get("/api/v1/alerts?leads=true&zone=press-2").json()["items"]
    assert [(row["id"], row["joined"]) for row in rows] == [(lead.id, 1)]
    told = every(program, f"/api/v1/alerts/{lead.id}/timeline")
    assert [row["event"] for row in told] == ["opened", "delivery.pending", "joined"]


@pytest.mark.usefixtures("factory")
def test_reminders_wait_for_those_who_may_say_so(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    assert manager.post("/policy/routes/new", LADDER).status_code == 303
    alert = raise_alert(site, 1)
    assert "snooze" in manager.get(f"/alerts/{alert.id}").text
    viewer = site.signed_in(Role.VIEWER)
    assert viewer.post(f"/alerts/{alert.id}/snooze", {"minutes": "5"}).status_code == 403
    for minutes in ("0", "61", "-1", "soon", "9999999999"):
        answer = manager.post(f"/alerts/{alert.id}/snooze", {"minutes": minutes})
        assert answer.status_code == 422, minutes
    assert manager.post(f"/alerts/{alert.id}/snooze", {"minutes": "5"}).status_code == 303
    program = site.program("acknowledge", "read")
    shown = program.get(f"/api/v1/alerts/{alert.id}").json()
    assert shown["snoozed_until"] is not None
    assert program.post(f"/api/v1/alerts/{alert.id}/acknowledge").status_code == 200
    answer = program.post(f"/api/v1/alerts/{alert.id}/snooze", json={"minutes": 5})
    assert answer.status_code == 409


@pytest.mark.usefixtures("factory")
def test_the_api_edits_policy_and_contacts_by_version(site: Site) -> None:
    program = site.program("configure", "read")
    answer = program.get("/api/v1/policy")
    etag, policy = answer.headers["etag"], answer.json()
    step = {"after_s": 60, "roles": ["manager"]}
    policy["routes"] = [{"id": "r", "name": "R", "steps": [{"roles": ["operator"]}, step]}]
    assert program.put("/api/v1/policy", json=policy).status_code == 428
    assert (
        program.put("/api/v1/policy", json=policy, headers={"if-match": '"x"'}).status_code == 412
    )
    assert program.put("/api/v1/policy", json=policy, headers={"if-match": etag}).status_code == 200
    body = {"name": "Kim", "role": "operator", "phone": "010 1234 5678"}
    made = program.put("/api/v1/contacts/kim", json=body)
    assert (made.status_code, made.json()["phone"]) == (201, "+821012345678")
    assert program.put("/api/v1/contacts/kim", json=body).status_code == 428
    headers = {"if-match": made.headers["etag"]}
    assert program.put("/api/v1/contacts/kim", json=body, headers=headers).status_code == 200
    assert program.put("/api/v1/contacts/kim", json=body, headers=headers).status_code == 412
    duty = program.get("/api/v1/duty").json()
    assert duty["on_duty"] == ["kim"]
    preview = program.get("/api/v1/policy/preview?kind=intrusion&zone=press-2").json()
    assert [step["after_s"] for step in preview["steps"]] == [0, 60]
    assert preview["steps"][0]["tells"][0]["people"] == "Kim"
    assert preview["steps"][1]["unmanned"]
    days = {"contact_id": "kim", "first_day": f"{site.now.date()}", "on_duty": False}
    days["last_day"] = days["first_day"]
    change = program.post("/api/v1/duty/changes", json=days)
    assert change.status_code == 201
    deleted = program.delete(f"/api/v1/duty/changes/{change.json()['id']}")
    assert deleted.status_code == 204
    assert site.program("read").get("/api/v1/contacts").status_code == 403
    for at in ("0001-01-01T00:00:00%2B09:00", "9999-12-31T23:59:59-09:00", "yesterday"):
        assert program.get(f"/api/v1/duty?at={at}").status_code == 422, at
    never = {**days, "first_day": "9999-12-30", "last_day": "9999-12-31"}
    assert program.post("/api/v1/duty/changes", json=never).status_code == 201
    assert program.post("/api/v1/alerts/acknowledge", json={"ids": ["\u0000"]}).status_code == 403


def test_a_contact_that_two_add_at_once_is_the_first_ones(site: Site) -> None:
    values = ContactValues(name="Kim", role="operator")
    with site.database.transaction() as session:
        contacts.save(session, "kim", values, by="a", at=site.now, expected_version=0)
    with pytest.raises(Conflict), site.database.transaction() as session:
        contacts.save(session, "kim", values, by="b", at=site.now, expected_version=0)
