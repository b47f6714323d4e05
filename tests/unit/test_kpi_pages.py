"""Pages and API of figures, hours, baseline and reports, as browsers and programs use them."""

import html
import re
from datetime import timedelta

import pytest

from safety.app.demo import demo_spec
from safety.demo.history import load_history
from safety.incidents.accident_entry import AccidentEntry
from safety.incidents.types import AccidentKind, Outcome, WorkerGroup
from safety.months import month_of, shifted
from safety.reports.monthly import report_of
from safety.reports.schema import MonthlyReport
from safety.reports.signing import opened
from safety.reports.words import presented
from safety.site.apply import apply_site
from safety.store import accidents, exposure, report_revisions, work_months
from safety.store.accounts import Role
from safety.store.exposure import Amount
from tests.support.web import Browser, Site, every

BARE_KEY = re.compile(r"\b(kpi|hours|baseline|reports?|chart|nav)\.[a-z_0-9]+(\.[a-z_0-9]+)*\b")


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def present(site: Site) -> str:
    return month_of(site.now.date())


def last_month(site: Site) -> str:
    return shifted(present(site), -1)


@pytest.fixture
def plant(site: Site) -> Site:
    """The demo's plant with a short made-up history."""
    apply_site(site.database, demo_spec(), by="test", now=site.now)
    with site.database.transaction() as session:
        load_history(session, demo_spec(), now=site.now, months=13, per_day=0.3)
    return site


def kept_report(site: Site, month: str) -> MonthlyReport:
    with site.database.reading() as session:
        row = report_revisions.newest(session, month)
        assert row is not None
        return report_of(row.content)


def test_the_page_shows_what_the_kept_report_says(plant: Site) -> None:
    month = last_month(plant)
    manager, viewer = plant.signed_in(Role.MANAGER), plant.signed_in(Role.VIEWER)
    assert viewer.post(f"/reports/{month}").status_code == 403
    assert manager.get(f"/reports/{month}/file.json").status_code == 409
    assert manager.post(f"/reports/{month}").status_code == 303
    report = kept_report(plant, month)
    for language in ("ko", "en"):
        viewer.post("/language", {"language": language})
        page = text_of(viewer.get(f"/kpi?month={month}").text)
        paper = presented(report, language)
        tables = [table for section in paper.sections for table in section.tables]
        shown = [cell.text for table in tables for row in table.rows for cell in row]
        said = [line for section in paper.sections for line in section.sentences]
        wanted = {paper.verdict, *paper.explained, *said, *shown}
        assert [line for line in wanted if " ".join(line.split()) not in page] == []
        assert BARE_KEY.search(page) is None
    pictures = re.findall(r'<img src="([^"]+)"', viewer.get(f"/kpi?month={month}").text)
    assert len(pictures) >= 2
    for address in pictures:
        answer = viewer.get(html.unescape(address))
        assert answer.headers["content-type"].startswith("image/svg")
        assert "script" not in answer.headers["content-security-policy"]
    zone = viewer.get(f"/kpi?month={month}&zone={demo_spec().zones[0].id}")
    assert demo_spec().zones[0].name in zone.text


def test_a_report_is_kept_handed_out_and_revised_with_a_reason(plant: Site) -> None:
    month, path = last_month(plant), f"/reports/{last_month(plant)}"
    manager = plant.signed_in(Role.MANAGER)
    manager.post(path)
    first = manager.get(f"{path}/file.json").content
    document, _ = opened(first, name="report.json")
    assert document["month"] == month
    with plant.database.transaction() as session:
        entry = AccidentEntry(
            occurred_on=plant.now.date() - timedelta(days=40),
            kind=AccidentKind.CAUGHT,
            outcome=Outcome.LOST_TIME,
            worker_group=WorkerGroup.OWN,
        )
        accidents.add(session, entry, by="kim", at=plant.now)
    manager.post(path)
    assert manager.get(f"{path}/file.json").content == first
    assert manager.post(f"{path}/revise", {"reason": "typo"}).status_code == 422
    assert manager.post(f"{path}/revise", {"reason": "an accident came late"}).status_code == 303
    page = text_of(manager.get(path).text)
    assert "an accident came late" in page
    assert BARE_KEY.search(page) is None
    assert manager.get(f"{path}/1/file.json").content == first
    assert manager.get(f"{path}/file.json").content != first
    assert manager.get(f"{path}/file.xlsx").content[:2] == b"PK"
    # The running month is shown but never kept.
    assert manager.post(f"/reports/{present(plant)}").status_code == 422
    running = manager.get(f"/reports/{present(plant)}/file.json")
    assert opened(running.content, name="running.json")[0]["closed"] is False
    listed = text_of(manager.get("/reports").text)
    assert "an accident came late" in listed


@pytest.mark.parametrize(
    "path",
    [
        "/kpi?month=2026-13",
        "/kpi?month=1999-01",
        "/kpi?month=2998-01",
        "/kpi?zone=no-such-zone",
        "/kpi/plots/2026-13/target.svg",
        "/reports/2998-01",
        "/reports/no-month/file.json",
    ],
)
def test_what_there_is_not_is_not_found(site: Site, path: str) -> None:
    assert site.signed_in(Role.MANAGER).get(path).status_code == 404


def test_an_empty_record_has_figures_without_numbers(site: Site) -> None:
    viewer = site.signed_in(Role.VIEWER)
    page = text_of(viewer.get("/kpi").text)
    assert "NaN" not in page
    assert "inf" not in page.lower().replace("info", "")
    assert viewer.get("/reports").status_code == 200


def hours_form(site: Site, **fields: str) -> dict[str, str]:
    month = last_month(site)
    named = {f"{name}-{month}-own": value for name, value in fields.items()}
    return {"year": month[:4], **named}


def entered(site: Site) -> list[tuple[float, int, int]]:
    with site.database.reading() as session:
        rows = work_months.list_months(session)
    return [(row.hours, row.headcount, row.version) for row in rows]


def test_hours_are_entered_corrected_and_not_overwritten_unseen(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    manager.post("/language", {"language": "en"})
    first = hours_form(site, hours="8,320.5", heads="52", version="0")
    assert manager.post("/hours", first).status_code == 303
    assert entered(site) == [(8320.5, 52, 1)]
    assert 'value="8320.5"' in manager.get(f"/hours?year={first['year']}").text
    corrected = hours_form(site, hours="8000", heads="52", version="1")
    assert manager.post("/hours", corrected).status_code == 303
    late = manager.post("/hours", hours_form(site, hours="7000", heads="52", version="1"))
    assert late.status_code == 422
    assert "meantime" in text_of(late.text)
    assert entered(site) == [(8000, 52, 2)]
    assert site.signed_in(Role.OPERATOR).get("/hours").status_code == 403


@pytest.mark.parametrize(
    ("hours", "heads", "said"),
    [
        ("-1", "52", "no number of hours"),
        ("nan", "52", "no number of hours"),
        ("8320", "", "cannot be used"),
        ("8320", "-3", "cannot be used"),
        ("99999", "52", "more than 52 people"),
        ("1", "0", "more than 0 people"),
        ("<b>", "1", "&lt;b&gt;"),
    ],
)
def test_hours_that_cannot_be_are_refused_and_stay_in_the_form(
    site: Site, hours: str, heads: str, said: str
) -> None:
    manager = site.signed_in(Role.MANAGER)
    manager.post("/language", {"language": "en"})
    answer = manager.post("/hours", hours_form(site, hours=hours, heads=heads, version="0"))
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{html.escape(hours)}"' in answer.text
    assert entered(site) == []


def upload(browser: Browser, file: bytes) -> str:
    answer = browser.client.post(
        "/hours/import",
        data={"csrf_token": browser.csrf_token},
        files={"file": ("worked.csv", file, "text/csv")},
        headers={"origin": browser.address},
    )
    return answer.text


def test_a_file_of_hours_is_looked_at_and_then_entered(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    month = last_month(site)
    checked = upload(
        manager, f"월,근로시간,근로자 수\n{month},8320,52\n2026-77,1,1\n".encode("cp949")
    )
    assert entered(site) == []
    assert BARE_KEY.search(text_of(checked)) is None
    found = re.search(r'name="lines" value="([^"]+)"', checked)
    assert found is not None
    lines = html.unescape(found.group(1))
    assert manager.post("/hours/import/apply", {"lines": lines}).status_code == 200
    assert entered(site) == [(8320, 52, 1)]
    assert manager.post("/hours/import/apply", {"lines": '[{"number": 1}]'}).status_code == 400
    assert 'role="alert"' in upload(manager, b"\x00\x01")
    assert manager.get("/hours/template.csv?lang=ko").content.startswith("\ufeff월".encode())


def test_the_baseline_is_registered_once_and_changed_in_the_open(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    window = {
        "first_month": "2024-01",
        "last_month": "2024-12",
        "programme_start": "2025-01",
        "groups": "own",
    }
    path = "/hours/baseline"
    assert manager.post(path, window | {"version": "0", "last_month": "2024-05"}).status_code == 422
    assert manager.post(path, window | {"version": "0"}).status_code == 303
    wider = window | {"first_month": "2023-01"}
    assert manager.post(path, wider | {"version": "1"}).status_code == 422
    assert manager.post(path, wider | {"version": "0", "reason": "x" * 20}).status_code == 422
    reason = "2024 was an unusual year"
    assert manager.post(path, wider | {"version": "1", "reason": reason}).status_code == 303
    page = text_of(manager.get("/hours").text)
    assert reason in page
    assert BARE_KEY.search(page) is None


def test_days_since_the_last_accident_are_counted_from_records_only(site: Site) -> None:
    viewer = site.signed_in(Role.VIEWER)
    viewer.post("/language", {"language": "en"})
    assert "nothing to count days from" in text_of(viewer.get("/kpi/wall").text)
    with site.database.transaction() as session:
        work_months.put(
            session,
            month=shifted(last_month(site), -1),
            group="own",
            hours=8000,
            headcount=50,
            source="entered",
            by="kim",
            at=site.now,
        )
    page = text_of(viewer.get("/kpi/wall").text)
    assert "not the same as no accident" in page
    assert "Hours of 1 past months are missing" in page
    with site.database.transaction() as session:
        for outcome, days in ((Outcome.FIRST_AID, 3), (Outcome.LOST_TIME, 12)):
            entry = AccidentEntry(
                occurred_on=site.now.astimezone().date() - timedelta(days=days),
                kind=AccidentKind.CAUGHT,
                outcome=outcome,
                worker_group=WorkerGroup.OWN,
            )
            accidents.add(session, entry, by="kim", at=site.now)
    page = text_of(viewer.get("/kpi/wall/part").text)
    assert re.search(r"\b1[23] days\b", page)


def test_hours_baseline_and_reports_through_the_api(plant: Site) -> None:
    program = plant.program("read", "configure", role=Role.MANAGER)
    month = last_month(plant)
    path = f"/api/v1/work-months/{month}/contractor"
    assert program.get(path).status_code == 404
    body = {"hours": 640, "headcount": 4}
    made = program.put(path, json=body)
    assert (made.status_code, made.headers["etag"]) == (200, '"1"')
    assert program.put(path, json=body).status_code == 428
    assert program.put(path, json=body, headers={"if-match": '"7"'}).status_code == 412
    changed = program.put(path, json={"hours": 600, "headcount": 4}, headers={"if-match": '"1"'})
    assert changed.json()["version"] == 2
    assert program.put("/api/v1/work-months/2026-13/own", json=body).status_code == 422
    assert program.put(path, json={"hours": -1, "headcount": 4}).status_code == 422
    table = f"month,group,hours,headcount\n{month},contractor,650,4\n".encode()
    imports = "/api/v1/work-months/imports"
    assert program.post(imports, content=table).json()["lines"][0]["fate"] == "differs"
    assert program.post(f"{imports}?apply=true&replace=true", content=table).json()["changed"] == 1
    assert program.get(path).json()["hours"] == 650
    baseline = program.get("/api/v1/baseline")
    window = {name: baseline.json()[name] for name in ("first_month", "last_month")}
    window |= {"programme_start": month, "groups": "all", "reason": "contractors count too"}
    assert program.put("/api/v1/baseline", json=window).status_code == 428
    match = {"if-match": baseline.headers["etag"]}
    moved = program.put("/api/v1/baseline", json=window, headers=match).json()
    assert (moved["groups"], len(moved["earlier"])) == ("all", 1)
    assert program.get(f"/api/v1/reports/{month}").status_code == 409
    assert program.post(f"/api/v1/reports/{month}").json()["revision"] == 1
    report = program.get(f"/api/v1/reports/{month}")
    assert opened(report.content, name="report.json")[0]["target"]["baseline"]["changes"]
    anew = {"reason": "hours were corrected"}
    revisions, match = f"/api/v1/reports/{month}/revisions", {"if-match": report.headers["etag"]}
    assert program.post(revisions, json=anew).status_code == 428
    assert program.post(revisions, json=anew, headers=match).json()["revision"] == 2
    assert program.post(revisions, json=anew, headers=match).status_code == 412
    assert every(program, "/api/v1/reports")[1]["reason"] == anew["reason"]
    reader = plant.program("read", role=Role.VIEWER)
    assert reader.get("/api/v1/work-months").status_code == 403
    assert reader.get(f"/api/v1/reports/{month}?revision=1").content == report.content


def test_the_exposure_map_shows_no_square_of_few(plant: Site) -> None:
    month = present(plant)
    few, many = (
        Amount(person_seconds=600, people=2, violations=0),
        Amount(person_seconds=7200, people=3, violations=1),
    )
    with plant.database.transaction() as session:
        exposure.add(session, f"{month}-01", {(3, 4): few, (7, 8): many})
    viewer = plant.signed_in(Role.VIEWER)
    page = viewer.get("/kpi/exposure?measure=violations").text
    assert "7–8 m, 8–9 m" in page
    assert "3–4 m, 4–5 m" not in page
    assert ">0.50<" in page
    assert viewer.get("/kpi/exposure?month=1999-01").status_code == 404
    assert viewer.get("/kpi/exposure?measure=people").status_code == 422
