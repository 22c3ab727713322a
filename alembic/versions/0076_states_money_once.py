"""Hand a family no more than all lists of the year ask for it, and take one paper of the State's money once."""

from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None

# What all approved lists of a year ask for a pupil, corrections too, less what was signed for.
OWED = """
    SELECT coalesce(sum(l.amount - l.previous), 0) INTO due FROM state_claim_lines l
      WHERE l.school_id = NEW.school_id AND l.claim_id = NEW.claim_id AND l.pupil_id = NEW.pupil_id
        AND l.kind = 'learning_cost';
    SELECT coalesce(sum(x.amount), 0) INTO rest FROM state_claims c
      JOIN LATERAL (
        SELECT l.amount - l.previous AS amount FROM state_claim_lines l
          WHERE l.school_id = c.school_id AND l.claim_id = c.id AND l.pupil_id = NEW.pupil_id
        UNION ALL
        SELECT CASE WHEN p.reverses_id IS NULL THEN -p.amount ELSE p.amount END FROM payouts p
          WHERE p.school_id = c.school_id AND p.claim_id = c.id AND p.pupil_id = NEW.pupil_id) x ON true
      WHERE c.school_id = NEW.school_id AND c.kind = 'learning_cost' AND c.state IN ('approved', 'sent')
        AND c.school_year = (SELECT m.school_year FROM state_claims m
                             WHERE m.school_id = NEW.school_id AND m.id = NEW.claim_id);
    due := least(due, rest);
"""
OF_ONE_LIST = """
    SELECT coalesce(sum(l.amount - l.previous), 0) INTO due FROM state_claim_lines l
      WHERE l.school_id = NEW.school_id AND l.claim_id = NEW.claim_id AND l.pupil_id = NEW.pupil_id
        AND l.kind = 'learning_cost';
"""
PAYOUT_IS_DUE = """
CREATE OR REPLACE FUNCTION payout_is_due() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    due bigint;
    rest bigint;
    paid bigint;
    undone record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('payout ' || {lock}, 0));
    IF NEW.reverses_id IS NOT NULL THEN
        SELECT p.claim_id, p.pupil_id, p.amount, p.reverses_id INTO STRICT undone FROM payouts p
          WHERE p.school_id = NEW.school_id AND p.id = NEW.reverses_id;
        IF undone.reverses_id IS NOT NULL
           OR (undone.claim_id, undone.pupil_id, undone.amount) <> (NEW.claim_id, NEW.pupil_id, NEW.amount) THEN
            RAISE EXCEPTION 'a payout is undone as it was made' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
{owed}
    SELECT count(*) INTO paid FROM payouts p
      WHERE p.school_id = NEW.school_id AND p.claim_id = NEW.claim_id AND p.pupil_id = NEW.pupil_id
        AND p.reverses_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM payouts r WHERE r.school_id = p.school_id AND r.reverses_id = p.id);
    IF paid > 0 OR due <> NEW.amount THEN
        RAISE EXCEPTION 'a line of the list is paid once, and in full' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
PAYMENT_IS_NEW = """
CREATE FUNCTION state_payment_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('state payment ' || NEW.claim_id, 0));
    IF NEW.reverses_id IS NULL AND EXISTS (
        SELECT 1 FROM state_payments p
        WHERE p.school_id = NEW.school_id AND p.claim_id = NEW.claim_id AND p.reverses_id IS NULL
          AND (p.amount, p.paid_on, lower(p.document)) = (NEW.amount, NEW.paid_on, lower(NEW.document))
          AND NOT EXISTS (SELECT 1 FROM state_payments r WHERE r.school_id = p.school_id AND r.reverses_id = p.id)
    ) THEN
        RAISE EXCEPTION 'this paper was written down before' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


def upgrade() -> None:
    """Rows that are there stay; what was paid too much is shown to be taken back."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(PAYOUT_IS_DUE.format(lock="NEW.pupil_id", owed=OWED))
    op.execute(PAYMENT_IS_NEW)
    op.execute(
        "CREATE TRIGGER one_paper_once BEFORE INSERT ON state_payments"
        " FOR EACH ROW EXECUTE FUNCTION state_payment_is_new()"
    )


def downgrade() -> None:
    """Look at one list alone again."""
    op.execute("DROP TRIGGER one_paper_once ON state_payments")
    op.execute("DROP FUNCTION state_payment_is_new()")
    op.execute(PAYOUT_IS_DUE.format(lock="NEW.claim_id || NEW.pupil_id", owed=OF_ONE_LIST))
