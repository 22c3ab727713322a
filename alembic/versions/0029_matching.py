"""What kind of payer sent a transfer, and which weaker signs a school lets suggest."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0026"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLE = "matching_rules"
KINDS = "payer_kind IN ('person', 'company', 'wallet', 'remittance', 'unknown')"
SIGNS = "suggest_by <@ ARRAY['corrected', 'phone', 'payer', 'name', 'amount', 'class']"


def upgrade() -> None:
    """Add the kind of payer (unknown for what came before: nothing is learned from it) and the setting."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("transfers", sa.Column("payer_kind", sa.String(), server_default="unknown", nullable=False))
    op.create_check_constraint(op.f("ck_transfers_payer_kind_known"), "transfers", KINDS)
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("suggest_by", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(SIGNS, name=op.f("ck_matching_rules_signs_known")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_matching_rules_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matching_rules")),
    )
    op.create_index("ix_matching_rules_school", TABLE, ["school_id", "id"])
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


def downgrade() -> None:
    """Take both away again."""
    op.drop_table(TABLE)
    op.drop_column("transfers", "payer_kind")
