"""What foreign money lacks is always accepted by two, within the limit: no name of a payer is a bank's word.

Firms that send money from abroad have names that people and domestic firms have too, and whoever opens an account for a
firm chooses its name. What one person accepted before stands.
"""

from alembic import op

revision = "0066"
down_revision = "0062b"
branch_labels = None
depends_on = None

MOST = """coalesce((
      SELECT l.most FROM public.shortfall_limits l
      JOIN public.shortfall_limit_decisions d ON d.limit_id = l.id AND d.approved
      WHERE l.school_id = NEW.school_id ORDER BY d.at DESC, l.id DESC LIMIT 1), 0)"""
BY_TWO = f"""
  IF NEW.approved AND asked.made_by = NEW.decided_by THEN
    RAISE EXCEPTION 'whoever asked for a relief does not approve it' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.approved AND asked.kind = 'shortfall' AND asked.amount > {MOST} THEN
    RAISE EXCEPTION 'a shortfall beyond the limit is not accepted' USING ERRCODE = 'check_violation';
  END IF;"""
# As 0060b left it.
OLD_MOST = """coalesce((
      SELECT l.most FROM shortfall_limits l JOIN shortfall_limit_decisions d ON d.limit_id = l.id AND d.approved
      WHERE l.school_id = NEW.school_id ORDER BY d.at DESC, l.id DESC LIMIT 1), 0)"""
BY_ONE_FROM_ABROAD = f"""
  IF NEW.approved AND asked.made_by = NEW.decided_by AND NOT (
    asked.kind = 'shortfall' AND EXISTS (
      SELECT 1 FROM public.transfers t WHERE t.school_id = NEW.school_id AND t.id = asked.transfer_id
      AND t.payer_kind = 'remittance' AND t.provider <> 'statement') AND asked.amount <= {OLD_MOST}) THEN
    RAISE EXCEPTION 'whoever asked for a relief does not approve it' USING ERRCODE = 'check_violation';
  END IF;"""
DECIDED = """
CREATE OR REPLACE FUNCTION relief_decided_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  asked record;
BEGIN
  SELECT r.made_by, r.kind, r.amount, r.transfer_id INTO STRICT asked
    FROM public.reliefs r WHERE r.school_id = NEW.school_id AND r.id = NEW.relief_id;{rule}
  IF NEW.approved AND asked.kind = 'write_off' AND NOT EXISTS (
    SELECT 1 FROM public.relief_papers p WHERE p.school_id = NEW.school_id AND p.relief_id = NEW.relief_id
  ) THEN
    RAISE EXCEPTION 'nothing is written off without a paper' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Ask for two persons, whatever the payer's name, and hold both to the limit."""
    op.execute(DECIDED.format(rule=BY_TWO))


def downgrade() -> None:
    """Let one person decide again where the provider names a firm that remits.

    The texts that 0060b looks for to go back further stand here as it left them.
    """
    op.execute(DECIDED.format(rule=BY_ONE_FROM_ABROAD))
