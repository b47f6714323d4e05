"""The steps that bring any older database to today's tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from safety.errors import ConfigError

_LOCK = 0x416E6A65
"""Any fixed number: PostgreSQL's advisory lock that lets one process migrate at a time."""


def upgrade(connection: Connection, *, database: str, wait_s: float) -> None:
    """Run the missing steps inside the connection's open transaction.

    Args:
        connection: With a transaction begun; the caller commits. On SQLite it must
            already hold the write lock.
        database: What to call the database in messages.
        wait_s: How long PostgreSQL lets us wait for another process that does the same.

    Raises:
        ConfigError: The database was written by a newer Anjeon.
    """
    if connection.dialect.name == "postgresql":
        # Steps on large tables, and waiting for somebody else's, outlast an ordinary statement.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(f"SET LOCAL lock_timeout = {int(wait_s * 1000)}"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = configuration(connection)
    script = ScriptDirectory.from_config(config)
    known = {step.revision for step in script.walk_revisions()}
    present = MigrationContext.configure(connection).get_current_heads()
    if not set(present) <= known:
        raise ConfigError(
            "store.newer",
            "the database {database} was written by a newer version of Anjeon "
            "(tables {revision}); install that version or restore an older backup",
            database=database,
            revision=", ".join(present),
        )
    if set(present) != set(script.get_heads()):
        command.upgrade(config, "head")


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for this connection."""
    config = Config()
    directory = str(Path(__file__).parent).replace("%", "%%")
    config.set_main_option("script_location", directory)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
