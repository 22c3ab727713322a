"""A school may go back to an earlier account: the same row is opened again, by two people and after the same wait."""

from alembic import op

revision = "0034b"
down_revision = "0047b"
branch_labels = None
depends_on = None

# What stands in both: the change was agreed to, waited for, and not stopped.
_AGREED = """
    SELECT 1 FROM account_changes c
    JOIN account_approvals a ON a.school_id = c.school_id AND a.change_id = c.id
    JOIN bank_accounts b ON b.school_id = c.school_id AND b.id = NEW.account_id
    WHERE c.school_id = NEW.school_id AND c.id = NEW.change_id AND a.in_force_at <= NEW.at
      AND c.replaces_id IS NOT DISTINCT FROM NEW.replaces_id
      AND (b.bank_bin, b.number, b.holder) = (c.bank_bin, c.number, c.holder)
      AND NOT EXISTS (SELECT 1 FROM account_withdrawals w WHERE w.school_id = c.school_id AND w.change_id = c.id)
"""
_MADE_BY_THEM = "(b.made_by, b.approved_by) = (c.asked_by, a.approved_by)"


def _opened_as_agreed(who: str) -> str:
    return f"""
CREATE OR REPLACE FUNCTION account_opened_as_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS ({_AGREED} AND {who}) THEN
    RAISE EXCEPTION 'an account is opened as agreed to, after its wait' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


# The row of the opening comes first: it says who agreed that the account is in use again since it was left.
REOPENED_AS_AGREED = """
CREATE FUNCTION account_reopened_as_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM account_openings o WHERE o.school_id = NEW.school_id AND o.account_id = NEW.id
      AND NOT EXISTS (SELECT 1 FROM account_openings p
                      WHERE p.school_id = o.school_id AND p.replaces_id = NEW.id AND p.at >= o.at)
  ) THEN
    RAISE EXCEPTION 'an account that was left is opened again by two people' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Let an account be opened, and left, more than once."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_constraint(op.f("uq_account_openings_school_id_account_id"), "account_openings")
    op.drop_index("uq_account_openings_replaced", "account_openings")
    op.create_index("ix_account_openings_account", "account_openings", ["school_id", "account_id"])
    op.create_index("ix_account_openings_replaced", "account_openings", ["school_id", "replaces_id"])
    op.create_check_constraint(
        op.f("ck_account_openings_replaces_another"), "account_openings", "account_id <> replaces_id"
    )
    op.execute(_opened_as_agreed(f"(b.closed_on IS NOT NULL OR {_MADE_BY_THEM})"))
    op.execute(REOPENED_AS_AGREED)
    op.execute(
        "CREATE TRIGGER account_reopened_as_agreed BEFORE UPDATE ON bank_accounts FOR EACH ROW "
        "WHEN (OLD.closed_on IS NOT NULL AND NEW.closed_on IS NULL) EXECUTE FUNCTION account_reopened_as_agreed()"
    )


def downgrade() -> None:
    """Take it away again; refused by the unique keys where a school went back to an account."""
    op.execute("DROP TRIGGER account_reopened_as_agreed ON bank_accounts")
    op.execute("DROP FUNCTION account_reopened_as_agreed()")
    op.execute(_opened_as_agreed(_MADE_BY_THEM))
    op.drop_constraint(op.f("ck_account_openings_replaces_another"), "account_openings")
    op.drop_index("ix_account_openings_replaced", "account_openings")
    op.drop_index("ix_account_openings_account", "account_openings")
    op.create_index(
        "uq_account_openings_replaced",
        "account_openings",
        ["school_id", "replaces_id"],
        unique=True,
        postgresql_where="replaces_id IS NOT NULL",
    )
    op.create_unique_constraint(
        op.f("uq_account_openings_school_id_account_id"), "account_openings", ["school_id", "account_id"]
    )
