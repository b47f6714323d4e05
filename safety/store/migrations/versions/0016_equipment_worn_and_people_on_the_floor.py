"""Hours of protective equipment; on the floor, people who are surely different."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ppe_hour",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("rule_id", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=False),
        sa.Column("worn_s", sa.Float(), nullable=False),
        sa.Column("missing_s", sa.Float(), nullable=False),
        sa.Column("unknown_s", sa.Float(), nullable=False),
        sa.Column("stays", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "camera_id", "rule_id", "item", name="pk_ppe_hour"),
    )
    with op.batch_alter_table("exposure_cell") as batch:
        # Tracks do not tell how many people there were: earlier months are hidden from now on.
        batch.drop_column("tracks")
        batch.add_column(sa.Column("people", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("exposure_cell") as batch:
        batch.alter_column("people", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("exposure_cell") as batch:
        batch.drop_column("people")
        batch.add_column(sa.Column("tracks", sa.Integer(), nullable=False, server_default="0"))
    op.drop_table("ppe_hour")
