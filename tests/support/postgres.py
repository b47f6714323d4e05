"""A private PostgreSQL in a directory of its own, which can be stopped and started again."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from tests.support.requirements import need

_ROLE = "anjeon"


class PostgresServer:
    """One cluster, reachable only through a Unix socket in its own directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._data = directory / "data"
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
        # Nothing of a test outlives the machine, so nothing has to reach its disk.
        self._run("initdb", "--username", _ROLE, "--auth=trust", "--no-sync", str(self._data))

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{self._directory}' "
            "-c fsync=off -c max_connections=40"
        )
        log = str(self._directory / "server.log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop it as an operator would in a hurry: connections are cut."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "fast", "stop")

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped."""
        return (self._data / "postmaster.pid").exists()

    def new_database(self) -> str:
        """The URL of a fresh, empty database."""
        name = f"test_{uuid4().hex[:12]}"
        with self.connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql://{_ROLE}@/{name}?host={self._directory}"

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected: hundreds of files each."""
        name = urlsplit(url).path.removeprefix("/")
        with self.connect("postgres") as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    @contextmanager
    def unwell(self, fault: str) -> Iterator[Callable[[], None]]:
        """Be ``stopped`` or a ``standby`` until the yielded function is called, or the end."""
        mended = False

        def mend() -> None:
            nonlocal mended
            if not mended:
                self._promote() if fault == "standby" else self.start()
            mended = True

        self.stop()
        if fault == "standby":
            (self._data / "standby.signal").touch()
            self.start()
        try:
            yield mend
        finally:
            mend()

    def _promote(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "promote")

    def demand_password(self, role: str, password: str) -> None:
        """Make a role that can only sign in with this password."""
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"local all {role} scram-sha-256\n{rules.read_text()}")
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
            connection.execute("SELECT pg_reload_conf()")

    def connect(self, name: str) -> psycopg.Connection:
        """A connection past our own code."""
        return psycopg.connect(host=str(self._directory), user=_ROLE, dbname=name, autocommit=True)

    def _run(self, program: str, *arguments: str) -> None:
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*as_postgres, _binary(program), *arguments],
            check=True,
            timeout=60,
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _binary(program: str) -> str:
    """The program; Debian keeps the servers outside ``PATH``."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return str(places[-1]) if places else shutil.which(program) or program


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One running server for all tests; whoever stops it starts it again."""
    need("postgres")
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    with tempfile.TemporaryDirectory(prefix=f"anjeon-pg-{user}-") as directory:
        server = PostgresServer(Path(directory))
        server.start()
        yield server
        if server.running:
            server.stop()


@pytest.fixture
def new_postgres_url(postgres_server: PostgresServer) -> Iterator[Callable[[], str]]:
    """Makes an empty database for this test and gives its URL."""
    made: list[str] = []

    def make() -> str:
        made.append(postgres_server.new_database())
        return made[-1]

    yield make
    for url in made:
        postgres_server.drop(url)
