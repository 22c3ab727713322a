"""Shape and guards of the till: counts, deposits to the bank tied to the bank's transfers, hand-overs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = [
    "cash_counts",
    "cash_count_decisions",
    "cash_deposits",
    "cash_deposit_ends",
    "cash_deposit_ties",
    "cash_tie_ends",
    "cash_handovers",
    "cash_handover_lines",
    "cash_handover_decisions",
]
LIVE_TIE = "NOT EXISTS (SELECT 1 FROM cash_tie_ends e WHERE e.school_id = t.school_id AND e.tie_id = t.id)"
NOT_ENDED = "NOT EXISTS (SELECT 1 FROM cash_deposit_ends e WHERE e.school_id = d.school_id AND e.deposit_id = d.id)"

ONE_OPEN_COUNT = r"""
CREATE FUNCTION one_open_cash_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM cash_counts c WHERE c.school_id = NEW.school_id AND c.counted <> c.book
             AND NOT EXISTS (SELECT 1 FROM cash_count_decisions d WHERE d.count_id = c.id)) THEN
    RAISE EXCEPTION 'a count with a difference waits for its second person' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

COUNTED_BY_TWO = r"""
CREATE FUNCTION cash_counted_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  counted record;
BEGIN
  SELECT c.made_by, c.counted, c.book INTO counted FROM cash_counts c
    WHERE c.school_id = NEW.school_id AND c.id = NEW.count_id;
  IF NEW.decided_by = counted.made_by THEN
    RAISE EXCEPTION 'a difference is agreed to by another person' USING ERRCODE = 'check_violation';
  END IF;
  IF counted.counted = counted.book THEN
    RAISE EXCEPTION 'a count without a difference needs no decision' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

DEPOSIT_WAS_COUNTED = f"""
CREATE FUNCTION cash_deposit_was_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  counted record;
  used bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  SELECT c.counted, c.counted = c.book OR EXISTS (
      SELECT 1 FROM cash_count_decisions d WHERE d.count_id = c.id AND d.agreed) AS stands INTO counted
    FROM cash_counts c WHERE c.school_id = NEW.school_id AND c.id = NEW.count_id;
  SELECT coalesce(sum(d.amount), 0) INTO used FROM cash_deposits d
    WHERE d.school_id = NEW.school_id AND d.count_id = NEW.count_id AND {NOT_ENDED};
  IF NOT counted.stands OR used + NEW.amount > counted.counted THEN
    RAISE EXCEPTION 'no more is deposited than was counted' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

DEPOSIT_ENDS_BY_TWO = f"""
CREATE FUNCTION cash_deposit_ends_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM cash_deposits d
             WHERE d.school_id = NEW.school_id AND d.id = NEW.deposit_id AND d.made_by = NEW.made_by) THEN
    RAISE EXCEPTION 'a deposit is taken back by another person' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM cash_deposit_ties t
             WHERE t.school_id = NEW.school_id AND t.deposit_id = NEW.deposit_id AND {LIVE_TIE}) THEN
    RAISE EXCEPTION 'the bank has booked this deposit' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

TIE_FITS = f"""
CREATE FUNCTION cash_tie_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  sent record;
  came record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  SELECT d.amount, d.bank_account_id, {NOT_ENDED} AS stands INTO sent FROM cash_deposits d
    WHERE d.school_id = NEW.school_id AND d.id = NEW.deposit_id;
  SELECT t.amount, t.bank_account_id, t.direction, t.state INTO came FROM transfers t
    WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id;
  IF NOT sent.stands OR came.direction <> 'in' OR came.state <> 'waiting' OR came.amount <> sent.amount
     OR came.bank_account_id <> sent.bank_account_id THEN
    RAISE EXCEPTION 'a deposit is tied to waiting money in of its sum on its account' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM cash_deposit_ties t WHERE t.school_id = NEW.school_id AND {LIVE_TIE}
             AND (t.deposit_id = NEW.deposit_id OR t.transfer_id = NEW.transfer_id)) THEN
    RAISE EXCEPTION 'deposit or transfer is tied already' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM payments p WHERE p.school_id = NEW.school_id AND p.source_kind = 'transfer'
             AND p.source_id = NEW.transfer_id
             AND NOT EXISTS (SELECT 1 FROM payment_reversals v WHERE v.payment_id = p.id)) THEN
    RAISE EXCEPTION 'this transfer is a family''s payment' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

DEPOSIT_PAYS_NOTHING = f"""
CREATE FUNCTION cash_deposit_pays_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM cash_deposit_ties t
             WHERE t.school_id = NEW.school_id AND t.transfer_id = NEW.source_id AND {LIVE_TIE}) THEN
    RAISE EXCEPTION 'cash that the school paid in is no family''s payment' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

STANDING = """NOT EXISTS (SELECT 1 FROM cash_handover_decisions d
                     WHERE d.school_id = h.school_id AND d.handover_id = h.id AND NOT d.accepted)"""
HANDED_ONCE = f"""
CREATE FUNCTION cash_handed_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM cash_handover_lines l JOIN cash_handovers h ON h.id = l.handover_id
             WHERE l.school_id = NEW.school_id AND l.entry_id = NEW.entry_id AND {STANDING}) THEN
    RAISE EXCEPTION 'this movement of cash was handed over already' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

ONE_OPEN_HANDOVER = r"""
CREATE FUNCTION one_open_cash_handover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM cash_handovers h WHERE h.school_id = NEW.school_id
             AND NOT EXISTS (SELECT 1 FROM cash_handover_decisions d WHERE d.handover_id = h.id)) THEN
    RAISE EXCEPTION 'a hand-over waits for its receiver' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM role_grants g
             WHERE g.user_id = NEW.receiver AND g.role = 'accountant' AND g.school_id = NEW.school_id
               AND (NEW.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
                   BETWEEN g.valid_from AND coalesce(g.valid_to, 'infinity'::date)) THEN
    RAISE EXCEPTION 'who keeps the accounts of a school does not keep its cash' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

ACCEPTED_BY_THE_RECEIVER = r"""
CREATE FUNCTION cash_accepted_by_the_receiver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM cash_handovers h
                 WHERE h.school_id = NEW.school_id AND h.id = NEW.handover_id
                   AND (h.receiver = NEW.decided_by OR (NOT NEW.accepted AND h.made_by = NEW.decided_by))) THEN
    RAISE EXCEPTION 'the receiver accepts a hand-over' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

GUARDS = [
    (ONE_OPEN_COUNT, "one_open_cash_count", "cash_counts", ""),
    (COUNTED_BY_TWO, "cash_counted_by_two", "cash_count_decisions", ""),
    (DEPOSIT_WAS_COUNTED, "cash_deposit_was_counted", "cash_deposits", ""),
    (DEPOSIT_ENDS_BY_TWO, "cash_deposit_ends_by_two", "cash_deposit_ends", ""),
    (TIE_FITS, "cash_tie_fits", "cash_deposit_ties", ""),
    (DEPOSIT_PAYS_NOTHING, "cash_deposit_pays_nothing", "payments", "WHEN (NEW.source_kind = 'transfer') "),
    (ONE_OPEN_HANDOVER, "one_open_cash_handover", "cash_handovers", ""),
    (HANDED_ONCE, "cash_handed_once", "cash_handover_lines", ""),
    (ACCEPTED_BY_THE_RECEIVER, "cash_accepted_by_the_receiver", "cash_handover_decisions", ""),
]


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _counts()
    _deposits()
    _ties()
    _handovers()
    for table in TABLES:
        _guard(table)
    for body, function, table, when in GUARDS:
        op.execute(body)
        op.execute(
            f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW {when}EXECUTE FUNCTION {function}()"
        )


def _counts() -> None:
    op.create_table(
        "cash_counts",
        *_named_columns("form"),
        sa.Column("notes", postgresql.JSONB(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("book", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        *_made(),
        sa.CheckConstraint("counted >= 0", name=op.f("ck_cash_counts_counted_not_negative")),
        sa.CheckConstraint("counted = book OR reason <> ''", name=op.f("ck_cash_counts_difference_has_a_reason")),
        *_keyed("cash_counts"),
        sa.UniqueConstraint("school_id", "form", name=op.f("uq_cash_counts_school_id_form")),
    )
    op.create_index("ix_cash_counts_at", "cash_counts", ["school_id", "at"], unique=False)
    op.create_table(
        "cash_count_decisions",
        sa.Column("count_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("agreed = (entry_id IS NOT NULL)", name=op.f("ck_cash_count_decisions_agreed_is_posted")),
        sa.CheckConstraint("agreed OR reason <> ''", name=op.f("ck_cash_count_decisions_refused_with_reason")),
        _within("cash_count_decisions", "count_id", "cash_counts"),
        _within("cash_count_decisions", "entry_id", "journal_entries"),
        _of_school("cash_count_decisions"),
        sa.PrimaryKeyConstraint("count_id", name=op.f("pk_cash_count_decisions")),
    )


def _deposits() -> None:
    op.create_table(
        "cash_deposits",
        *_named_columns("form"),
        sa.Column("count_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("slip", sa.String(length=60), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        *_made(),
        sa.CheckConstraint("amount > 0", name=op.f("ck_cash_deposits_amount_above_zero")),
        _within("cash_deposits", "count_id", "cash_counts"),
        _within("cash_deposits", "bank_account_id", "bank_accounts"),
        _within("cash_deposits", "entry_id", "journal_entries"),
        *_keyed("cash_deposits"),
        sa.UniqueConstraint("school_id", "form", name=op.f("uq_cash_deposits_school_id_form")),
    )
    op.create_index("ix_cash_deposits_count", "cash_deposits", ["school_id", "count_id"], unique=False)
    _end("cash_deposit_ends", "deposit_id", "cash_deposits")


def _ties() -> None:
    op.create_table(
        "cash_deposit_ties",
        *_named_columns("deposit_id", "transfer_id"),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        *_made(),
        _within("cash_deposit_ties", "deposit_id", "cash_deposits"),
        _within("cash_deposit_ties", "transfer_id", "transfers"),
        _within("cash_deposit_ties", "entry_id", "journal_entries"),
        *_keyed("cash_deposit_ties"),
    )
    for column in ("deposit", "transfer"):
        op.create_index(
            f"ix_cash_deposit_ties_{column}", "cash_deposit_ties", ["school_id", f"{column}_id"], unique=False
        )
    _end("cash_tie_ends", "tie_id", "cash_deposit_ties")


def _end(table: str, column: str, of: str) -> None:
    op.create_table(
        table,
        sa.Column(column, sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        *_made(),
        sa.CheckConstraint("reason <> ''", name=op.f(f"ck_{table}_reason_given")),
        _within(table, column, of),
        _within(table, "entry_id", "journal_entries"),
        _of_school(table),
        sa.PrimaryKeyConstraint(column, name=op.f(f"pk_{table}")),
    )


def _handovers() -> None:
    op.create_table(
        "cash_handovers",
        *_named_columns("form", "count_id", "receiver"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("closing", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        *_made(),
        sa.CheckConstraint("receiver <> made_by", name=op.f("ck_cash_handovers_two_people")),
        _within("cash_handovers", "count_id", "cash_counts"),
        *_keyed("cash_handovers"),
        sa.UniqueConstraint("school_id", "form", name=op.f("uq_cash_handovers_school_id_form")),
        sa.UniqueConstraint("school_id", "number", name=op.f("uq_cash_handovers_school_id_number")),
    )
    op.create_table(
        "cash_handover_lines",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        _within("cash_handover_lines", "entry_id", "journal_entries"),
        _within("cash_handover_lines", "handover_id", "cash_handovers"),
        _of_school("cash_handover_lines"),
        sa.PrimaryKeyConstraint("handover_id", "entry_id", name=op.f("pk_cash_handover_lines")),
    )
    op.create_index("ix_cash_handover_lines_entry", "cash_handover_lines", ["school_id", "entry_id"], unique=False)
    op.create_table(
        "cash_handover_decisions",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("accepted OR reason <> ''", name=op.f("ck_cash_handover_decisions_refused_with_reason")),
        _within("cash_handover_decisions", "handover_id", "cash_handovers"),
        _of_school("cash_handover_decisions"),
        sa.PrimaryKeyConstraint("handover_id", name=op.f("pk_cash_handover_decisions")),
    )


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
    """Take them away again."""
    for _, function, table, _ in GUARDS:
        op.execute(f"DROP TRIGGER {function} ON {table}")
    for table in reversed(TABLES):
        op.drop_table(table)
    for _, function, _, _ in GUARDS:
        op.execute(f"DROP FUNCTION {function}()")
