"""Incidents with causes and corrective actions, accidents, and why alerts were false."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accident_import",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("imported_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_accident_import"),
    )
    op.create_table(
        "answered_request",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_sha256", sa.String(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_answered_request"),
    )
    op.create_index("ix_answered_request_at", "answered_request", ["at"])
    op.create_table(
        "incident",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=True),
        sa.Column("camera_id", sa.String(), nullable=True),
        sa.Column("rule_id", sa.String(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("unsafe_state", sa.Text(), nullable=False),
        sa.Column("unsafe_act", sa.Text(), nullable=False),
        sa.Column("prevention", sa.Text(), nullable=False),
        sa.Column("frequency", sa.Integer(), nullable=True),
        sa.Column("severity", sa.Integer(), nullable=True),
        sa.Column("frequency_after", sa.Integer(), nullable=True),
        sa.Column("severity_after", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closing_note", sa.Text(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("number", name="uq_incident_number"),
    )
    op.create_index("ix_incident_kind", "incident", ["kind"])
    op.create_index("ix_incident_occurred_at", "incident", ["occurred_at"])
    op.create_index("ix_incident_rule_id", "incident", ["rule_id"])
    op.create_index("ix_incident_state", "incident", ["state"])
    op.create_table(
        "workplace",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("insurance_number", sa.String(), nullable=False),
        sa.Column("business_number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=True),
        sa.Column("industry", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("client_name", sa.String(), nullable=False),
        sa.Column("client_number", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workplace"),
    )
    op.create_table(
        "accident",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("occurred_time", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("worker_group", sa.String(), nullable=False),
        sa.Column("injured", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("lost_days", sa.Float(), nullable=False),
        sa.Column("long_treatment", sa.Integer(), nullable=False),
        sa.Column("longer_treatment", sa.Integer(), nullable=False),
        sa.Column("occupational_disease", sa.Boolean(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("unsafe_state", sa.Text(), nullable=False),
        sa.Column("unsafe_act", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("prevention", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=True),
        sa.Column("import_id", sa.String(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_by", sa.String(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by", sa.String(), nullable=True),
        sa.Column("representative", sa.String(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.String(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_accident_incident_id_incident"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_accident"),
    )
    op.create_index("ix_accident_import_id", "accident", ["import_id"])
    op.create_index("ix_accident_incident_id", "accident", ["incident_id"])
    op.create_index("ix_accident_occurred_on", "accident", ["occurred_on"])
    op.create_table(
        "corrective_action",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("control", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_by", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("photo", sa.String(), nullable=True),
        sa.Column("photo_sha256", sa.String(), nullable=True),
        sa.Column("photo_bytes", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_corrective_action_incident_id_incident"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_corrective_action"),
    )
    op.create_index("ix_corrective_action_due_on", "corrective_action", ["due_on"])
    op.create_index("ix_corrective_action_incident_id", "corrective_action", ["incident_id"])
    op.create_index("ix_corrective_action_state", "corrective_action", ["state"])
    op.create_table(
        "incident_cause",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("parent_id", sa.String(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_cause_incident_id_incident"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["incident_cause.id"], name="fk_incident_cause_parent_id_incident_cause"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_incident_cause"),
    )
    op.create_index("ix_incident_cause_incident_id", "incident_cause", ["incident_id"])
    op.create_table(
        "alert_merge",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("into_id", sa.String(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_merge_alert_id_alert"),
        sa.ForeignKeyConstraint(["into_id"], ["alert.id"], name="fk_alert_merge_into_id_alert"),
        sa.PrimaryKeyConstraint("alert_id", name="pk_alert_merge"),
    )
    op.create_index("ix_alert_merge_into_id", "alert_merge", ["into_id"])
    op.create_table(
        "alert_reason",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_reason_alert_id_alert"),
        sa.PrimaryKeyConstraint("alert_id", name="pk_alert_reason"),
    )
    op.create_table(
        "incident_alert",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("linked_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name="fk_incident_alert_alert_id_alert"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_alert_incident_id_incident"
        ),
        sa.PrimaryKeyConstraint("alert_id", name="pk_incident_alert"),
    )
    op.create_index("ix_incident_alert_incident_id", "incident_alert", ["incident_id"])
