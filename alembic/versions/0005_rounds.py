"""Shape and guards of rounds: instalments, credit notes, supplementary rounds, lock."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the room needs."""


def downgrade() -> None:
    """Take it away again."""
