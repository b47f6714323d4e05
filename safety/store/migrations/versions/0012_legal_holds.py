"""Holds on evidence, hashes of sidecars, and an index for the audit trail of one thing."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("alert_id", sa.String(), nullable=True),
        sa.Column("incident_id", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_legal_hold_alert_id_alert"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_legal_hold_incident_id_incident"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_legal_hold"),
    )
    op.create_index("ix_legal_hold_alert_id", "legal_hold", ["alert_id"])
    op.create_index("ix_legal_hold_incident_id", "legal_hold", ["incident_id"])
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_index("ix_evidence_state_ended_at", "evidence", ["state", "ended_at", "id"])
    op.add_column("evidence", sa.Column("sidecar_sha256", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("evidence", "sidecar_sha256")
    op.drop_index("ix_evidence_state_ended_at", "evidence")
    op.drop_index("ix_audit_subject", "audit")
    op.drop_table("legal_hold")
