"""Transfers of equal sums are found by the bank's number, or among a statement's, without looking at all of a day."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both indexes."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("transfers", sa.Column("bank_number", sa.String(80), nullable=True))
    # What was told before: written once, so the guard stands aside for this one statement.
    op.execute("SELECT set_config('app.schools', '*', true)")
    op.execute("ALTER TABLE transfers DISABLE TRIGGER USER")
    op.execute(
        "UPDATE transfers SET bank_number = nullif(upper(regexp_replace(bank_reference, '[^A-Za-z0-9]', '', 'g')), '')"
    )
    op.execute("ALTER TABLE transfers ENABLE TRIGGER USER")
    op.create_index(
        "ix_transfers_number",
        "transfers",
        ["bank_account_id", "bank_number"],
        postgresql_where=sa.text("bank_number IS NOT NULL"),
    )
    op.create_index(
        "ix_transfers_of_statements",
        "transfers",
        ["bank_account_id", "amount", "value_date"],
        postgresql_where=sa.text("provider = 'statement'"),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_transfers_of_statements", "transfers")
    op.drop_index("ix_transfers_number", "transfers")
    op.drop_column("transfers", "bank_number")
