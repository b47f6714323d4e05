"""The one way into the record: SQLite by default, PostgreSQL by URL."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from safety.errors import ConfigError, StoreUnavailable
from safety.store import audit_chain, migrations
from safety.store.faults import failure, unavailable
from safety.store.migration_turn import WAIT_S, turn

BUSY_TIMEOUT_S = 5.0
"""How long a writer waits for another one before it gives up."""

_READ_ONLY = "anjeon_read_only"


class Database:
    """Connections to one database; safe to share between threads.

    Creating it touches nothing: the first transaction connects. After a failure the
    same object works again as soon as the database does.

    Args:
        url: ``sqlite:////absolute/file.db`` or ``postgresql://user:password@host/name``.

    Raises:
        ConfigError: The URL is not one of these.
    """

    def __init__(self, url: str) -> None:
        self._url = _checked_url(url)
        self._engine = _create_engine(self._url)
        # SQLite lets waiting writers try again after ever longer pauses, so that a thread may
        # starve behind busier ones. Threads of one process queue up here instead.
        self._turn = Lock() if self._url.get_backend_name() == "sqlite" else None
        self._reading_engine = self._engine.execution_options(
            **{_READ_ONLY: True, "postgresql_readonly": True}
        )

    @property
    def description(self) -> str:
        """The URL for logs and messages: no password, no query."""
        return self._url.set(query={}).render_as_string(hide_password=True)

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine, for tools that need one."""
        return self._engine

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose work is committed at the end, or rolled back on any exception.

        On SQLite it holds the write lock from the start, so that it never fails half-way
        because somebody else wrote in between.

        Raises:
            StoreUnavailable: Locked, full, read-only, damaged or gone; nothing was written.
                After the loss of a PostgreSQL connection during the commit itself the work
                may have been done: all writes of ours may be repeated.
        """
        with (
            self._in_turn(),
            self._explained(),
            Session(self._engine, expire_on_commit=False) as session,
        ):
            session.connection()
            yield session
            audit_chain.link(session)
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads: never waits for writers on SQLite, refuses to write.

        Raises:
            StoreUnavailable: As for ``transaction``.
        """
        with self._explained(), Session(self._reading_engine, expire_on_commit=False) as session:
            session.connection()
            yield session

    def migrate(self, *, wait_s: float = WAIT_S) -> None:
        """Create or update the tables; harmless if they are up to date.

        Args:
            wait_s: How long to wait for another process that does the same.

        Raises:
            ConfigError: The database was written by a newer Anjeon.
            StoreUnavailable: As for ``transaction``.
        """
        with self._alone(wait_s), self._explained(), self._engine.begin() as connection:
            migrations.upgrade(connection, database=self.description, wait_s=wait_s)

    def ping(self) -> None:
        """Find out whether a writer could start now.

        Raises:
            StoreUnavailable: It could not.
        """
        with self.transaction() as session:
            session.connection().execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close all connections; a later transaction opens new ones."""
        self._engine.dispose()

    @contextmanager
    def _alone(self, wait_s: float) -> Iterator[None]:
        """With the SQLite file made, and no other process migrating it.

        The file is one that only this user can read: it will hold password hashes.
        """
        if self._url.get_backend_name() != "sqlite" or not self._url.database:
            yield
            return
        path = Path(self._url.database)
        with ExitStack() as stack:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(turn(path, wait_s=wait_s))
                path.touch(mode=0o600, exist_ok=True)
            except TimeoutError as error:
                raise failure("store.locked", database=self.description) from error
            except OSError as error:
                raise StoreUnavailable(
                    "store.no_file",
                    "the database file {path} cannot be made ({why}); check the directory",
                    path=str(path),
                    why=error.strerror or "unknown reason",
                ) from error
            yield

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_TIMEOUT_S):
            raise failure("store.locked", database=self.description)
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout) as error:
            if shown := unavailable(error, database=self.description):
                raise shown from error
            raise


def _checked_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not repeated.
        raise ConfigError(
            "store.bad_url",
            "the database URL cannot be read; use sqlite:////path/file.db "
            "or postgresql://user:password@host/name",
        ) from None
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise ConfigError(
            "store.bad_driver",
            "databases of kind {driver} are not supported; use sqlite or postgresql",
            driver=parsed.drivername,
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise ConfigError(
            "store.no_path", "the SQLite URL names no file; use sqlite:////path/file.db"
        )
    return parsed


def _create_engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            pool_timeout=10.0,
            hide_parameters=True,
            connect_args={"timeout": BUSY_TIMEOUT_S},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # Server-side limits: a blocked statement must end before the people waiting for it do.
    options = f"-c lock_timeout={int(BUSY_TIMEOUT_S * 1000)} -c statement_timeout=30000"
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_recycle=1800,
        pool_timeout=10.0,
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "options": options, "tcp_user_timeout": 10_000},
    )


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN is deferred and skipped before reads; ours is explicit.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(_READ_ONLY):
        connection.exec_driver_sql("PRAGMA query_only=ON")
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
