"""Shape and guards of whom refunds are paid to: accounts that guardians entered, decisions, files for the bank."""

import sqlalchemy as sa
from alembic import op

revision = "0047b"
down_revision = "0047"
branch_labels = None
depends_on = None

TABLES = ["payee_accounts", "refund_grounds", "refund_batches", "refund_batch_lines"]
REPORTED = {
    "payee_accounts": "id, school_id, pupil_id, guardian_id, bank_bin, account_masked, contact_kind, at",
    "refund_grounds": "refund_id, school_id, number, issued_on, file_name, sha256",
    "refund_batches": "id, school_id, refund_id, lines, amount, sha256, made_by, made_at",
    "refund_batch_lines": "school_id, batch_id, line_id",
}
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
FUNCTIONS = {
    "payee_account_is_of_the_family": (
        "payee_accounts",
        """IF NOT EXISTS (
        SELECT 1 FROM enrolments e JOIN guardianships g ON g.pupil_id = e.pupil_id
        WHERE e.school_id = NEW.school_id AND e.pupil_id = NEW.pupil_id AND g.guardian_id = NEW.guardian_id) THEN
        RAISE EXCEPTION 'nobody names an account for the child of others' USING ERRCODE = 'check_violation';""",
    ),
    "ground_comes_with_the_request": (
        "refund_grounds",
        """IF EXISTS (SELECT 1 FROM refund_decisions d
        WHERE d.school_id = NEW.school_id AND d.refund_id = NEW.refund_id) THEN
        RAISE EXCEPTION 'a decided refund takes no other ground' USING ERRCODE = 'check_violation';""",
    ),
    "batch_line_was_ordered": (
        "refund_batch_lines",
        """IF NOT EXISTS (SELECT 1 FROM refund_lines l
        JOIN refund_batches b ON b.school_id = l.school_id AND b.refund_id = l.refund_id
        WHERE l.school_id = NEW.school_id AND l.id = NEW.line_id AND b.id = NEW.batch_id AND 'sent' = (
            SELECT s.kind FROM refund_steps s WHERE s.school_id = l.school_id AND s.line_id = l.id
            ORDER BY s.turn DESC LIMIT 1)) THEN
        RAISE EXCEPTION 'only what is ordered stands in the file for the bank' USING ERRCODE = 'check_violation';""",
    ),
}


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _accounts()
    _grounds()
    _batches()
    for table in TABLES:
        _guard(table)
    for name, (table, refusal) in FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refusal} END IF; RETURN NEW; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _accounts() -> None:
    op.create_table(
        "payee_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("bank_bin", sa.String(length=6), nullable=False),
        sa.Column("holder_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("account_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("account_masked", sa.String(), nullable=False),
        sa.Column("contact_kind", sa.String(), nullable=False),
        sa.Column("contact_masked", sa.String(), nullable=False),
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("contact_kind IN ('phone', 'email')", name=op.f("ck_payee_accounts_contact_kind_known")),
        sa.CheckConstraint("bank_bin ~ '^[0-9]{6}$'", name=op.f("ck_payee_accounts_bin_six_digits")),
        sa.CheckConstraint("octet_length(session_hash) = 32", name=op.f("ck_payee_accounts_session_is_a_digest")),
        _of("payee_accounts", "school_id", "schools"),
        _of("payee_accounts", "pupil_id", "pupils"),
        _of("payee_accounts", "guardian_id", "guardians"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payee_accounts")),
    )
    op.create_index("ix_payee_accounts_pupil", "payee_accounts", ["school_id", "pupil_id"], unique=False)


def _grounds() -> None:
    op.create_table(
        "refund_grounds",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number <> ''", name=op.f("ck_refund_grounds_number_given")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_refund_grounds_paper_is_digested")),
        _within("refund_grounds", "refund_id", "refunds"),
        _of("refund_grounds", "school_id", "schools"),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_refund_grounds")),
    )


def _batches() -> None:
    op.create_table(
        "refund_batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("xlsx_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("csv_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("lines > 0", name=op.f("ck_refund_batches_holds_lines")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refund_batches_amount_above_zero")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_refund_batches_file_is_digested")),
        _within("refund_batches", "refund_id", "refunds"),
        _of("refund_batches", "school_id", "schools"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_batches")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_refund_batches_school_id_id")),
    )
    op.create_index("ix_refund_batches_refund", "refund_batches", ["school_id", "refund_id"], unique=False)
    op.create_table(
        "refund_batch_lines",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        _within("refund_batch_lines", "batch_id", "refund_batches"),
        _within("refund_batch_lines", "line_id", "refund_lines"),
        _of("refund_batch_lines", "school_id", "schools"),
        sa.PrimaryKeyConstraint("school_id", "batch_id", "line_id", name=op.f("pk_refund_batch_lines")),
    )


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _of(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{of}.id"], name=op.f(f"fk_{table}_{column}"))


def _guard(table: str) -> None:
    op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    op.execute(f"GRANT SELECT ({REPORTED[table]}) ON {table} TO hocphi_report")
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
    for table in reversed(TABLES):
        op.drop_table(table)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
