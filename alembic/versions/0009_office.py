"""What the office writes down about troubles that are done."""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the room needs."""


def downgrade() -> None:
    """Take it away again."""
