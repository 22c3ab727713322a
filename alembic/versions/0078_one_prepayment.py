"""Refuse a second reduction for paying ahead that one person enters over another of the same pupil and item."""

from alembic import op

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None

# What goes on into another enrolment is approved already and comes as it was; of two that stand, a bill counts the best.
FUNCTION = """
CREATE FUNCTION one_prepayment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM reductions r
        JOIN fee_items i ON i.school_id = r.school_id
          AND (i.code = ANY (r.item_codes) OR i.item_group = ANY (r.item_groups))
          AND (i.code = ANY (NEW.item_codes) OR i.item_group = ANY (NEW.item_groups))
        WHERE r.school_id = NEW.school_id AND r.enrolment_id = NEW.enrolment_id AND r.withdrawn_at IS NULL
          AND r.reason_class IN ('CANAM', 'NUANAM', 'QUY')
          AND daterange(r.valid_from, r.valid_to, '[]') && daterange(NEW.valid_from, NEW.valid_to, '[]')
    ) THEN
        RAISE EXCEPTION 'a pupil has one way of paying ahead for an item' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


def upgrade() -> None:
    """Rows that are there stay: a bill counts only the best of them."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(FUNCTION)
    op.execute(
        "CREATE TRIGGER one_prepayment BEFORE INSERT ON reductions FOR EACH ROW"
        " WHEN (NEW.reason_class IN ('CANAM', 'NUANAM', 'QUY') AND NEW.enrolment_id IS NOT NULL"
        " AND NEW.approved_by IS NULL) EXECUTE FUNCTION one_prepayment()"
    )


def downgrade() -> None:
    """Let them stand side by side again."""
    op.execute("DROP TRIGGER one_prepayment ON reductions")
    op.execute("DROP FUNCTION one_prepayment()")
