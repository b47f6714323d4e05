"""Run by Alembic for every command; the connection comes from ``migrations.configuration``."""

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from safety.store import (  # noqa: F401
    evidence_tables,
    exposure_tables,
    incident_tables,
    kpi_tables,
    policy_tables,
    ppe_tables,
    push_tables,
    siren_tables,
    tables,
)


def _render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Migrations must not change when our Python types do, so they name plain types."""
    if kind == "type" and isinstance(item, tables.UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    # SQLite rolls DDL back as well, since our transactions begin explicitly.
    transactional_ddl=True,
    render_as_batch=True,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
