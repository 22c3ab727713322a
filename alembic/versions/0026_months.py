"""Two regular rounds of a school that are approved or issued do not bill the same month.

Compared when a round becomes approved, one round of a school at a time, so that two who approve at once meet here.
"""

from alembic import op

revision = "0026b"
down_revision = "0023"
branch_labels = None
depends_on = None

APART = """
CREATE FUNCTION regular_rounds_are_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('regular rounds ' || NEW.school_id, 0));
    IF EXISTS (SELECT 1 FROM billing_rounds r
               WHERE r.school_id = NEW.school_id AND r.id <> NEW.id AND r.kind = 'regular'
                 AND r.state IN ('approved', 'issued', 'locked')
                 AND date_trunc('month', r.period_from) <= NEW.period_to
                 AND r.period_to >= date_trunc('month', NEW.period_from)) THEN
        RAISE EXCEPTION 'another regular round bills one of these months'
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'regular_rounds_are_apart', TABLE = 'billing_rounds';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Compare the months of a round when it becomes approved."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(APART)
    op.execute(
        "CREATE TRIGGER regular_rounds_are_apart BEFORE UPDATE OF state ON billing_rounds FOR EACH ROW "
        "WHEN (NEW.kind = 'regular' AND NEW.state = 'approved' AND OLD.state <> 'approved') "
        "EXECUTE FUNCTION regular_rounds_are_apart()"
    )


def downgrade() -> None:
    """Let rounds bill a month twice again."""
    op.execute("DROP TRIGGER regular_rounds_are_apart ON billing_rounds")
    op.execute("DROP FUNCTION regular_rounds_are_apart()")
