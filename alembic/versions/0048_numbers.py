"""Shape and guards of virtual accounts with a history: a pool entered by two, assigned, released, never forgotten.

A row is who has a number from when until when. Another pupil gets a released number after 90 days at the earliest.
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0037"
branch_labels = None
depends_on = None

TABLES = ["number_lists", "number_list_decisions"]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
FUNCTIONS = {
    "numbers_agreed_by_another": (
        "number_list_decisions",
        "BEFORE INSERT",
        """IF NEW.approved AND EXISTS (SELECT 1 FROM number_lists l
        WHERE l.school_id = NEW.school_id AND l.id = NEW.list_id AND l.made_by = NEW.decided_by) THEN
        RAISE EXCEPTION 'whoever entered the numbers does not agree to them' USING ERRCODE = 'check_violation';
    END IF;""",
    ),
    "number_is_of_an_agreed_list": (
        "virtual_accounts",
        "BEFORE INSERT",
        """IF NEW.list_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM number_lists l
        JOIN number_list_decisions d ON d.school_id = l.school_id AND d.list_id = l.id AND d.approved
        WHERE l.school_id = NEW.school_id AND l.id = NEW.list_id AND l.bank_account_id = NEW.bank_account_id
          AND NEW.number = ANY (l.numbers)) THEN
        RAISE EXCEPTION 'a number of a list was agreed to' USING ERRCODE = 'check_violation';
    END IF;""",
    ),
    "number_is_had_once": (
        "virtual_accounts",
        "BEFORE UPDATE",
        """IF (NEW.id, NEW.school_id, NEW.bank_account_id, NEW.number) <> (OLD.id, OLD.school_id, OLD.bank_account_id, OLD.number)
       OR NEW.list_id IS DISTINCT FROM OLD.list_id OR OLD.released_at IS NOT NULL
       OR (OLD.pupil_id IS NOT NULL AND (NEW.pupil_id, NEW.assigned_at) IS DISTINCT FROM (OLD.pupil_id, OLD.assigned_at))
    THEN
        RAISE EXCEPTION 'who had a number is never written anew' USING ERRCODE = 'check_violation';
    END IF;""",
    ),
    "number_has_cooled": (
        "virtual_accounts",
        "BEFORE INSERT OR UPDATE OF pupil_id",
        """IF NEW.pupil_id IS NOT NULL AND EXISTS (SELECT 1 FROM virtual_accounts v
        WHERE v.bank_account_id = NEW.bank_account_id AND v.number = NEW.number AND v.pupil_id <> NEW.pupil_id
          AND v.id IS DISTINCT FROM NEW.id AND v.released_at > NEW.assigned_at - interval '90 days') THEN
        RAISE EXCEPTION 'another child had this number a short time ago' USING ERRCODE = 'check_violation';
    END IF;""",
    ),
}


def upgrade() -> None:
    """Add lists, the history and its guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _lists()
    for table in TABLES:
        _guard(table)
    op.drop_constraint(op.f("uq_virtual_accounts_bank_account_id_number"), "virtual_accounts", type_="unique")
    op.add_column("virtual_accounts", sa.Column("released_by", sa.Uuid(), nullable=True))
    op.add_column("virtual_accounts", sa.Column("released_why", sa.String(), nullable=False, server_default=""))
    op.add_column("virtual_accounts", sa.Column("list_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_virtual_accounts_school_id_list_id"),
        "virtual_accounts",
        "number_lists",
        ["school_id", "list_id"],
        ["school_id", "id"],
    )
    op.create_check_constraint(
        op.f("ck_virtual_accounts_released_why"),
        "virtual_accounts",
        "released_at IS NULL OR (pupil_id IS NOT NULL AND released_why <> '')",
    )
    op.create_index(
        "uq_virtual_accounts_now",
        "virtual_accounts",
        ["bank_account_id", "number"],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_index("ix_virtual_accounts_number", "virtual_accounts", ["school_id", "number"], unique=False)
    op.execute("GRANT UPDATE (released_by, released_why) ON virtual_accounts TO hocphi_app")
    for name, (table, when, refusal) in FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refusal} RETURN NEW; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _lists() -> None:
    op.create_table(
        "number_lists",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("numbers", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cardinality(numbers) > 0", name=op.f("ck_number_lists_holds_numbers")),
        sa.CheckConstraint("note <> ''", name=op.f("ck_number_lists_paper_named")),
        _within("number_lists", "bank_account_id", "bank_accounts"),
        _of_school("number_lists"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_lists")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_number_lists_school_id_id")),
    )
    op.create_table(
        "number_list_decisions",
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("approved OR reason <> ''", name=op.f("ck_number_list_decisions_no_has_a_reason")),
        _within("number_list_decisions", "list_id", "number_lists"),
        _of_school("number_list_decisions"),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_number_list_decisions")),
    )


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _guard(table: str) -> None:
    op.execute(f"GRANT SELECT, INSERT ON {table} TO hocphi_app")
    op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
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
    """Take them away again; refuses while a number was had by two."""
    for name, (table, _, _) in FUNCTIONS.items():
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("REVOKE UPDATE (released_by, released_why) ON virtual_accounts FROM hocphi_app")
    op.drop_index("ix_virtual_accounts_number", "virtual_accounts")
    op.drop_index("uq_virtual_accounts_now", "virtual_accounts")
    op.drop_constraint(op.f("ck_virtual_accounts_released_why"), "virtual_accounts", type_="check")
    for column in ("list_id", "released_why", "released_by"):
        op.drop_column("virtual_accounts", column)
    op.create_unique_constraint(
        op.f("uq_virtual_accounts_bank_account_id_number"), "virtual_accounts", ["bank_account_id", "number"]
    )
    for table in reversed(TABLES):
        op.drop_table(table)
