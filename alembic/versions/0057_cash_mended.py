"""Cash, guarded closer: a book and a bank's paper once in all spellings, the newest count, who may receive the till.

``moved_last`` is empty for counts from before; they serve for no hand-over, the till is counted anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0059"
branch_labels = None
depends_on = None

FOLDED = "lower(replace({0}::text, ' '::text, ''::text))"

DEPOSIT_ONCE = f"""
CREATE FUNCTION cash_deposit_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM cash_counts c, cash_counts n
             WHERE c.school_id = NEW.school_id AND c.id = NEW.count_id
               AND n.school_id = NEW.school_id AND (n.at, n.id) > (c.at, c.id)) THEN
    RAISE EXCEPTION 'a deposit is of the newest count' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM cash_deposits d
             WHERE d.school_id = NEW.school_id AND d.bank_account_id = NEW.bank_account_id
               AND {FOLDED.format("d.slip")} = {FOLDED.format("NEW.slip")}
               AND NOT EXISTS (SELECT 1 FROM cash_deposit_ends e
                               WHERE e.school_id = d.school_id AND e.deposit_id = d.id)) THEN
    RAISE EXCEPTION 'this paper of the bank stands for another deposit' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

# A role in an authority holds in all schools below it.
ROLE_AT = r"""
CREATE FUNCTION cash_role_at(person uuid, at_school uuid, wanted text, moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
  WITH RECURSIVE above AS (
    SELECT s.authority_id AS id FROM schools s WHERE s.id = at_school
    UNION SELECT a.parent_id FROM authorities a JOIN above ON above.id = a.id
  )
  SELECT EXISTS (
    SELECT 1 FROM role_grants g
    WHERE g.user_id = person AND g.role = wanted
      AND (g.school_id = at_school OR g.authority_id IN (SELECT id FROM above WHERE id IS NOT NULL))
      AND (moment AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
          BETWEEN g.valid_from AND coalesce(g.valid_to, 'infinity'::date))
$$"""

ONE_OPEN_HANDOVER = """
CREATE OR REPLACE FUNCTION one_open_cash_handover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM cash_handovers h WHERE h.school_id = NEW.school_id
             AND NOT EXISTS (SELECT 1 FROM cash_handover_decisions d WHERE d.handover_id = h.id)) THEN
    RAISE EXCEPTION 'a hand-over waits for its receiver' USING ERRCODE = 'check_violation';
  END IF;
  IF {keeps_accounts} THEN
    RAISE EXCEPTION 'who keeps the accounts of a school does not keep its cash' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
KEEPS_ACCOUNTS = "cash_role_at(NEW.receiver, NEW.school_id, 'accountant', NEW.at)"
KEPT_ACCOUNTS = """EXISTS (SELECT 1 FROM role_grants g
             WHERE g.user_id = NEW.receiver AND g.role = 'accountant' AND g.school_id = NEW.school_id
               AND (NEW.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
                   BETWEEN g.valid_from AND coalesce(g.valid_to, 'infinity'::date))"""

ACCEPTED = """
CREATE OR REPLACE FUNCTION cash_accepted_by_the_receiver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM cash_handovers h
                 WHERE h.school_id = NEW.school_id AND h.id = NEW.handover_id
                   AND (h.receiver = NEW.decided_by OR (NOT NEW.accepted AND {others}))) THEN
    RAISE EXCEPTION 'the receiver accepts a hand-over' USING ERRCODE = 'check_violation';
  END IF;{more}
  RETURN NEW;
END $$"""
GIVER = "h.made_by = NEW.decided_by"
GIVER_OR_APPROVER = f"({GIVER} OR cash_role_at(NEW.decided_by, NEW.school_id, 'approver', NEW.at))"
NO_ACCOUNTANT = """
  IF NEW.accepted AND cash_role_at(NEW.decided_by, NEW.school_id, 'accountant', NEW.at) THEN
    RAISE EXCEPTION 'who keeps the accounts of a school does not keep its cash' USING ERRCODE = 'check_violation';
  END IF;"""


def upgrade() -> None:
    """Add the column and the guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("cash_counts", sa.Column("moved_last", sa.BigInteger(), nullable=True))
    op.create_index("uq_paper_books_folded", "paper_books", ["school_id", sa.text(FOLDED.format("code"))], unique=True)
    op.execute(ROLE_AT)
    op.execute(DEPOSIT_ONCE)
    op.execute(
        "CREATE TRIGGER cash_deposit_once BEFORE INSERT ON cash_deposits FOR EACH ROW "
        "EXECUTE FUNCTION cash_deposit_once()"
    )
    op.execute(ONE_OPEN_HANDOVER.format(keeps_accounts=KEEPS_ACCOUNTS))
    op.execute(ACCEPTED.format(others=GIVER_OR_APPROVER, more=NO_ACCOUNTANT))


def downgrade() -> None:
    """Take them away again."""
    op.execute(ACCEPTED.format(others=GIVER, more=""))
    op.execute(ONE_OPEN_HANDOVER.format(keeps_accounts=KEPT_ACCOUNTS))
    op.execute("DROP TRIGGER cash_deposit_once ON cash_deposits")
    op.execute("DROP FUNCTION cash_deposit_once()")
    op.execute("DROP FUNCTION cash_role_at(uuid, uuid, text, timestamptz)")
    op.drop_index("uq_paper_books_folded", "paper_books")
    op.drop_column("cash_counts", "moved_last")
