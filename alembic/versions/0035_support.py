"""Refunds to pay stand alone on 3388H: where support opened the account first, it has that name and kind no more."""

from alembic import op

revision = "0035b"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Name the account for what it holds; what of it is support moves to 3388N by an entry, with the next act."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE ledger_accounts NO FORCE ROW LEVEL SECURITY")  # the owner changes rows of all schools
    op.execute(
        "UPDATE ledger_accounts SET name = 'Tiền tồn phải hoàn cho gia đình', kind = 'clearing' WHERE code = '3388H'"
    )
    op.execute("ALTER TABLE ledger_accounts FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Nothing to take away: names and kinds of before are not known."""
