"""Inserting what may be there already, without an error and without a race."""

from typing import Any, cast

from sqlalchemy import CursorResult
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def insert_new(session: Session, row: SQLModel) -> bool:
    """Insert the row unless its primary key or another unique key is taken.

    Args:
        session: With its earlier work flushed, if this row refers to it.
        row: A table row with all values set; it does not become part of the session.

    Returns:
        Whether it was inserted.
    """
    session.flush()
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    values = {name: value for name, value in row if not (name == "id" and value is None)}
    statement = insert(type(row)).values(**values).on_conflict_do_nothing()
    result = cast("CursorResult[Any]", session.connection().execute(statement))
    return result.rowcount == 1
