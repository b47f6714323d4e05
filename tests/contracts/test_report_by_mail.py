"""The monthly report by e-mail, through a real mail server: attached if wanted, else a link."""

import asyncio
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from pypdf import PdfReader

from alerts.channels.apprise_channel import AppriseMessenger, AppriseSpec
from alerts.dispatcher import Dispatcher
from alerts.notices import SiteContext
from safety.app.demo import demo_spec
from safety.clock import ManualClock, SystemClock
from safety.engine.report_papers import ReportPapers
from safety.engine.reporting import report_if_due
from safety.store import baselines, work_months
from safety.store.database import Database
from tests.support.smtp_server import PASSWORD, USER, MailServer, mail_server
from tests.support.waiting import until

DUE = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
CONTEXT = SiteContext(
    name="Works",
    timezone="Asia/Seoul",
    language="en",
    messengers=("mail",),
    address="https://anjeon.example.com",
)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def messenger(
    server: MailServer, monkeypatch: pytest.MonkeyPatch, **fields: str
) -> AppriseMessenger:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    address = (
        f"mailto://{quote(USER)}:{{env:MAIL_PASSWORD}}@127.0.0.1:{server.port}/?mode=insecure"
        "&from=anjeon@example.com&to=office@example.com"
    )
    spec = AppriseSpec.model_validate({"id": "mail", "name": "Mail", "urls": [address], **fields})
    return AppriseMessenger(spec, clock=SystemClock())


def report_is_due(record: Database) -> None:
    with record.transaction() as session:
        baselines.register(
            session,
            first_month="2025-01",
            last_month="2025-12",
            programme_start="2026-01",
            groups="own",
            by="manager",
            at=DUE,
        )
        work_months.put(
            session,
            month="2026-10",
            group="own",
            hours=9_000,
            headcount=60,
            source="entered",
            by="manager",
            at=DUE,
        )
    assert report_if_due(record, site=demo_spec(), context=CONTEXT, now=DUE)


@pytest.mark.parametrize(("fields", "attached"), [({}, False), ({"report": "attached"}, True)])
async def test_the_report_goes_by_mail_as_a_file_only_where_somebody_wants_it(
    sqlite_database: Database,
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, str],
    attached: bool,
) -> None:
    report_is_due(sqlite_database)
    mail = messenger(server, monkeypatch, **fields)
    dispatcher = Dispatcher(
        sqlite_database,
        {"mail": mail},
        clock=ManualClock(wall=DUE.timestamp()),
        report_of=ReportPapers(sqlite_database, language=lambda: "en").pdf,
    )
    running = asyncio.create_task(dispatcher.run())
    try:
        await until(lambda: bool(server.messages))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await mail.close()
    (message,) = server.messages
    assert server.receivers == ["office@example.com"]
    body = message.get_body(("plain", "html"))
    assert body is not None
    assert "https://anjeon.example.com/alerts/" in body.get_content()
    files = list(message.iter_attachments())
    assert [file.get_filename() for file in files] == (
        ["anjeon-2026-10-r1-en.pdf"] if attached else []
    )
    for file in files:
        assert file.get_content_type() == "application/pdf"
        text = PdfReader(io.BytesIO(file.get_content())).pages[0].extract_text()
        assert "October 2026" in text


async def test_a_month_without_a_kept_report_has_no_file(sqlite_database: Database) -> None:
    papers = ReportPapers(sqlite_database, language=lambda: "ko")
    assert await papers.pdf("2026-10") is None
