"""What programs need to sign in."""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the room needs."""


def downgrade() -> None:
    """Take it away again."""
