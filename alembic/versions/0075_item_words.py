"""Refuse items with a code that no address can hold, or booked where no charge belongs."""

from alembic import op

revision = "0075"
down_revision = "0067"
branch_labels = None
depends_on = None

# Besides what a school may choose: income that a contract defers (3387.), and its deposits (348).
FUNCTION = r"""
CREATE FUNCTION fee_item_is_sound() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    income text := '(51[1245]|531|711)[0-9]{0,2}(\.[A-Z0-9]{1,20})?';
    passed_on text := '33(7[0-9]|8[124568])[0-9]?(\.[A-Z0-9]{1,20})?';
BEGIN
    IF TG_OP = 'INSERT' AND NEW.code !~ '^[0-9A-ZĐ][0-9A-ZĐ._-]{0,39}$' THEN
        RAISE EXCEPTION 'the code of an item is plain letters and digits' USING ERRCODE = 'check_violation';
    END IF;
    IF (TG_OP = 'INSERT' OR NEW.revenue_account IS DISTINCT FROM OLD.revenue_account)
       AND NEW.revenue_account !~ ('^((3387\.)?' || income || '|' || passed_on || '|348)$') THEN
        RAISE EXCEPTION 'no charge is booked on this account' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


def upgrade() -> None:
    """Rows that are there stay as they are, and may change in everything else."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(FUNCTION)
    op.execute(
        "CREATE TRIGGER sound BEFORE INSERT OR UPDATE OF revenue_account ON fee_items"
        " FOR EACH ROW EXECUTE FUNCTION fee_item_is_sound()"
    )


def downgrade() -> None:
    """Let items be as they like again."""
    op.execute("DROP TRIGGER sound ON fee_items")
    op.execute("DROP FUNCTION fee_item_is_sound()")
