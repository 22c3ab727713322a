"""Prepaid months are closed by a job: a row for each school and month says that it was."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0039"
branch_labels = None
depends_on = None

TABLE = "income_closings"
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"


def upgrade() -> None:
    """Add the table and its guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        TABLE,
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_income_closings_month_by_its_first_day")),
        sa.CheckConstraint("lines >= 0", name=op.f("ck_income_closings_lines_counted")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_income_closings_school_id")),
        sa.PrimaryKeyConstraint("school_id", "month", name=op.f("pk_income_closings")),
    )
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO hocphi_app")
    op.execute(f"GRANT SELECT ON {TABLE} TO hocphi_report")
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {TABLE} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    )


def downgrade() -> None:
    """Take it away again; a job would close the months anew and find nothing to release."""
    op.drop_table(TABLE)
