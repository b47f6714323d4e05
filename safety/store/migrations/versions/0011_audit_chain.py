"""Every entry of the audit trail is tied to the one before it; those on record are linked."""

import sqlalchemy as sa
from alembic import op

from safety.store.audit_hash import GENESIS, entry_hash
from safety.store.tables import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_PAGE = 1000

_audit = sa.table(
    "audit",
    sa.column("id", sa.Integer()),
    sa.column("at", UtcDateTime()),
    sa.column("actor", sa.String()),
    sa.column("action", sa.String()),
    sa.column("subject", sa.String()),
    sa.column("detail", sa.JSON()),
    sa.column("seq", sa.Integer()),
    sa.column("prev_hash", sa.String()),
    sa.column("hash", sa.String()),
)


def upgrade() -> None:
    with op.batch_alter_table("audit") as batch:
        batch.add_column(sa.Column("seq", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("prev_hash", sa.String(), nullable=True))
        batch.add_column(sa.Column("hash", sa.String(), nullable=True))
        batch.create_unique_constraint("uq_audit_seq", ["seq"])
    chain = op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("first_hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_chain"),
    )
    seq, newest = _link(op.get_bind())
    row = {"id": 1, "seq": seq, "hash": newest, "first_seq": 0, "first_hash": GENESIS}
    op.bulk_insert(chain, [row])


def downgrade() -> None:
    op.drop_table("audit_chain")
    with op.batch_alter_table("audit") as batch:
        batch.drop_constraint("uq_audit_seq", type_="unique")
        batch.drop_column("hash")
        batch.drop_column("prev_hash")
        batch.drop_column("seq")


def _link(connection: sa.Connection) -> tuple[int, str]:
    """Link what is on record, in pages; the newest link."""
    seq, newest, last = 0, GENESIS, 0
    known = ("id", "at", "actor", "action", "subject", "detail")
    change = (
        _audit.update()
        .where(_audit.c.id == sa.bindparam("row"))
        .values(seq=sa.bindparam("s"), prev_hash=sa.bindparam("p"), hash=sa.bindparam("h"))
    )
    while True:
        query = sa.select(*(_audit.c[name] for name in known)).where(_audit.c.id > last)
        rows = connection.execute(query.order_by(_audit.c.id).limit(_PAGE)).all()
        if not rows:
            return seq, newest
        changes = []
        for row_id, at, actor, action, subject, detail in rows:
            seq, previous = seq + 1, newest
            newest = entry_hash(
                previous,
                seq=seq,
                entry_id=row_id,
                at=at,
                actor=actor,
                action=action,
                subject=subject,
                detail=detail,
            )
            changes.append({"row": row_id, "s": seq, "p": previous, "h": newest})
        connection.execute(change, changes)
        last = rows[-1].id
