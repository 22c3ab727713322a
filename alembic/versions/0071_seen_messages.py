"""Let a person mark a message that was put aside as seen, with what became of it; and find such messages by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLE = "inbox_seen"
ASIDE = "ix_inbox_results_quarantined"
# The inbox has no school policy: whose message it is, and that it was put aside, is looked at here.
OF_ITS_SCHOOL = """
CREATE FUNCTION inbox_seen_of_its_school() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM inbox i JOIN feeds f ON f.id = i.feed_id JOIN inbox_results r ON r.inbox_id = i.id
    WHERE i.id = NEW.inbox_id AND f.school_id = NEW.school_id AND r.outcome = 'quarantined'
  ) THEN
    RAISE EXCEPTION 'only a message of the school that was put aside is marked as seen'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the table with its guards, and the index."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        TABLE,
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("seen_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_inbox_seen_reason_given")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_inbox_seen_inbox_id")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_inbox_seen_school_id")),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_inbox_seen")),
    )
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO hocphi_app")
    op.execute(f"GRANT SELECT ON {TABLE} TO hocphi_report")
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {TABLE} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(OF_ITS_SCHOOL)
    op.execute(
        f"CREATE TRIGGER inbox_seen_of_its_school BEFORE INSERT ON {TABLE} "
        "FOR EACH ROW EXECUTE FUNCTION inbox_seen_of_its_school()"
    )
    op.create_index(ASIDE, "inbox_results", ["inbox_id"], postgresql_where=sa.text("outcome = 'quarantined'"))


def downgrade() -> None:
    """Take them away again."""
    op.drop_index(ASIDE, "inbox_results")
    op.drop_table(TABLE)
    op.execute("DROP FUNCTION inbox_seen_of_its_school()")
