"""Take away keys of the tables that grow by six rows a bill, where another key says the same (decision 0049)."""

from alembic import op

revision = "0077"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let one key of lines do the work of two, and one of postings that of three."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE bill_lines DROP CONSTRAINT pk_bill_lines")
    op.execute("ALTER TABLE bill_lines DROP CONSTRAINT uq_bill_lines_school_id_bill_id_position")
    op.execute("ALTER TABLE bill_lines ADD CONSTRAINT pk_bill_lines PRIMARY KEY (school_id, bill_id, position)")
    op.execute("ALTER TABLE postings DROP CONSTRAINT pk_postings")
    op.execute("DROP INDEX ix_postings_entry, ix_postings_bill")
    op.execute("ALTER TABLE postings ADD CONSTRAINT pk_postings PRIMARY KEY (school_id, entry_id, id)")
    op.execute("ALTER TABLE journal_entries DROP CONSTRAINT uq_journal_entries_school_id_reverses_id")
    op.execute(
        "CREATE UNIQUE INDEX reversed_once ON journal_entries (school_id, reverses_id) WHERE reverses_id IS NOT NULL"
    )


def downgrade() -> None:
    """Give each its own key again."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP INDEX reversed_once")
    op.execute(
        "ALTER TABLE journal_entries ADD CONSTRAINT uq_journal_entries_school_id_reverses_id"
        " UNIQUE (school_id, reverses_id)"
    )
    op.execute("ALTER TABLE postings DROP CONSTRAINT pk_postings")
    op.execute("ALTER TABLE postings ADD CONSTRAINT pk_postings PRIMARY KEY (id)")
    op.execute("CREATE INDEX ix_postings_entry ON postings (school_id, entry_id)")
    op.execute("CREATE INDEX ix_postings_bill ON postings (school_id, bill_id)")
    op.execute("ALTER TABLE bill_lines DROP CONSTRAINT pk_bill_lines")
    op.execute(
        "ALTER TABLE bill_lines ADD CONSTRAINT uq_bill_lines_school_id_bill_id_position"
        " UNIQUE (school_id, bill_id, position)"
    )
    op.execute("ALTER TABLE bill_lines ADD CONSTRAINT pk_bill_lines PRIMARY KEY (id)")
