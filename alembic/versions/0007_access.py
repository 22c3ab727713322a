"""Shape and guards of access: one-time codes of guardians."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the room needs."""


def downgrade() -> None:
    """Take it away again."""
