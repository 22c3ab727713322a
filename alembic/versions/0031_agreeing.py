"""A guardian agrees to a contract with a link and a one-time code: the link, and what was agreed to as evidence.

The database takes no agreement without a used code that was asked for on a link of that very contract, of a person who
answers for the child, to the version that the contract names; and no step by code without its agreement.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
OLD_PURPOSES = "purpose IN ('explain', 'register')"
PURPOSES = "purpose IN ('explain', 'register', 'agree')"

FUNCTIONS = {
    "agreement_is_proved": r"""
CREATE FUNCTION agreement_is_proved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM contracts c JOIN guardianships g ON g.pupil_id = c.pupil_id
                   WHERE c.school_id = NEW.school_id AND c.id = NEW.contract_id AND c.version_id = NEW.version_id
                     AND g.guardian_id = NEW.guardian_id) THEN
        RAISE EXCEPTION 'nobody agrees for the child of others, or to another version'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM guardian_codes k JOIN contract_links l ON l.token_hash = k.link_hash
                   WHERE k.school_id = NEW.school_id AND k.id = NEW.code_id AND k.purpose = 'agree'
                     AND k.used_at IS NOT NULL AND k.contact_kind = NEW.contact_kind
                     AND l.school_id = NEW.school_id AND l.contract_id = NEW.contract_id) THEN
        RAISE EXCEPTION 'an agreement needs a used code of a link of its contract' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$""",
    "code_step_has_agreement": r"""
CREATE FUNCTION code_step_has_agreement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.way = 'code' AND NOT EXISTS (SELECT 1 FROM contract_agreements a
                                        WHERE a.school_id = NEW.school_id AND a.contract_id = NEW.contract_id) THEN
        RAISE EXCEPTION 'a step by code keeps what was agreed to' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$""",
}
TRIGGERS = [
    ("contract_agreements", "agreement_is_proved"),
    ("contract_steps", "code_step_has_agreement"),
]


def upgrade() -> None:
    """Add links and agreements; let a code be asked for to agree, and a guardian take the step of agreeing."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _purposes(PURPOSES)
    op.alter_column("contract_steps", "made_by", nullable=True)
    op.create_check_constraint(
        op.f("ck_contract_steps_by_a_person_or_a_code"), "contract_steps", "(way = 'code') = (made_by IS NULL)"
    )
    _links()
    _agreements()
    for statement in FUNCTIONS.values():
        op.execute(statement)
    for table, function in TRIGGERS:
        op.execute(f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    op.execute("GRANT SELECT, INSERT ON contract_links, contract_agreements TO hocphi_app")
    op.execute("GRANT UPDATE (revoked_at) ON contract_links TO hocphi_app")
    op.execute("GRANT SELECT ON contract_agreements TO hocphi_report")
    _guard("contract_agreements")


def _purposes(known: str) -> None:
    name = op.f("ck_guardian_codes_purpose_known")
    op.drop_constraint(name, "guardian_codes", type_="check")
    op.create_check_constraint(name, "guardian_codes", known)


def _links() -> None:
    op.create_table(
        "contract_links",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("deposit_due", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        _within("contract_links", "contract_id", "contracts"),
        _of_school("contract_links"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_contract_links")),
        sa.UniqueConstraint(
            "school_id", "contract_id", "turn", name=op.f("uq_contract_links_school_id_contract_id_turn")
        ),
    )


def _agreements() -> None:
    op.create_table(
        "contract_agreements",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("contact_kind", sa.String(), nullable=False),
        sa.Column("contact_masked", sa.String(), nullable=False),
        sa.Column("code_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("words_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "contact_kind IN ('phone', 'email')", name=op.f("ck_contract_agreements_contact_kind_known")
        ),
        sa.CheckConstraint(
            "words <> '' AND words_sha256 = sha256(convert_to(words, 'UTF8'))",
            name=op.f("ck_contract_agreements_words_as_digested"),
        ),
        _within("contract_agreements", "contract_id", "contracts"),
        _within("contract_agreements", "version_id", "contract_versions"),
        sa.ForeignKeyConstraint(["guardian_id"], ["guardians.id"], name=op.f("fk_contract_agreements_guardian_id")),
        _of_school("contract_agreements"),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_contract_agreements")),
        sa.UniqueConstraint("school_id", "code_id", name=op.f("uq_contract_agreements_school_id_code_id")),
    )


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _guard(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON {table} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Take them away again; fails while a contract was agreed to by code."""
    for table, function in TRIGGERS:
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("contract_agreements")
    op.drop_table("contract_links")
    op.drop_constraint(op.f("ck_contract_steps_by_a_person_or_a_code"), "contract_steps", type_="check")
    op.alter_column("contract_steps", "made_by", nullable=False)
    _purposes(OLD_PURPOSES)
