"""Inserting what may be there already, without an error and without a race."""

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def insert_new(session: Session, row: SQLModel) -> bool:
    """Insert the row unless its primary key or another unique key is taken.

    Args:
        session: Its earlier work is flushed first, since this row may refer to it.
        row: A table row with its values set; it does not become part of the session.

    Returns:
        Whether it was inserted.
    """
    session.flush()
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    values = {name: value for name, value in row if not (name == "id" and value is None)}
    statement = insert(type(row)).values(**values).on_conflict_do_nothing()
    # The number of rows is not reported reliably by every driver; what comes back is.
    key = inspect(type(row)).primary_key
    return session.connection().execute(statement.returning(*key)).first() is not None
