"""What foreign money lacks: one person decides only where the bank itself names a payer from abroad, else two do.

A memo is typed by the payer and a statement is uploaded by the school, so neither says where money comes from. What is
asked for waits as a relief without a decision; one that was refused stands for nothing. The database also holds a
shortfall to what came by the transfer, and each paper of the bank to one transfer of a school.
"""

from alembic import op

revision = "0060b"
down_revision = "0060"
branch_labels = None
depends_on = None

REFUSED = "EXISTS (SELECT 1 FROM public.relief_decisions d WHERE d.relief_id = r.id AND NOT d.approved)"
ENDED = "EXISTS (SELECT 1 FROM public.relief_ends e WHERE e.relief_id = r.id)"
PLAIN = "regexp_replace(upper({}), '[^A-Z0-9]', '', 'g')"
# Tables are named with their schema: whoever writes could put a temporary one of the same name before them.
FITS = f"""
CREATE OR REPLACE FUNCTION shortfall_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  came bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('shortfall limit ' || NEW.school_id, 0));
  PERFORM 1 FROM public.transfers t WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id FOR UPDATE;
  SELECT sum(a.amount) INTO came FROM public.payments p
    JOIN public.allocations a ON a.school_id = p.school_id AND a.payment_id = p.id AND a.bill_id = NEW.bill_id
    WHERE p.school_id = NEW.school_id AND p.source_kind = 'transfer' AND p.source_id = NEW.transfer_id
      AND p.pupil_id = NEW.pupil_id
      AND NOT EXISTS (SELECT 1 FROM public.payment_reversals v WHERE v.payment_id = p.id);
  IF came IS NULL THEN
    RAISE EXCEPTION 'a shortfall is of money that paid this bill' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.amount > came THEN
    RAISE EXCEPTION 'banks take off no more than comes' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM public.reliefs r WHERE r.school_id = NEW.school_id AND r.transfer_id = NEW.transfer_id
             AND r.id <> NEW.id AND NOT {ENDED} AND NOT {REFUSED}) THEN
    RAISE EXCEPTION 'this money is accepted short already' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM public.reliefs r WHERE r.school_id = NEW.school_id AND r.kind = 'shortfall'
             AND r.transfer_id <> NEW.transfer_id AND NOT {ENDED} AND NOT {REFUSED}
             AND {PLAIN.format("r.decision_number")} = {PLAIN.format("NEW.decision_number")}) THEN
    RAISE EXCEPTION 'a paper of the bank stands for one transfer' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
STANDS = f"""
CREATE OR REPLACE FUNCTION shortfall_goes_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM public.payments p
      JOIN public.reliefs r ON r.school_id = p.school_id AND r.transfer_id = p.source_id AND r.pupil_id = p.pupil_id
      WHERE p.school_id = NEW.school_id AND p.id = NEW.payment_id AND p.source_kind = 'transfer'
        AND NOT {ENDED} AND NOT {REFUSED}) THEN
    RAISE EXCEPTION 'what this money lacked is accepted: take that back first' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
READ, READ_TRANSFER = (
    "r.made_by, r.kind, r.amount INTO STRICT",
    "r.made_by, r.kind, r.amount, r.transfer_id INTO STRICT",
)
ALONE = "asked.kind = 'shortfall' AND asked.amount <="
ALONE_ABROAD = """asked.kind = 'shortfall' AND EXISTS (
      SELECT 1 FROM public.transfers t WHERE t.school_id = NEW.school_id AND t.id = asked.transfer_id
      AND t.payer_kind = 'remittance' AND t.provider <> 'statement') AND asked.amount <="""

# As 0054c left them.
OLD_FITS = """
CREATE OR REPLACE FUNCTION shortfall_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM transfers t WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id FOR UPDATE;
  IF NOT EXISTS (SELECT 1 FROM payments p
      JOIN allocations a ON a.school_id = p.school_id AND a.payment_id = p.id AND a.bill_id = NEW.bill_id
      WHERE p.school_id = NEW.school_id AND p.source_kind = 'transfer' AND p.source_id = NEW.transfer_id
        AND p.pupil_id = NEW.pupil_id
        AND NOT EXISTS (SELECT 1 FROM payment_reversals v WHERE v.payment_id = p.id)) THEN
    RAISE EXCEPTION 'a shortfall is of money that paid this bill' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM reliefs r WHERE r.school_id = NEW.school_id AND r.transfer_id = NEW.transfer_id
             AND r.id <> NEW.id AND NOT EXISTS (SELECT 1 FROM relief_ends e WHERE e.relief_id = r.id)) THEN
    RAISE EXCEPTION 'this money is accepted short already' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
OLD_STANDS = """
CREATE OR REPLACE FUNCTION shortfall_goes_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM payments p
      JOIN reliefs r ON r.school_id = p.school_id AND r.transfer_id = p.source_id AND r.pupil_id = p.pupil_id
      WHERE p.school_id = NEW.school_id AND p.id = NEW.payment_id AND p.source_kind = 'transfer'
        AND NOT EXISTS (SELECT 1 FROM relief_ends e WHERE e.relief_id = r.id)) THEN
    RAISE EXCEPTION 'what this money lacked is accepted: take that back first' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Ask for two where the bank says nothing of abroad, and hold papers and sums."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(FITS)
    op.execute(STANDS)
    op.execute(_becomes("relief_decided_by_another", (READ, READ_TRANSFER), (ALONE, ALONE_ABROAD)))


def downgrade() -> None:
    """Let one person decide again wherever money came from."""
    op.execute(_becomes("relief_decided_by_another", (ALONE_ABROAD, ALONE), (READ_TRANSFER, READ)))
    op.execute(OLD_STANDS)
    op.execute(OLD_FITS)


def _becomes(function: str, *changes: tuple[str, str]) -> str:
    """Return SQL that changes words of a function, and fails where they do not stand there."""
    looks = "\n".join(
        f"IF strpos(made, {_quoted(old)}) = 0 THEN RAISE EXCEPTION '{function} is not as expected'; END IF;\n"
        f"made := replace(made, {_quoted(old)}, {_quoted(new)});"
        for old, new in changes
    )
    return f"""DO $do$ DECLARE made text := pg_get_functiondef('{function}'::regproc); BEGIN
      {looks}
      EXECUTE made;
    END $do$"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
