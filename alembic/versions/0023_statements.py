"""Shape and guards of statements on their way in: files before they are confirmed, layouts that people explained."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0029"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = ["statement_uploads", "explained_layouts"]
UPLOAD_COLUMNS = "id, school_id, bank_account_id, name, digest, made_by, made_at"

ONLY_FORGOTTEN = """
CREATE FUNCTION upload_is_only_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR NEW.body_sealed IS NOT NULL
     OR (to_jsonb(NEW) - 'body_sealed') IS DISTINCT FROM (to_jsonb(OLD) - 'body_sealed') THEN
    RAISE EXCEPTION 'of an uploaded statement only the bytes may be forgotten' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _uploads()
    _layouts()
    for table in TABLES:
        _guard(table)
    op.execute("GRANT UPDATE (body_sealed) ON statement_uploads TO hocphi_app")
    op.execute(f"GRANT SELECT ({UPLOAD_COLUMNS}) ON statement_uploads TO hocphi_report")
    op.execute("GRANT SELECT ON explained_layouts TO hocphi_report")
    op.execute(ONLY_FORGOTTEN)
    op.execute(
        "CREATE TRIGGER only_forgotten BEFORE UPDATE OR DELETE ON statement_uploads "
        "FOR EACH ROW EXECUTE FUNCTION upload_is_only_forgotten()"
    )
    op.execute(
        "CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON explained_layouts "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _uploads() -> None:
    op.create_table(
        "statement_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_statement_uploads_digest_is_sha256")),
        sa.ForeignKeyConstraint(
            ["school_id", "bank_account_id"],
            ["bank_accounts.school_id", "bank_accounts.id"],
            name=op.f("fk_statement_uploads_school_id_bank_account_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_statement_uploads_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_uploads")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_statement_uploads_school_id_id")),
    )
    op.create_index(
        "ix_statement_uploads_kept",
        "statement_uploads",
        ["school_id", "made_at"],
        unique=False,
        postgresql_where=sa.text("body_sealed IS NOT NULL"),
    )


def _layouts() -> None:
    op.create_table(
        "explained_layouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("bank_bin", sa.String(length=6), nullable=False),
        sa.Column("heading", JSONB(), nullable=False),
        sa.Column("columns", JSONB(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("bank_bin ~ '^[0-9]{6}$'", name=op.f("ck_explained_layouts_bin_six_digits")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_explained_layouts_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_explained_layouts")),
    )
    op.create_index("ix_explained_layouts_bank", "explained_layouts", ["school_id", "bank_bin"], unique=False)


def _guard(table: str) -> None:
    op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Take them away again."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION upload_is_only_forgotten()")
