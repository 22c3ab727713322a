"""Keep the legal basis that an item had, so that an issued bill goes on to name the one it was issued under."""

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLE = "former_bases"
# What deeds say of changes before this table was there; a deed whose details were erased tells nothing any more.
TOLD = f"""
INSERT INTO {TABLE} (school_id, item_id, legal_basis, until)
SELECT e.school_id, i.id, d.details->'changed'->'legal_basis'->>0, e.at
FROM audit_entries e
JOIN audit_details d ON d.audit_id = e.id
JOIN fee_items i ON i.school_id = e.school_id AND CAST(i.id AS text) = e.object_id
WHERE e.action = 'fees.change_item' AND d.details->'changed' ? 'legal_basis'
ORDER BY e.id
"""
KEPT = f"""
CREATE FUNCTION former_basis_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT f.legal_basis FROM public.{TABLE} f WHERE f.school_id = OLD.school_id AND f.item_id = OLD.id
      ORDER BY f.id DESC LIMIT 1) IS DISTINCT FROM OLD.legal_basis THEN
    RAISE EXCEPTION 'the basis that an item had is kept before it gets another' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the table with its guards, fill it from the deeds, and refuse a change that does not keep what was."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id", "item_id"],
            ["fee_items.school_id", "fee_items.id"],
            name=op.f("fk_former_bases_school_id_item_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_bases")),
    )
    op.create_index("ix_former_bases_item", TABLE, ["school_id", "item_id"])
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO hocphi_app")
    op.execute(f"GRANT SELECT ON {TABLE} TO hocphi_report")
    op.execute(TOLD)
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {TABLE} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(KEPT)
    op.execute(
        "CREATE TRIGGER former_basis_is_kept BEFORE UPDATE OF legal_basis ON fee_items FOR EACH ROW"
        " WHEN (NEW.legal_basis IS DISTINCT FROM OLD.legal_basis) EXECUTE FUNCTION former_basis_is_kept()"
    )


def downgrade() -> None:
    """Forget former bases; deeds still tell of them."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TRIGGER former_basis_is_kept ON fee_items")
    op.execute("DROP FUNCTION former_basis_is_kept()")
    op.drop_table(TABLE)
