"""Shape and guards of pupils' health insurance: cards, lists that are frozen when sent, payouts with two people.

Of a card only ``withdrawn_at`` is ever set, once; everything else here is written once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

WRITTEN_ONCE = [
    "insurance_lists",
    "insurance_list_lines",
    "insurance_payouts",
    "insurance_payout_steps",
    "insurance_doubles",
]
TENANT_TABLES = ["insurance_cards", *WRITTEN_ONCE]
CARD_COLUMNS = "id, school_id, pupil_id, year, card_end, starts_on, at_a_time, collected_in, made_at, withdrawn_at"
LINE_COLUMNS = (
    "id, school_id, list_id, bill_line_id, pupil_id, position, class_code, first_month, months, gross, state, province, "
    "others, family"
)
REPORTED = ["insurance_lists", "insurance_payouts", "insurance_payout_steps", "insurance_doubles"]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
REASONS = "'household', 'poor', 'near_poor', 'military', 'social', 'under_six', 'elsewhere'"

FUNCTIONS = r"""
CREATE FUNCTION insurance_card_gives_way() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL
       OR to_jsonb(NEW) - 'withdrawn_at' <> to_jsonb(OLD) - 'withdrawn_at' THEN
        RAISE EXCEPTION 'a card is only ever withdrawn, once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION insurance_list_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('insurance list ' || NEW.school_id || ' ' || NEW.year, 0));
    IF NEW.number <> 1 + (SELECT count(*) FROM insurance_lists l
                          WHERE l.school_id = NEW.school_id AND l.year = NEW.year) THEN
        RAISE EXCEPTION 'lists of a year are numbered without a gap' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION insurance_list_takes_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most integer;
BEGIN
    SELECT l.lines INTO most FROM insurance_lists l WHERE l.school_id = NEW.school_id AND l.id = NEW.list_id;
    IF NEW.position NOT BETWEEN 1 AND most THEN
        RAISE EXCEPTION 'a sent list takes no further line' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION insurance_payout_step_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    maker uuid;
    decided text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('insurance payout ' || NEW.payout_id, 0));
    SELECT p.made_by INTO maker FROM insurance_payouts p
      WHERE p.school_id = NEW.school_id AND p.id = NEW.payout_id;
    SELECT coalesce(array_agg(s.kind), '{}') INTO decided FROM insurance_payout_steps s
      WHERE s.school_id = NEW.school_id AND s.payout_id = NEW.payout_id;
    IF (NEW.kind = 'undone' AND decided <> ARRAY['approved']) OR (NEW.kind <> 'undone' AND decided <> '{}') THEN
        RAISE EXCEPTION 'a payout that is % cannot be %', decided, NEW.kind USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.kind <> 'rejected' AND NEW.made_by = maker THEN
        RAISE EXCEPTION 'whoever entered a payout does not decide on it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
ROW_TRIGGERS = [
    ("insurance_cards", "UPDATE", "insurance_card_gives_way"),
    ("insurance_lists", "INSERT", "insurance_list_follows"),
    ("insurance_list_lines", "INSERT", "insurance_list_takes_lines"),
    ("insurance_payout_steps", "INSERT", "insurance_payout_step_follows"),
]


def upgrade() -> None:
    """Add the rooms' tables and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _parameters()
    _cards()
    _lists()
    _payouts()
    _doubles()
    for statement in FUNCTIONS.strip().split("\n\nCREATE "):
        op.execute(statement if statement.startswith("CREATE") else f"CREATE {statement}")
    for table, event, function in ROW_TRIGGERS:
        op.execute(f"CREATE TRIGGER {function} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    _guard()


def _parameters() -> None:
    op.create_table(
        "insurance_parameters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.Column("base_wage", sa.BigInteger(), nullable=False),
        sa.Column("rate_permille", sa.Integer(), nullable=False),
        sa.Column("state_percent", sa.Integer(), nullable=False),
        sa.Column("province_percent", sa.Integer(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("province_basis", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "base_wage > 0 AND rate_permille BETWEEN 1 AND 1000", name=op.f("ck_insurance_parameters_rate_in_range")
        ),
        sa.CheckConstraint(
            "state_percent >= 0 AND province_percent >= 0 AND state_percent + province_percent <= 100",
            name=op.f("ck_insurance_parameters_shares_within_the_whole"),
        ),
        sa.CheckConstraint(
            "province_percent = 0 OR province_basis <> ''", name=op.f("ck_insurance_parameters_province_by_decision")
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_insurance_parameters_dates_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authorities.id"], name=op.f("fk_insurance_parameters_authority_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurance_parameters")),
        sa.UniqueConstraint("authority_id", "valid_from", name=op.f("uq_insurance_parameters_authority_id_valid_from")),
    )


def _cards() -> None:
    op.create_table(
        "insurance_cards",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("card_end", sa.Date(), nullable=True),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("at_a_time", sa.Integer(), nullable=True),
        sa.Column("collected_in", sa.Date(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("source IN ('school', 'other')", name=op.f("ck_insurance_cards_source_known")),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_insurance_cards_reason_known")),
        sa.CheckConstraint("year BETWEEN 2020 AND 2100", name=op.f("ck_insurance_cards_year_in_range")),
        sa.CheckConstraint(
            "(source = 'other') = (reason IS NOT NULL)", name=op.f("ck_insurance_cards_reason_where_elsewhere")
        ),
        sa.CheckConstraint(
            "(source = 'school') = (starts_on IS NOT NULL AND collected_in IS NOT NULL)",
            name=op.f("ck_insurance_cards_months_where_bought"),
        ),
        sa.CheckConstraint("at_a_time IN (3, 6, 12)", name=op.f("ck_insurance_cards_months_at_a_time")),
        sa.CheckConstraint("extract(day FROM collected_in) = 1", name=op.f("ck_insurance_cards_collected_in_a_month")),
        _of_school("insurance_cards"),
        _of_pupil("insurance_cards"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurance_cards")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_insurance_cards_school_id_id")),
    )
    op.create_index("ix_insurance_cards_pupil_id", "insurance_cards", ["pupil_id"], unique=False)
    op.create_index(
        "uq_insurance_cards_live",
        "insurance_cards",
        ["school_id", "pupil_id", "year"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )


def _lists() -> None:
    op.create_table(
        "insurance_lists",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("family", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sent_by", sa.Uuid(), nullable=False),
        _moment("sent_at"),
        sa.CheckConstraint("number > 0 AND lines > 0", name=op.f("ck_insurance_lists_counted")),
        _of_school("insurance_lists"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurance_lists")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_insurance_lists_school_id_id")),
        sa.UniqueConstraint("school_id", "year", "number", name=op.f("uq_insurance_lists_school_id_year_number")),
    )
    op.create_table(
        "insurance_list_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("bill_line_id", sa.BigInteger(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(), nullable=False),
        sa.Column("class_code", sa.String(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("first_month", sa.Date(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        *(
            sa.Column(payer, sa.BigInteger(), nullable=False)
            for payer in ("gross", "state", "province", "others", "family")
        ),
        sa.CheckConstraint(
            "gross = state + province + others + family", name=op.f("ck_insurance_list_lines_payers_add_up")
        ),
        _within("insurance_list_lines", "list_id", "insurance_lists"),
        _within("insurance_list_lines", "bill_line_id", "bill_lines"),
        _of_school("insurance_list_lines"),
        _of_pupil("insurance_list_lines"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurance_list_lines")),
        sa.UniqueConstraint(
            "school_id", "list_id", "bill_line_id", name=op.f("uq_insurance_list_lines_school_id_list_id_bill_line_id")
        ),
    )
    op.create_index(
        "ix_insurance_list_lines_bill_line", "insurance_list_lines", ["school_id", "bill_line_id"], unique=False
    )


def _payouts() -> None:
    op.create_table(
        "insurance_payouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("bank_reference", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_insurance_payouts_amount_above_zero")),
        sa.CheckConstraint("bank_reference <> ''", name=op.f("ck_insurance_payouts_reference_given")),
        _within("insurance_payouts", "list_id", "insurance_lists"),
        _of_school("insurance_payouts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurance_payouts")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_insurance_payouts_school_id_id")),
    )
    op.create_table(
        "insurance_payout_steps",
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint(
            "kind IN ('approved', 'rejected', 'undone')", name=op.f("ck_insurance_payout_steps_kind_known")
        ),
        sa.CheckConstraint(
            "(kind = 'rejected') = (entry_id IS NULL)", name=op.f("ck_insurance_payout_steps_entry_where_money")
        ),
        sa.CheckConstraint("kind = 'approved' OR reason <> ''", name=op.f("ck_insurance_payout_steps_reason_given")),
        _within("insurance_payout_steps", "payout_id", "insurance_payouts"),
        _within("insurance_payout_steps", "entry_id", "journal_entries"),
        _of_school("insurance_payout_steps"),
        sa.PrimaryKeyConstraint("payout_id", "kind", name=op.f("pk_insurance_payout_steps")),
    )


def _doubles() -> None:
    op.create_table(
        "insurance_doubles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("bill_line_id", sa.BigInteger(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("correction_id", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint("months > 0", name=op.f("ck_insurance_doubles_months_above_zero")),
        _within("insurance_doubles", "bill_line_id", "bill_lines"),
        _within("insurance_doubles", "correction_id", "corrections"),
        _of_school("insurance_doubles"),
        _of_pupil("insurance_doubles"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insurance_doubles")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_insurance_doubles_school_id_id")),
    )
    op.create_index("ix_insurance_doubles_line", "insurance_doubles", ["school_id", "bill_line_id"], unique=False)


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _of_pupil(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f(f"fk_{table}_pupil_id"))


def _guard() -> None:
    op.execute("GRANT SELECT, INSERT ON insurance_parameters TO hocphi_app")
    op.execute("GRANT SELECT ON insurance_parameters TO hocphi_report")
    op.execute("GRANT UPDATE (withdrawn_at) ON insurance_cards TO hocphi_app")
    for table in TENANT_TABLES:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for table in REPORTED:
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    # Neither why a child is insured elsewhere nor a card's number is anything for a report.
    op.execute(f"GRANT SELECT ({CARD_COLUMNS}) ON insurance_cards TO hocphi_report")
    op.execute(f"GRANT SELECT ({LINE_COLUMNS}) ON insurance_list_lines TO hocphi_report")


def downgrade() -> None:
    """Take them away again."""
    for table in reversed(TENANT_TABLES):
        op.drop_table(table)
    op.drop_table("insurance_parameters")
    for _, _, function in ROW_TRIGGERS:
        op.execute(f"DROP FUNCTION {function}()")
