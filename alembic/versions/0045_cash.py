"""Shape and guards of cash: takings, their reversal by two people, paper books; nobody is cashier and accountant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0045"
down_revision = "0054"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = ["paper_books", "cash_takings", "paper_numbers", "cash_reversals", "cash_reversal_decisions"]
LOCAL_DAY = "(at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"

# A role in an authority holds in all schools below it. Days that touch on both ends are the same time.
ROLES_PART = r"""
CREATE FUNCTION cash_roles_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash roles of ' || NEW.user_id, 0));
  IF EXISTS (
    WITH RECURSIVE over AS (
      SELECT g.id AS grant_id, g.school_id, g.authority_id FROM role_grants g
      WHERE g.user_id = NEW.user_id
        AND g.role = CASE NEW.role WHEN 'cashier' THEN 'accountant' ELSE 'cashier' END
        AND g.valid_from <= coalesce(NEW.valid_to, 'infinity'::date)
        AND NEW.valid_from <= coalesce(g.valid_to, 'infinity'::date)
    ), above AS (
      SELECT coalesce((SELECT s.authority_id FROM schools s WHERE s.id = NEW.school_id), NEW.authority_id) AS id
      UNION SELECT a.parent_id FROM authorities a JOIN above ON above.id = a.id
    ), below AS (
      SELECT NEW.authority_id AS id
      UNION SELECT a.id FROM authorities a JOIN below ON a.parent_id = below.id
    )
    SELECT 1 FROM over o
    WHERE o.school_id = NEW.school_id
       OR o.authority_id IN (SELECT id FROM above WHERE id IS NOT NULL)
       OR o.authority_id IN (SELECT id FROM below WHERE id IS NOT NULL)
       OR EXISTS (SELECT 1 FROM schools s WHERE s.id = o.school_id
                  AND s.authority_id IN (SELECT id FROM below WHERE id IS NOT NULL))
  ) THEN
    RAISE EXCEPTION 'nobody is cashier and accountant of one school at a time' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

DAY_IS_OPEN = r"""
CREATE FUNCTION cash_day_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM closed_periods c
             WHERE c.school_id = NEW.school_id AND c.month = date_trunc('month', NEW.day)::date) THEN
    RAISE EXCEPTION 'cash of a closed month' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

TAKEN_AS_PAID = r"""
CREATE FUNCTION cash_taken_as_paid() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  taking record;
BEGIN
  SELECT t.pupil_id, t.amount, t.day INTO taking FROM cash_takings t
    WHERE t.school_id = NEW.school_id AND t.id = NEW.source_id;
  IF FOUND AND (taking.pupil_id <> NEW.pupil_id OR taking.amount <> NEW.amount OR taking.day <> NEW.value_date
                OR NEW.turn <> 1) THEN
    RAISE EXCEPTION 'the payment is what was taken, once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

LIVE_TAKING = """NOT EXISTS (
      SELECT 1 FROM cash_reversals r JOIN cash_reversal_decisions d ON d.reversal_id = r.id AND d.approved
      WHERE r.school_id = n.school_id AND r.taking_id = n.taking_id)"""
NUMBER_ONCE = f"""
CREATE FUNCTION paper_number_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  book record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('paper book ' || NEW.book_id, 0));
  SELECT b.first_number, b.last_number INTO book FROM paper_books b
    WHERE b.school_id = NEW.school_id AND b.id = NEW.book_id;
  IF NEW.number NOT BETWEEN book.first_number AND book.last_number THEN
    RAISE EXCEPTION 'the book has no number %', NEW.number USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM paper_numbers n WHERE n.school_id = NEW.school_id AND n.book_id = NEW.book_id
             AND n.number = NEW.number AND {LIVE_TAKING}) THEN
    RAISE EXCEPTION 'number % of the book is entered already', NEW.number USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

ONE_REVERSAL = r"""
CREATE FUNCTION one_reversal_of_a_taking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('cash taking ' || NEW.taking_id, 0));
  IF EXISTS (SELECT 1 FROM cash_reversals r LEFT JOIN cash_reversal_decisions d ON d.reversal_id = r.id
             WHERE r.school_id = NEW.school_id AND r.taking_id = NEW.taking_id AND d.approved IS DISTINCT FROM false)
  THEN
    RAISE EXCEPTION 'the reversal of this taking is asked for already' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

BY_TWO = r"""
CREATE FUNCTION cash_reversed_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.approved AND EXISTS (SELECT 1 FROM cash_reversals r JOIN cash_takings t ON t.id = r.taking_id
      WHERE r.school_id = NEW.school_id AND r.id = NEW.reversal_id AND NEW.decided_by IN (r.made_by, t.made_by)) THEN
    RAISE EXCEPTION 'a taking is reversed by two people' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

REVERSED_AS_DECIDED = r"""
CREATE FUNCTION cash_reversed_as_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM payments p JOIN cash_takings t ON t.school_id = p.school_id AND t.id = p.source_id
             WHERE p.school_id = NEW.school_id AND p.id = NEW.payment_id AND p.source_kind = 'cash'
               AND NOT EXISTS (SELECT 1 FROM cash_reversals r
                               JOIN cash_reversal_decisions d ON d.reversal_id = r.id AND d.approved
                               WHERE r.school_id = t.school_id AND r.taking_id = t.id)) THEN
    RAISE EXCEPTION 'a taking is reversed after two people decided it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

GUARDS = [
    (ROLES_PART, "cash_roles_part", "role_grants", "WHEN (NEW.role IN ('cashier', 'accountant')) "),
    (DAY_IS_OPEN, "cash_day_is_open", "cash_takings", ""),
    (TAKEN_AS_PAID, "cash_taken_as_paid", "payments", "WHEN (NEW.source_kind = 'cash') "),
    (NUMBER_ONCE, "paper_number_once", "paper_numbers", ""),
    (ONE_REVERSAL, "one_reversal_of_a_taking", "cash_reversals", ""),
    (BY_TWO, "cash_reversed_by_two", "cash_reversal_decisions", ""),
    (REVERSED_AS_DECIDED, "cash_reversed_as_decided", "payment_reversals", ""),
]


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _books()
    _takings()
    _numbers()
    _reversals()
    for table in TABLES:
        _guard(table)
    for body, function, table, when in GUARDS:
        op.execute(body)
        op.execute(
            f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW {when}EXECUTE FUNCTION {function}()"
        )


def _books() -> None:
    op.create_table(
        "paper_books",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("first_number", sa.BigInteger(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("code <> ''", name=op.f("ck_paper_books_code_given")),
        sa.CheckConstraint(
            "first_number > 0 AND last_number >= first_number AND last_number - first_number < 1000",
            name=op.f("ck_paper_books_numbers_in_order"),
        ),
        *_keyed("paper_books"),
        sa.UniqueConstraint("school_id", "code", name=op.f("uq_paper_books_school_id_code")),
    )


def _takings() -> None:
    op.create_table(
        "cash_takings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("collector", sa.String(), nullable=False),
        sa.Column("seen", postgresql.JSONB(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_cash_takings_amount_above_zero")),
        sa.CheckConstraint(f"day <= {LOCAL_DAY}", name=op.f("ck_cash_takings_day_has_come")),
        sa.CheckConstraint("collector <> ''", name=op.f("ck_cash_takings_collector_named")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_cash_takings_pupil_id")),
        *_keyed("cash_takings"),
        sa.UniqueConstraint("school_id", "form", name=op.f("uq_cash_takings_school_id_form")),
    )
    op.create_index("ix_cash_takings_day", "cash_takings", ["school_id", "day"], unique=False)


def _numbers() -> None:
    op.create_table(
        "paper_numbers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("taking_id", sa.Uuid(), nullable=True),
        sa.Column("spoilt", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(taking_id IS NULL) = (spoilt <> '')", name=op.f("ck_paper_numbers_taken_or_spoilt")),
        _within("paper_numbers", "book_id", "paper_books"),
        _within("paper_numbers", "taking_id", "cash_takings"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_paper_numbers_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_numbers")),
        sa.UniqueConstraint("school_id", "taking_id", name=op.f("uq_paper_numbers_school_id_taking_id")),
    )
    op.create_index("ix_paper_numbers_book", "paper_numbers", ["school_id", "book_id", "number"], unique=False)


def _reversals() -> None:
    op.create_table(
        "cash_reversals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("taking_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_cash_reversals_reason_given")),
        _within("cash_reversals", "taking_id", "cash_takings"),
        *_keyed("cash_reversals"),
    )
    op.create_index("ix_cash_reversals_taking", "cash_reversals", ["school_id", "taking_id"], unique=False)
    op.create_table(
        "cash_reversal_decisions",
        sa.Column("reversal_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("approved OR reason <> ''", name=op.f("ck_cash_reversal_decisions_refused_with_reason")),
        _within("cash_reversal_decisions", "reversal_id", "cash_reversals"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_cash_reversal_decisions_school_id")),
        sa.PrimaryKeyConstraint("reversal_id", name=op.f("pk_cash_reversal_decisions")),
    )


def _keyed(table: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id")),
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
