"""Shape and guards of what foreign money lacks: a limit by two people, and within it one person's decision."""

import sqlalchemy as sa
from alembic import op

revision = "0054c"
down_revision = "0054b"
branch_labels = None
depends_on = None

TABLES = ["shortfall_limits", "shortfall_limit_decisions"]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
BY_ANOTHER = """
CREATE FUNCTION shortfall_limit_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM shortfall_limits l WHERE l.school_id = NEW.school_id AND l.id = NEW.limit_id
             AND l.made_by = NEW.decided_by) THEN
    RAISE EXCEPTION 'whoever asked for a limit does not agree to it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
FITS = """
CREATE FUNCTION shortfall_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM transfers t WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id FOR UPDATE;
  IF NOT EXISTS (SELECT 1 FROM payments p
      JOIN allocations a ON a.school_id = p.school_id AND a.payment_id = p.id AND a.bill_id = NEW.bill_id
      WHERE p.school_id = NEW.school_id AND p.source_kind = 'transfer' AND p.source_id = NEW.transfer_id
        AND p.pupil_id = NEW.pupil_id
        AND NOT EXISTS (SELECT 1 FROM payment_reversals v WHERE v.payment_id = p.id)) THEN
    RAISE EXCEPTION 'a shortfall is of money that paid this bill' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM reliefs r WHERE r.school_id = NEW.school_id AND r.transfer_id = NEW.transfer_id
             AND r.id <> NEW.id AND NOT EXISTS (SELECT 1 FROM relief_ends e WHERE e.relief_id = r.id)) THEN
    RAISE EXCEPTION 'this money is accepted short already' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
STANDS = """
CREATE FUNCTION shortfall_goes_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM payments p
      JOIN reliefs r ON r.school_id = p.school_id AND r.transfer_id = p.source_id AND r.pupil_id = p.pupil_id
      WHERE p.school_id = NEW.school_id AND p.id = NEW.payment_id AND p.source_kind = 'transfer'
        AND NOT EXISTS (SELECT 1 FROM relief_ends e WHERE e.relief_id = r.id)) THEN
    RAISE EXCEPTION 'what this money lacked is accepted: take that back first' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
SAME = "IF NEW.approved AND asked.made_by = NEW.decided_by THEN"
SAME_BEYOND = """IF NEW.approved AND asked.made_by = NEW.decided_by AND NOT (
    asked.kind = 'shortfall' AND asked.amount <= coalesce((
      SELECT l.most FROM shortfall_limits l JOIN shortfall_limit_decisions d ON d.limit_id = l.id AND d.approved
      WHERE l.school_id = NEW.school_id ORDER BY d.at DESC, l.id DESC LIMIT 1), 0)) THEN"""
READ, READ_AMOUNT = "SELECT r.made_by, r.kind INTO STRICT", "SELECT r.made_by, r.kind, r.amount INTO STRICT"
OF_KIND, OF_KINDS = "r.kind = 'write_off' AND d.approved", "r.kind <> 'grace' AND d.approved"
WATCHED = (
    ("shortfall_limit_decisions", "shortfall_limit_by_another", "WHEN (NEW.approved) "),
    ("reliefs", "shortfall_fits", "WHEN (NEW.kind = 'shortfall') "),
    ("payment_reversals", "shortfall_goes_first", ""),
)
FUNCTIONS = (BY_ANOTHER, FITS, STANDS)
OF_A_SUM = (
    "({kind}) = (amount IS NOT NULL AND bill_id IS NOT NULL AND decided_on IS NOT NULL AND decision_number <> '')"
)


def upgrade() -> None:
    """Add tables, columns and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _limits()
    for table in TABLES:
        _guard(table)
    op.add_column("reliefs", sa.Column("transfer_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_reliefs_school_id_transfer_id"),
        "reliefs",
        "transfers",
        ["school_id", "transfer_id"],
        ["school_id", "id"],
    )
    op.create_index(
        "ix_reliefs_transfer",
        "reliefs",
        ["school_id", "transfer_id"],
        postgresql_where=sa.text("transfer_id IS NOT NULL"),
    )
    _checks("kind IN ('grace', 'write_off', 'shortfall')", "kind <> 'grace'")
    op.create_check_constraint(
        op.f("ck_reliefs_shortfall_of_a_transfer"), "reliefs", "(kind = 'shortfall') = (transfer_id IS NOT NULL)"
    )
    for function in FUNCTIONS:
        op.execute(function)
    for table, function, only in WATCHED:
        op.execute(
            f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW {only}EXECUTE FUNCTION {function}()"
        )
    op.execute(_becomes("relief_decided_by_another", (READ, READ_AMOUNT), (SAME, SAME_BEYOND)))
    op.execute(_becomes("write_off_is_approved", (OF_KIND, OF_KINDS)))


def _limits() -> None:
    op.create_table(
        "shortfall_limits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("most BETWEEN 0 AND 2000000", name=op.f("ck_shortfall_limits_most_is_a_fee")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_shortfall_limits_reason_given")),
        _of_school("shortfall_limits"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shortfall_limits")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_shortfall_limits_school_id_id")),
    )
    op.create_index("ix_shortfall_limits_school", "shortfall_limits", ["school_id"])
    op.create_table(
        "shortfall_limit_decisions",
        sa.Column("limit_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("approved OR reason <> ''", name=op.f("ck_shortfall_limit_decisions_refusing_has_a_reason")),
        sa.ForeignKeyConstraint(
            ["school_id", "limit_id"],
            ["shortfall_limits.school_id", "shortfall_limits.id"],
            name=op.f("fk_shortfall_limit_decisions_school_id_limit_id"),
        ),
        _of_school("shortfall_limit_decisions"),
        sa.PrimaryKeyConstraint("limit_id", name=op.f("pk_shortfall_limit_decisions")),
    )


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _checks(kinds: str, kind: str) -> None:
    op.drop_constraint(op.f("ck_reliefs_kind_known"), "reliefs", type_="check")
    op.create_check_constraint(op.f("ck_reliefs_kind_known"), "reliefs", kinds)
    op.drop_constraint(op.f("ck_reliefs_write_off_by_a_decision"), "reliefs", type_="check")
    op.create_check_constraint(op.f("ck_reliefs_write_off_by_a_decision"), "reliefs", OF_A_SUM.format(kind=kind))


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


def _becomes(function: str, *changes: tuple[str, str]) -> str:
    """Return SQL that changes words of a function, and fails where they do not stand there."""
    looks = "\n".join(
        f"IF strpos(made, {_quoted(old)}) = 0 THEN RAISE EXCEPTION '{function} is not as expected'; END IF;\n"
        f"made := replace(made, {_quoted(old)}, {_quoted(new)});"
        for old, new in changes
    )
    return f"""DO $do$ DECLARE made text := pg_get_functiondef('{function}'::regproc); BEGIN
      {looks}
      EXECUTE made;
    END $do$"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def downgrade() -> None:
    """Take it away again; refuses while something was accepted short."""
    op.execute(_becomes("write_off_is_approved", (OF_KINDS, OF_KIND)))
    op.execute(_becomes("relief_decided_by_another", (SAME_BEYOND, SAME), (READ_AMOUNT, READ)))
    for table, function, _ in reversed(WATCHED):
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_constraint(op.f("ck_reliefs_shortfall_of_a_transfer"), "reliefs", type_="check")
    _checks("kind IN ('grace', 'write_off')", "kind = 'write_off'")
    op.drop_index("ix_reliefs_transfer", "reliefs")
    op.drop_column("reliefs", "transfer_id")
    for table in reversed(TABLES):
        op.drop_table(table)
