"""Shape and guards of accounts of staff: a role that sees money is asked for by one person and given by another."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = ["staff_requests", "staff_decisions"]

ROLE_ONLY_ENDS = """
CREATE FUNCTION role_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.valid_to IS NULL OR NEW.valid_to >= coalesce(OLD.valid_to, 'infinity'::date) THEN
    RAISE EXCEPTION 'a role only ends earlier; give a new one instead' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

ANOTHER_DECIDES = """
CREATE FUNCTION another_person_decides() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.verdict = 'granted' AND EXISTS (
    SELECT 1 FROM staff_requests r WHERE r.school_id = NEW.school_id AND r.id = NEW.request_id
    AND NEW.decided_by IN (r.asked_by, r.user_id)
  ) THEN
    RAISE EXCEPTION 'who asks, or is to get it, does not decide' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the tables, columns and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _grants()
    _requests()
    _decisions()
    for table in TABLES:
        _guard(table)
    op.execute(ANOTHER_DECIDES)
    op.execute(
        "CREATE TRIGGER another_decides BEFORE INSERT ON staff_decisions "
        "FOR EACH ROW EXECUTE FUNCTION another_person_decides()"
    )


def _grants() -> None:
    op.add_column("role_grants", sa.Column("confirmed_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_role_grants_confirmed_by"), "role_grants", "users", ["confirmed_by"], ["id"])
    op.create_check_constraint(
        op.f("ck_role_grants_money_needs_two"),
        "role_grants",
        "granted_by IS NULL OR role = 'class_teacher' OR confirmed_by IS NOT NULL",
    )
    op.create_check_constraint(
        op.f("ck_role_grants_confirmed_for_another"),
        "role_grants",
        "confirmed_by IS NULL OR confirmed_by <> user_id",
    )
    op.create_check_constraint(
        op.f("ck_role_grants_two_people"), "role_grants", "confirmed_by IS NULL OR confirmed_by <> granted_by"
    )
    op.execute(ROLE_ONLY_ENDS)
    op.execute("CREATE TRIGGER only_ends BEFORE UPDATE ON role_grants FOR EACH ROW EXECUTE FUNCTION role_only_ends()")
    op.drop_constraint(op.f("ck_api_tokens_revoked_by_a_person"), "api_tokens", type_="check")
    op.create_check_constraint(
        op.f("ck_api_tokens_revoked_by_a_person"), "api_tokens", "revoked_by IS NULL OR revoked_at IS NOT NULL"
    )


def _moment(name: str) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _of_user(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_{table}_{column}"))


def _requests() -> None:
    op.create_table(
        "staff_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("part_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        _moment("asked_at"),
        sa.CheckConstraint("kind IN ('role', 'password')", name=op.f("ck_staff_requests_kind_known")),
        sa.CheckConstraint("(kind = 'role') = (role IS NOT NULL)", name=op.f("ck_staff_requests_role_is_named")),
        sa.CheckConstraint(
            "(kind = 'role') = (valid_from IS NOT NULL)", name=op.f("ck_staff_requests_role_has_a_first_day")
        ),
        sa.CheckConstraint(
            "role IN ('accountant', 'approver', 'cashier', 'auditor')", name=op.f("ck_staff_requests_role_of_a_school")
        ),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_staff_requests_ends_later")),
        sa.CheckConstraint("asked_by <> user_id", name=op.f("ck_staff_requests_not_for_oneself")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_staff_requests_reason_given")),
        _of_user("staff_requests", "asked_by"),
        _of_school("staff_requests"),
        _of_user("staff_requests", "user_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_requests")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_staff_requests_school_id_id")),
    )
    op.create_index(op.f("ix_staff_requests_user_id"), "staff_requests", ["user_id"], unique=False)
    op.create_index("ix_staff_requests_user", "staff_requests", ["school_id", "user_id"], unique=False)


def _decisions() -> None:
    op.create_table(
        "staff_decisions",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("verdict IN ('granted', 'refused')", name=op.f("ck_staff_decisions_verdict_known")),
        _of_user("staff_decisions", "decided_by"),
        sa.ForeignKeyConstraint(
            ["school_id", "request_id"],
            ["staff_requests.school_id", "staff_requests.id"],
            name=op.f("fk_staff_decisions_school_id_request_id"),
        ),
        _of_school("staff_decisions"),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_staff_decisions")),
    )


def _guard(table: str) -> None:
    op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
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
    """Take them away again."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION another_person_decides()")
    op.execute("DROP TRIGGER only_ends ON role_grants")
    op.execute("DROP FUNCTION role_only_ends()")
    op.drop_constraint(op.f("ck_api_tokens_revoked_by_a_person"), "api_tokens", type_="check")
    # The operator's revocations stay; only the stricter rule of before cannot come back over them.
    op.execute("UPDATE api_tokens SET revoked_by = user_id WHERE revoked_at IS NOT NULL AND revoked_by IS NULL")
    op.create_check_constraint(
        op.f("ck_api_tokens_revoked_by_a_person"), "api_tokens", "(revoked_at IS NULL) = (revoked_by IS NULL)"
    )
    op.drop_column("role_grants", "confirmed_by")
