"""Pages of incidents, corrective actions and accidents, as a browser sends them."""

import hashlib
import io
import json
import re
import zipfile

import cv2
import httpx
import numpy as np
import pytest
from sqlmodel import select

from safety.i18n import translator
from safety.incidents.types import FalseAlarm
from safety.store import audit
from safety.store.accounts import Role
from safety.store.incident_tables import Accident, CorrectiveAction, Incident
from tests.support.factory import Factory
from tests.support.web import Browser, Site

BARE_KEY = re.compile(r"\b(incident|accident|form30|nav|alert|action)\.[a-z_0-9]+(\.[a-z_0-9]+)*\b")


def upload(browser: Browser, path: str, fields: dict[str, str], file: bytes) -> httpx.Response:
    data = {"csrf_token": browser.csrf_token, **fields}
    files = {"file": ("../../etc/passwd", file, "application/octet-stream")}
    return browser.client.post(path, data=data, files=files, headers={"origin": browser.address})


def shown(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text[-300:]
    return re.sub(r"<[^>]*>", " ", answer.text)


def the_incident(site: Site) -> Incident:
    with site.database.reading() as session:
        return session.exec(select(Incident)).one()


def the_action(site: Site) -> CorrectiveAction:
    with site.database.reading() as session:
        return session.exec(select(CorrectiveAction)).one()


def the_accident(site: Site) -> Accident:
    with site.database.reading() as session:
        return session.exec(select(Accident)).one()


def values_of(page: httpx.Response) -> dict[str, str]:
    """A form's fields as the page filled them in."""
    found = dict(re.findall(r'name="([a-z_]+)" [^>]*?value="([^"]*)"', page.text))
    selects = re.findall(r'<select[^>]* name="([a-z_]+)".*?</select>', page.text, re.DOTALL)
    for name in selects:
        chosen = re.search(rf'name="{name}".*?value="([^"]*)" selected', page.text, re.DOTALL)
        found.setdefault(name, chosen.group(1) if chosen else "")
    return found


def test_from_an_alert_to_a_closed_incident(site: Site, factory: Factory) -> None:
    """A manager's morning, in the language that the browser test does not use."""
    now = site.clock.now()
    alert, twin = (factory.intrude(now.shifted(-n), lasts_s=2) for n in (60, 120))
    manager = site.signed_in(Role.MANAGER)
    manager.post("/language", {"language": "en"})
    assert f"/incidents/new?alert={alert}" in manager.get(f"/alerts/{alert}/incident").text
    manager.post(f"/alerts/{alert}/merge", {"alert": [twin]})
    assert twin in manager.get(f"/alerts/{alert}/incident").text
    form = values_of(manager.get(f"/incidents/new?alert={alert}"))
    assert form["place"] == "프레스 2호기 · 프레스 통로"
    form |= {"title": "<b>손</b> 🔥", "people_worker": "2", "frequency": "2", "severity": "3"}
    assert manager.post("/incidents", form | {"people_worker": "-1"}).status_code == 422
    assert manager.post("/incidents", form | {"title": "900101-1234567"}).status_code == 422
    made = manager.post("/incidents", form)
    assert made.status_code == 303, made.text
    row = the_incident(site)
    path = f"/incidents/{row.id}"
    page = manager.get(path)
    assert "&lt;b&gt;손&lt;/b&gt; 🔥" in page.text
    assert page.text.count("/evidence/") == 2
    assert translator("en")("incident.risk_stop") in page.text
    assert BARE_KEY.search(shown(page)) is None
    # An edit keeps the second that the field does not show, and its version is looked at.
    edit = values_of(manager.get(f"{path}/edit")) | {"title": "hand", "place": "2동"}
    assert manager.post(path, edit).status_code == 303
    assert the_incident(site).occurred_at == row.occurred_at
    assert manager.post(path, edit | {"title": "other"}).status_code == 422
    move = f"{path}/state"
    assert manager.post(move, {"state": "investigating"}).status_code == 303
    assert manager.post(move, {"state": "closed"}).status_code == 422
    assert manager.post(f"{path}/causes", {"text": "cover open"}).status_code == 303
    assert manager.post(f"{path}/causes", {"text": ""}).status_code == 422
    due = site.now.date().replace(year=site.now.year + 1).isoformat()
    todo = {"text": "light curtain", "control": "engineering", "owner": "lead", "due_on": due}
    assert manager.post(f"{path}/actions", todo | {"due_on": "2020-01-01"}).status_code == 422
    assert manager.post(f"{path}/actions", todo).status_code == 303
    assert manager.post(move, {"state": "actions"}).status_code == 303
    action = the_action(site)
    assert "light curtain" in shown(manager.get("/actions"))
    assert "light curtain" not in shown(manager.get("/actions?show=overdue"))
    deed = f"/actions/{action.id}/state"
    picture = cv2.imencode(".jpg", np.full((60, 80, 3), 90, np.uint8))[1].tobytes()
    assert upload(manager, deed, {"state": "done"}, b"no picture").status_code == 422
    assert upload(manager, deed, {"state": "done"}, picture).status_code == 303
    assert manager.get(f"/actions/{action.id}/photo").content[:2] == b"\xff\xd8"
    assert upload(manager, deed, {"state": "verified", "note": "seen"}, b"").status_code == 303
    assert manager.post(move, {"state": "verified"}).status_code == 303
    assert manager.post(move, {"state": "closed"}).status_code == 303
    assert the_incident(site).state == "closed"
    for each in ("/incidents", path, "/actions?show=all", "/incidents?kind=near_miss"):
        assert BARE_KEY.search(shown(manager.get(each))) is None, each
    precision = shown(manager.get("/rules/press-entry/precision"))
    assert "Of 1 alerts judged in the last year 1 were real" in precision


def test_roles_on_the_pages(site: Site) -> None:
    operator, viewer = site.signed_in(Role.OPERATOR), site.signed_in(Role.VIEWER)
    form = values_of(operator.get("/incidents/new")) | {"title": "near miss"}
    assert viewer.post("/incidents", form).status_code == 403
    assert operator.post("/incidents", form).status_code == 303
    path = f"/incidents/{the_incident(site).id}"
    page = viewer.get(path).text
    assert 'action="/incidents/' not in page
    assert operator.post(f"{path}/state", {"state": "investigating"}).status_code == 303
    operator.post(f"{path}/causes", {"text": "x"})
    assert operator.post(f"{path}/state", {"state": "closed", "note": "x"}).status_code == 403
    for hidden in ("/accidents", "/accidents/new", "/accidents/import", "/accidents/workplace"):
        assert operator.get(hidden).status_code == 403


@pytest.mark.parametrize("reason", [FalseAlarm.OUTSIDE, FalseAlarm.OTHER])
def test_a_false_alarm_has_a_reason(site: Site, factory: Factory, reason: FalseAlarm) -> None:
    alert = factory.intrude(site.clock.now(), files=False)
    operator = site.signed_in(Role.OPERATOR)
    answer = operator.post(f"/alerts/{alert}/decide", {"reason": reason, "note": ""})
    assert answer.status_code == (422 if reason is FalseAlarm.OTHER else 303)
    if reason is FalseAlarm.OTHER:
        note = {"reason": reason, "note": "청소"}
        assert operator.post(f"/alerts/{alert}/decide", note).status_code == 303
    part = operator.get(f"/alerts/{alert}/incident").text
    assert translator("ko")(f"incident.false_alarm.{reason}") in part
    assert "/incidents/new" not in part


def test_judgements_are_taken_out_only_by_who_agrees(site: Site, factory: Factory) -> None:
    alert = factory.intrude(site.clock.now(), files=False)
    manager = site.signed_in(Role.MANAGER)
    manager.post(f"/alerts/{alert}/decide", {"reason": FalseAlarm.OUTSIDE})
    page = manager.get("/judgements")
    assert BARE_KEY.search(shown(page)) is None
    assert 'name="pictures"' not in page.text
    assert site.signed_in(Role.OPERATOR).get("/judgements").status_code == 403
    asked = {"purpose": "구역을 고치려고", "agreed": "yes"}
    for lacking in ("purpose", "agreed"):
        assert manager.post("/judgements", asked | {lacking: ""}).status_code == 422
    assert manager.post("/judgements", asked | {"pictures": "yes"}).status_code == 422
    head, line = manager.post("/judgements", asked).text.splitlines()
    assert json.loads(head)["judgements"] == 1
    found = json.loads(line)
    assert (found["verdict"], found["reason"]) == ("false_positive", "outside")
    with site.database.reading() as session:
        assert audit.list_entries(session, limit=1)[0].action == "dataset.export"


def test_judgements_come_with_blurred_pictures_where_that_is_allowed(
    site: Site, factory: Factory
) -> None:
    alert = factory.intrude(site.clock.now(), lasts_s=1)
    bare = factory.intrude(site.clock.now(), lasts_s=1, files=False)
    directory = site.settings.evidence_dir
    (directory / f"{1:032x}.json").write_text('{"violation": {"box": [0.1, 0.2, 0.3, 0.4]}}')
    # Somebody has looked at the copy before, so that it is there at once.
    (directory / f"{1:032x}.bodies.jpg").write_bytes(b"a blurred picture")
    site.settings.dataset_pictures = True
    manager = site.signed_in(Role.MANAGER)
    for each in (alert, bare):
        manager.post(f"/alerts/{each}/decide", {"verdict": "confirmed"})
    assert 'name="pictures"' in manager.get("/judgements").text
    asked = {"purpose": "rules", "agreed": "yes", "pictures": "yes"}
    answer = manager.post("/judgements", asked)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        picture = archive.read(f"pictures/{1:032x}.jpg")
        head, *rows = map(json.loads, archive.read("judgements.jsonl").splitlines())
        assert b"28-12" in archive.read("README.txt")
    assert picture == b"a blurred picture"
    assert (head["pictures"], head["left_out"]) == (1, {})
    shown_as = {row["violation_id"]: row for row in rows}
    assert shown_as[f"{1:032x}"]["boxes"] == [[0.1, 0.2, 0.3, 0.4]]
    assert "picture" not in shown_as[f"{2:032x}"]
    with site.database.reading() as session:
        (entry,) = audit.list_entries(session, only=("dataset.export",))
    assert entry.detail["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert entry.detail["pictures"] == 1


def test_accidents_and_their_form(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    form = values_of(manager.get("/accidents/new")) | {
        "occurred_on": "2026-01-02",
        "kind": "caught",
        "worker_group": "own",
        "outcome": "",
        "lost_days": "14",
        "place": "<i>2동</i>",
    }
    refused = manager.post("/accidents", form | {"lost_days": "x", "place": "900101-1234567"})
    assert refused.status_code == 422
    assert refused.text.count('aria-invalid="true"') == 2
    assert manager.post("/accidents", form).status_code == 303
    path = f"/accidents/{the_accident(site).id}"
    for language in ("ko", "en"):
        manager.post("/language", {"language": language})
        pages = ("/accidents", path, f"{path}/edit", f"{path}/form30?lang={language}")
        for each in (*pages, "/accidents/import", "/accidents/workplace"):
            assert BARE_KEY.search(shown(manager.get(each))) is None, each
    assert "&lt;i&gt;2동&lt;/i&gt;" in manager.get(f"{path}/form30").text
    assert "2026-02-02" in shown(manager.get(path))
    workplace = {"name": "한빛정밀", "workers": "120명", "relation": "own", "version": "0"}
    assert manager.post("/accidents/workplace", workplace | {"workers": "x"}).status_code == 422
    assert manager.post("/accidents/workplace", workplace).status_code == 303
    assert manager.post("/accidents/workplace", workplace).status_code == 422  # an old version
    assert "한빛정밀" in manager.get(f"{path}/form30").text
    assert manager.post(f"{path}/submit", {"representative": "nobody"}).status_code == 422
    assert manager.post(f"{path}/submit", {"representative": "confirmed"}).status_code == 303
    assert manager.post(f"{path}/report").status_code == 422
    assert manager.post(f"{path}/void", {"reason": ""}).status_code == 422
    assert manager.post(f"{path}/void", {"reason": "twice"}).status_code == 303
    assert translator("en")("accident.void") in shown(manager.get("/accidents"))
    assert manager.post(path, form).status_code == 422


def test_a_file_is_checked_on_a_page_and_then_taken_over(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    template = manager.get("/accidents/template.csv?lang=ko")
    assert "accidents-ko.csv" in template.headers["content-disposition"]
    assert upload(manager, "/accidents/import", {}, b"").status_code == 422
    assert upload(manager, "/accidents/import", {}, b"\x00\x01").status_code == 422
    lines = "발생일,발생 형태,근로자 구분,휴업 일수\n2026-01-02,끼임,소속 근로자,14\n어제,x,y,-1\n"
    checked = upload(manager, "/accidents/import", {}, lines.encode("cp949"))
    assert checked.status_code == 303
    page = manager.get(checked.headers["location"])
    assert BARE_KEY.search(shown(page)) is None
    assert "어제" in shown(page)
    assert "2026-01-02" not in manager.get("/accidents").text
    apply = f"{checked.headers['location']}/apply"
    assert manager.post(apply).status_code == 303
    assert manager.post(apply).status_code == 409
    assert the_accident(site).lost_days == 14.0
    assert upload(manager, "/accidents/import", {}, bytes(9 * 1024 * 1024)).status_code == 422
