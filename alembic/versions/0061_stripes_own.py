"""What Stripe held before its feeds were opened, and money that the school itself paid in there.

Both are asked for by one and agreed to by another. The school's own money is tied to the bank's money out.
"""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060b"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
OLD_ACTS, ACTS = "'tie', 'untie', 'explain'", "'tie', 'untie', 'explain', 'opening', 'top_up'"
OLD_OUT = "'treasury', 'insurance', 'purchase', 'refund', 'fee', 'returned', 'reversed'"
OUT = f"{OLD_OUT}, 'card'"
BY_ACT = """
CREATE FUNCTION card_opening_by_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM card_acts a JOIN card_act_decisions d ON d.school_id = a.school_id AND d.act_id = a.id
    WHERE a.school_id = NEW.school_id AND a.id = NEW.act_id AND a.kind = 'opening' AND d.approved
      AND a.subject = NEW.bank_account_id::text AND a.amount = NEW.amount
  ) THEN
    RAISE EXCEPTION 'an opening is of an act that another person agreed to' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
ONCE, ONCE_OF_CARDS = "o.leg_id = NEW.leg_id)", "o.leg_id = NEW.leg_id OR o.card_act_id = NEW.card_act_id)"
ELSE = "ELSE\n    RETURN NEW;"
OF_CARDS = (
    """ELSIF NEW.card_act_id IS NOT NULL THEN
    SELECT f.amount, d.approved AND NOT EXISTS (
        SELECT 1 FROM card_acts x JOIN card_act_decisions y ON y.school_id = x.school_id AND y.act_id = x.id
        WHERE x.school_id = a.school_id AND x.kind = 'explain' AND x.subject = a.subject AND y.approved) AS stands
      INTO tied FROM card_acts a JOIN card_act_decisions d ON d.school_id = a.school_id AND d.act_id = a.id
      JOIN card_facts f ON f.school_id = a.school_id AND f.kind = 'moved_in' AND f.stripe_id = a.subject
      WHERE a.school_id = NEW.school_id AND a.id = NEW.card_act_id AND a.kind = 'top_up';
  """
    + ELSE
)


def upgrade() -> None:
    """Add acts of both kinds, openings, and the purpose of money out."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("card_acts", sa.Column("amount", sa.BigInteger(), nullable=True))
    _acts(ACTS, "(kind IN ('tie', 'untie')) = (transfer_id IS NOT NULL)")
    op.create_check_constraint(
        op.f("ck_card_acts_opening_has_its_sum"), "card_acts", "(kind = 'opening') = (amount IS NOT NULL)"
    )
    _openings()
    op.add_column("money_out", sa.Column("card_act_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_money_out_school_id_card_act_id"),
        "money_out",
        "card_acts",
        ["school_id", "card_act_id"],
        ["school_id", "id"],
    )
    op.create_index(
        "ix_money_out_card_act",
        "money_out",
        ["school_id", "card_act_id"],
        postgresql_where=sa.text("card_act_id IS NOT NULL"),
    )
    _purposes(OUT)
    op.create_check_constraint(
        op.f("ck_money_out_card_is_tied"), "money_out", "(kind = 'card') = (card_act_id IS NOT NULL)"
    )
    op.execute(_function_becomes(ONCE, ONCE_OF_CARDS))
    op.execute(_function_becomes(ELSE, OF_CARDS))


def _acts(kinds: str, named: str) -> None:
    op.drop_constraint(op.f("ck_card_acts_kind_known"), "card_acts")
    op.create_check_constraint(op.f("ck_card_acts_kind_known"), "card_acts", f"kind IN ({kinds})")
    op.drop_constraint(op.f("ck_card_acts_names_its_transfer"), "card_acts")
    op.create_check_constraint(op.f("ck_card_acts_names_its_transfer"), "card_acts", named)


def _purposes(kinds: str) -> None:
    op.drop_constraint(op.f("ck_money_out_kind_known"), "money_out")
    op.create_check_constraint(op.f("ck_money_out_kind_known"), "money_out", f"kind IN ({kinds})")


def _openings() -> None:
    op.create_table(
        "card_openings",
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_card_openings_amount_not_zero")),
        _within("act_id", "card_acts"),
        _within("bank_account_id", "bank_accounts"),
        _within("entry_id", "journal_entries"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_card_openings_school_id")),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_card_openings")),
    )
    op.create_index("ix_card_openings_account", "card_openings", ["school_id", "bank_account_id"])
    op.execute("GRANT SELECT, INSERT ON card_openings TO hocphi_app")
    op.execute("GRANT SELECT ON card_openings TO hocphi_report")
    op.execute("ALTER TABLE card_openings ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE card_openings FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY in_scope ON card_openings USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        "CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON card_openings FOR EACH ROW "
        "EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON card_openings FOR EACH STATEMENT "
        "EXECUTE FUNCTION refuse_change()"
    )
    op.execute(BY_ACT)
    op.execute(
        "CREATE TRIGGER card_opening_by_act BEFORE INSERT ON card_openings FOR EACH ROW "
        "EXECUTE FUNCTION card_opening_by_act()"
    )


def _within(column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_card_openings_school_id_{column}")
    )


def _function_becomes(old: str, new: str) -> str:
    return f"""DO $do$ DECLARE made text := pg_get_functiondef('money_out_fits'::regproc); BEGIN
      IF strpos(made, {_quoted(old)}) = 0 THEN RAISE EXCEPTION 'money_out_fits is not as expected'; END IF;
      EXECUTE replace(made, {_quoted(old)}, {_quoted(new)});
    END $do$"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def downgrade() -> None:
    """Take them away again; refuses while there is an act of either kind."""
    op.execute(_function_becomes(OF_CARDS, ELSE))
    op.execute(_function_becomes(ONCE_OF_CARDS, ONCE))
    op.drop_constraint(op.f("ck_money_out_card_is_tied"), "money_out")
    _purposes(OLD_OUT)
    op.drop_index("ix_money_out_card_act", "money_out")
    op.drop_column("money_out", "card_act_id")
    op.drop_table("card_openings")
    op.execute("DROP FUNCTION card_opening_by_act()")
    op.drop_constraint(op.f("ck_card_acts_opening_has_its_sum"), "card_acts")
    _acts(OLD_ACTS, "(kind = 'explain') = (transfer_id IS NULL)")
    op.drop_column("card_acts", "amount")
