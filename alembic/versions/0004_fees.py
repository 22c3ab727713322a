"""Shape and guards of fees: council rates, support, part months, explanations.

What was entered by mistake, or replaced from its first day on, is marked as withdrawn: rows are never deleted.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WITHDRAWABLE = ("fee_prices", "opt_ins", "reductions")
OLD_OPT_INS = "uq_opt_ins_school_id_enrolment_id_item_id_valid_from"
OPT_IN_KEY = ["school_id", "enrolment_id", "item_id", "valid_from"]


def upgrade() -> None:
    """Add part months, withdrawal, and what a bill's line needs to explain itself."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("fee_prices", sa.Column("part_month", sa.Text(), server_default="whole", nullable=False))
    op.create_check_constraint(
        op.f("ck_fee_prices_part_month_known"),
        "fee_prices",
        "part_month IN ('whole', 'half_from_16', 'none_from_16')",
    )
    for table in WITHDRAWABLE:
        op.add_column(table, sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
        op.execute(f"GRANT UPDATE (withdrawn_at) ON {table} TO hocphi_app")
    op.drop_constraint(OLD_OPT_INS, "opt_ins", type_="unique")
    op.create_index(
        "uq_opt_ins_live", "opt_ins", OPT_IN_KEY, unique=True, postgresql_where=sa.text("withdrawn_at IS NULL")
    )
    empty = sa.text("'{}'::jsonb")
    op.add_column("bill_lines", sa.Column("because", JSONB(), server_default=empty, nullable=False))
    op.add_column("bill_reductions", sa.Column("percent", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_bill_reductions_percent_in_range"), "bill_reductions", "percent BETWEEN 1 AND 100"
    )


def downgrade() -> None:
    """Take it away again. Withdrawn registrations would stand in the way of the old key, so they go with it."""
    op.drop_constraint(op.f("ck_bill_reductions_percent_in_range"), "bill_reductions", type_="check")
    op.drop_column("bill_reductions", "percent")
    op.drop_column("bill_lines", "because")
    op.execute("ALTER TABLE opt_ins NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM opt_ins WHERE withdrawn_at IS NOT NULL")
    op.execute("ALTER TABLE opt_ins FORCE ROW LEVEL SECURITY")
    op.drop_index("uq_opt_ins_live", table_name="opt_ins")
    op.create_unique_constraint(op.f(OLD_OPT_INS), "opt_ins", OPT_IN_KEY)
    for table in WITHDRAWABLE:
        op.drop_column(table, "withdrawn_at")
    op.drop_constraint(op.f("ck_fee_prices_part_month_known"), "fee_prices", type_="check")
    op.drop_column("fee_prices", "part_month")
