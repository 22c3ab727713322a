"""Shape and guards of slips printed for a whole round: a print is ready only when no piece of it is missing."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0026b"
branch_labels = None
depends_on = None

TABLES = ["slip_prints", "slip_pieces"]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"

FUNCTIONS = {
    "a_print_is_ready_whole": r"""
CREATE FUNCTION a_print_is_ready_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.ready_at IS NOT NULL AND NEW.ready_at IS DISTINCT FROM OLD.ready_at THEN
        RAISE EXCEPTION 'a print becomes ready once' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.ready_at IS NOT NULL AND (
        NOT EXISTS (SELECT 1 FROM slip_pieces p WHERE p.school_id = NEW.school_id AND p.print_id = NEW.id)
        OR EXISTS (SELECT 1 FROM slip_pieces p
                   WHERE p.school_id = NEW.school_id AND p.print_id = NEW.id AND p.made_at IS NULL)) THEN
        RAISE EXCEPTION 'a print with a missing piece is not ready' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$""",
    "a_piece_is_made_once": r"""
CREATE FUNCTION a_piece_is_made_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.made_at IS NOT NULL AND (
        (NEW.made_at, NEW.slips) IS DISTINCT FROM (OLD.made_at, OLD.slips)
        OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed)) THEN
        RAISE EXCEPTION 'a piece is made once, and only its bytes are taken out' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$""",
}
TRIGGERS = [
    ("slip_prints", "a_print_is_ready_whole", "BEFORE INSERT OR UPDATE"),
    ("slip_pieces", "a_piece_is_made_once", "BEFORE UPDATE"),
]


def upgrade() -> None:
    """Add both tables and their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _prints()
    _pieces()
    for statement in FUNCTIONS.values():
        op.execute(statement)
    for table, function, when in TRIGGERS:
        op.execute(f"CREATE TRIGGER {function} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute("GRANT UPDATE (ready_at, wiped_at) ON slip_prints TO hocphi_app")
    op.execute("GRANT UPDATE (slips, sealed, made_at) ON slip_pieces TO hocphi_app")


def _prints() -> None:
    op.create_table(
        "slip_prints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wiped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at > asked_at", name=op.f("ck_slip_prints_kept_for_a_while")),
        _within("slip_prints", "round_id", "billing_rounds"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_slip_prints_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slip_prints")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_slip_prints_school_id_id")),
    )
    op.create_index("ix_slip_prints_round", "slip_prints", ["school_id", "round_id", "asked_at"], unique=False)
    op.create_index(
        "ix_slip_prints_kept", "slip_prints", ["expires_at"], unique=False, postgresql_where=sa.text("wiped_at IS NULL")
    )


def _pieces() -> None:
    op.create_table(
        "slip_pieces",
        sa.Column("print_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("slips", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "made_at IS NOT NULL OR (slips IS NULL AND sealed IS NULL)", name=op.f("ck_slip_pieces_empty_until_made")
        ),
        _within("slip_pieces", "print_id", "slip_prints"),
        _within("slip_pieces", "class_id", "class_groups"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_slip_pieces_school_id")),
        sa.PrimaryKeyConstraint("print_id", "place", name=op.f("pk_slip_pieces")),
    )
    op.create_index(
        "ix_slip_pieces_missing", "slip_pieces", ["print_id"], unique=False, postgresql_where=sa.text("made_at IS NULL")
    )


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def downgrade() -> None:
    """Take them away again; printed files are lost and can be printed anew."""
    for table in reversed(TABLES):
        op.drop_table(table)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
