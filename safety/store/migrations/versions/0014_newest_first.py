"""Violations of a camera or rule, and alerts of one severity, are read newest first at once."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ADDED = {
    "ix_violation_opened_at_id": ("violation", ["opened_at", "id"]),
    "ix_violation_camera_id_opened_at_id": ("violation", ["camera_id", "opened_at", "id"]),
    "ix_violation_rule_id_opened_at_id": ("violation", ["rule_id", "opened_at", "id"]),
    "ix_alert_severity_leads_raised_at_id": ("alert", ["severity", "leads", "raised_at", "id"]),
}
REPLACED = ["camera_id", "rule_id", "opened_at"]


def upgrade() -> None:
    for name, (table, columns) in ADDED.items():
        op.create_index(name, table, columns)
    for column in REPLACED:
        op.drop_index(f"ix_violation_{column}", "violation")


def downgrade() -> None:
    for column in REPLACED:
        op.create_index(f"ix_violation_{column}", "violation", [column])
    for name, (table, _) in ADDED.items():
        op.drop_index(name, table)
