"""Cash comes back from bank or Treasury to the till, which never pays out more than it holds; a tie is by sign or by two.

A withdrawal waits on 113, from the other side, until the bank's transfer out is tied to it; the Treasury's has a paper
alone. Money out gets the kind *cash*. What is no suggestion is tied to a deposit after two people agreed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0062b"
down_revision = "0061"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = ["cash_withdrawals", "cash_withdrawal_ends", "cash_tie_asks", "cash_tie_decisions"]
LIVE = "NOT EXISTS (SELECT 1 FROM money_out_ends e WHERE e.school_id = o.school_id AND e.purpose_id = o.id)"
NOT_ENDED = (
    "NOT EXISTS (SELECT 1 FROM cash_withdrawal_ends e WHERE e.school_id = w.school_id AND e.withdrawal_id = w.id)"
)
FOLDED = "lower(replace({0}::text, ' '::text, ''::text))"

# What the book says, less what a count that waits for its second person found missing.
IN_TILL = """
CREATE FUNCTION cash_in_till(at_school uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END)
                   FROM ledger_accounts l JOIN postings x ON x.school_id = l.school_id
                     AND l.id IN (x.debit_account_id, x.credit_account_id)
                   WHERE l.school_id = at_school AND l.code = '111'), 0)::bigint
       - coalesce((SELECT max(c.book - c.counted) FROM cash_counts c
                   WHERE c.school_id = at_school AND c.counted < c.book
                     AND NOT EXISTS (SELECT 1 FROM cash_count_decisions d
                                     WHERE d.school_id = c.school_id AND d.count_id = c.id)), 0)::bigint
$$"""
NOT_SHORT = """
CREATE FUNCTION till_is_not_short() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  IF cash_in_till(NEW.school_id) < 0 THEN
    RAISE EXCEPTION 'the till holds less than is paid out of it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$"""
PAID_BACK = """
CREATE FUNCTION till_pays_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM payments p WHERE p.school_id = NEW.school_id AND p.id = NEW.payment_id
             AND p.source_kind = 'cash') THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
    IF cash_in_till(NEW.school_id) < 0 THEN
      RAISE EXCEPTION 'the till holds less than is paid out of it' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NULL;
END $$"""
EMPTIES = (
    ("refund_steps", "till_is_not_short", "WHEN (NEW.kind = 'paid') "),
    ("payouts", "till_is_not_short", "WHEN (NEW.way = 'cash' AND NEW.reverses_id IS NULL) "),
    ("state_payments", "till_is_not_short", "WHEN (NEW.way = 'cash' AND NEW.reverses_id IS NOT NULL) "),
    ("cash_deposits", "till_is_not_short", ""),
    ("cash_withdrawal_ends", "till_is_not_short", ""),
    ("cash_count_decisions", "till_is_not_short", "WHEN (NEW.agreed) "),
    ("payment_reversals", "till_pays_back", ""),
)

# One paper of the bank on one account, as of deposits.
WITHDRAWN_ONCE = f"""
CREATE FUNCTION cash_withdrawn_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM cash_withdrawals w
             WHERE w.school_id = NEW.school_id AND w.bank_account_id IS NOT DISTINCT FROM NEW.bank_account_id
               AND {FOLDED.format("w.slip")} = {FOLDED.format("NEW.slip")} AND {NOT_ENDED}) THEN
    RAISE EXCEPTION 'this paper of the bank stands for another withdrawal' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
ENDS_BY_TWO = f"""
CREATE FUNCTION cash_withdrawal_ends_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('money out ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM cash_withdrawals w
             WHERE w.school_id = NEW.school_id AND w.id = NEW.withdrawal_id AND w.made_by = NEW.made_by) THEN
    RAISE EXCEPTION 'a withdrawal is taken back by another person' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM money_out o
             WHERE o.school_id = NEW.school_id AND o.cash_withdrawal_id = NEW.withdrawal_id AND {LIVE}) THEN
    RAISE EXCEPTION 'the bank has paid this withdrawal out' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
TIED_TO_THE_TILL = f"""
CREATE FUNCTION money_out_is_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  drawn record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('money out ' || NEW.school_id, 0));
  SELECT w.amount, w.bank_account_id, w.made_by, {NOT_ENDED} AS stands INTO drawn FROM cash_withdrawals w
    WHERE w.school_id = NEW.school_id AND w.id = NEW.cash_withdrawal_id;
  IF drawn.stands IS NOT TRUE OR drawn.amount <> NEW.amount OR drawn.bank_account_id IS DISTINCT FROM (
      SELECT t.bank_account_id FROM transfers t WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id) THEN
    RAISE EXCEPTION 'money out is tied to what was withdrawn from its account, in full'
      USING ERRCODE = 'check_violation';
  END IF;
  IF drawn.made_by = NEW.made_by THEN
    RAISE EXCEPTION 'a withdrawal is tied by another person' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM money_out o
             WHERE o.school_id = NEW.school_id AND o.cash_withdrawal_id = NEW.cash_withdrawal_id AND {LIVE}) THEN
    RAISE EXCEPTION 'this is tied to money out already' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

ASK_FITS = """
CREATE FUNCTION cash_tie_ask_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM cash_tie_asks a
             WHERE a.school_id = NEW.school_id AND (a.deposit_id = NEW.deposit_id OR a.transfer_id = NEW.transfer_id)
               AND NOT EXISTS (SELECT 1 FROM cash_tie_decisions d
                               WHERE d.school_id = a.school_id AND d.ask_id = a.id)) THEN
    RAISE EXCEPTION 'a tie of this deposit or transfer waits already' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
DECIDED_BY_ANOTHER = """
CREATE FUNCTION cash_tie_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM cash_tie_asks a JOIN cash_deposits d ON d.school_id = a.school_id AND d.id = a.deposit_id
             WHERE a.school_id = NEW.school_id AND a.id = NEW.ask_id AND NEW.decided_by IN (a.made_by, d.made_by)) THEN
    RAISE EXCEPTION 'a tie is agreed to by another person' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

LIVE_TIE = "NOT EXISTS (SELECT 1 FROM cash_tie_ends e WHERE e.school_id = t.school_id AND e.tie_id = t.id)"
DEPOSIT_STANDS = (
    "NOT EXISTS (SELECT 1 FROM cash_deposit_ends e WHERE e.school_id = d.school_id AND e.deposit_id = d.id)"
)
# The days that the suggestions know; a longer way, or money that names a family, takes two.
BY_SIGN = """
  IF EXISTS (SELECT 1 FROM cash_deposits d WHERE d.school_id = NEW.school_id AND d.id = NEW.deposit_id
             AND d.made_by = NEW.made_by) THEN
    RAISE EXCEPTION 'a deposit is tied by another person' USING ERRCODE = 'check_violation';
  END IF;
  IF (came.virtual_account IS NOT NULL
      OR came.value_date NOT BETWEEN sent.day - 1 AND sent.day + 7
      OR EXISTS (SELECT 1 FROM transfer_references r
                 WHERE r.school_id = NEW.school_id AND r.transfer_id = NEW.transfer_id))
     AND NOT EXISTS (SELECT 1 FROM cash_tie_asks a JOIN cash_tie_decisions d
                       ON d.school_id = a.school_id AND d.ask_id = a.id AND d.agreed
                     WHERE a.school_id = NEW.school_id AND a.deposit_id = NEW.deposit_id
                       AND a.transfer_id = NEW.transfer_id) THEN
    RAISE EXCEPTION 'what is no suggestion is tied after two people agreed' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM queue_acts a WHERE a.school_id = NEW.school_id AND a.transfer_id = NEW.transfer_id
             AND NOT EXISTS (SELECT 1 FROM queue_decisions d WHERE d.school_id = a.school_id AND d.act_id = a.id))
     OR EXISTS (SELECT 1 FROM refund_lines r
                LEFT JOIN refund_decisions d ON d.school_id = r.school_id AND d.refund_id = r.refund_id
                WHERE r.school_id = NEW.school_id AND r.transfer_id = NEW.transfer_id AND d.approved IS NOT FALSE
                  AND NOT EXISTS (SELECT 1 FROM refund_steps s WHERE s.school_id = r.school_id AND s.line_id = r.id
                                  AND s.kind = 'taken_back')) THEN
    RAISE EXCEPTION 'others decide about this transfer' USING ERRCODE = 'check_violation';
  END IF;"""
TIE_FITS = """
CREATE OR REPLACE FUNCTION cash_tie_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  sent record;
  came record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  SELECT d.amount, d.bank_account_id, (d.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day, {stands} AS stands
    INTO sent FROM cash_deposits d WHERE d.school_id = NEW.school_id AND d.id = NEW.deposit_id;
  SELECT t.amount, t.bank_account_id, t.direction, t.state, t.value_date, t.virtual_account INTO came FROM transfers t
    WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id;
  IF NOT sent.stands OR came.direction <> 'in' OR came.state <> 'waiting' OR came.amount <> sent.amount
     OR came.bank_account_id <> sent.bank_account_id THEN
    RAISE EXCEPTION 'a deposit is tied to waiting money in of its sum on its account' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM cash_deposit_ties t WHERE t.school_id = NEW.school_id AND {live}
             AND (t.deposit_id = NEW.deposit_id OR t.transfer_id = NEW.transfer_id)) THEN
    RAISE EXCEPTION 'deposit or transfer is tied already' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM payments p WHERE p.school_id = NEW.school_id AND p.source_kind = 'transfer'
             AND p.source_id = NEW.transfer_id
             AND NOT EXISTS (SELECT 1 FROM payment_reversals v WHERE v.payment_id = p.id)) THEN
    RAISE EXCEPTION 'this transfer is a family''s payment' USING ERRCODE = 'check_violation';
  END IF;{more}
  RETURN NEW;
END $$"""
GUARDS = (
    (WITHDRAWN_ONCE, "cash_withdrawn_once", "cash_withdrawals", ""),
    (ENDS_BY_TWO, "cash_withdrawal_ends_by_two", "cash_withdrawal_ends", ""),
    (TIED_TO_THE_TILL, "money_out_is_withdrawn", "money_out", "WHEN (NEW.cash_withdrawal_id IS NOT NULL) "),
    (ASK_FITS, "cash_tie_ask_once", "cash_tie_asks", ""),
    (DECIDED_BY_ANOTHER, "cash_tie_by_another", "cash_tie_decisions", "WHEN (NEW.agreed) "),
)
KINDS = "kind IN ('treasury', 'insurance', 'purchase', 'refund', 'fee', 'returned', 'reversed', 'card'{more})"


def upgrade() -> None:
    """Add the tables, the column and the guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _withdrawals()
    _asks()
    for table in TABLES:
        _guard(table)
    _money_out()
    for body, function, table, when in GUARDS:
        op.execute(body)
        op.execute(
            f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW {when}EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE TRIGGER cash_by_the_keeper BEFORE INSERT ON cash_withdrawals FOR EACH ROW "
        "EXECUTE FUNCTION cash_by_the_keeper()"
    )
    for body in (IN_TILL, NOT_SHORT, PAID_BACK):
        op.execute(body)
    for table, function, when in EMPTIES:
        op.execute(
            f"CREATE TRIGGER {function} AFTER INSERT ON {table} FOR EACH ROW {when}EXECUTE FUNCTION {function}()"
        )
    op.execute(TIE_FITS.format(stands=DEPOSIT_STANDS, live=LIVE_TIE, more=BY_SIGN))


def _withdrawals() -> None:
    op.create_table(
        "cash_withdrawals",
        *_named_columns("form"),
        sa.Column("bank_account_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("slip", sa.String(length=60), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        *_made(),
        sa.CheckConstraint("amount > 0", name=op.f("ck_cash_withdrawals_amount_above_zero")),
        sa.CheckConstraint("slip <> ''", name=op.f("ck_cash_withdrawals_slip_given")),
        _within("cash_withdrawals", "bank_account_id", "bank_accounts"),
        _within("cash_withdrawals", "entry_id", "journal_entries"),
        *_keyed("cash_withdrawals"),
        sa.UniqueConstraint("school_id", "form", name=op.f("uq_cash_withdrawals_school_id_form")),
    )
    op.create_table(
        "cash_withdrawal_ends",
        sa.Column("withdrawal_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        *_made(),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_cash_withdrawal_ends_reason_given")),
        _within("cash_withdrawal_ends", "withdrawal_id", "cash_withdrawals"),
        _within("cash_withdrawal_ends", "entry_id", "journal_entries"),
        _of_school("cash_withdrawal_ends"),
        sa.PrimaryKeyConstraint("withdrawal_id", name=op.f("pk_cash_withdrawal_ends")),
    )


def _asks() -> None:
    op.create_table(
        "cash_tie_asks",
        *_named_columns("deposit_id", "transfer_id"),
        sa.Column("reason", sa.String(), nullable=False),
        *_made(),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_cash_tie_asks_reason_given")),
        _within("cash_tie_asks", "deposit_id", "cash_deposits"),
        _within("cash_tie_asks", "transfer_id", "transfers"),
        *_keyed("cash_tie_asks"),
    )
    for column in ("deposit", "transfer"):
        op.create_index(f"ix_cash_tie_asks_{column}", "cash_tie_asks", ["school_id", f"{column}_id"], unique=False)
    op.create_table(
        "cash_tie_decisions",
        sa.Column("ask_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("agreed OR reason <> ''", name=op.f("ck_cash_tie_decisions_refused_with_reason")),
        _within("cash_tie_decisions", "ask_id", "cash_tie_asks"),
        _of_school("cash_tie_decisions"),
        sa.PrimaryKeyConstraint("ask_id", name=op.f("pk_cash_tie_decisions")),
    )


def _money_out() -> None:
    op.add_column("money_out", sa.Column("cash_withdrawal_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_money_out_school_id_cash_withdrawal_id"), "money_out", "cash_withdrawals",
        ["school_id", "cash_withdrawal_id"], ["school_id", "id"],
    )  # fmt: skip
    op.create_index(
        "ix_money_out_cash_withdrawal", "money_out", ["school_id", "cash_withdrawal_id"], unique=False,
        postgresql_where=sa.text("cash_withdrawal_id IS NOT NULL"),
    )  # fmt: skip
    _kinds(", 'cash'")
    op.create_check_constraint(
        op.f("ck_money_out_cash_is_tied"), "money_out", "(kind = 'cash') = (cash_withdrawal_id IS NOT NULL)"
    )


def _kinds(more: str) -> None:
    op.drop_constraint(op.f("ck_money_out_kind_known"), "money_out", type_="check")
    op.create_check_constraint(op.f("ck_money_out_kind_known"), "money_out", KINDS.format(more=more))


def _named_columns(*names: str) -> tuple[sa.Column[sa.Uuid], ...]:
    return tuple(sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "school_id", *names))


def _made() -> tuple[sa.Column[sa.Uuid], sa.Column[sa.DateTime]]:
    return sa.Column("made_by", sa.Uuid(), nullable=False), sa.Column("at", sa.DateTime(timezone=True), nullable=False)


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _keyed(table: str) -> tuple[sa.Constraint, ...]:
    return (
        _of_school(table),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
    )


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _guard(table: str) -> None:
    op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Take them away again; it stops while money out is tied to a withdrawal."""
    op.execute(TIE_FITS.format(stands=DEPOSIT_STANDS, live=LIVE_TIE, more=""))
    for table, function, _ in EMPTIES:
        op.execute(f"DROP TRIGGER {function} ON {table}")
    for function in ("till_is_not_short()", "till_pays_back()", "cash_in_till(uuid)"):
        op.execute(f"DROP FUNCTION {function}")
    for _, function, table, _ in GUARDS:
        op.execute(f"DROP TRIGGER {function} ON {table}")
    op.drop_constraint(op.f("ck_money_out_cash_is_tied"), "money_out", type_="check")
    _kinds("")
    op.drop_index("ix_money_out_cash_withdrawal", "money_out")
    op.drop_constraint(op.f("fk_money_out_school_id_cash_withdrawal_id"), "money_out", type_="foreignkey")
    op.drop_column("money_out", "cash_withdrawal_id")
    for table in reversed(TABLES):
        op.drop_table(table)
    for _, function, _, _ in GUARDS:
        op.execute(f"DROP FUNCTION {function}()")
