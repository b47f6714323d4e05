"""Inserting what may be there already, without an error and without a race."""

from functools import cache

from sqlalchemy import Table, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Session, SQLModel


def insert_new(session: Session, row: SQLModel) -> bool:
    """Insert the row unless its primary key or another unique key is taken.

    Args:
        session: Rows that were added to it before are inserted first, since this one may refer
            to them.
        row: A table row with its values set; it does not become part of the session.

    Returns:
        Whether it was inserted.
    """
    if session.new or session.deleted:
        session.flush()
    values = {name: value for name, value in row if not (name == "id" and value is None)}
    statement = _inserting(table_of(type(row)), session.get_bind().dialect.name)
    return session.connection().execute(statement, values).first() is not None


def table_of(model: type[SQLModel]) -> Table:
    """The table itself: statements over it are quicker than over its rows' class."""
    table = inspect(model).local_table
    assert isinstance(table, Table)
    return table


def adopt(session: Session, row: SQLModel) -> None:
    """Make a row that was just inserted part of the session, as if it had been read."""
    make_transient_to_detached(row)
    session.add(row)


@cache
def _inserting(table: Table, dialect: str) -> ReturningInsert[tuple[object, ...]]:
    """Made once: making it takes longer than carrying it out."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    # The number of rows is not reported reliably by every driver; what comes back is.
    return insert(table).on_conflict_do_nothing().returning(*table.primary_key)
