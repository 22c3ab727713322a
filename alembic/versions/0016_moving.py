"""Shape and guards of pupils who left; corrections may be asked for because of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = ["leavings", "leaving_returns"]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
OLD_KINDS = "kind IN ('void', 'replace', 'credit', 'price', 'attendance')"
NEW_KINDS = "kind IN ('void', 'replace', 'credit', 'price', 'attendance', 'leaving')"


def upgrade() -> None:
    """Add the room's tables and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _kinds(NEW_KINDS)
    op.create_table(
        "leavings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ended", JSONB(), nullable=False),
        sa.Column("corrections", JSONB(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('left', 'transferred_out', 'paused', 'graduated')", name=op.f("ck_leavings_state_known")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_leavings_reason_given")),
        _within("leavings", "enrolment_id", "enrolments"),
        _of_school("leavings"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leavings")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_leavings_school_id_id")),
    )
    op.create_index("ix_leavings_enrolment", "leavings", ["school_id", "enrolment_id"], unique=False)
    op.create_table(
        "leaving_returns",
        sa.Column("leaving_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_leaving_returns_reason_given")),
        _within("leaving_returns", "leaving_id", "leavings"),
        _of_school("leaving_returns"),
        sa.PrimaryKeyConstraint("leaving_id", name=op.f("pk_leaving_returns")),
    )
    for table in TABLES:
        _guard(table)


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


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


def _kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_corrections_kind_known"), "corrections", type_="check")
    op.create_check_constraint(op.f("ck_corrections_kind_known"), "corrections", kinds)


def downgrade() -> None:
    """Take them away again."""
    for table in reversed(TABLES):
        op.drop_table(table)
    _kinds(OLD_KINDS)
