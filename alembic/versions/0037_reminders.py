"""Reminders of open bills: on which days a school reminds, and that it was looked at a day, once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

TABLES = ["reminder_rules", "reminder_days"]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"


def upgrade() -> None:
    """Add both tables and their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "reminder_rules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("days", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "jsonb_typeof(days) = 'array' AND jsonb_array_length(days) <= 5", name=op.f("ck_reminder_rules_few_days")
        ),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=op.f("fk_reminder_rules_made_by")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_reminder_rules_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_rules")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_reminder_rules_school_id_id")),
    )
    op.create_table(
        "reminder_days",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("muted", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reminded >= 0 AND muted >= 0", name=op.f("ck_reminder_days_counted")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_reminder_days_school_id")),
        sa.PrimaryKeyConstraint("school_id", "day", name=op.f("pk_reminder_days")),
    )
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
        for name, when in (
            ("written_once BEFORE UPDATE OR DELETE", "ROW"),
            ("never_emptied BEFORE TRUNCATE", "STATEMENT"),
        ):
            op.execute(f"CREATE TRIGGER {name} ON {table} FOR EACH {when} EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    """Take them away again; nobody is reminded then."""
    for table in reversed(TABLES):
        op.drop_table(table)
