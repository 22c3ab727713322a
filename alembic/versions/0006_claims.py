"""Shape and guards of claims: lists for the State and their payouts."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the room needs."""


def downgrade() -> None:
    """Take it away again."""
