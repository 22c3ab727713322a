"""Shape and guards of a new year: choices, steps, signed opening lists, and a former program's data.

Billing rounds may be openings; an enrolment of a past year is completed; a receipt book may go on from a number that a
former program gave out, once, before its first receipt.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLES = [
    "year_steps",
    "promotion_choices",
    "year_openings",
    "year_opening_lines",
    "year_opening_signatures",
    "former_imports",
    "former_decisions",
    "former_balances",
    "receipt_starts",
]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
OLD_STATES = "state IN ('studying', 'transferred_out', 'left', 'paused', 'graduated')"
NEW_STATES = "state IN ('studying', 'completed', 'transferred_out', 'left', 'paused', 'graduated')"
OLD_KINDS = "kind IN ('regular', 'supplementary')"
NEW_KINDS = "kind IN ('regular', 'supplementary', 'opening')"

FUNCTIONS = r"""
CREATE FUNCTION opening_takes_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM year_opening_signatures s
               WHERE s.school_id = NEW.school_id AND s.opening_id = NEW.opening_id) THEN
        RAISE EXCEPTION 'a signed opening list takes no further line' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION opening_signed_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    opening record;
    lines record;
BEGIN
    SELECT o.school_year, o.due, o.credit, o.made_by INTO STRICT opening FROM year_openings o
      WHERE o.school_id = NEW.school_id AND o.id = NEW.opening_id;
    IF opening.made_by = NEW.approved_by THEN
        RAISE EXCEPTION 'whoever made an opening list does not sign it alone' USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(sum(l.amount) FILTER (WHERE l.kind = 'bill'), 0) AS due,
           coalesce(sum(l.amount) FILTER (WHERE l.kind = 'credit'), 0) AS credit INTO lines
      FROM year_opening_lines l WHERE l.school_id = NEW.school_id AND l.opening_id = NEW.opening_id;
    IF opening.due <> lines.due OR opening.credit <> lines.credit OR opening.school_year <> NEW.school_year THEN
        RAISE EXCEPTION 'an opening list is signed with the totals of its lines' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION former_decided_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.approved AND EXISTS (SELECT 1 FROM former_imports i WHERE i.school_id = NEW.school_id
                                AND i.id = NEW.import_id AND i.made_by = NEW.decided_by) THEN
        RAISE EXCEPTION 'whoever read a file in does not approve it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION former_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM former_decisions d WHERE d.school_id = NEW.school_id
                   AND d.import_id = NEW.import_id AND d.approved) THEN
        RAISE EXCEPTION 'nothing of a former program stands before it is approved' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION receipts_not_begun() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT c.last_number FROM receipt_counters c
        WHERE c.school_id = NEW.school_id AND c.book_id = NEW.book_id FOR UPDATE) IS DISTINCT FROM 0 THEN
        RAISE EXCEPTION 'a receipt book that has begun keeps its numbers' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
ROW_TRIGGERS = [
    ("year_opening_lines", "opening_takes_lines"),
    ("year_opening_signatures", "opening_signed_by_another"),
    ("former_decisions", "former_decided_by_another"),
    ("former_balances", "former_is_approved"),
    ("receipt_starts", "former_is_approved"),
    ("receipt_starts", "receipts_not_begun"),
]

RECEIPT_FOLLOWS = r"""
CREATE OR REPLACE FUNCTION receipt_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
    start bigint;
    received bigint;
BEGIN
    SELECT last_number INTO STRICT last FROM receipt_counters WHERE book_id = NEW.book_id;
    start := coalesce((SELECT s.last_number FROM receipt_starts s WHERE s.book_id = NEW.book_id), 0);
    IF NEW.number <> last OR NEW.number <= start OR (NEW.number > start + 1 AND NOT EXISTS (
        SELECT 1 FROM receipts r
        WHERE r.school_id = NEW.school_id AND r.book_id = NEW.book_id AND r.number = NEW.number - 1)) THEN
        RAISE EXCEPTION 'receipt % does not follow number % of its book', NEW.number, last
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT amount INTO STRICT received FROM payments WHERE id = NEW.payment_id;
    IF received <> NEW.amount THEN
        RAISE EXCEPTION 'a receipt states what was received' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""
COUNTER_STEPS = r"""
CREATE OR REPLACE FUNCTION counter_steps_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last_number <> OLD.last_number + 1 AND NOT (OLD.last_number = 0 AND EXISTS (
        SELECT 1 FROM receipt_starts s WHERE s.book_id = NEW.book_id AND s.last_number = NEW.last_number)) THEN
        RAISE EXCEPTION 'a receipt counter goes up by one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""
OLD_RECEIPT_FOLLOWS = r"""
CREATE OR REPLACE FUNCTION receipt_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
    received bigint;
BEGIN
    SELECT last_number INTO STRICT last FROM receipt_counters WHERE book_id = NEW.book_id;
    IF NEW.number <> last OR (NEW.number > 1 AND NOT EXISTS (
        SELECT 1 FROM receipts r
        WHERE r.school_id = NEW.school_id AND r.book_id = NEW.book_id AND r.number = NEW.number - 1)) THEN
        RAISE EXCEPTION 'receipt % does not follow number % of its book', NEW.number, last
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT amount INTO STRICT received FROM payments WHERE id = NEW.payment_id;
    IF received <> NEW.amount THEN
        RAISE EXCEPTION 'a receipt states what was received' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""
OLD_COUNTER_STEPS = r"""
CREATE OR REPLACE FUNCTION counter_steps_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last_number <> OLD.last_number + 1 THEN
        RAISE EXCEPTION 'a receipt counter goes up by one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the room's tables and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _checks(NEW_STATES, NEW_KINDS)
    _promotion()
    _openings()
    _former()
    for statement in FUNCTIONS.strip().split("\n\nCREATE "):
        op.execute(statement if statement.startswith("CREATE") else f"CREATE {statement}")
    for table, function in ROW_TRIGGERS:
        op.execute(f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    op.execute(RECEIPT_FOLLOWS)
    op.execute(COUNTER_STEPS)
    _guard()


def _checks(states: str, kinds: str) -> None:
    for table, name, rule in (("enrolments", "state_known", states), ("billing_rounds", "kind_known", kinds)):
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)


def _promotion() -> None:
    op.create_table(
        "year_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("school_year", sa.String(length=9), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("counts", JSONB(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint(
            "step IN ('prices', 'classes', 'promotion', 'carrying_on')", name=op.f("ck_year_steps_step_known")
        ),
        _of("year_steps", "school_id", "schools"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_steps")),
    )
    op.create_index("ix_year_steps_year", "year_steps", ["school_id", "school_year"], unique=False)
    op.create_table(
        "promotion_choices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("school_year", sa.String(length=9), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint(
            "choice IN ('promoted', 'repeating', 'left', 'transferred_out', 'graduated')",
            name=op.f("ck_promotion_choices_choice_known"),
        ),
        sa.CheckConstraint(
            "(choice IN ('promoted', 'repeating')) = (class_id IS NOT NULL)",
            name=op.f("ck_promotion_choices_who_stays_has_a_class"),
        ),
        _within("promotion_choices", "enrolment_id", "enrolments"),
        _within("promotion_choices", "class_id", "class_groups"),
        _of("promotion_choices", "school_id", "schools"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_choices")),
    )
    op.create_index("ix_promotion_choices_enrolment", "promotion_choices", ["school_id", "enrolment_id"], unique=False)


def _openings() -> None:
    op.create_table(
        "year_openings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("school_year", sa.String(length=9), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint("due >= 0 AND credit >= 0", name=op.f("ck_year_openings_totals_not_negative")),
        _of("year_openings", "school_id", "schools"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_openings")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_year_openings_school_id_id")),
    )
    op.create_table(
        "year_opening_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("opening_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("class_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("item_code", sa.String(length=40), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('bill', 'credit')", name=op.f("ck_year_opening_lines_kind_known")),
        sa.CheckConstraint(
            "(kind = 'bill') = (bill_id IS NOT NULL)", name=op.f("ck_year_opening_lines_a_bill_or_credit")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_year_opening_lines_amount_above_zero")),
        _within("year_opening_lines", "opening_id", "year_openings"),
        _within("year_opening_lines", "bill_id", "bills"),
        _of("year_opening_lines", "school_id", "schools"),
        _of("year_opening_lines", "pupil_id", "pupils"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_opening_lines")),
    )
    op.create_index("ix_year_opening_lines_opening", "year_opening_lines", ["school_id", "opening_id"], unique=False)
    op.create_table(
        "year_opening_signatures",
        sa.Column("opening_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("school_year", sa.String(length=9), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=False),
        _moment("at"),
        _within("year_opening_signatures", "opening_id", "year_openings"),
        _of("year_opening_signatures", "school_id", "schools"),
        sa.PrimaryKeyConstraint("opening_id", name=op.f("pk_year_opening_signatures")),
        sa.UniqueConstraint("school_id", "school_year", name=op.f("uq_year_opening_signatures_school_id_school_year")),
    )


def _former() -> None:
    op.create_table(
        "former_imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("school_year", sa.String(length=9), nullable=False),
        sa.Column("program", sa.String(length=16), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("receipt_book", sa.String(length=20), nullable=True),
        sa.Column("receipt_last", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint("due >= 0 AND credit >= 0", name=op.f("ck_former_imports_totals_not_negative")),
        sa.CheckConstraint("program <> ''", name=op.f("ck_former_imports_program_named")),
        sa.CheckConstraint(
            "(receipt_book IS NULL) = (receipt_last IS NULL)", name=op.f("ck_former_imports_a_number_in_a_book")
        ),
        sa.CheckConstraint("receipt_last > 0", name=op.f("ck_former_imports_receipt_last_above_zero")),
        _of("former_imports", "school_id", "schools"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_imports")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_former_imports_school_id_id")),
    )
    op.create_table(
        "former_decisions",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=True),
        _moment("at"),
        sa.CheckConstraint("approved OR reason <> ''", name=op.f("ck_former_decisions_reason_given")),
        _within("former_decisions", "import_id", "former_imports"),
        _within("former_decisions", "round_id", "billing_rounds"),
        _of("former_decisions", "school_id", "schools"),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_former_decisions")),
    )
    op.create_table(
        "former_balances",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("program", sa.String(length=16), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("item_code", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('due', 'credit')", name=op.f("ck_former_balances_kind_known")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_former_balances_amount_above_zero")),
        _within("former_balances", "import_id", "former_imports"),
        _of("former_balances", "school_id", "schools"),
        _of("former_balances", "pupil_id", "pupils"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_balances")),
        sa.UniqueConstraint(
            "school_id", "program", "pupil_id", "kind", "item_code", name="uq_former_balances_opened_once"
        ),
    )
    op.create_table(
        "receipt_starts",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("last_number > 0", name=op.f("ck_receipt_starts_last_number_above_zero")),
        sa.CheckConstraint("approved_by <> made_by", name=op.f("ck_receipt_starts_two_people")),
        _within("receipt_starts", "book_id", "receipt_books"),
        _within("receipt_starts", "import_id", "former_imports"),
        _of("receipt_starts", "school_id", "schools"),
        sa.PrimaryKeyConstraint("book_id", name=op.f("pk_receipt_starts")),
    )


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _of(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{of}.id"], name=op.f(f"fk_{table}_{column}"))


def _guard() -> None:
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
        op.execute(
            f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Take them away again; refused by the old checks while there is an opening round or a completed enrolment."""
    op.execute(OLD_RECEIPT_FOLLOWS)
    op.execute(OLD_COUNTER_STEPS)
    for table in reversed(TABLES):
        op.drop_table(table)
    for function in dict.fromkeys(function for _, function in ROW_TRIGGERS):
        op.execute(f"DROP FUNCTION {function}()")
    _checks(OLD_STATES, OLD_KINDS)
