"""The site's plant, and zones on the floor plan, which belong to no camera."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("site") as site:
        site.add_column(sa.Column("plant", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("site") as site:
        site.alter_column("plant", existing_type=sa.JSON(), server_default=None)
    with op.batch_alter_table("zone") as zone:
        zone.alter_column("camera_id", existing_type=sa.String(), nullable=True)
