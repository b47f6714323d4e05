"""A filter that fits few alerts, or none, is answered without reading those that it leaves out."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ORDER = ["state", "leads", "raised_at", "id"]
ADDED = {
    "camera_id": ["rule_kind", "severity"],
    "zone_id": ["rule_kind", "severity"],
    "rule_kind": ["severity"],
}


def upgrade() -> None:
    for column, also in ADDED.items():
        op.drop_index(f"ix_alert_{column}_inbox", "alert")
        op.create_index(f"ix_alert_{column}_inbox", "alert", [column, *ORDER, *also])
    op.drop_index("ix_alert_state_leads_raised_at_id", "alert")
    op.create_index("ix_alert_state_inbox", "alert", [*ORDER, "severity"])


def downgrade() -> None:
    op.drop_index("ix_alert_state_inbox", "alert")
    op.create_index("ix_alert_state_leads_raised_at_id", "alert", ORDER)
    for column in ADDED:
        op.drop_index(f"ix_alert_{column}_inbox", "alert")
        op.create_index(f"ix_alert_{column}_inbox", "alert", [column, *ORDER])
