"""Shape and guards of credit: its use on bills, refunds; the credit of a pupil and item never falls below zero.

The guard looks at the book itself, whoever writes into it: one statement at a time takes credit away at a school.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = ["credit_uses", "refunds", "refund_lines", "refund_decisions", "refund_steps"]
REPORTED = ["credit_uses", "refunds", "refund_decisions", "refund_steps"]
REPORTED_COLUMNS = "id, school_id, refund_id, pupil_id, item_code, amount, way, account_masked"
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"

FUNCTIONS = r"""
CREATE FUNCTION credit_is_there() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    accounts bigint[];
BEGIN
    SELECT array_agg(l.id) INTO accounts FROM ledger_accounts l
      WHERE l.code = '3383' AND l.school_id IN (SELECT n.school_id FROM new_rows n);
    IF EXISTS (SELECT 1 FROM new_rows n WHERE n.pupil_id IS NULL
               AND (n.debit_account_id = ANY (accounts) OR n.credit_account_id = ANY (accounts))) THEN
        RAISE EXCEPTION 'credit is kept for a pupil' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM new_rows n WHERE n.debit_account_id = ANY (accounts)) THEN
        RETURN NULL;
    END IF;
    -- One at a time takes credit away at a school; the next statement sees what the one before committed.
    PERFORM pg_advisory_xact_lock(hashtextextended('credit ' || s.school_id, 0))
      FROM (SELECT DISTINCT n.school_id FROM new_rows n WHERE n.debit_account_id = ANY (accounts) ORDER BY 1) s;
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT n.school_id, n.pupil_id, n.item_code, n.debit_account_id AS account
                       FROM new_rows n WHERE n.debit_account_id = ANY (accounts)) taken
        CROSS JOIN LATERAL (
            SELECT sum(CASE WHEN p.credit_account_id = taken.account THEN p.amount ELSE -p.amount END) AS credit
            FROM postings p
            WHERE p.school_id = taken.school_id AND p.pupil_id = taken.pupil_id
              AND (p.credit_account_id = taken.account OR p.debit_account_id = taken.account)
              AND p.item_code IS NOT DISTINCT FROM taken.item_code) kept
        WHERE kept.credit < 0) THEN
        RAISE EXCEPTION 'more credit is taken than there is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION refund_decided_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.approved AND EXISTS (SELECT 1 FROM refunds r WHERE r.id = NEW.refund_id AND r.made_by = NEW.decided_by) THEN
        RAISE EXCEPTION 'whoever asked for a refund does not approve it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION refund_takes_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM refund_decisions d WHERE d.refund_id = NEW.refund_id) THEN
        RAISE EXCEPTION 'a decided refund takes no further line' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION refund_step_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line record;
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('refund line ' || NEW.line_id, 0));
    SELECT l.way, d.approved INTO STRICT line FROM refund_lines l
      LEFT JOIN refund_decisions d ON d.school_id = l.school_id AND d.refund_id = l.refund_id WHERE l.id = NEW.line_id;
    IF line.approved IS NOT TRUE THEN
        RAISE EXCEPTION 'only an approved refund is paid out' USING ERRCODE = 'check_violation';
    END IF;
    SELECT s.turn, s.kind INTO last FROM refund_steps s
      WHERE s.school_id = NEW.school_id AND s.line_id = NEW.line_id ORDER BY s.turn DESC LIMIT 1;
    IF NEW.turn <> coalesce(last.turn, 0) + 1
       OR (NEW.kind = 'undone') <> (coalesce(last.kind, '') IN ('paid', 'sent'))
       OR coalesce(last.kind, '') = 'taken_back'
       OR (NEW.kind = 'paid' AND line.way <> 'cash') OR (NEW.kind = 'sent' AND line.way <> 'bank') THEN
        RAISE EXCEPTION 'a refund that is % cannot be %', coalesce(last.kind, 'open'), NEW.kind
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
ROW_TRIGGERS = [
    ("refund_decisions", "refund_decided_by_another"),
    ("refund_lines", "refund_takes_lines"),
    ("refund_steps", "refund_step_follows"),
]


def upgrade() -> None:
    """Add the room's tables and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _uses()
    _refunds()
    _lines()
    _decisions()
    _steps()
    for statement in FUNCTIONS.strip().split("\n\nCREATE "):
        op.execute(statement if statement.startswith("CREATE") else f"CREATE {statement}")
    for table, function in ROW_TRIGGERS:
        op.execute(f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    op.execute(
        "CREATE TRIGGER credit_is_there AFTER INSERT ON postings REFERENCING NEW TABLE AS new_rows "
        "FOR EACH STATEMENT EXECUTE FUNCTION credit_is_there()"
    )
    _guard()


def _uses() -> None:
    op.create_table(
        "credit_uses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("item_code", sa.String(length=40), nullable=True),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_credit_uses_amount_above_zero")),
        sa.CheckConstraint(
            "(round_id IS NULL) = (made_by IS NOT NULL)", name=op.f("ck_credit_uses_by_a_round_or_a_person")
        ),
        _within("credit_uses", "bill_id", "bills"),
        _within("credit_uses", "round_id", "billing_rounds"),
        _of("credit_uses", "school_id", "schools"),
        _of("credit_uses", "pupil_id", "pupils"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_uses")),
    )
    op.create_index("ix_credit_uses_pupil", "credit_uses", ["school_id", "pupil_id"], unique=False)
    op.create_index("ix_credit_uses_bill", "credit_uses", ["school_id", "bill_id"], unique=False)


def _refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("item_code", sa.String(length=40), nullable=True),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("round_id", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_refunds_reason_given")),
        _within("refunds", "class_id", "class_groups"),
        _within("refunds", "round_id", "billing_rounds"),
        _of("refunds", "school_id", "schools"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_refunds_school_id_id")),
    )
    op.create_index("ix_refunds_made", "refunds", ["school_id", "made_at"], unique=False)


def _lines() -> None:
    op.create_table(
        "refund_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("item_code", sa.String(length=40), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("payee_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("bank_bin", sa.String(length=6), nullable=True),
        sa.Column("account_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("account_masked", sa.String(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refund_lines_amount_above_zero")),
        sa.CheckConstraint("way IN ('cash', 'bank')", name=op.f("ck_refund_lines_way_known")),
        sa.CheckConstraint(
            "(way = 'bank') = (account_sealed IS NOT NULL) AND (way = 'bank') = (bank_bin IS NOT NULL)"
            " AND (way = 'cash' OR payee_sealed IS NOT NULL)",
            name=op.f("ck_refund_lines_bank_has_an_account"),
        ),
        _within("refund_lines", "refund_id", "refunds"),
        _of("refund_lines", "school_id", "schools"),
        _of("refund_lines", "pupil_id", "pupils"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_lines")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_refund_lines_school_id_id")),
        sa.UniqueConstraint(
            "school_id",
            "refund_id",
            "pupil_id",
            "item_code",
            name="one_line_each",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_refund_lines_pupil", "refund_lines", ["school_id", "pupil_id"], unique=False)


def _decisions() -> None:
    op.create_table(
        "refund_decisions",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        _moment("at"),
        _within("refund_decisions", "refund_id", "refunds"),
        _of("refund_decisions", "school_id", "schools"),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_refund_decisions")),
    )


def _steps() -> None:
    op.create_table(
        "refund_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("kind IN ('paid', 'sent', 'undone', 'taken_back')", name=op.f("ck_refund_steps_kind_known")),
        sa.CheckConstraint("turn > 0", name=op.f("ck_refund_steps_turn_counts")),
        sa.CheckConstraint("kind <> 'paid' OR signed_by <> ''", name=op.f("ck_refund_steps_paid_against_a_signature")),
        sa.CheckConstraint(
            "kind NOT IN ('undone', 'taken_back') OR reason <> ''", name=op.f("ck_refund_steps_reason_given")
        ),
        sa.CheckConstraint(
            "kind NOT IN ('paid', 'taken_back') OR entry_id IS NOT NULL",
            name=op.f("ck_refund_steps_stands_in_the_book"),
        ),
        _within("refund_steps", "line_id", "refund_lines"),
        _within("refund_steps", "entry_id", "journal_entries"),
        _of("refund_steps", "school_id", "schools"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_steps")),
        sa.UniqueConstraint("school_id", "line_id", "turn", name=op.f("uq_refund_steps_school_id_line_id_turn")),
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
    for table in REPORTED:
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    op.execute(f"GRANT SELECT ({REPORTED_COLUMNS}) ON refund_lines TO hocphi_report")


def downgrade() -> None:
    """Take them away again."""
    op.execute("DROP TRIGGER credit_is_there ON postings")
    for table in ("refund_steps", "refund_decisions", "refund_lines", "refunds", "credit_uses"):
        op.drop_table(table)
    for function in ("credit_is_there", *(function for _, function in ROW_TRIGGERS)):
        op.execute(f"DROP FUNCTION {function}()")
