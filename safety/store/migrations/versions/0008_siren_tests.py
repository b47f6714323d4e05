"""Self-tests of sirens."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "siren_test",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("latency_s", sa.Float(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("problem_key", sa.String(), nullable=False),
        sa.Column("problem_params", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_siren_test"),
    )
    op.create_index("ix_siren_test_at", "siren_test", ["at"])
    op.create_index("ix_siren_test_channel_id_at", "siren_test", ["channel_id", "at"])
