"""Lists are compared once a week over seven days, and over days that a person asks for: the request, and its kinds."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034b"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
KINDS = "kind IN ('window', 'day')"
MORE_KINDS = "kind IN ('window', 'day', 'week', 'span')"


def upgrade() -> None:
    """Add the table with its guards, and what an asking answers to."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "poll_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "first_day <= last_day AND last_day - first_day < 31", name=op.f("ck_poll_requests_a_month_at_most")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "feed_id"], ["feeds.school_id", "feeds.id"], name=op.f("fk_poll_requests_school_id_feed_id")
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_poll_requests_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poll_requests")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_poll_requests_school_id_id")),
    )
    op.create_index("ix_poll_requests_feed", "poll_requests", ["school_id", "feed_id"], unique=False)
    op.execute("GRANT SELECT, INSERT ON poll_requests TO hocphi_app")
    op.execute("GRANT SELECT ON poll_requests TO hocphi_report")
    op.execute("ALTER TABLE poll_requests ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE poll_requests FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON poll_requests USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        "CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON poll_requests "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON poll_requests "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.add_column("polls", sa.Column("request_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_polls_school_id_request_id"),
        "polls",
        "poll_requests",
        ["school_id", "request_id"],
        ["school_id", "id"],
    )
    op.create_index("ix_polls_request", "polls", ["school_id", "request_id"], postgresql_where="request_id IS NOT NULL")
    op.drop_constraint(op.f("ck_polls_kind_known"), "polls")
    op.create_check_constraint(op.f("ck_polls_kind_known"), "polls", MORE_KINDS)
    op.create_check_constraint(
        op.f("ck_polls_span_was_asked_for"), "polls", "(kind = 'span') = (request_id IS NOT NULL)"
    )


def downgrade() -> None:
    """Take them away again; refused where a week was compared."""
    op.drop_constraint(op.f("ck_polls_span_was_asked_for"), "polls")
    op.drop_constraint(op.f("ck_polls_kind_known"), "polls")
    op.create_check_constraint(op.f("ck_polls_kind_known"), "polls", KINDS)
    op.drop_column("polls", "request_id")
    op.drop_table("poll_requests")
