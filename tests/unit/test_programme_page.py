"""The programme office's page: files of many sites are sent in, or lie in a folder."""

import html
import io
import re
import zipfile
from pathlib import Path

import httpx
import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dashboard.programme import KEPT
from safety.errors import AnjeonError
from safety.programme import sources
from safety.programme.sources import in_folder, sent_in
from safety.reports.signing import public_text, signed
from safety.store.accounts import Role
from tests.support.reports import hand_in, ppe_facts_of, report_of
from tests.support.web import Browser, Site

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BARE_KEY = re.compile(r"\b(programme|report|kpi|chart|nav|ppe)\.[a-z_0-9]+(\.[a-z_0-9]+)*\b")

Files = list[tuple[str, bytes]]


def zipped(files: Files) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()


def reports(count: int) -> Files:
    made = (report_of(n, ppe=ppe_facts_of("hardhat", worn=60 + n)) for n in range(1, count + 1))
    return [(f"site-{n}.json", signed(one, KEY)) for n, one in enumerate(made, start=1)]


def send(browser: Browser, files: Files, sites: bytes = b"", **fields: str) -> httpx.Response:
    parts = [("reports", (name, content, "application/octet-stream")) for name, content in files]
    parts += [("sites", ("sites.csv", sites, "text/csv"))] if sites else []
    return browser.client.post(
        "/programme",
        data={"csrf_token": browser.csrf_token, **fields},
        files=parts or [("sites", ("", b"", "text/csv"))],
        headers={"origin": browser.address},
    )


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_reports_are_sent_pooled_shown_and_fetched(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    files = reports(30)
    twice = [("copy.json", files[0][1])]
    bad = [("../../etc/x<b>.json", b"{}"), ("__MACOSX/y.json", b"{}"), ("readme.txt", b"hello")]
    answer = send(manager, [("all.zip", zipped([*files, *twice, *bad]))])
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    for language in ("ko", "en"):
        manager.post("/language", {"language": language})
        page = manager.get(path).text
        text = text_of(page)
        assert "x<b>.json" in text
        assert "/etc" not in text
        assert BARE_KEY.search(text) is None
        assert text.count("Site 7") >= 2  # in the table beside the picture, and in the league
    assert "Files left out: 1." in text
    assert "Counted once though handed in twice: 1;" in text
    picture = re.search(r'<img src="([^"]+)"', page)
    assert picture is not None
    svg = manager.get(html.unescape(picture[1]))
    assert svg.headers["content-type"].startswith("image/svg")
    assert "script" not in svg.headers["content-security-policy"]
    assert manager.get(f"{path}/file.pdf").content.startswith(b"%PDF")
    assert manager.get(f"{path}/file.json").json()["sites"] == 30
    book = openpyxl.load_workbook(io.BytesIO(manager.get(f"{path}/file.xlsx?lang=en").content))
    assert "Site 30" in str([cell.value for sheet in book for row in sheet for cell in row])


def test_who_may_not_and_what_is_not_there(site: Site) -> None:
    viewer, operator = site.signed_in(Role.VIEWER), site.signed_in(Role.OPERATOR)
    for browser in (viewer, operator):
        assert browser.get("/programme").status_code == 403
        assert send(browser, reports(1)).status_code == 403
    manager = site.signed_in(Role.MANAGER)
    assert manager.get(f"/programme/{'0' * 32}").status_code == 404
    assert manager.get("/programme/..%2f..%2fetc").status_code in {404, 422}
    # Only the last results are kept.
    first = send(manager, reports(1)).headers["location"]
    for _ in range(KEPT):
        send(manager, reports(1))
    assert manager.get(first).status_code == 404


@pytest.mark.parametrize(
    ("files", "fields", "sites", "said"),
    [
        ([], {}, b"", "Choose the sites"),
        (reports(1), {"month": "2026-13"}, b"", "2026-13"),
        (reports(1), {}, b"a,b\n1,2\n", "no list of sites"),
        ([], {"source": "folder"}, b"", "ANJEON_PROGRAMME_DIR"),
    ],
)
def test_what_cannot_be_pooled_is_said_on_the_page(
    site: Site, files: Files, fields: dict[str, str], sites: bytes, said: str
) -> None:
    manager = site.signed_in(Role.MANAGER)
    manager.post("/language", {"language": "en"})
    answer = send(manager, files, sites, **fields)
    assert answer.status_code == 422
    assert said in text_of(answer.text)


def test_files_that_are_none_are_listed_with_the_reason(site: Site) -> None:
    manager = site.signed_in(Role.MANAGER)
    manager.post("/language", {"language": "en"})
    broken = zipped(reports(2))[:-40]
    sent = send(manager, [("broken.zip", broken), ("note.txt", b"hello"), *reports(2)])
    text = text_of(manager.get(sent.headers["location"]).text)
    assert "broken.zip cannot be read" in text
    assert "note.txt is no signed monthly report" in text
    listed = send(manager, reports(2), f"site,key\n{1:032x},{public_text(KEY)}\n".encode())
    assert "does not know Site 2" in text_of(manager.get(listed.headers["location"]).text)


def test_a_configured_folder_is_pooled_with_its_list_of_sites(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "handed-in"
    (folder / "2026-11").mkdir(parents=True)
    for number in (1, 2, 3):
        hand_in(folder / "2026-11", report_of(number), KEY)
    key = public_text(KEY)
    (folder / "sites.csv").write_text(f"site,key\n{1:032x},{key}\n{2:032x},{key}\n", "utf-8")
    site.settings.programme_dir = folder
    manager = site.signed_in(Role.MANAGER)
    assert "ANJEON_PROGRAMME_DIR" in manager.get("/programme").text
    path = send(manager, [], source="folder").headers["location"]
    result = manager.get(f"{path}/file.json").json()
    assert (result["sites"], len(result["problems"])) == (2, 1)


def test_archives_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (large,) = sent_in("a.zip", zipped([("big.json", b" " * 10_000_001)]))
    with pytest.raises(AnjeonError) as refused:
        large.read()
    assert refused.value.key == "programme.too_large"
    monkeypatch.setattr(sources, "MOST_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}.json").write_bytes(b"{}")
    with pytest.raises(AnjeonError) as refused:
        sent_in("a.zip", zipped(reports(3)))
    assert refused.value.key == "programme.too_much"
    with pytest.raises(AnjeonError) as refused:
        in_folder(tmp_path)
    assert refused.value.key == "programme.too_much"
    monkeypatch.setattr(sources, "MOST_BYTES", 10)
    with pytest.raises(AnjeonError) as refused:
        sent_in("a.zip", zipped(reports(1)))
    assert refused.value.key == "programme.too_much"
