"""Several cameras keep a clip of one violation."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_BEFORE, _AFTER = ["violation_id", "kind"], ["violation_id", "kind", "other_camera"]


def upgrade() -> None:
    with op.batch_alter_table("evidence") as batch:
        batch.add_column(sa.Column("other_camera", sa.String(), nullable=False, server_default=""))
        batch.drop_constraint("uq_evidence_violation_id_kind", type_="unique")
        batch.create_unique_constraint("uq_evidence_violation_id_kind_other_camera", _AFTER)
    with op.batch_alter_table("evidence") as batch:
        batch.alter_column("other_camera", server_default=None)


def downgrade() -> None:
    op.execute("DELETE FROM evidence WHERE other_camera <> ''")
    with op.batch_alter_table("evidence") as batch:
        batch.drop_constraint("uq_evidence_violation_id_kind_other_camera", type_="unique")
        batch.create_unique_constraint("uq_evidence_violation_id_kind", _BEFORE)
        batch.drop_column("other_camera")
