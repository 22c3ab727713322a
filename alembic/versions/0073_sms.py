"""SMS: whether a school pays for it and for how many a month, and each text that was handed to the provider."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0076"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
MAY_CHANGE = "state, provider_id, provider_code, doubt_since, next_look_at, looks, cost"


def upgrade() -> None:
    """Add both tables and their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _rules()
    _texts()
    for table in ("sms_rules", "sms_texts"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(f"GRANT UPDATE ({MAY_CHANGE}) ON sms_texts TO hocphi_app")
    for name, when in (
        ("written_once BEFORE UPDATE OR DELETE", "ROW"),
        ("never_emptied BEFORE TRUNCATE", "STATEMENT"),
    ):
        op.execute(f"CREATE TRIGGER {name} ON sms_rules FOR EACH {when} EXECUTE FUNCTION refuse_change()")


def _rules() -> None:
    op.create_table(
        "sms_rules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("monthly", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("monthly BETWEEN 0 AND 100000", name=op.f("ck_sms_rules_monthly_in_range")),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=op.f("fk_sms_rules_made_by")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_sms_rules_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_rules")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_sms_rules_school_id_id")),
    )


def _texts() -> None:
    op.create_table(
        "sms_texts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("code_id", sa.Uuid(), nullable=True),
        sa.Column("phone_blind", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider_id", sa.String(length=120), nullable=False),
        sa.Column("provider_code", sa.String(length=40), nullable=False),
        sa.Column("doubt_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('taken', 'accepted', 'delivered', 'undelivered', 'refused', 'unknown')",
            name=op.f("ck_sms_texts_state_known"),
        ),
        sa.CheckConstraint("num_nonnulls(message_id, code_id) = 1", name=op.f("ck_sms_texts_of_one")),
        sa.CheckConstraint("looks >= 0 AND cost >= 0", name=op.f("ck_sms_texts_counted")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_sms_texts_school_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "message_id"],
            ["messages.school_id", "messages.id"],
            name=op.f("fk_sms_texts_school_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "code_id"],
            ["guardian_codes.school_id", "guardian_codes.id"],
            name=op.f("fk_sms_texts_school_id_code_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_texts")),
        sa.UniqueConstraint("school_id", "message_id", name=op.f("uq_sms_texts_school_id_message_id")),
        sa.UniqueConstraint("school_id", "code_id", name=op.f("uq_sms_texts_school_id_code_id")),
    )
    op.create_index("ix_sms_texts_month", "sms_texts", ["school_id", "at"])
    op.create_index(
        "ix_sms_texts_to_look", "sms_texts", ["next_look_at"], postgresql_where=sa.text("next_look_at IS NOT NULL")
    )


def downgrade() -> None:
    """Take them away again; nobody is told by SMS then."""
    op.drop_table("sms_texts")
    op.drop_table("sms_rules")
