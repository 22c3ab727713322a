"""Registrations say who has written them: the office, the family or a contract. The evidence's words told it until now."""

import sqlalchemy as sa
from alembic import op

revision = "0032b"
down_revision = "0032"
branch_labels = None
depends_on = None

# How each was worded by the code that wrote it; contracts are numbered HD2526-00001.
WORDED = {"contract": "Hợp đồng HD%", "family": "Gia đình tự đăng ký bằng mã gửi tới %"}


def upgrade() -> None:
    """Add the column, and read the words for the last time."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("opt_ins", sa.Column("source", sa.String(), server_default="office", nullable=False))
    op.execute("ALTER TABLE opt_ins NO FORCE ROW LEVEL SECURITY")  # the owner changes rows of all schools
    for source, words in WORDED.items():
        statement = sa.text("UPDATE opt_ins SET source = :source WHERE evidence LIKE :words")
        op.execute(statement.bindparams(source=source, words=words))
    op.execute("ALTER TABLE opt_ins FORCE ROW LEVEL SECURITY")
    op.create_check_constraint(op.f("ck_opt_ins_source_known"), "opt_ins", "source IN ('office', 'family', 'contract')")


def downgrade() -> None:
    """Let the words tell it again."""
    op.drop_column("opt_ins", "source")
