"""Shape and guards of a change of bank account: asked for, agreed to by another, in force a day later, never in place."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0025"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = ["account_changes", "account_approvals", "account_withdrawals", "account_openings"]

APPROVED_BY_ANOTHER = """
CREATE FUNCTION account_approved_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM account_changes c WHERE c.school_id = NEW.school_id AND c.id = NEW.change_id
             AND c.asked_by = NEW.approved_by) THEN
    RAISE EXCEPTION 'whoever asks for an account does not agree to it' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM account_withdrawals w WHERE w.school_id = NEW.school_id AND w.change_id = NEW.change_id) THEN
    RAISE EXCEPTION 'what was stopped is not agreed to' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

STOPPED_IN_TIME = """
CREATE FUNCTION account_stopped_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM account_openings o WHERE o.school_id = NEW.school_id AND o.change_id = NEW.change_id)
     OR EXISTS (SELECT 1 FROM account_approvals a WHERE a.school_id = NEW.school_id AND a.change_id = NEW.change_id
                AND a.in_force_at <= NEW.at) THEN
    RAISE EXCEPTION 'an account in force is replaced, not stopped' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

OPENED_AS_AGREED = """
CREATE FUNCTION account_opened_as_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM account_changes c
    JOIN account_approvals a ON a.school_id = c.school_id AND a.change_id = c.id
    JOIN bank_accounts b ON b.school_id = c.school_id AND b.id = NEW.account_id
    WHERE c.school_id = NEW.school_id AND c.id = NEW.change_id AND a.in_force_at <= NEW.at
      AND c.replaces_id IS NOT DISTINCT FROM NEW.replaces_id
      AND (b.bank_bin, b.number, b.holder, b.made_by, b.approved_by)
        = (c.bank_bin, c.number, c.holder, c.asked_by, a.approved_by)
      AND NOT EXISTS (SELECT 1 FROM account_withdrawals w WHERE w.school_id = c.school_id AND w.change_id = c.id)
  ) THEN
    RAISE EXCEPTION 'an account is opened as agreed to, after its wait' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

# Accounts without a maker are the operator's: they stood before anybody of the school could ask.
ACCOUNT_IS_AGREED = """
CREATE FUNCTION account_is_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM account_changes c JOIN account_approvals a ON a.school_id = c.school_id AND a.change_id = c.id
    WHERE c.school_id = NEW.school_id AND (c.bank_bin, c.number, c.holder, c.asked_by, a.approved_by)
      = (NEW.bank_bin, NEW.number, NEW.holder, NEW.made_by, NEW.approved_by)
      AND NOT EXISTS (SELECT 1 FROM account_withdrawals w WHERE w.school_id = c.school_id AND w.change_id = c.id)
  ) THEN
    RAISE EXCEPTION 'an account that somebody made was agreed to by another' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

STAYS_ITSELF = """
CREATE FUNCTION account_stays_itself() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.school_id, NEW.bank_bin, NEW.number, NEW.holder) IS DISTINCT FROM
     (OLD.school_id, OLD.bank_bin, OLD.number, OLD.holder)
     OR (NEW.made_by, NEW.approved_by) IS DISTINCT FROM (OLD.made_by, OLD.approved_by) THEN
    RAISE EXCEPTION 'another account is another row; ask for it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
TRIGGERS = (
    ("account_approvals", "account_approved_by_another", "INSERT", ""),
    ("account_withdrawals", "account_stopped_in_time", "INSERT", ""),
    ("account_openings", "account_opened_as_agreed", "INSERT", ""),
    ("bank_accounts", "account_is_agreed", "INSERT", "WHEN (NEW.made_by IS NOT NULL) "),
    ("bank_accounts", "account_stays_itself", "UPDATE", ""),
)


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _changes()
    _approvals()
    _withdrawals()
    _openings()
    for table in TABLES:
        _guard(table)
        op.execute(f"GRANT SELECT ON {table} TO hocphi_report")
    _staff_messages()
    for function in (APPROVED_BY_ANOTHER, STOPPED_IN_TIME, OPENED_AS_AGREED, ACCOUNT_IS_AGREED, STAYS_ITSELF):
        op.execute(function)
    for table, function, deed, only in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {function} BEFORE {deed} ON {table} FOR EACH ROW {only}EXECUTE FUNCTION {function}()"
        )


def _moment(name: str, *, nullable: bool = False) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _of_user(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_{table}_{column}"))


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _changes() -> None:
    op.create_table(
        "account_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("bank_bin", sa.String(length=6), nullable=False),
        sa.Column("number", sa.String(length=19), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("told_by", sa.String(), nullable=False),
        sa.Column("only_virtual", sa.Boolean(), nullable=False),
        sa.Column("can_qr", sa.Boolean(), nullable=False),
        sa.Column("memo_code", sa.String(length=13), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        _moment("asked_at"),
        sa.CheckConstraint("bank_bin ~ '^[0-9]{6}$'", name=op.f("ck_account_changes_bin_six_digits")),
        sa.CheckConstraint("number ~ '^[0-9A-Za-z]{4,19}$'", name=op.f("ck_account_changes_number_plain")),
        sa.CheckConstraint("told_by IN ('callback', 'statement')", name=op.f("ck_account_changes_told_by_known")),
        sa.CheckConstraint("holder <> ''", name=op.f("ck_account_changes_holder_given")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_account_changes_reason_given")),
        _within("account_changes", "replaces_id", "bank_accounts"),
        _of_user("account_changes", "asked_by"),
        _of_school("account_changes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_changes")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_account_changes_school_id_id")),
    )


def _approvals() -> None:
    op.create_table(
        "account_approvals",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=False),
        _moment("at"),
        _moment("in_force_at"),
        sa.CheckConstraint(
            "in_force_at >= at + interval '24 hours'", name=op.f("ck_account_approvals_a_day_is_waited")
        ),
        _within("account_approvals", "change_id", "account_changes"),
        _of_user("account_approvals", "approved_by"),
        _of_school("account_approvals"),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_account_approvals")),
    )


def _withdrawals() -> None:
    op.create_table(
        "account_withdrawals",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_account_withdrawals_reason_given")),
        _within("account_withdrawals", "change_id", "account_changes"),
        _of_user("account_withdrawals", "made_by"),
        _of_school("account_withdrawals"),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_account_withdrawals")),
    )


def _openings() -> None:
    op.create_table(
        "account_openings",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("keeps_until", sa.Date(), nullable=True),
        _moment("at"),
        sa.CheckConstraint(
            "(replaces_id IS NULL) = (keeps_until IS NULL)", name=op.f("ck_account_openings_replaced_has_a_last_day")
        ),
        _within("account_openings", "change_id", "account_changes"),
        _within("account_openings", "account_id", "bank_accounts"),
        _within("account_openings", "replaces_id", "bank_accounts"),
        _of_school("account_openings"),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_account_openings")),
        sa.UniqueConstraint("school_id", "account_id", name=op.f("uq_account_openings_school_id_account_id")),
    )
    op.create_index(
        "uq_account_openings_replaced",
        "account_openings",
        ["school_id", "replaces_id"],
        unique=True,
        postgresql_where=sa.text("replaces_id IS NOT NULL"),
    )


def _staff_messages() -> None:
    op.create_table(
        "staff_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("next_try_at", nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        _moment("made_at"),
        _moment("accepted_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'failed', 'no_address')", name=op.f("ck_staff_messages_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "event_id"],
            ["events.school_id", "events.id"],
            name=op.f("fk_staff_messages_school_id_event_id"),
        ),
        _of_user("staff_messages", "user_id"),
        _of_school("staff_messages"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_messages")),
        sa.UniqueConstraint(
            "school_id", "event_id", "user_id", name=op.f("uq_staff_messages_school_id_event_id_user_id")
        ),
    )
    op.create_index(
        "ix_staff_messages_due",
        "staff_messages",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.execute("GRANT SELECT, INSERT ON staff_messages TO hocphi_app")
    op.execute("GRANT UPDATE (state, attempts, next_try_at, problem, accepted_at) ON staff_messages TO hocphi_app")
    op.execute("GRANT SELECT ON staff_messages TO hocphi_report")
    op.execute("ALTER TABLE staff_messages ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE staff_messages FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON staff_messages USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")


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
    for table, function, _, _ in TRIGGERS:
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("staff_messages")
    for table in reversed(TABLES):
        op.drop_table(table)
