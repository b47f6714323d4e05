"""Whatever people and programs write is kept as it is or refused, on every database."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from markupsafe import escape

from safety.config import Settings
from safety.incidents.texts import cleaned
from safety.store.database import Database
from tests.support.factory import Factory, factory_spec
from tests.support.web import Site, add_accounts, site_on

TEXTS = {
    "emoji": "👷🏽\u200d♀️ 프레스 🔥",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "quotes": """'"><b onmouseover="x">&amp;""",
    "template": "{{ 7*7 }} {% raw %} %(name)s ${x}",
    "formula": "=HYPERLINK(1)",
    "sql": "'; DROP TABLE alert; --",
    "right to left": "\u202eevil\u202c العربية",
    "combining": "e\u0301 각 \u1100\u1161\u11a8",
    "other planes": "𠀋𝟛",
}
NEVER = {"nul": "a\u0000b", "half a character": "a\ud800b"}
"""PostgreSQL cannot keep these: they are refused or left out, and never a fault of ours."""


@pytest.fixture
def anywhere(database: Database, tmp_path: Path) -> Iterator[Site]:
    """A running dashboard with a factory, once over SQLite and once over PostgreSQL."""
    settings = Settings(data_dir=tmp_path / "data")
    settings.run_dir.mkdir(parents=True)
    add_accounts(database)
    with site_on(database, settings) as site:
        factory = Factory(database, settings.evidence_dir, factory_spec(settings.data_dir))
        factory.configure(site.now)
        factory.intrude(site.clock.now(), files=False)
        yield site


def test_awkward_texts_are_kept_as_they_are_and_shown_as_text(anywhere: Site) -> None:
    site = anywhere
    program = site.program("read", "configure", "acknowledge")
    person = site.signed_in()
    for text in TEXTS.values():
        zone = program.get("/api/v1/zones/press-2")
        match = {"if-match": zone.headers["etag"]}
        named = {**zone.json(), "name": text}
        kept = program.put("/api/v1/zones/press-2", json=named, headers=match)
        assert kept.json()["name"] == text
        body = {"kind": "near_miss", "title": text, "occurred_at": site.now.isoformat()}
        made = program.post("/api/v1/incidents", json=body)
        assert made.status_code == 201, made.text
        title = made.json()["title"]
        assert title == cleaned(text)
        place = f"/incidents/{made.json()['id']}"
        for path, shown in (("/zones", text), (place, title), ("/incidents", title)):
            page = person.get(path)
            assert page.status_code == 200
            assert str(escape(shown)) in page.text, path
            assert "<script>alert" not in page.text
            assert "<img src=x" not in page.text
            assert "<b onmouseover" not in page.text


def test_control_characters_never_reach_a_page(anywhere: Site) -> None:
    program = anywhere.program("read", "configure", "acknowledge")
    body: dict[str, str] = {"name": "Kim\u0007\u001b[31m", "role": "operator"}
    made = program.put("/api/v1/contacts/kim", json=body)
    assert made.json()["name"] == "Kim[31m"
    body = {"kind": "near_miss", "title": "a\u0000\u0007b", "occurred_at": anywhere.now.isoformat()}
    assert program.post("/api/v1/incidents", json=body).json()["title"] == "ab"
    assert "\u001b" not in anywhere.signed_in().get("/contacts").text


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER.keys())
def test_what_no_database_keeps_is_refused_or_left_out(anywhere: Site, text: str) -> None:
    site = anywhere
    on_postgres = site.database.engine.dialect.name == "postgresql"
    program = site.program("read", "configure", "acknowledge")
    zone = program.get("/api/v1/zones/press-2").json()
    ends = (site.now + timedelta(hours=1)).isoformat()
    mute = {"zone_id": "fence", "person": text, "reason": text, "ends_at": ends}
    alert = program.get("/api/v1/alerts").json()["items"][0]["id"]
    written = {
        ("PUT", "zones/press-2"): {**zone, "name": text},
        ("PUT", "contacts/kim"): {"name": text, "role": text},
        ("POST", "mutes"): mute,
        ("POST", f"alerts/{alert}/holds"): {"reason": text * 9},
        ("POST", f"alerts/{alert}/decide"): {"verdict": "confirmed", "note": text},
    }
    for (method, path), body in written.items():
        content = _json(body)
        headers = {"content-type": "application/json", "if-match": "*"}
        answer = program.request(method, f"/api/v1/{path}", content=content, headers=headers)
        assert answer.status_code in {200, 201, 422}, (path, answer.text)
        kept_as_it_is = "\\u0000" in answer.text or "\\ud800" in answer.text
        assert not (kept_as_it_is and (on_postgres or "name" in body)), path
    asked = ["alerts?cursor=a%00b", "alerts?zone=a%00b", "alerts/a%00b", "contacts?cursor=a%00b"]
    for path in asked:
        assert program.get(f"/api/v1/{path}").status_code in {200, 404, 422}, path
    assert site.signed_in().get("/alerts?q=a%00b&before=a%00b").status_code in {200, 404, 422}


def _json(body: object) -> bytes:
    """As JSON with escapes: half a character has no other form."""
    return json.dumps(body).encode()
