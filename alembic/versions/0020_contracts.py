"""Shape and guards of contracts of private schools: versions, agreements, deposits, releases of income, late charges.

The place deposit of a child that is not enrolled yet is a bill without enrolment and class. The database lets no public
school have a contract, whoever made a version not approve it, and a contract take its steps in their order only.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLES = [
    "contract_versions",
    "contract_approvals",
    "contracts",
    "contract_papers",
    "contract_steps",
    "income_releases",
    "late_charges",
    "opt_outs",
]
REPORTED_COLUMNS = "id, school_id, contract_id, name, media_type, sha256, made_by, made_at"
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
BILL_KEY = "one_original_and_one_instead"
OLD_BILL_KEY_COLUMNS = ["school_id", "round_id", "enrolment_id", "bank_account_id", "replaces_id"]
BILL_KEY_COLUMNS = ["school_id", "round_id", "pupil_id", "enrolment_id", "bank_account_id", "replaces_id"]
OLD_ROUND_KINDS = "kind IN ('regular', 'supplementary', 'opening')"
ROUND_KINDS = "kind IN ('regular', 'supplementary', 'opening', 'deposit')"
OLD_ACCOUNT_KINDS = (
    "kind IN ('bank', 'cash', 'suspense', 'receivable', 'credit', 'income', 'pass_through', 'clearing', 'expense')"
)
OLD_LEAVING_STATES = "state IN ('left', 'transferred_out', 'paused', 'graduated')"
LEAVING_STATES = "state IN ('left', 'transferred_out', 'paused', 'graduated', 'never_came')"
OLD_ENROLMENT_STATES = "state IN ('studying', 'completed', 'transferred_out', 'left', 'paused', 'graduated')"
ENROLMENT_STATES = OLD_ENROLMENT_STATES.replace("'graduated'", "'graduated', 'never_came'")
ACCOUNT_KINDS = OLD_ACCOUNT_KINDS.replace("'income', ", "'income', 'deferred', ")

# Who answers for a child is seen by its school; of one that applies, by the school of its contract.
SYSTEM = "(SELECT app_sees_all())"
OLD_TIE = (
    "EXISTS (SELECT 1 FROM enrolments e WHERE e.pupil_id = guardianships.pupil_id) "
    f"OR {SYSTEM} OR guardian_id = ANY ((SELECT app_guardians())::uuid[])"
)
APPLIES_HERE = """EXISTS (
    SELECT 1 FROM contracts c WHERE c.pupil_id = guardianships.pupil_id AND NOT EXISTS (
        SELECT 1 FROM contract_steps s WHERE s.contract_id = c.id AND s.kind = 'declined'))"""
OLD_TIE_IN_HAND = f"""{SYSTEM}
    OR EXISTS (SELECT 1 FROM enrolments e WHERE e.pupil_id = guardianships.pupil_id AND e.state = 'studying')
    OR (EXISTS (SELECT 1 FROM enrolments e WHERE e.pupil_id = guardianships.pupil_id)
        AND NOT pupil_studies_elsewhere(guardianships.pupil_id))"""
TIE_IN_HAND = f"{OLD_TIE_IN_HAND} OR ({APPLIES_HERE} AND NOT pupil_studies_elsewhere(guardianships.pupil_id))"

FUNCTIONS = r"""
CREATE FUNCTION contracts_are_private() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM schools s WHERE s.id = NEW.school_id AND s.kind = 'private') THEN
        RAISE EXCEPTION 'only a private school has contracts' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION contract_approved_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM contract_versions v WHERE v.id = NEW.version_id AND v.made_by = NEW.approved_by) THEN
        RAISE EXCEPTION 'whoever made a contract does not approve it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION contract_of_approved_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM contract_approvals a
                   WHERE a.school_id = NEW.school_id AND a.version_id = NEW.version_id) THEN
        RAISE EXCEPTION 'a family agrees to an approved version only' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION contract_step_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('contract ' || NEW.contract_id, 0));
    SELECT s.turn, s.kind INTO last FROM contract_steps s
      WHERE s.school_id = NEW.school_id AND s.contract_id = NEW.contract_id ORDER BY s.turn DESC LIMIT 1;
    IF NEW.turn <> coalesce(last.turn, 0) + 1
       OR NOT (coalesce(last.kind, 'draft') || '>' || NEW.kind) = ANY (ARRAY[
           'draft>agreed', 'draft>declined', 'agreed>enrolled', 'agreed>declined', 'enrolled>withdrawn']) THEN
        RAISE EXCEPTION 'a contract that is % cannot be %', coalesce(last.kind, 'a draft'), NEW.kind
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION release_within_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most bigint;
    released numeric;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('release ' || NEW.line_id, 0));
    SELECT l.gross INTO most FROM bill_lines l WHERE l.school_id = NEW.school_id AND l.id = NEW.line_id;
    SELECT sum(r.amount) INTO released FROM income_releases r
      WHERE r.school_id = NEW.school_id AND r.line_id = NEW.line_id;
    IF released NOT BETWEEN 0 AND most THEN
        RAISE EXCEPTION 'line % would be released by % of %', NEW.line_id, released, most
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION late_by_contract() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    cap bigint;
    charged numeric;
BEGIN
    SELECT (v.terms #>> '{late,cap}')::bigint INTO cap FROM contracts c
      JOIN contract_versions v ON v.school_id = c.school_id AND v.id = c.version_id
      WHERE c.school_id = NEW.school_id AND c.id = NEW.contract_id;
    PERFORM pg_advisory_xact_lock(hashtextextended('late ' || NEW.bill_id, 0));
    SELECT coalesce(sum(l.amount), 0) + NEW.amount INTO charged FROM late_charges l
      WHERE l.school_id = NEW.school_id AND l.bill_id = NEW.bill_id;
    IF cap IS NULL OR charged > cap
       OR NOT EXISTS (SELECT 1 FROM contracts c JOIN bills b ON b.school_id = c.school_id AND b.pupil_id = c.pupil_id
                      WHERE c.school_id = NEW.school_id AND c.id = NEW.contract_id AND b.id = NEW.bill_id)
       OR NOT EXISTS (SELECT 1 FROM contract_steps s WHERE s.school_id = NEW.school_id
                      AND s.contract_id = NEW.contract_id AND s.kind = 'agreed') THEN
        RAISE EXCEPTION 'the contract allows no such late charge' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
ROW_TRIGGERS = [
    ("contract_versions", "contracts_are_private", "BEFORE"),
    ("contracts", "contracts_are_private", "BEFORE"),
    ("late_charges", "contracts_are_private", "BEFORE"),
    ("contract_approvals", "contract_approved_by_another", "BEFORE"),
    ("contracts", "contract_of_approved_version", "BEFORE"),
    ("contract_steps", "contract_step_follows", "BEFORE"),
    ("income_releases", "release_within_line", "AFTER"),
    ("late_charges", "late_by_contract", "BEFORE"),
]


def upgrade() -> None:
    """Add the room's tables and guards; let a bill be of a child that is not enrolled yet."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _known("billing_rounds", "kind", ROUND_KINDS)
    _known("ledger_accounts", "kind", ACCOUNT_KINDS)
    _known("leavings", "state", LEAVING_STATES)
    _known("enrolments", "state", ENROLMENT_STATES)
    op.alter_column("bills", "enrolment_id", nullable=True)
    op.alter_column("bills", "class_id", nullable=True)
    op.drop_constraint(op.f(BILL_KEY), "bills", type_="unique")
    op.create_unique_constraint(op.f(BILL_KEY), "bills", BILL_KEY_COLUMNS, postgresql_nulls_not_distinct=True)
    _versions()
    _approvals()
    _contracts()
    _papers()
    _steps()
    _releases()
    _late()
    _opt_outs()
    for table in TABLES:
        _guard(table)
    _ties(f"{OLD_TIE} OR {APPLIES_HERE}", TIE_IN_HAND)
    op.execute(FUNCTIONS)
    for table, function, when in ROW_TRIGGERS:
        op.execute(f"CREATE TRIGGER {function} {when} INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")


def _versions() -> None:
    op.create_table(
        "contract_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("terms", JSONB(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("title <> '' AND body <> ''", name=op.f("ck_contract_versions_has_words")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_contract_versions_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_versions")),
        sa.UniqueConstraint("school_id", "code", name=op.f("uq_contract_versions_school_id_code")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_contract_versions_school_id_id")),
    )


def _approvals() -> None:
    op.create_table(
        "contract_approvals",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id", "version_id"],
            ["contract_versions.school_id", "contract_versions.id"],
            name=op.f("fk_contract_approvals_school_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_contract_approvals_school_id")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_contract_approvals")),
    )


def _contracts() -> None:
    op.create_table(
        "contracts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("school_year", sa.String(length=9), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("plan IN ('month', 'quarter', 'half', 'year')", name=op.f("ck_contracts_plan_known")),
        sa.CheckConstraint("months BETWEEN 1 AND 12", name=op.f("ck_contracts_months_of_a_year")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_contracts_pupil_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "bank_account_id"],
            ["bank_accounts.school_id", "bank_accounts.id"],
            name=op.f("fk_contracts_school_id_bank_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "version_id"],
            ["contract_versions.school_id", "contract_versions.id"],
            name=op.f("fk_contracts_school_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_contracts_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_contracts_school_id_id")),
        sa.UniqueConstraint("school_id", "number", name=op.f("uq_contracts_school_id_number")),
    )
    op.create_index("ix_contracts_pupil", "contracts", ["school_id", "pupil_id"], unique=False)


def _papers() -> None:
    op.create_table(
        "contract_papers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'image/jpeg', 'image/png')",
            name=op.f("ck_contract_papers_media_type_known"),
        ),
        sa.CheckConstraint(
            "octet_length(content) BETWEEN 1 AND 5242880", name=op.f("ck_contract_papers_content_in_bounds")
        ),
        sa.CheckConstraint("sha256 = sha256(content)", name=op.f("ck_contract_papers_content_as_digested")),
        sa.ForeignKeyConstraint(
            ["school_id", "contract_id"],
            ["contracts.school_id", "contracts.id"],
            name=op.f("fk_contract_papers_school_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_contract_papers_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_papers")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_contract_papers_school_id_id")),
    )
    op.create_index("ix_contract_papers_contract", "contract_papers", ["school_id", "contract_id"], unique=False)


def _steps() -> None:
    op.create_table(
        "contract_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=True),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("enrolment_id", sa.Uuid(), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'agreed') = (way <> '')", name=op.f("ck_contract_steps_agreed_in_a_way")),
        sa.CheckConstraint("(way = 'paper') = (paper_id IS NOT NULL)", name=op.f("ck_contract_steps_paper_is_kept")),
        sa.CheckConstraint(
            "kind <> 'enrolled' OR enrolment_id IS NOT NULL", name=op.f("ck_contract_steps_enrolled_as")
        ),
        sa.CheckConstraint(
            "kind IN ('agreed', 'enrolled', 'declined', 'withdrawn')", name=op.f("ck_contract_steps_kind_known")
        ),
        sa.CheckConstraint(
            "kind NOT IN ('declined', 'withdrawn') OR reason <> ''", name=op.f("ck_contract_steps_reason_given")
        ),
        sa.CheckConstraint("way IN ('', 'paper', 'code')", name=op.f("ck_contract_steps_way_known")),
        sa.CheckConstraint("turn > 0", name=op.f("ck_contract_steps_turn_counts")),
        sa.ForeignKeyConstraint(
            ["school_id", "bill_id"], ["bills.school_id", "bills.id"], name=op.f("fk_contract_steps_school_id_bill_id")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "contract_id"],
            ["contracts.school_id", "contracts.id"],
            name=op.f("fk_contract_steps_school_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_contract_steps_school_id_enrolment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "entry_id"],
            ["journal_entries.school_id", "journal_entries.id"],
            name=op.f("fk_contract_steps_school_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "paper_id"],
            ["contract_papers.school_id", "contract_papers.id"],
            name=op.f("fk_contract_steps_school_id_paper_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_contract_steps_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_steps")),
        sa.UniqueConstraint(
            "school_id", "contract_id", "turn", name=op.f("uq_contract_steps_school_id_contract_id_turn")
        ),
    )


def _releases() -> None:
    op.create_table(
        "income_releases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_income_releases_something_released")),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_income_releases_month_by_its_first_day")),
        sa.ForeignKeyConstraint(
            ["school_id", "entry_id"],
            ["journal_entries.school_id", "journal_entries.id"],
            name=op.f("fk_income_releases_school_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "line_id"],
            ["bill_lines.school_id", "bill_lines.id"],
            name=op.f("fk_income_releases_school_id_line_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_income_releases_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_income_releases")),
        sa.UniqueConstraint("school_id", "entry_id", name=op.f("uq_income_releases_school_id_entry_id")),
        sa.UniqueConstraint("school_id", "line_id", "turn", name=op.f("uq_income_releases_school_id_line_id_turn")),
    )
    op.create_index("ix_income_releases_month", "income_releases", ["school_id", "month"], unique=False)


def _late() -> None:
    op.create_table(
        "late_charges",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_late_charges_month_by_its_first_day")),
        sa.CheckConstraint("mod(amount, 1000) = 0 AND amount <= 1000000", name=op.f("ck_late_charges_whole_thousands")),
        sa.CheckConstraint("months > 0 AND amount > 0", name=op.f("ck_late_charges_something_charged")),
        sa.ForeignKeyConstraint(
            ["school_id", "bill_id"], ["bills.school_id", "bills.id"], name=op.f("fk_late_charges_school_id_bill_id")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "contract_id"],
            ["contracts.school_id", "contracts.id"],
            name=op.f("fk_late_charges_school_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_late_charges_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_charges")),
    )
    op.create_index("ix_late_charges_bill", "late_charges", ["school_id", "bill_id"], unique=False)


def _opt_outs() -> None:
    op.create_table(
        "opt_outs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("evidence <> ''", name=op.f("ck_opt_outs_evidence_given")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_opt_outs_dates_in_order")),
        sa.ForeignKeyConstraint(
            ["school_id", "enrolment_id"],
            ["enrolments.school_id", "enrolments.id"],
            name=op.f("fk_opt_outs_school_id_enrolment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "item_id"],
            ["fee_items.school_id", "fee_items.id"],
            name=op.f("fk_opt_outs_school_id_item_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_opt_outs_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opt_outs")),
    )
    op.create_index("ix_opt_outs_enrolment", "opt_outs", ["school_id", "enrolment_id"], unique=False)


def _guard(table: str) -> None:
    op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    columns = f" ({REPORTED_COLUMNS})" if table == "contract_papers" else ""
    op.execute(f"GRANT SELECT{columns} ON {table} TO hocphi_report")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _known(table: str, column: str, values: str) -> None:
    name = op.f(f"ck_{table}_{column}_known")
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, values)


def _ties(seen: str, in_hand: str) -> None:
    op.execute(f"ALTER POLICY in_scope ON guardianships USING ({seen}) WITH CHECK ({seen})")
    op.execute(f"ALTER POLICY in_hand_to_insert ON guardianships WITH CHECK ({in_hand})")
    op.execute(f"ALTER POLICY in_hand_to_update ON guardianships USING ({in_hand})")


def downgrade() -> None:
    """Take them away again."""
    _ties(OLD_TIE, OLD_TIE_IN_HAND)
    for table in reversed(TABLES):
        op.drop_table(table)
    for function in dict.fromkeys(function for _, function, _ in ROW_TRIGGERS):
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_constraint(op.f(BILL_KEY), "bills", type_="unique")
    op.create_unique_constraint(op.f(BILL_KEY), "bills", OLD_BILL_KEY_COLUMNS, postgresql_nulls_not_distinct=True)
    op.alter_column("bills", "class_id", nullable=False)
    op.alter_column("bills", "enrolment_id", nullable=False)
    _known("enrolments", "state", OLD_ENROLMENT_STATES)
    _known("leavings", "state", OLD_LEAVING_STATES)
    _known("ledger_accounts", "kind", OLD_ACCOUNT_KINDS)
    _known("billing_rounds", "kind", OLD_ROUND_KINDS)
