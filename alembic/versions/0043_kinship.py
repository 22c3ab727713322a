"""Whose family a member of staff is: own children and own ways to be reached, ended by another person only."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0031"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = ("own_children", "staff_contacts")
ENDED_WHOLE = "(ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (end_reason = '')"
BY_ANOTHER = "ended_by IS NULL OR ended_by <> user_id"

ENDS_ONCE = """
CREATE FUNCTION kinship_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.ended_at IS NOT NULL THEN
    RAISE EXCEPTION 'what was declared of a family ends once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add both tables; of their columns only the end is ever written later, once."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "own_children",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        *_said("own_children"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_own_children_school_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_own_children_pupil_id")),
    )
    op.create_index("ix_own_children_pupil_id", "own_children", ["pupil_id"])
    op.create_table(
        "staff_contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("blind", sa.LargeBinary(), nullable=False),
        sa.Column("masked", sa.String(), nullable=False),
        *_said("staff_contacts"),
        sa.CheckConstraint("kind IN ('phone', 'email')", name=op.f("ck_staff_contacts_kind_known")),
    )
    _live("own_children", ["school_id", "user_id", "pupil_id"])
    _live("staff_contacts", ["user_id", "kind", "blind"])
    op.execute(ENDS_ONCE)
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE (ended_by, ended_at, end_reason) ON {table} TO hocphi_app")
        op.execute(
            f"CREATE TRIGGER kinship_ends_once BEFORE UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION kinship_ends_once()"
        )
    op.execute("GRANT SELECT ON own_children TO hocphi_report")
    op.execute("ALTER TABLE own_children ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE own_children FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON own_children USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")


def _said(table: str) -> list[sa.Column | sa.Constraint]:
    return [
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint(ENDED_WHOLE, name=op.f(f"ck_{table}_ended_whole")),
        sa.CheckConstraint(BY_ANOTHER, name=op.f(f"ck_{table}_ended_by_another")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _live(table: str, columns: list[str]) -> None:
    where = sa.text("ended_at IS NULL")
    op.create_index(f"uq_{table}_live", table, columns, unique=True, postgresql_where=where)


def downgrade() -> None:
    """Take both away again."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION kinship_ends_once()")
