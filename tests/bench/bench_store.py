"""The inbox, its search and the API's list with a million alerts on record.

Asked through the real application, in this process and without a network, once SQLite and
PostgreSQL have been asked the same before. Usage: ``python -m tests.bench store``.
"""

import asyncio
import itertools
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

import httpx
import numpy as np
import psycopg
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from cameras.specs import CameraSpec, SyntheticSpec
from dashboard.app import create_app
from dashboard.hub import Hub
from dashboard.sessions import SESSION_COOKIE
from safety.clock import SystemClock
from safety.config import Settings
from safety.site.apply import apply_site
from safety.site.spec import SiteSpec
from safety.store import accounts, sessions, tokens
from safety.store.accounts import Role
from safety.store.database import Database
from tests.support.postgres import PostgresServer
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec

ALERTS: Final = 1_000_000
OPEN: Final = 5_000
"""Of them nobody has judged: an inbox that was not looked after."""
ASKED: Final = 40
YEARS: Final = 3

Row = tuple[Any, ...]

_VIOLATION: Final = (
    "id, revision, phase, rule_id, rule_revision, rule_kind, camera_id, zone_id, subject,"
    " severity, captured_at, opened_at, closed_at, duration_s, details"
)
_ALERT: Final = (
    "id, kind, dedupe_key, violation_id, camera_id, zone_id, rule_id, rule_kind, subject, leads,"
    " lead_id, severity, state, message_key, params, raised_at, cleared_at, version"
)
_TALK: Final = (
    "alert_id, key, severity, started_at, last_at, over_at, over_told, members, untold, updates,"
    " clears, steps"
)
_TABLES: Final = {"violation": _VIOLATION, "alert": _ALERT, "conversation": _TALK}
_CHUNK: Final = 20_000


def run() -> dict[str, float]:
    """Measure, print, and return the figures; each database in a process of its own."""
    figures: dict[str, float] = {}
    for kind in ("sqlite", "postgresql"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.bench_store", kind, str(ALERTS)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        figures |= json.loads(done.stdout.splitlines()[-1])
    for key, value in figures.items():
        _say(f"{key:<60} {value:>10.1f}")
    return figures


def site_spec() -> SiteSpec:
    """Twelve cameras, each with two zones and a rule in each."""
    cameras = [
        CameraSpec(id=f"cam-{n}", name=f"Camera {n}", source=SyntheticSpec()) for n in range(12)
    ]
    square = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.5))
    zones = [
        ZoneSpec(id=f"zone-{n}", name=f"Zone {n}", camera_id=f"cam-{n // 2}", polygon=square)
        for n in range(24)
    ]
    rules: list[IntrusionSpec | DwellSpec] = [
        IntrusionSpec(id=f"rule-{n}", name=f"Rule {n}", zone_id=f"zone-{n}")
        if n % 3
        else DwellSpec(id=f"rule-{n}", name=f"Rule {n}", zone_id=f"zone-{n}", limit_s=20)
        for n in range(24)
    ]
    return SiteSpec(name="Bench", cameras=tuple(cameras), zones=tuple(zones), rules=tuple(rules))


def rows(alerts: int, now: datetime) -> Iterator[dict[str, Row]]:
    """A violation with its alert, and its conversation where it leads one; oldest first.

    Two alerts in three lead. One rule breaks far more often than the others, as in life; the
    newest ``OPEN`` alerts are open; warnings are one in two hundred.
    """
    chance = random.Random(1)
    step = timedelta(days=365 * YEARS) / alerts
    lead = ""
    for number in range(alerts):
        at = now - step * (alerts - number)
        over = at + timedelta(seconds=20)
        rule = min(int(chance.expovariate(0.25)), 23)
        kind = "intrusion" if rule % 3 else "dwell"
        leads = number % 3 != 2
        severity = "danger" if number % 200 else "warning"
        state = chance.choice(("confirmed", "false_positive", "expired"))
        state = "raised" if number >= alerts - OPEN else state
        violation, alert = f"{number:032x}", f"{chance.getrandbits(128):032x}"
        lead = alert if leads else lead
        camera, zone, subject = f"cam-{rule // 2}", f"zone-{rule}", f"t{number % 997}"
        params = json.dumps({"camera": camera, "zone": zone, "rule": rule, "place": zone})
        made: dict[str, Row] = {
            "violation": (
                *(violation, 2, "closed", f"rule-{rule}", 1, kind, camera, zone, subject),
                *(severity, at, at, over, 20.0, "{}"),
            ),
            "alert": (
                *(alert, "violation", violation, violation, camera, zone, f"rule-{rule}", kind),
                *(subject, leads, None if leads else lead, severity, state, f"alert.{kind}"),
                *(params, at, over, 1),
            ),
        }
        if leads:
            told = (alert, f"{zone}/{kind}", severity, at, over, over, True, 2, "[]", 0, 0, 1)
            made["conversation"] = told
        yield made


def fill(database: Database, alerts: int, now: datetime) -> None:
    """Put them on record, past our own code: that would take hours."""
    remaining = rows(alerts, now)
    indexes = [index for name in _TABLES for index in SQLModel.metadata.tables[name].indexes]
    with database.engine.begin() as connection:
        # Made at the end, in order, they take a fraction of the time.
        for index in indexes:
            index.drop(connection)
        while chunk := list(itertools.islice(remaining, _CHUNK)):
            for table, columns in _TABLES.items():
                values = [each[table] for each in chunk if table in each]
                _insert(connection, table, columns, values)
        for index in indexes:
            index.create(connection)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _insert(connection: Connection, table: str, columns: str, values: list[Row]) -> None:
    raw: Any = connection.connection.driver_connection
    if isinstance(raw, psycopg.Connection):
        with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as to:
            for row in values:
                to.write_row(row)
        return
    marks = ",".join("?" * (columns.count(",") + 1))
    written = [tuple(_text(value) for value in row) for row in values]
    raw.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", written)


def _text(value: object) -> object:
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


def questions(database: Database) -> Mapping[str, str]:
    """What is asked, by what it is called: pages of people and lists of programs."""
    with database.reading() as session:
        deep = session.execute(
            text("SELECT id FROM alert WHERE leads ORDER BY raised_at LIMIT 1 OFFSET 10000")
        ).scalar_one()
        rare = session.execute(text("SELECT id FROM alert WHERE severity = 'warning'")).scalar()
    return {
        "inbox, open": "/alerts",
        "inbox, all": "/alerts?show=all",
        "inbox, all, deep": f"/alerts?show=all&before={deep}",
        "search, a name": "/alerts?show=all&q=Zone+1",
        "search, every zone": "/alerts?show=all&q=zone",
        "search, an id": f"/alerts?show=all&q={str(rare)[:10]}",
        "search, nothing": "/alerts?show=all&q=nowhere",
        "rare camera": "/alerts?show=all&camera=cam-11",
        "rare zone and kind": "/alerts?show=all&zone=zone-22&kind=intrusion",
        "zone without that kind": "/alerts?show=all&zone=zone-1&kind=dwell",
        "camera and zone and kind": "/alerts?show=all&camera=cam-0&zone=zone-0&kind=dwell",
        "rare severity": "/alerts?show=all&severity=warning",
        "absent severity": "/alerts?show=all&severity=info",
        "absent severity of a zone": "/alerts?show=all&zone=zone-0&severity=info",
        "one alert": f"/alerts/{deep}",
        "API alerts": "/api/v1/alerts?limit=200",
        "API alerts, everything named": "/api/v1/alerts?state=raised&zone=zone-0&kind=dwell",
        "API violations": "/api/v1/violations?limit=100",
        "API violations of a rule": "/api/v1/violations?rule=rule-22",
        "API violations of a camera": "/api/v1/violations?camera=cam-11",
        "the wall": "/",
    }


async def ask(app: Any, headers: Mapping[str, str], path: str) -> list[tuple[float, float]]:
    """Seconds by the clock and on the processor of each answer, after two that do not count."""
    transport = httpx.ASGITransport(app=app)
    measured = []
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
        for turn in range(ASKED + 2):
            wall, cpu = perf_counter(), process_time()
            answer = await client.get(path, headers=dict(headers))
            seconds = perf_counter() - wall, process_time() - cpu
            assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
            if turn >= 2:
                measured.append(seconds)
    return measured


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[Database]:
    with ExitStack() as stack:
        url = f"sqlite:///{folder}/anjeon.db"
        if kind == "postgresql":
            (folder / "server").mkdir()
            folder.chmod(0o755)
            server = PostgresServer(folder / "server")
            server.start()
            stack.callback(server.stop)
            url = server.new_database()
        database = Database(url)
        database.migrate()
        stack.callback(database.dispose)
        yield database


def _measure(kind: str, alerts: int) -> dict[str, float]:
    now = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as name, _database(kind, Path(name)) as database:
        apply_site(database, site_spec(), by="bench", now=now)
        fill(database, alerts, now)
        settings = Settings(data_dir=Path(name) / "data")
        settings.run_dir.mkdir(parents=True)
        clock = SystemClock()
        app = create_app(settings, database, Hub(settings, clock), clock=clock)
        figures: dict[str, float] = {}
        for what, path in questions(database).items():
            headers = _ways_in(database, now)["token" if "/api/" in path else "cookie"]
            measured = np.array(asyncio.run(ask(app, headers, path))) * 1000
            p95, cpu = np.percentile(measured, 95, axis=0)
            figures[f"{kind}_{what}_p95_ms"] = round(float(p95), 1)
            figures[f"{kind}_{what}_cpu_p95_ms"] = round(float(cpu), 1)
            sys.stderr.write(f"{kind:<10} {what:<32} p95 {p95:8.1f} ms, cpu {cpu:8.1f} ms\n")
        return figures


def _ways_in(database: Database, now: datetime) -> dict[str, dict[str, str]]:
    """Headers of a program and of a signed-in browser."""
    with database.transaction() as session:
        user = accounts.by_login(session, "bench") or accounts.create_user(
            session,
            login="bench",
            name="Bench",
            role=Role.ADMIN,
            password="long enough to be a password",
            by="bench",
            at=now,
        )
        token, _ = tokens.create(session, user=user, name="bench", scopes=["read"], at=now)
        cookie, _ = sessions.start(session, user_id=user.id, at=now)
    return {
        "token": {"authorization": f"Bearer {token}"},
        "cookie": {"cookie": f"{SESSION_COOKIE}={cookie}"},
    }


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    _, which, count = sys.argv
    _say(json.dumps(_measure(which, int(count))))
