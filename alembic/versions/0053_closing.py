"""Months are closed by two people and opened again by two; the database takes no entry of a closed day.

A school's book is closed up to a day: a closed month closes all days before it, too. What comes later is written on the
first open day, and ``true_day`` keeps the day it was of.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0053"
down_revision = "0051"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = ["period_asks", "period_decisions", "period_reopenings", "closed_figures"]

# Who writes the book of a school holds this lock together with others, who closes or opens a month holds it alone. So
# no posting is in flight while a month closes. The day is read after the lock is held, in a snapshot of its own. Tables
# with their schema, since whoever writes could put a temporary one of the same name before them.
BOOK_OPENS = r"""
CREATE FUNCTION book_opens(school uuid) RETURNS date LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('book ' || school, 0));
  RETURN (SELECT (max(c.month) + interval '1 month')::date FROM public.closed_periods c
          WHERE c.school_id = school AND NOT EXISTS (
              SELECT 1 FROM public.period_reopenings r
              WHERE r.school_id = c.school_id AND r.month = c.month AND r.turn = c.turn));
END $$"""

# One look-up for each school of a statement; entries are written for one school at a time.
ENTRIES = r"""
CREATE FUNCTION entries_of_open_months() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM (SELECT n.school_id, min(n.value_date) AS day FROM new_rows n GROUP BY n.school_id) n
             WHERE n.day < public.book_opens(n.school_id)) THEN
    RAISE EXCEPTION 'no entry in a closed month' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$"""

# A posting has the day of its entry, which may be older than the statement. A school that never closed costs one look-up.
POSTINGS = r"""
CREATE FUNCTION postings_of_open_months() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  school uuid;
  opens date;
BEGIN
  FOR school IN SELECT DISTINCT n.school_id FROM new_rows n LOOP
    opens := public.book_opens(school);
    IF opens IS NOT NULL AND EXISTS (
        SELECT 1 FROM (SELECT DISTINCT n.entry_id FROM new_rows n WHERE n.school_id = school) n
        JOIN public.journal_entries e ON e.id = n.entry_id WHERE e.value_date < opens) THEN
      RAISE EXCEPTION 'no posting in a closed month' USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$"""

ONE_OPEN_ASK = r"""
CREATE FUNCTION one_open_period_ask() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('periods of ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM period_asks a WHERE a.school_id = NEW.school_id
             AND NOT EXISTS (SELECT 1 FROM period_decisions d WHERE d.ask_id = a.id)) THEN
    RAISE EXCEPTION 'another request about a month waits' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

BY_TWO = r"""
CREATE FUNCTION period_decided_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.agreed AND EXISTS (SELECT 1 FROM period_asks a WHERE a.school_id = NEW.school_id AND a.id = NEW.ask_id
                            AND a.made_by = NEW.decided_by) THEN
    RAISE EXCEPTION 'a month is closed and opened by two people' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

AGREED = """EXISTS (SELECT 1 FROM period_asks a JOIN period_decisions d ON d.ask_id = a.id AND d.agreed
                 WHERE a.school_id = NEW.school_id AND a.id = NEW.ask_id AND a.month = NEW.month AND a.kind = '{kind}'
                   AND d.decided_by = NEW.{by})"""
LIVE_LAST = """(SELECT max(c.month) FROM closed_periods c WHERE c.school_id = NEW.school_id AND NOT EXISTS (
    SELECT 1 FROM period_reopenings r WHERE r.school_id = c.school_id AND r.month = c.month AND r.turn = c.turn))"""

CLOSED_IN_ORDER = f"""
CREATE FUNCTION period_closed_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last date;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('book ' || NEW.school_id, 0));
  last := {LIVE_LAST};
  IF NEW.month <= last OR NEW.month <> date_trunc('month', NEW.month)::date
     OR NEW.since IS DISTINCT FROM (last + interval '1 month')::date THEN
    RAISE EXCEPTION 'months are closed in their order, each once' USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.closed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < (NEW.month + interval '1 month')::date THEN
    RAISE EXCEPTION 'this month is not over' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT {AGREED.format(kind="close", by="closed_by")} THEN
    RAISE EXCEPTION 'a month is closed after two people decided it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

OPENED_IN_ORDER = f"""
CREATE FUNCTION period_opened_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('book ' || NEW.school_id, 0));
  IF NEW.month IS DISTINCT FROM {LIVE_LAST} THEN
    RAISE EXCEPTION 'the month that was closed last is opened first' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT {AGREED.format(kind="reopen", by="opened_by")} THEN
    RAISE EXCEPTION 'a month is opened after two people decided it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

GUARDS = [
    (ONE_OPEN_ASK, "one_open_period_ask", "period_asks"),
    (BY_TWO, "period_decided_by_two", "period_decisions"),
    (CLOSED_IN_ORDER, "period_closed_in_order", "closed_periods"),
    (OPENED_IN_ORDER, "period_opened_in_order", "period_reopenings"),
]
BOOK_GUARDS = [
    (ENTRIES, "entries_of_open_months", "journal_entries"),
    (POSTINGS, "postings_of_open_months", "postings"),
]


def upgrade() -> None:
    """Add the tables, columns and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _asks()
    _closings()
    for table in TABLES:
        _guard(table)
    op.execute(BOOK_OPENS)
    for body, function, table in GUARDS:
        op.execute(body)
        op.execute(f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    for body, function, table in BOOK_GUARDS:
        op.execute(body)
        op.execute(
            f"CREATE TRIGGER {function} AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    # Money by a paper book of a closed month counts as other late money does: on the first open day (decision 0031).
    op.execute("DROP TRIGGER cash_day_is_open ON cash_takings")
    op.execute("DROP FUNCTION cash_day_is_open()")


def _asks() -> None:
    op.create_table(
        "period_asks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("seen", postgresql.JSONB(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('close', 'reopen')", name=op.f("ck_period_asks_kind_known")),
        sa.CheckConstraint("kind = 'close' OR reason <> ''", name=op.f("ck_period_asks_opened_with_reason")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_period_asks_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period_asks")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_period_asks_school_id_id")),
    )
    op.create_table(
        "period_decisions",
        sa.Column("ask_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("agreed OR reason <> ''", name=op.f("ck_period_decisions_refused_with_reason")),
        sa.ForeignKeyConstraint(
            ["school_id", "ask_id"],
            ["period_asks.school_id", "period_asks.id"],
            name=op.f("fk_period_decisions_school_id_ask_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_period_decisions_school_id")),
        sa.PrimaryKeyConstraint("ask_id", name=op.f("pk_period_decisions")),
    )


def _closings() -> None:
    op.add_column("journal_entries", sa.Column("true_day", sa.Date(), nullable=True))
    op.create_check_constraint(op.f("ck_journal_entries_true_day_before"), "journal_entries", "true_day < value_date")
    op.add_column("closed_periods", sa.Column("turn", sa.BigInteger(), server_default="1", nullable=False))
    op.alter_column("closed_periods", "turn", server_default=None)
    op.add_column("closed_periods", sa.Column("since", sa.Date(), nullable=True))
    op.add_column("closed_periods", sa.Column("ask_id", sa.Uuid(), nullable=True))
    op.drop_constraint(op.f("pk_closed_periods"), "closed_periods", type_="primary")
    op.create_primary_key(op.f("pk_closed_periods"), "closed_periods", ["school_id", "month", "turn"])
    _within_ask("closed_periods")
    op.create_table(
        "period_reopenings",
        *_of_closing(),
        sa.Column("ask_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_within_closing("period_reopenings"),
        sa.PrimaryKeyConstraint("school_id", "month", "turn", name=op.f("pk_period_reopenings")),
    )
    _within_ask("period_reopenings")
    op.create_table(
        "closed_figures",
        *_of_closing(),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        *_within_closing("closed_figures"),
        sa.ForeignKeyConstraint(
            ["school_id", "account_id"],
            ["ledger_accounts.school_id", "ledger_accounts.id"],
            name=op.f("fk_closed_figures_school_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("school_id", "month", "turn", "account_id", name=op.f("pk_closed_figures")),
    )


def _of_closing() -> tuple[sa.Column[sa.Uuid], sa.Column[sa.Date], sa.Column[sa.BigInteger]]:
    return (
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
    )


def _within_closing(table: str) -> tuple[sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    of = ["closed_periods.school_id", "closed_periods.month", "closed_periods.turn"]
    return (
        sa.ForeignKeyConstraint(["school_id", "month", "turn"], of, name=op.f(f"fk_{table}_school_id_month_turn")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id")),
    )


def _within_ask(table: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_{table}_school_id_ask_id"), table, "period_asks", ["school_id", "ask_id"], ["school_id", "id"]
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


CASH_DAY = r"""
CREATE FUNCTION cash_day_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM closed_periods c
             WHERE c.school_id = NEW.school_id AND c.month = date_trunc('month', NEW.day)::date) THEN
    RAISE EXCEPTION 'cash of a closed month' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""


def downgrade() -> None:
    """Take them away again; refused by the key where a month was closed more than once."""
    for _, function, table in [*BOOK_GUARDS, *GUARDS]:
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("DROP FUNCTION book_opens(uuid)")
    for table in ("closed_figures", "period_reopenings", "period_decisions"):
        op.drop_table(table)
    op.drop_constraint(op.f("fk_closed_periods_school_id_ask_id"), "closed_periods", type_="foreignkey")
    op.drop_table("period_asks")
    op.drop_constraint(op.f("pk_closed_periods"), "closed_periods", type_="primary")
    op.create_primary_key(op.f("pk_closed_periods"), "closed_periods", ["school_id", "month"])
    for column in ("ask_id", "since", "turn"):
        op.drop_column("closed_periods", column)
    op.drop_column("journal_entries", "true_day")
    op.execute(CASH_DAY)
    op.execute(
        "CREATE TRIGGER cash_day_is_open BEFORE INSERT ON cash_takings FOR EACH ROW EXECUTE FUNCTION cash_day_is_open()"
    )
