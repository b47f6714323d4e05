"""Who is told: contacts, duty, conversations, the policy, and summaries in the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_READ_BY = ("camera_id", "zone_id", "rule_kind")


def upgrade() -> None:
    _columns()
    _fill()
    _indexes()
    op.create_table(
        "contact",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("shifts", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
    )
    op.create_table(
        "duty_change",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("on_duty", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name="fk_duty_change_contact_id_contact"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_duty_change"),
    )
    op.create_index("ix_duty_change_contact_id", "duty_change", ["contact_id"])
    op.create_index("ix_duty_change_last_day", "duty_change", ["last_day"])
    _conversations()


def _columns() -> None:
    # Added in place: a copied table would leave its deliveries without alerts.
    for name in ("zone_id", "rule_id", "rule_kind", "subject", "lead_id"):
        op.add_column("alert", sa.Column(name, sa.String(), nullable=True))
    op.add_column(
        "alert", sa.Column("leads", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column("delivery", sa.Column("summary_id", sa.String(), nullable=True))
    with op.batch_alter_table("site") as site:
        site.add_column(sa.Column("policy", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("site") as site:
        site.alter_column("policy", existing_type=sa.JSON(), server_default=None)


def _fill() -> None:
    for name in ("zone_id", "rule_id", "rule_kind", "subject"):
        op.execute(
            f"UPDATE alert SET {name} = (SELECT violation.{name} FROM violation "  # noqa: S608
            "WHERE violation.id = alert.violation_id) WHERE violation_id IS NOT NULL"
        )
    op.execute("UPDATE alert SET rule_kind = kind WHERE rule_kind IS NULL")


def _indexes() -> None:
    for name in ("camera_id", "raised_at", "state"):
        op.drop_index(f"ix_alert_{name}", "alert")
    op.create_index("ix_alert_lead_id", "alert", ["lead_id"])
    op.create_index("ix_alert_leads_raised_at_id", "alert", ["leads", "raised_at", "id"])
    op.create_index(
        "ix_alert_state_leads_raised_at_id", "alert", ["state", "leads", "raised_at", "id"]
    )
    for name in _READ_BY:
        op.create_index(
            f"ix_alert_{name}_inbox", "alert", [name, "state", "leads", "raised_at", "id"]
        )
    op.create_index(
        "ix_alert_rule_id_subject_raised_at", "alert", ["rule_id", "subject", "raised_at"]
    )
    op.create_index("ix_delivery_summary_id", "delivery", ["summary_id"])


def _conversations() -> None:
    op.create_table(
        "conversation",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over_told", sa.Boolean(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("untold", sa.JSON(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updates", sa.Integer(), nullable=False),
        sa.Column("clears", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_conversation_alert_id_alert"),
        sa.PrimaryKeyConstraint("alert_id", name="pk_conversation"),
    )
    op.create_index("ix_conversation_key_started_at", "conversation", ["key", "started_at"])
    op.create_index("ix_conversation_next_at", "conversation", ["next_at"])
    op.create_index("ix_conversation_end_reason", "conversation", ["end_reason"])
