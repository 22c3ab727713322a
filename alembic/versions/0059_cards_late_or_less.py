"""Let two people tie a payout to money that is less than Stripe paid out: banks kept some of it on the way."""

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

ENDED = "EXISTS (SELECT 1 FROM card_payout_ends z WHERE z.school_id = c.school_id AND z.tie_id = c.id)"
SAME, SAME_WORDS = "t.amount = f.amount", "a payout is tied to waiting money in of the same sum on its account"
LESS = """(t.amount = f.amount OR (t.amount < f.amount AND EXISTS (
        SELECT 1 FROM card_acts a JOIN card_act_decisions d ON d.school_id = a.school_id AND d.act_id = a.id
        WHERE a.school_id = NEW.school_id AND a.kind = 'tie' AND a.subject = NEW.payout_id
          AND a.transfer_id = NEW.transfer_id AND d.approved)))"""
LESS_WORDS = (
    "a payout is tied to waiting money in of the same sum on its account, or of less where another person agreed to it"
)


def upgrade() -> None:
    """Take less than the payout where an approved act names both."""
    op.execute(_fits(LESS, LESS_WORDS))


def _fits(money: str, words: str) -> str:
    return f"""
CREATE OR REPLACE FUNCTION card_payout_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('card payouts ' || NEW.school_id, 0));
  IF NOT EXISTS (
    SELECT 1 FROM card_facts f JOIN transfers t ON t.school_id = f.school_id AND t.bank_account_id = f.bank_account_id
    WHERE f.school_id = NEW.school_id AND f.kind = 'payout' AND f.stripe_id = NEW.payout_id
      AND t.id = NEW.transfer_id AND t.direction = 'in' AND t.state = 'waiting' AND {money}
  ) THEN
    RAISE EXCEPTION '{words}' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (
    SELECT 1 FROM card_payout_ties c WHERE c.school_id = NEW.school_id
      AND (c.payout_id = NEW.payout_id OR c.transfer_id = NEW.transfer_id) AND NOT {ENDED}
  ) THEN
    RAISE EXCEPTION 'a payout and a transfer are tied once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def downgrade() -> None:
    """Ties of the same sum only again."""
    op.execute(_fits(SAME, SAME_WORDS))
