"""A dashboard to talk to: the real application behind a real server, on loopback."""

import re
import shutil
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI

from dashboard.app import create_app
from dashboard.hub import Hub
from safety.clock import Instant, SystemClock
from safety.config import Settings
from safety.store import accounts, passwords, tokens
from safety.store.accounts import Role
from safety.store.database import Database
from tests.support.factory import Factory, factory_spec
from tests.support.waiting import wait_until

Fields = Mapping[str, str | list[str]]

PASSWORD = "long enough to be a password"

PATIENCE_S = 60.0
"""Several tests run beside each other: an answer may take its time."""


class ShiftedClock(SystemClock):
    """The machine's clock, plus what a test has added to it."""

    def __init__(self) -> None:
        self.shift_s = 0.0

    def now(self) -> Instant:
        return super().now().shifted(self.shift_s)


@dataclass(kw_only=True)
class Site:
    """One running dashboard and what stands behind it."""

    settings: Settings
    database: Database
    clock: ShiftedClock
    address: str
    open_clients: ExitStack

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now().wall, UTC)

    def browser(self) -> "Browser":
        """A browser that nobody has signed in."""
        return Browser(
            self.open_clients.enter_context(httpx.Client(base_url=self.address, timeout=PATIENCE_S))
        )

    def signed_in(self, role: Role = Role.ADMIN) -> "Browser":
        """A browser in which somebody of this role is signed in."""
        browser = self.browser()
        answer = browser.sign_in(role.value)
        assert answer.status_code == 303, answer.text
        return browser

    def token(self, *scopes: str, role: Role = Role.ADMIN, days: int | None = None) -> str:
        """An API token of somebody of this role."""
        with self.database.transaction() as session:
            user = accounts.by_login(session, role.value)
            assert user is not None
            expires_at = self.now + timedelta(days=days) if days is not None else None
            made, _ = tokens.create(
                session, user=user, name="test", scopes=scopes, at=self.now, expires_at=expires_at
            )
        return made

    def program(self, *scopes: str, role: Role = Role.ADMIN) -> httpx.Client:
        """A program with such a token."""
        headers = {"authorization": f"Bearer {self.token(*scopes, role=role)}"}
        client = httpx.Client(base_url=self.address, headers=headers, timeout=PATIENCE_S)
        return self.open_clients.enter_context(client)


def every(program: httpx.Client, path: str, *, limit: int = 2) -> list[dict[str, Any]]:
    """All items of a list of the API, read page by page."""
    found: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"limit": limit}
    while True:
        answer = program.get(path, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        assert len(page["items"]) == limit, f"{path}: a short page that is not the last"
        query["cursor"] = page["next_cursor"]


class Browser:
    """Behaves as a browser does: cookies, origin, the page's CSRF token."""

    def __init__(self, client: httpx.Client) -> None:
        self.address = str(client.base_url).rstrip("/")
        self.client = client
        self.csrf_token = ""

    def sign_in(self, login: str, password: str = PASSWORD) -> httpx.Response:
        """Fill in the sign-in page."""
        answer = self.post("/login", {"login": login, "password": password})
        if answer.status_code == 303:
            self.read_token("/account")
        return answer

    def read_token(self, path: str) -> None:
        """Take the CSRF token from a page, as htmx does."""
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.get(path).text)
        self.csrf_token = found.group(1) if found else ""

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return self.client.get(path, headers=headers)

    def post(
        self, path: str, fields: Mapping[str, str | list[str]] | None = None
    ) -> httpx.Response:
        """Send a form."""
        data = dict(fields or {})
        if self.csrf_token:
            data.setdefault("csrf_token", self.csrf_token)
        return self.client.post(path, data=data, headers={"origin": self.address})

    def call(
        self, method: str, path: str, *, json: object = None, **headers: str
    ) -> httpx.Response:
        """Send a request with the token in the header, as htmx and our modules do."""
        common = {"origin": self.address, "x-csrf-token": self.csrf_token}
        return self.client.request(method, path, json=json, headers={**common, **headers})


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application from a thread of this process; gives its address."""
    config = uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), name="dashboard")
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive())
            assert server.started, "the dashboard did not start"
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Argon2 with the least work: hundreds of tests sign somebody in."""
    with pytest.MonkeyPatch.context() as patch:
        least = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "HASHER", least)
        yield


@pytest.fixture(scope="session")
def accounts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one user of each role; their login is their role."""
    path = tmp_path_factory.mktemp("accounts") / "anjeon.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    add_accounts(database)
    database.dispose()
    return path


def add_accounts(database: Database) -> None:
    """One user of each role; their login is their role."""
    with database.transaction() as session:
        for role in Role:
            accounts.create_user(
                session,
                login=role.value,
                name=role.value.title(),
                role=role,
                password=PASSWORD,
                by="test",
                at=datetime.now(UTC),
            )


@pytest.fixture
def factory(site: Site) -> Factory:
    """The site's factory, configured."""
    spec = factory_spec(site.settings.data_dir)
    made = Factory(site.database, site.settings.evidence_dir, spec)
    made.configure(site.now)
    return made


@pytest.fixture
def site(accounts_file: Path, tmp_path: Path) -> Iterator[Site]:
    """A running dashboard with a fresh record; no engine and no shard behind it."""
    settings = Settings(data_dir=tmp_path / "data")
    settings.run_dir.mkdir(parents=True)
    shutil.copy(accounts_file, settings.data_dir / "anjeon.db")
    database = Database(settings.database)
    with site_on(database, settings) as running:
        yield running
    database.dispose()


@contextmanager
def site_on(database: Database, settings: Settings) -> Iterator[Site]:
    """A running dashboard over this record."""
    clock = ShiftedClock()
    app = create_app(settings, database, Hub(settings, clock), clock=clock)
    with serving(app) as address, ExitStack() as clients:
        yield Site(
            settings=settings,
            database=database,
            clock=clock,
            address=address,
            open_clients=clients,
        )
