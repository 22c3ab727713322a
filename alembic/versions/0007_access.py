"""Shape and guards of access: one-time codes of guardians, their sessions, registration by a family, consents."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"

TENANT_TABLES = ("guardian_codes", "registrations", "registration_decisions", "consents")
OPEN_TABLES = ("guardian_sessions", "registration_links")
WRITTEN_ONCE = ("registration_decisions", "consents")
CHANGEABLE = {
    "guardian_codes": "tries, used_at, about_sealed",
    "guardian_sessions": "ended_at",
    "registration_links": "expires_at, revoked_at",
    "registrations": "full_name, sealed, blind, masked",
}
# Who consented to what, and how the school decided, may be counted; contacts and tokens may not be read.
REPORTED = ("registration_decisions", "consents")


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _codes_and_sessions()
    _registration()
    _consent()
    _guard()


def _moment(name: str, *, nullable: bool = False) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _codes_and_sessions() -> None:
    op.create_table(
        "guardian_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=False),
        sa.Column("contact_kind", sa.String(), nullable=False),
        sa.Column("contact_blind", sa.LargeBinary(), nullable=False),
        sa.Column("contact_masked", sa.String(), nullable=False),
        sa.Column("about_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _moment("made_at"),
        _moment("expires_at"),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("used_at", nullable=True),
        sa.CheckConstraint("purpose IN ('explain', 'register')", name=op.f("ck_guardian_codes_purpose_known")),
        sa.CheckConstraint("contact_kind IN ('phone', 'email')", name=op.f("ck_guardian_codes_contact_kind_known")),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name=op.f("ck_guardian_codes_tries_in_range")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_guardian_codes_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guardian_codes")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_guardian_codes_school_id_id")),
    )
    op.create_index("ix_guardian_codes_contact", "guardian_codes", ["contact_blind", "made_at"], unique=False)
    op.create_index("ix_guardian_codes_link", "guardian_codes", ["link_hash", "made_at"], unique=False)
    op.create_table(
        "guardian_sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("contact_kind", sa.String(), nullable=False),
        sa.Column("contact_blind", sa.LargeBinary(), nullable=False),
        sa.Column("guardian_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("ended_at", nullable=True),
        sa.CheckConstraint("contact_kind IN ('phone', 'email')", name=op.f("ck_guardian_sessions_contact_kind_known")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_guardian_sessions")),
    )


def _registration() -> None:
    op.create_table(
        "registration_links",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("revoked_at", nullable=True),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_registration_links_pupil_id")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_registration_links_school_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_registration_links")),
        sa.UniqueConstraint(
            "school_id", "pupil_id", "version", name=op.f("uq_registration_links_school_id_pupil_id_version")
        ),
    )
    op.create_table(
        "registrations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("code_id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("blind", sa.LargeBinary(), nullable=False),
        sa.Column("masked", sa.String(), nullable=False),
        _moment("made_at"),
        sa.CheckConstraint("kind IN ('phone', 'email')", name=op.f("ck_registrations_kind_known")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_registrations_pupil_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "code_id"],
            ["guardian_codes.school_id", "guardian_codes.id"],
            name=op.f("fk_registrations_school_id_code_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_registrations_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("school_id", "code_id", name=op.f("uq_registrations_school_id_code_id")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_registrations_school_id_id")),
    )
    op.create_index(op.f("ix_registrations_pupil_id"), "registrations", ["pupil_id"], unique=False)
    op.create_table(
        "registration_decisions",
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("verdict IN ('accepted', 'refused')", name=op.f("ck_registration_decisions_verdict_known")),
        sa.CheckConstraint(
            "(verdict = 'accepted') = (guardian_id IS NOT NULL)",
            name=op.f("ck_registration_decisions_accepted_has_guardian"),
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_registration_decisions_decided_by")),
        sa.ForeignKeyConstraint(["guardian_id"], ["guardians.id"], name=op.f("fk_registration_decisions_guardian_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "registration_id"],
            ["registrations.school_id", "registrations.id"],
            name=op.f("fk_registration_decisions_school_id_registration_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_registration_decisions_school_id")),
        sa.PrimaryKeyConstraint("registration_id", name=op.f("pk_registration_decisions")),
    )
    op.create_index(
        op.f("ix_registration_decisions_guardian_id"), "registration_decisions", ["guardian_id"], unique=False
    )


def _consent() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("wording_digest", sa.LargeBinary(), nullable=False),
        sa.Column("withdraws_id", sa.BigInteger(), autoincrement=False, nullable=True),
        _moment("at"),
        sa.CheckConstraint("action IN ('given', 'withdrawn')", name=op.f("ck_consents_action_known")),
        sa.CheckConstraint(
            "(action = 'withdrawn') = (withdraws_id IS NOT NULL)", name=op.f("ck_consents_withdrawal_names_consent")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "registration_id"],
            ["registrations.school_id", "registrations.id"],
            name=op.f("fk_consents_school_id_registration_id"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "withdraws_id"],
            ["consents.school_id", "consents.id"],
            name=op.f("fk_consents_school_id_withdraws_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_consents_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_consents_school_id_id")),
        sa.UniqueConstraint("school_id", "withdraws_id", name=op.f("uq_consents_school_id_withdraws_id")),
    )
    op.create_index("ix_consents_registration", "consents", ["school_id", "registration_id"], unique=False)


def _guard() -> None:
    for table in (*TENANT_TABLES, *OPEN_TABLES):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    for table in REPORTED:
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    for table, columns in CHANGEABLE.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO hocphi_app")
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    for table in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        )


def downgrade() -> None:
    """Take them away again."""
    for table in (
        "consents",
        "registration_decisions",
        "registrations",
        "registration_links",
        "guardian_sessions",
        "guardian_codes",
    ):
        op.drop_table(table)
