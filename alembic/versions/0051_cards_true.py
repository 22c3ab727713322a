"""Card money that is more than payments and fees: losses, Stripe's own movements, its balance, ties that are undone.

What one person alone must not do to a payout is asked by one and agreed to by another; a tie can be undone by two.
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0056"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
OLD_KINDS = (
    "'paid', 'refunded', 'refund_failed', 'disputed', 'reinstated', 'fee', 'fee_back', 'payout', 'payout_failed'"
)
KINDS = f"{OLD_KINDS}, 'sent', 'unsent', 'held', 'released', 'moved_out', 'moved_in'"
TABLES = ["card_losses", "card_balances", "card_acts", "card_act_decisions", "card_payout_ends"]
ENDED = "EXISTS (SELECT 1 FROM card_payout_ends z WHERE z.school_id = c.school_id AND z.tie_id = c.id)"
# Both hold the school's payouts, so that two ties at once see each other.
PAYOUT_FITS = """
CREATE OR REPLACE FUNCTION card_payout_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {lock}
  IF NOT EXISTS (
    SELECT 1 FROM card_facts f JOIN transfers t ON t.school_id = f.school_id AND t.bank_account_id = f.bank_account_id
    WHERE f.school_id = NEW.school_id AND f.kind = 'payout' AND f.stripe_id = NEW.payout_id
      AND t.id = NEW.transfer_id AND t.direction = 'in' AND t.state = 'waiting' AND t.amount = f.amount
  ) THEN
    RAISE EXCEPTION 'a payout is tied to waiting money in of the same sum on its account'
      USING ERRCODE = 'check_violation';
  END IF;
  {once}
  RETURN NEW;
END $$
"""
LOCK = "PERFORM pg_advisory_xact_lock(hashtextextended('card payouts ' || NEW.school_id, 0));"
ONCE = f"""IF EXISTS (
    SELECT 1 FROM card_payout_ties c WHERE c.school_id = NEW.school_id
      AND (c.payout_id = NEW.payout_id OR c.transfer_id = NEW.transfer_id) AND NOT {ENDED}
  ) THEN
    RAISE EXCEPTION 'a payout and a transfer are tied once' USING ERRCODE = 'check_violation';
  END IF;"""
STAYS = """
CREATE OR REPLACE FUNCTION card_payout_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM card_payout_ties c
             WHERE c.school_id = NEW.school_id AND c.transfer_id = NEW.id{live}) THEN
    RAISE EXCEPTION 'a payout of card money is tied to it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
PAYS_NOTHING = """
CREATE OR REPLACE FUNCTION card_payout_pays_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM card_payout_ties c
             WHERE c.school_id = NEW.school_id AND c.transfer_id = NEW.source_id{live}) THEN
    RAISE EXCEPTION 'a payout of card money is no family''s payment' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
BY_TWO = """
CREATE FUNCTION card_act_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.approved AND EXISTS (
    SELECT 1 FROM card_acts a WHERE a.school_id = NEW.school_id AND a.id = NEW.act_id AND a.asked_by = NEW.decided_by
  ) THEN
    RAISE EXCEPTION 'whoever asked does not approve it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
ENDS_BY_ACT = """
CREATE FUNCTION card_payout_ends_by_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM card_acts a JOIN card_act_decisions d ON d.school_id = a.school_id AND d.act_id = a.id
    JOIN card_payout_ties c ON c.school_id = a.school_id AND c.payout_id = a.subject AND c.transfer_id = a.transfer_id
    WHERE a.school_id = NEW.school_id AND a.id = NEW.act_id AND a.kind = 'untie' AND d.approved AND c.id = NEW.tie_id
  ) THEN
    RAISE EXCEPTION 'a tie is undone by an act that another person agreed to' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the tables with their guards, and let ties end."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _kinds(KINDS)
    op.add_column("card_facts", sa.Column("note", sa.String(length=200), server_default="", nullable=False))
    op.alter_column("card_facts", "note", server_default=None)
    for make in (_losses, _balances, _acts, _ties, _ends):
        make()
    for table in TABLES:
        _guard(table)
    live = f" AND NOT {ENDED}"
    op.execute(PAYOUT_FITS.format(lock=LOCK, once=ONCE))
    op.execute(STAYS.format(live=live))
    op.execute(PAYS_NOTHING.format(live=live))
    for name, table, body in (
        ("card_act_by_two", "card_act_decisions", BY_TWO),
        ("card_payout_ends_by_act", "card_payout_ends", ENDS_BY_ACT),
    ):
        op.execute(body)
        op.execute(f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_card_facts_kind_known"), "card_facts")
    op.create_check_constraint(op.f("ck_card_facts_kind_known"), "card_facts", f"kind IN ({kinds})")


def _losses() -> None:
    op.create_table(
        "card_losses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("grows", sa.Boolean(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_card_losses_amount_above_zero")),
        _within("card_losses", "checkout_id", "card_checkouts"),
        _within("card_losses", "entry_id", "journal_entries"),
        _of_school("card_losses"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_losses")),
    )
    op.create_index("ix_card_losses_checkout", "card_losses", ["school_id", "checkout_id"], unique=False)


def _balances() -> None:
    op.create_table(
        "card_balances",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        _moment("at"),
        _within("card_balances", "bank_account_id", "bank_accounts"),
        _of_school("card_balances"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_balances")),
    )
    op.create_index("ix_card_balances_account", "card_balances", ["school_id", "bank_account_id", "at"], unique=False)


def _acts() -> None:
    op.create_table(
        "card_acts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        _moment("asked_at"),
        sa.CheckConstraint("kind IN ('tie', 'untie', 'explain')", name=op.f("ck_card_acts_kind_known")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_card_acts_reason_given")),
        sa.CheckConstraint("(kind = 'explain') = (transfer_id IS NULL)", name=op.f("ck_card_acts_names_its_transfer")),
        _within("card_acts", "transfer_id", "transfers"),
        _of_school("card_acts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_acts")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_card_acts_school_id_id")),
    )
    op.create_index("ix_card_acts_transfer", "card_acts", ["school_id", "transfer_id"], unique=False)
    op.create_index("ix_card_acts_subject", "card_acts", ["school_id", "subject"], unique=False)
    op.create_table(
        "card_act_decisions",
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("approved OR reason <> ''", name=op.f("ck_card_act_decisions_no_has_a_reason")),
        _within("card_act_decisions", "act_id", "card_acts"),
        _of_school("card_act_decisions"),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_card_act_decisions")),
    )


def _ties() -> None:
    op.add_column(
        "card_payout_ties", sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    )
    op.alter_column("card_payout_ties", "id", server_default=None)
    op.drop_constraint(op.f("pk_card_payout_ties"), "card_payout_ties")
    op.drop_constraint(op.f("uq_card_payout_ties_school_id_transfer_id"), "card_payout_ties")
    op.create_primary_key(op.f("pk_card_payout_ties"), "card_payout_ties", ["id"])
    op.create_unique_constraint(op.f("uq_card_payout_ties_school_id_id"), "card_payout_ties", ["school_id", "id"])
    op.create_index("ix_card_payout_ties_payout", "card_payout_ties", ["school_id", "payout_id"], unique=False)
    op.create_index("ix_card_payout_ties_transfer", "card_payout_ties", ["school_id", "transfer_id"], unique=False)


def _ends() -> None:
    op.create_table(
        "card_payout_ends",
        sa.Column("tie_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        _moment("at"),
        _within("card_payout_ends", "tie_id", "card_payout_ties"),
        _within("card_payout_ends", "act_id", "card_acts"),
        _within("card_payout_ends", "entry_id", "journal_entries"),
        _of_school("card_payout_ends"),
        sa.PrimaryKeyConstraint("tie_id", name=op.f("pk_card_payout_ends")),
    )


def _moment(name: str) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


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
    """Take them away again; ties must be as they were, one for each payout."""
    op.execute(PAYOUT_FITS.format(lock="", once=""))
    op.execute(STAYS.format(live=""))
    op.execute(PAYS_NOTHING.format(live=""))
    for table in reversed(TABLES):
        op.drop_table(table)
    for name in ("card_act_by_two", "card_payout_ends_by_act"):
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_index("ix_card_payout_ties_transfer", "card_payout_ties")
    op.drop_index("ix_card_payout_ties_payout", "card_payout_ties")
    op.drop_constraint(op.f("uq_card_payout_ties_school_id_id"), "card_payout_ties")
    op.drop_constraint(op.f("pk_card_payout_ties"), "card_payout_ties")
    op.create_primary_key(op.f("pk_card_payout_ties"), "card_payout_ties", ["school_id", "payout_id"])
    op.create_unique_constraint(
        op.f("uq_card_payout_ties_school_id_transfer_id"), "card_payout_ties", ["school_id", "transfer_id"]
    )
    op.drop_column("card_payout_ties", "id")
    op.drop_column("card_facts", "note")
    _kinds(OLD_KINDS)
