"""Keep which other currencies Stripe says an account holds, and let one API key be open at one feed only."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0066"
branch_labels = None
depends_on = None

OPEN_KEY = "uq_feeds_open_key"


def upgrade() -> None:
    """Nothing is known of older balances; the digests of older keys are written when a key is next given."""
    op.add_column("card_balances", sa.Column("others", sa.String(), nullable=False, server_default=""))
    op.alter_column("card_balances", "others", server_default=None)
    op.add_column("feeds", sa.Column("key_digest", sa.LargeBinary(), nullable=True))
    op.create_index(
        OPEN_KEY,
        "feeds",
        ["key_digest"],
        unique=True,
        postgresql_where=sa.text("key_digest IS NOT NULL AND closed_at IS NULL"),
    )
    op.execute("GRANT UPDATE (key_digest) ON feeds TO hocphi_app")


def downgrade() -> None:
    """Take both away again."""
    op.execute("REVOKE UPDATE (key_digest) ON feeds FROM hocphi_app")
    op.drop_index(OPEN_KEY, "feeds")
    op.drop_column("feeds", "key_digest")
    op.drop_column("card_balances", "others")
