"""Shape and guards of relief: more time for a family, and sums no longer asked for; another person decides."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = ["reliefs", "relief_papers", "relief_decisions", "relief_ends"]
PAPER_COLUMNS = "id, school_id, relief_id, name, media_type, sha256, made_by, made_at"
OLD_SOURCES = "source_kind IN ('transfer', 'cash', 'card', 'credit')"
NEW_SOURCES = "source_kind IN ('transfer', 'cash', 'card', 'credit', 'write_off')"

RELIEF_BY_ANOTHER = """
CREATE FUNCTION relief_decided_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  asked record;
BEGIN
  SELECT r.made_by, r.kind INTO STRICT asked FROM reliefs r WHERE r.school_id = NEW.school_id AND r.id = NEW.relief_id;
  IF NEW.approved AND asked.made_by = NEW.decided_by THEN
    RAISE EXCEPTION 'whoever asked for a relief does not approve it' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.approved AND asked.kind = 'write_off' AND NOT EXISTS (
    SELECT 1 FROM relief_papers p WHERE p.school_id = NEW.school_id AND p.relief_id = NEW.relief_id
  ) THEN
    RAISE EXCEPTION 'nothing is written off without a paper' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

WRITE_OFF_IS_APPROVED = """
CREATE FUNCTION write_off_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM reliefs r JOIN relief_decisions d ON d.school_id = r.school_id AND d.relief_id = r.id
    WHERE r.school_id = NEW.school_id AND r.id = NEW.source_id AND r.kind = 'write_off' AND d.approved
      AND r.amount = NEW.amount AND r.pupil_id = NEW.pupil_id AND NEW.turn = 1
  ) THEN
    RAISE EXCEPTION 'a write-off is approved before it is set against a bill' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

RELIEF_ENDS_ONCE_APPROVED = """
CREATE FUNCTION relief_ends_once_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM relief_decisions d
                 WHERE d.school_id = NEW.school_id AND d.relief_id = NEW.relief_id AND d.approved) THEN
    RAISE EXCEPTION 'what was never approved does not end' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _reliefs()
    _relief_papers()
    _relief_decisions()
    _relief_ends()
    for table in TABLES:
        _guard(table)
    for table in ("reliefs", "relief_decisions", "relief_ends"):
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    op.execute(f"GRANT SELECT ({PAPER_COLUMNS}) ON relief_papers TO hocphi_report")
    _watch_reliefs()


def _moment(name: str) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _reliefs() -> None:
    op.create_table(
        "reliefs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("parts", JSONB(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("decision_number", sa.String(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint("kind IN ('grace', 'write_off')", name=op.f("ck_reliefs_kind_known")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_reliefs_reason_given")),
        sa.CheckConstraint("(kind = 'grace') = (until IS NOT NULL)", name=op.f("ck_reliefs_grace_has_an_end")),
        sa.CheckConstraint(
            "(kind = 'write_off') = (amount IS NOT NULL AND bill_id IS NOT NULL AND decided_on IS NOT NULL"
            " AND decision_number <> '')",
            name=op.f("ck_reliefs_write_off_by_a_decision"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_reliefs_amount_above_zero")),
        _within("reliefs", "bill_id", "bills"),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_reliefs_pupil_id")),
        _of_school("reliefs"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reliefs")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_reliefs_school_id_id")),
    )
    op.create_index("ix_reliefs_pupil", "reliefs", ["school_id", "pupil_id"], unique=False)
    op.create_index("ix_reliefs_bill", "reliefs", ["school_id", "bill_id"], unique=False)


def _relief_papers() -> None:
    op.create_table(
        "relief_papers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("relief_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'image/jpeg', 'image/png')",
            name=op.f("ck_relief_papers_media_type_known"),
        ),
        sa.CheckConstraint(
            "octet_length(content) BETWEEN 1 AND 5242880", name=op.f("ck_relief_papers_content_in_bounds")
        ),
        sa.CheckConstraint("sha256 = sha256(content)", name=op.f("ck_relief_papers_content_as_digested")),
        _within("relief_papers", "relief_id", "reliefs"),
        _of_school("relief_papers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relief_papers")),
    )
    op.create_index("ix_relief_papers_relief", "relief_papers", ["school_id", "relief_id"], unique=False)


def _relief_decisions() -> None:
    op.create_table(
        "relief_decisions",
        sa.Column("relief_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("approved OR reason <> ''", name=op.f("ck_relief_decisions_no_has_a_reason")),
        _within("relief_decisions", "relief_id", "reliefs"),
        _of_school("relief_decisions"),
        sa.PrimaryKeyConstraint("relief_id", name=op.f("pk_relief_decisions")),
    )


def _relief_ends() -> None:
    op.create_table(
        "relief_ends",
        sa.Column("relief_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_relief_ends_reason_given")),
        _within("relief_ends", "relief_id", "reliefs"),
        _of_school("relief_ends"),
        sa.PrimaryKeyConstraint("relief_id", name=op.f("pk_relief_ends")),
    )


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _watch_reliefs() -> None:
    """A write-off is approved by another person on a paper before a payment stands for it."""
    _sources(NEW_SOURCES)
    for function in (RELIEF_BY_ANOTHER, WRITE_OFF_IS_APPROVED, RELIEF_ENDS_ONCE_APPROVED):
        op.execute(function)
    for table, function, only in (
        ("relief_decisions", "relief_decided_by_another", ""),
        ("relief_ends", "relief_ends_once_approved", ""),
        ("payments", "write_off_is_approved", "WHEN (NEW.source_kind = 'write_off') "),
    ):
        op.execute(
            f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW {only}EXECUTE FUNCTION {function}()"
        )


def _sources(condition: str) -> None:
    op.drop_constraint(op.f("ck_payments_source_kind_known"), "payments", type_="check")
    op.create_check_constraint(op.f("ck_payments_source_kind_known"), "payments", condition)


def _guard(table: str) -> None:
    op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
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
    op.execute("DROP TRIGGER write_off_is_approved ON payments")
    for table in reversed(TABLES):
        op.drop_table(table)
    for function in ("relief_decided_by_another", "relief_ends_once_approved", "write_off_is_approved"):
        op.execute(f"DROP FUNCTION {function}()")
    _sources(OLD_SOURCES)
