"""What is due for one channel is found at once, however much waits for the others."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

COLUMNS = ["channel_id", "state", "next_attempt_at", "created_at", "id"]


def upgrade() -> None:
    op.create_index("ix_delivery_channel", "delivery", COLUMNS)


def downgrade() -> None:
    op.drop_index("ix_delivery_channel", "delivery")
