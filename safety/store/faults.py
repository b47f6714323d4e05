"""Which database failures are passing troubles of the store, and what to do about each."""

import sqlite3

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from safety.errors import StoreUnavailable

_TEXTS = {
    "store.locked": "the database {database} stays locked by another process; "
    "close programs that hold it open (backup, database browser)",
    "store.full": "no space is left for the database {database}; free disk space",
    "store.read_only": "the database {database} is read-only; "
    "check the mount options and file permissions",
    "store.unreachable": "the database {database} cannot be reached; "
    "check that it runs and that its address is right",
    "store.cannot_open": "the database file of {database} cannot be opened; "
    "check that its directory exists and may be written",
    "store.unauthorized": "the database {database} refuses the user name or password; "
    "check the database URL",
    "store.corrupt": "the database {database} is damaged; stop Anjeon and restore a backup",
    "store.not_migrated": "the database {database} lacks tables; "
    "start the engine once, it makes them",
    "store.busy": "the database {database} did not answer in time; check its load",
    "store.io": "reading or writing the database {database} failed; check the disk",
}

_BY_SQLITE_ERROR = {
    "SQLITE_BUSY": "store.locked",
    "SQLITE_LOCKED": "store.locked",
    "SQLITE_FULL": "store.full",
    "SQLITE_READONLY": "store.read_only",
    "SQLITE_PERM": "store.read_only",
    "SQLITE_AUTH": "store.read_only",
    "SQLITE_CANTOPEN": "store.cannot_open",
    "SQLITE_CORRUPT": "store.corrupt",
    "SQLITE_NOTADB": "store.corrupt",
    "SQLITE_IOERR": "store.io",
    "SQLITE_PROTOCOL": "store.locked",
    "SQLITE_NOMEM": "store.io",
}

_BY_SQLSTATE = {
    # A standby refuses writers with "feature not supported".
    "0A000": "store.read_only",
    "25006": "store.read_only",
    "28": "store.unauthorized",
    "3D": "store.unreachable",
    "40": "store.locked",
    "42P01": "store.not_migrated",
    "53100": "store.full",
    "53": "store.busy",
    "55": "store.locked",
    "57014": "store.busy",
    "57": "store.unreachable",
    "58": "store.io",
    "08": "store.unreachable",
    "XX": "store.corrupt",
}


def unavailable(error: DBAPIError | PoolTimeout, *, database: str) -> StoreUnavailable | None:
    """The error to show if this one means that the store cannot be used now.

    Args:
        error: What SQLAlchemy raised.
        database: The database's URL without its password.

    Returns:
        None for every other error: broken constraints and wrong SQL are bugs, not weather.
    """
    if isinstance(error, PoolTimeout):
        key: str | None = "store.busy"
    elif isinstance(error.orig, sqlite3.Error):
        key = _sqlite_key(error.orig)
    elif isinstance(error.orig, psycopg.Error):
        key = _postgresql_key(error.orig)
    else:
        key = None
    return failure(key, database=database) if key else None


def failure(key: str, *, database: str) -> StoreUnavailable:
    """The error with this translation key."""
    return StoreUnavailable(key, _TEXTS[key], database=database)


def _sqlite_key(error: sqlite3.Error) -> str | None:
    name = getattr(error, "sqlite_errorname", "")
    for prefix, key in _BY_SQLITE_ERROR.items():
        if name == prefix or name.startswith(f"{prefix}_"):
            return key
    return "store.not_migrated" if "no such table" in str(error) else None


def _postgresql_key(error: psycopg.Error) -> str | None:
    if error.sqlstate:
        for length in (5, 2):
            if key := _BY_SQLSTATE.get(error.sqlstate[:length]):
                return key
        return None
    if "authentication failed" in str(error):
        return "store.unauthorized"
    return "store.unreachable" if isinstance(error, psycopg.OperationalError) else None
