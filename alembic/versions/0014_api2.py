"""Tokens by which a person's program signs in, and the answers kept for requests that are sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"


def upgrade() -> None:
    """Add the two tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _tokens()
    _answers()
    for table in ("api_tokens", "api_answers"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    op.execute("GRANT UPDATE (seen_at, revoked_at, revoked_by) ON api_tokens TO hocphi_app")
    op.execute("GRANT UPDATE (request_digest, status, answer_sealed, made_at) ON api_answers TO hocphi_app")
    op.execute("ALTER TABLE api_answers ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE api_answers FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON api_answers USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        _moment("made_at"),
        _moment("expires_at"),
        _moment("seen_at", nullable=True),
        _moment("revoked_at", nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_api_tokens_hash_of_32_bytes")),
        sa.CheckConstraint("expires_at > made_at", name=op.f("ck_api_tokens_ends_later")),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)", name=op.f("ck_api_tokens_revoked_by_a_person")
        ),
        sa.ForeignKeyConstraint(["revoked_by"], ["users.id"], name=op.f("fk_api_tokens_revoked_by")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_api_tokens_school_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"], unique=False)


def _answers() -> None:
    op.create_table(
        "api_answers",
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        _moment("made_at"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_api_answers_school_id")),
        sa.ForeignKeyConstraint(["token_id"], ["api_tokens.id"], name=op.f("fk_api_answers_token_id")),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_api_answers")),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("api_answers")
    op.drop_table("api_tokens")
