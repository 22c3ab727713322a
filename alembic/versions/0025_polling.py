"""Shape and guards of polling: what was fetched from lists, address lists and refusals, and who lets held money go."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0022"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
ONCE = ["polls", "transfer_releases", "transfer_release_decisions"]
TABLES = [*ONCE, "feed_refusals"]

RELEASED_BY_ANOTHER = """
CREATE FUNCTION released_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.approved AND EXISTS (
    SELECT 1 FROM transfer_releases r
    WHERE r.school_id = NEW.school_id AND r.id = NEW.release_id AND r.made_by = NEW.decided_by
  ) THEN
    RAISE EXCEPTION 'whoever asked to let money go does not approve it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("feeds", sa.Column("allowed_from", JSONB(), nullable=False, server_default="[]"))
    op.alter_column("feeds", "allowed_from", server_default=None)
    op.execute("GRANT UPDATE (allowed_from) ON feeds TO hocphi_app")
    _polls()
    _feed_refusals()
    _transfer_releases()
    _transfer_release_decisions()
    for table in TABLES:
        _guard(table)
    for table in ONCE:
        _freeze(table)
    op.execute("GRANT UPDATE (count) ON feed_refusals TO hocphi_app")
    op.execute(RELEASED_BY_ANOTHER)
    op.execute(
        "CREATE TRIGGER released_by_another BEFORE INSERT ON transfer_release_decisions "
        "FOR EACH ROW EXECUTE FUNCTION released_by_another()"
    )


def _moment(name: str) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _count(name: str) -> sa.Column[sa.Integer]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _polls() -> None:
    op.create_table(
        "polls",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        _moment("first"),
        _moment("last"),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        *map(_count, ("pages", "listed", "fresh", "odd", "unlisted")),
        _moment("began_at"),
        _moment("ended_at"),
        sa.CheckConstraint("kind IN ('window', 'day')", name=op.f("ck_polls_kind_known")),
        sa.CheckConstraint("outcome IN ('done', 'failed')", name=op.f("ck_polls_outcome_known")),
        sa.CheckConstraint("first <= last", name=op.f("ck_polls_span_in_order")),
        sa.CheckConstraint("outcome = 'done' OR reason <> ''", name=op.f("ck_polls_failure_has_a_reason")),
        _within("polls", "feed_id", "feeds"),
        _of_school("polls"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_polls")),
    )
    op.create_index("ix_polls_feed", "polls", ["school_id", "feed_id", "kind", "ended_at"], unique=False)


def _feed_refusals() -> None:
    op.create_table(
        "feed_refusals",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reason IN ('address', 'signature')", name=op.f("ck_feed_refusals_reason_known")),
        _within("feed_refusals", "feed_id", "feeds"),
        _of_school("feed_refusals"),
        sa.PrimaryKeyConstraint("school_id", "feed_id", "day", "reason", name=op.f("pk_feed_refusals")),
    )


def _transfer_releases() -> None:
    op.create_table(
        "transfer_releases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_transfer_releases_reason_given")),
        _within("transfer_releases", "transfer_id", "transfers"),
        _of_school("transfer_releases"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_releases")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_transfer_releases_school_id_id")),
    )
    op.create_index("ix_transfer_releases_transfer", "transfer_releases", ["school_id", "transfer_id"], unique=False)


def _transfer_release_decisions() -> None:
    op.create_table(
        "transfer_release_decisions",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("approved OR reason <> ''", name=op.f("ck_transfer_release_decisions_no_has_a_reason")),
        _within("transfer_release_decisions", "release_id", "transfer_releases"),
        _of_school("transfer_release_decisions"),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_transfer_release_decisions")),
    )


def _guard(table: str) -> None:
    op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")


def _freeze(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Take them away again."""
    for table in ("feed_refusals", "transfer_release_decisions", "transfer_releases", "polls"):
        op.drop_table(table)
    op.execute("DROP FUNCTION released_by_another()")
    op.execute("REVOKE UPDATE (allowed_from) ON feeds FROM hocphi_app")
    op.drop_column("feeds", "allowed_from")
