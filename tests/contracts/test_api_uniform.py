"""Every route of the API is asked for pages, repeats and edits in the same way.

What a method needs is read from the API's own description; what does not have it is listed here
with the reason, and nowhere else.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest
from jsonschema import Draft202012Validator

from dashboard.app import create_app
from dashboard.hub import Hub
from safety.clock import SystemClock
from safety.config import Settings
from safety.store.database import Database
from tests.support.api_record import something_of_everything
from tests.support.factory import Factory
from tests.support.web import Site, every

Operation = tuple[str, str]
"""Method and path, as ``("POST", "/mutes")``."""

REPEATABLE: Final[Mapping[Operation, str]] = {
    ("POST", "/live/{camera_id}/offer"): "answers a browser; nothing is kept",
    ("POST", "/replay"): "tries a rule; nothing is kept",
    ("POST", "/feeds/try"): "tries a binding; nothing is kept",
    ("POST", "/tokens"): "shows a secret once that is kept nowhere, so it cannot be shown again",
    ("POST", "/alerts/acknowledge"): "what is acknowledged stays so",
    ("POST", "/alerts/{alert_id}/merge"): "what is merged stays so",
    ("POST", "/incidents/{incident_id}/alerts"): "what is linked stays so",
    ("POST", "/reports/{month}"): "a report that was made is given as it is",
    ("POST", "/mutes/{mute_id}/end"): "ends once: again is refused",
    ("POST", "/holds/{hold_id}/release"): "ends once: again is refused",
    ("DELETE", "/tokens/{token_id}"): "nothing of a token can be edited; it only ends",
    ("DELETE", "/duty/changes/{change_id}"): "nothing of it can be edited; it is only taken back",
}
"""Writes that take neither an idempotency key nor a version, and why that loses nothing."""

IN_A_HURRY: Final = {
    ("POST", "/alerts/{alert_id}/acknowledge"),
    ("POST", "/alerts/{alert_id}/decide"),
    ("POST", "/alerts/{alert_id}/snooze"),
}
"""Answers to an alarm: whoever has a hand free gives them, having read its version or not."""

UNTESTED_FILES: Final = {("PUT", "/actions/{action_id}/photo")}
"""Reads a picture; has a test of its own."""

PREFIX: Final = "/api/v1"


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The OpenAPI document."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("described"))
    database = Database(settings.database)
    clock = SystemClock()
    return create_app(settings, database, Hub(settings, clock), clock=clock).openapi()


def operations(described: Mapping[str, Any], *methods: str) -> Iterator[tuple[Operation, Any]]:
    for path, found in described["paths"].items():
        for method, operation in found.items():
            if method.upper() in methods:
                yield (method.upper(), path.removeprefix(PREFIX)), operation


def takes(operation: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Schemas of an operation's parameters by their name."""
    found = [each for each in operation.get("parameters", ()) if each["in"] == place]
    return {each["name"].lower(): each["schema"] for each in found}


def answered(described: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Schema of the JSON that an operation answers with; empty if it is no JSON."""
    content = operation["responses"].get("200", {}).get("content", {})
    schema: Mapping[str, Any] = content.get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = described["components"]["schemas"].get(name, schema)
    return found


class TestDescription:
    """What the description promises of every route."""

    def test_every_list_comes_in_pages(self, described: dict[str, Any]) -> None:
        lists = 0
        for where, operation in operations(described, "GET"):
            schema = answered(described, operation)
            assert schema.get("type") != "array", f"{where} answers with a list, not with a page"
            asked = takes(operation, "query")
            if "next_cursor" not in schema.get("properties", {}):
                assert not {"cursor", "limit", "before", "after"} & set(asked), where
                continue
            lists += 1
            limit = asked["limit"]
            assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 200, 50), where
            assert "cursor" in asked, where
        assert lists >= 18

    def test_every_write_is_safe_to_repeat_or_names_what_it_edits(
        self, described: dict[str, Any]
    ) -> None:
        bare = {
            where
            for where, operation in operations(described, "POST", "PUT", "PATCH", "DELETE")
            if not takes(operation, "header").keys() & {"if-match", "idempotency-key"}
        }
        assert bare == set(REPEATABLE)

    def test_what_is_made_takes_a_key_and_what_is_replaced_names_a_version(
        self, described: dict[str, Any]
    ) -> None:
        for where, operation in operations(described, "POST", "PUT", "PATCH"):
            if where in REPEATABLE:
                continue
            made = where[0] == "POST" and "201" in operation["responses"]
            headers = takes(operation, "header")
            # A revision follows the one that was read: its version says what a key would.
            wanted = "idempotency-key" if made and "revisions" not in where[1] else "if-match"
            if "imports" not in where[1]:
                assert wanted in headers, where

    def test_examples_are_what_they_show(self, described: dict[str, Any]) -> None:
        shown = 0
        for name, schema in described["components"]["schemas"].items():
            for example in schema.get("examples", ()):
                whole = {**schema, "components": described["components"]}
                assert not list(Draft202012Validator(whole).iter_errors(example)), name
                assert set(example) <= set(schema["properties"]), name
                shown += 1
        assert shown >= 8


@pytest.fixture
def program(site: Site) -> httpx.Client:
    return site.program("read", "acknowledge", "configure")


@pytest.fixture
def known(site: Site, factory: Factory) -> dict[str, str]:
    return something_of_everything(site, factory)


def test_every_list_is_the_same_read_one_by_one(
    site: Site, described: dict[str, Any], known: dict[str, str], program: httpx.Client
) -> None:
    _more_of_everything(site, program, known)
    longer = 0
    for (_, path), operation in operations(described, "GET"):
        if "cursor" not in takes(operation, "query") or path == "/tokens":
            continue
        place = PREFIX + path.format_map(known)
        whole = program.get(place, params={"limit": 200}).json()
        assert whole["next_cursor"] is None
        one_by_one = every(program, place, limit=1)
        assert one_by_one == whole["items"], path
        longer += len(one_by_one) > 1
        missing = program.get(place, params={"cursor": "nothing"})
        assert (missing.status_code, missing.json()["code"]) == (404, "store.not_found"), path
        for limit in (0, 201, "many"):
            assert program.get(place, params={"limit": limit}).status_code == 422, path
    assert longer >= 12, "hardly any list has two things on it: this shows nothing"


def test_tokens_come_in_pages_too(site: Site) -> None:
    person = site.signed_in()
    names = ["MES", "ERP", "BI"]
    for name in names:
        body = {"name": name, "scopes": ["read"]}
        assert person.call("POST", "/api/v1/tokens", json=body).status_code == 201
    found = every(person.client, "/api/v1/tokens")
    assert {each["name"] for each in found} == set(names)
    assert len(found) == len(names)


def test_every_key_makes_one_thing(
    site: Site, described: dict[str, Any], known: dict[str, str], program: httpx.Client
) -> None:
    bodies = dict(_made(site, known))
    keyed = {
        where
        for where, operation in operations(described, "POST")
        if "idempotency-key" in takes(operation, "header")
    }
    assert keyed == {("POST", path) for path in bodies}
    for path, (body, other) in bodies.items():
        known["import_id"] = known.get("import_id", "")
        place = PREFIX + path.format_map(known)
        headers = {"idempotency-key": "5f0c"}
        first, again = (program.post(place, headers=headers, **body) for _ in range(2))
        assert first.is_success, f"{path}: {first.text}"
        assert (again.status_code, again.json()) == (first.status_code, first.json()), path
        if path == "/accidents/imports":
            known["import_id"] = first.json()["id"]
        reused = program.post(place, headers=headers, **other)
        assert (reused.status_code, reused.json()["code"]) == (409, "idempotency.reused"), path
        for key in ("", "x" * 201, "a\tb"):
            bad = program.post(place, headers={"idempotency-key": key}, **body)
            assert (bad.status_code, bad.json()["code"]) == (422, "idempotency.key"), path


def test_every_edit_names_the_version_it_was_made_from(
    site: Site, described: dict[str, Any], known: dict[str, str], program: httpx.Client
) -> None:
    bodies = _edited(site, program, known)
    edits = {
        where
        for where, operation in operations(described, "POST", "PUT", "DELETE")
        if "if-match" in takes(operation, "header")
    }
    assert edits - UNTESTED_FILES == set(bodies)
    for (method, path), body in bodies.items():
        place = PREFIX + path.format_map(known)
        said = body.pop("headers", {})
        stale = program.request(method, place, headers={**said, "if-match": '"stale"'}, **body)
        assert (stale.status_code, stale.json()["code"]) == (412, "web.changed_meanwhile"), path
        if (method, path) not in IN_A_HURRY:
            blind = program.request(method, place, headers=said, **body)
            assert (blind.status_code, blind.json()["code"]) == (428, "web.if_match_missing"), path


def test_what_can_be_edited_says_its_version(
    described: dict[str, Any], known: dict[str, str], program: httpx.Client
) -> None:
    for (_, path), operation in operations(described, "PUT"):
        if "if-match" in takes(operation, "header") and not path.endswith("/photo"):
            answer = program.get(PREFIX + path.format_map(known))
            assert answer.headers["etag"].startswith('"'), path


Sent = dict[str, Any]
"""How a body is given to ``httpx``."""


def _made(site: Site, known: Mapping[str, str]) -> Iterator[tuple[str, tuple[Sent, Sent]]]:
    """For everything that is made: a body, and another one that would make something else."""
    today = site.now.date()
    later = (today + timedelta(days=9)).isoformat()
    day = {"first_day": today.isoformat(), "last_day": today.isoformat()}
    mute = {"zone_id": known["zone_id"], "person": "Kim", "reason": "greasing"}
    ends = [(site.now + timedelta(hours=hours)).isoformat() for hours in (1, 2)]
    incident = {"kind": "near_miss", "title": "Slip", "occurred_at": site.now.isoformat()}
    accident = {"occurred_on": today.isoformat(), "kind": "fall", "worker_group": "own"}
    action = {"text": "A guard", "control": "engineering", "due_on": later}
    hold = [{"reason": "police"}, {"reason": "insurer"}]
    place = "/incidents/{incident_id}"

    def pair(one: Mapping[str, Any], **changes: object) -> tuple[Sent, Sent]:
        return {"json": dict(one)}, {"json": {**one, **changes}}

    yield "/incidents", pair(incident, title="Trip")
    yield f"{place}/causes", pair({"text": "oil"}, text="water")
    yield f"{place}/actions", pair(action | {"owner": "Kim"}, owner="Lee")
    yield f"{place}/holds", pair(hold[0], **hold[1])
    yield "/alerts/{alert_id}/holds", pair(hold[0], **hold[1])
    yield "/accidents", pair(accident | {"lost_days": 3}, lost_days=4)
    files = [
        _table("발생일,발생 형태,근로자 구분,휴업 일수\n", f"2026-01-0{n},끼임,소속 근로자,1\n")
        for n in (2, 3)
    ]
    yield "/accidents/imports", (files[0], files[1])
    yield "/accidents/imports/{import_id}/apply", ({}, {"params": {"doubles": True}})
    hours = [_table("month,group,hours,headcount\n", f"2026-0{n},own,640,4\n") for n in (1, 2)]
    entered = [{**each, "params": {"apply": True}} for each in hours]
    yield "/work-months/imports", (entered[0], entered[1])
    yield "/duty/changes", pair({"contact_id": "kim", "on_duty": True, **day}, on_duty=False)
    yield "/mutes", pair(mute | {"ends_at": ends[0]}, ends_at=ends[1])


def _table(*lines: str) -> Sent:
    return {"content": "".join(lines).encode()}


def _more_of_everything(site: Site, program: httpx.Client, known: dict[str, str]) -> None:
    """Two more of each thing that can be made, so that lists have a second page."""
    for path, bodies in _made(site, known):
        for body in bodies:
            answer = program.post(PREFIX + path.format_map(known), **body)
            assert answer.status_code in {200, 201, 409}, f"{path}: {answer.text}"
            if path == "/accidents/imports":
                known["import_id"] = answer.json()["id"]


def _edited(site: Site, program: httpx.Client, known: Mapping[str, str]) -> dict[Operation, Sent]:
    """For everything that can be edited: a body that would be taken."""
    made = {path: body for path, (body, _) in _made(site, known)}
    incident, action, accident = (
        made[path] for path in ("/incidents", "/incidents/{incident_id}/actions", "/accidents")
    )

    def present(path: str, *without: str) -> Sent:
        content = program.get(PREFIX + path.format_map(known)).json()
        return {"json": {key: value for key, value in content.items() if key not in without}}

    plant = ("machine", "vehicle", "shift", "feed")
    parts = [f"/{kind}s/{{{kind}_id}}" for kind in ("camera", "zone", "rule", "channel", *plant)]
    window = {"first_month": "2024-01", "last_month": "2024-12", "programme_start": "2025-01"}
    yaml = program.get(f"{PREFIX}/site/export").content
    return {
        **{("PUT", path): present(path) for path in (*parts, "/policy", "/workplace")},
        **{("DELETE", path): {} for path in (*parts, "/contacts/{contact_id}")},
        ("PUT", "/contacts/{contact_id}"): present("/contacts/{contact_id}", "id", "version"),
        ("PUT", "/incidents/{incident_id}"): incident,
        ("POST", "/incidents/{incident_id}/state"): {"json": {"state": "investigating"}},
        ("DELETE", "/incidents/{incident_id}/alerts/{alert_id}"): {},
        ("DELETE", "/incidents/{incident_id}/causes/{cause_id}"): {},
        ("PUT", "/actions/{action_id}"): action,
        ("POST", "/actions/{action_id}/state"): {"json": {"state": "done"}},
        ("PUT", "/accidents/{accident_id}"): accident,
        ("POST", "/accidents/{accident_id}/void"): {"json": {"reason": "entered twice"}},
        ("POST", "/accidents/{accident_id}/report"): {},
        ("POST", "/accidents/{accident_id}/submit"): {"json": {"representative": "confirmed"}},
        ("PUT", "/work-months/{month}/{group}"): {"json": {"hours": 640, "headcount": 4}},
        ("PUT", "/baseline"): {"json": window},
        ("POST", "/reports/{month}/revisions"): {"json": {"reason": "hours were corrected"}},
        ("POST", "/alerts/{alert_id}/acknowledge"): {},
        ("POST", "/alerts/{alert_id}/decide"): {"json": {"verdict": "confirmed"}},
        ("POST", "/alerts/{alert_id}/snooze"): {"json": {"minutes": 5}},
        ("POST", "/site/apply"): {
            "content": yaml,
            "headers": {"content-type": "application/yaml"},
        },
    }
