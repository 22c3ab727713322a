"""Which payment requests a transfer names: found by an index, where the memo would have to be searched."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = "transfer_references"
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"

# What stands in the memos of before; the registry knows which of these eleven characters are a reference.
FILL = r"""
INSERT INTO transfer_references (school_id, reference, transfer_id, alone)
SELECT school_id, reference, id, count(*) OVER (PARTITION BY id) = 1 FROM (
    SELECT DISTINCT t.school_id, r.reference, t.id FROM transfers t
    CROSS JOIN LATERAL regexp_matches(
        regexp_replace(upper(t.memo), '[^A-Z0-9]+', '', 'g'), 'FW[2-9A-EGHJKMNP-VX-Z]{9}', 'g') AS found
    JOIN reference_registry r ON r.reference = found[1]
    WHERE t.direction = 'in') AS named
"""


def upgrade() -> None:
    """Keep what a transfer names beside it, written once."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        TABLE,
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=11), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_transfer_references_school_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "transfer_id"],
            ["transfers.school_id", "transfers.id"],
            name=op.f("fk_transfer_references_school_id_transfer_id"),
        ),
        sa.PrimaryKeyConstraint("school_id", "reference", "transfer_id", name=op.f("pk_transfer_references")),
    )
    op.create_index(
        "ix_transfers_virtual_account",
        "transfers",
        ["school_id", "virtual_account"],
        postgresql_where=sa.text("virtual_account IS NOT NULL"),
    )
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO hocphi_app")
    op.execute(f"GRANT SELECT ON {TABLE} TO hocphi_report")
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {TABLE} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    )
    op.execute("SELECT set_config('app.schools', '*', true)")
    op.execute(FILL)


def downgrade() -> None:
    """Leave it to the memos again."""
    op.drop_index("ix_transfers_virtual_account", table_name="transfers")
    op.drop_table(TABLE)
