"""Shape and guards of card payments: switch, checkouts, facts, refunds, disputes, payouts tied to the bank.

The database refuses that one person switches cards on, gives money back, or pays a bill with money that is a payout.
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0033"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
KINDS = "'paid', 'refunded', 'refund_failed', 'disputed', 'reinstated', 'fee', 'fee_back', 'payout', 'payout_failed'"
TABLES = [
    "card_switches",
    "card_switch_decisions",
    "card_checkouts",
    "card_sessions",
    "card_ends",
    "card_facts",
    "card_disputes",
    "card_refunds",
    "card_refund_decisions",
    "card_refund_answers",
    "card_payout_ties",
]
BY_ANOTHER = {
    "card_switch_decisions": ("card_switched_by_two", "card_switches", "switch_id"),
    "card_refund_decisions": ("card_refunded_by_two", "card_refunds", "refund_id"),
}
PAYOUT_PAYS_NOTHING = """
CREATE FUNCTION card_payout_pays_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM card_payout_ties c WHERE c.school_id = NEW.school_id AND c.transfer_id = NEW.source_id) THEN
    RAISE EXCEPTION 'a payout of card money is no family''s payment' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
PAYOUT_STAYS = """
CREATE FUNCTION card_payout_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM card_payout_ties c WHERE c.school_id = NEW.school_id AND c.transfer_id = NEW.id) THEN
    RAISE EXCEPTION 'a payout of card money is tied to it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
PAYOUT_FITS = """
CREATE FUNCTION card_payout_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM card_facts f JOIN transfers t ON t.school_id = f.school_id AND t.bank_account_id = f.bank_account_id
    WHERE f.school_id = NEW.school_id AND f.kind = 'payout' AND f.stripe_id = NEW.payout_id
      AND t.id = NEW.transfer_id AND t.direction = 'in' AND t.state = 'waiting' AND t.amount = f.amount
  ) THEN
    RAISE EXCEPTION 'a payout is tied to waiting money in of the same sum on its account'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def _two(name: str, asked: str, key: str) -> str:
    return f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.approved AND EXISTS (
    SELECT 1 FROM {asked} a WHERE a.school_id = NEW.school_id AND a.id = NEW.{key} AND a.asked_by = NEW.decided_by
  ) THEN
    RAISE EXCEPTION 'whoever asked does not approve it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    for make in (_switches, _checkouts, _facts, _disputes, _refunds, _ties):
        make()
    for table in TABLES:
        _guard(table)
    for table, (name, asked, key) in BY_ANOTHER.items():
        op.execute(_two(name, asked, key))
        op.execute(f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    op.execute(PAYOUT_FITS)
    op.execute(
        "CREATE TRIGGER card_payout_fits BEFORE INSERT ON card_payout_ties "
        "FOR EACH ROW EXECUTE FUNCTION card_payout_fits()"
    )
    op.execute(PAYOUT_STAYS)
    op.execute(
        "CREATE TRIGGER card_payout_stays BEFORE UPDATE ON transfers "
        "FOR EACH ROW WHEN (OLD.state = 'matched' AND NEW.state <> 'matched') EXECUTE FUNCTION card_payout_stays()"
    )
    op.execute(PAYOUT_PAYS_NOTHING)
    op.execute(
        "CREATE TRIGGER card_payout_pays_nothing BEFORE INSERT ON payments "
        "FOR EACH ROW WHEN (NEW.source_kind = 'transfer') EXECUTE FUNCTION card_payout_pays_nothing()"
    )


def _switches() -> None:
    op.create_table(
        "card_switches",
        *_asked("card_switches"),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("turned_on", sa.Boolean(), nullable=False),
        _within("card_switches", "bank_account_id", "bank_accounts"),
    )
    op.create_index("ix_card_switches_account", "card_switches", ["school_id", "bank_account_id"], unique=False)
    _decisions("card_switch_decisions", "switch_id", "card_switches")


def _checkouts() -> None:
    op.create_table(
        "card_checkouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        _moment("created_at"),
        _moment("expires_at"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_card_checkouts_amount_above_zero")),
        _within("card_checkouts", "request_id", "payment_requests"),
        _within("card_checkouts", "bank_account_id", "bank_accounts"),
        _of_school("card_checkouts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_checkouts")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_card_checkouts_school_id_id")),
    )
    op.create_index("ix_card_checkouts_request", "card_checkouts", ["school_id", "request_id"], unique=False)
    op.create_table(
        "card_sessions",
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.String(length=255), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        _moment("at"),
        _within("card_sessions", "checkout_id", "card_checkouts"),
        _of_school("card_sessions"),
        sa.PrimaryKeyConstraint("checkout_id", name=op.f("pk_card_sessions")),
        sa.UniqueConstraint("school_id", "session_id", name=op.f("uq_card_sessions_school_id_session_id")),
    )
    op.create_table(
        "card_ends",
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        _moment("at"),
        _within("card_ends", "checkout_id", "card_checkouts"),
        _of_school("card_ends"),
        sa.PrimaryKeyConstraint("checkout_id", name=op.f("pk_card_ends")),
    )


def _facts() -> None:
    op.create_table(
        "card_facts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("stripe_id", sa.String(length=255), nullable=False),
        sa.Column("intent_id", sa.String(length=255), nullable=False),
        sa.Column("checkout_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        _moment("occurred_at"),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        _moment("recorded_at"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_card_facts_kind_known")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_card_facts_amount_above_zero")),
        sa.CheckConstraint(
            "(kind = 'paid') = (checkout_id IS NOT NULL)", name=op.f("ck_card_facts_paid_names_its_checkout")
        ),
        _within("card_facts", "bank_account_id", "bank_accounts"),
        _within("card_facts", "checkout_id", "card_checkouts"),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_card_facts_inbox_id")),
        _of_school("card_facts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_facts")),
        sa.UniqueConstraint("school_id", "checkout_id", name=op.f("uq_card_facts_school_id_checkout_id")),
        sa.UniqueConstraint("school_id", "kind", "stripe_id", name=op.f("uq_card_facts_school_id_kind_stripe_id")),
    )
    op.create_index("ix_card_facts_intent", "card_facts", ["school_id", "intent_id"], unique=False)


def _disputes() -> None:
    op.create_table(
        "card_disputes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("dispute_id", sa.String(length=255), nullable=False),
        sa.Column("intent_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("due_by", sa.DateTime(timezone=True), nullable=True),
        _moment("told_at"),
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_card_disputes_inbox_id")),
        _of_school("card_disputes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_disputes")),
        sa.UniqueConstraint(
            "school_id", "dispute_id", "status", name=op.f("uq_card_disputes_school_id_dispute_id_status")
        ),
    )
    op.create_index("ix_card_disputes_intent", "card_disputes", ["school_id", "intent_id"], unique=False)


def _refunds() -> None:
    op.create_table(
        "card_refunds",
        *_asked("card_refunds"),
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_card_refunds_amount_above_zero")),
        _within("card_refunds", "checkout_id", "card_checkouts"),
    )
    op.create_index("ix_card_refunds_checkout", "card_refunds", ["school_id", "checkout_id"], unique=False)
    _decisions("card_refund_decisions", "refund_id", "card_refunds")
    op.create_table(
        "card_refund_answers",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_id", sa.String(length=255), nullable=False),
        sa.Column("refused", sa.String(), nullable=False),
        _moment("at"),
        sa.CheckConstraint(
            "(stripe_id <> '') <> (refused <> '')", name=op.f("ck_card_refund_answers_taken_or_refused")
        ),
        _within("card_refund_answers", "refund_id", "card_refunds"),
        _of_school("card_refund_answers"),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_card_refund_answers")),
    )


def _ties() -> None:
    op.create_table(
        "card_payout_ties",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.String(length=255), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        _moment("at"),
        _within("card_payout_ties", "transfer_id", "transfers"),
        _within("card_payout_ties", "entry_id", "journal_entries"),
        _of_school("card_payout_ties"),
        sa.PrimaryKeyConstraint("school_id", "payout_id", name=op.f("pk_card_payout_ties")),
        sa.UniqueConstraint("school_id", "transfer_id", name=op.f("uq_card_payout_ties_school_id_transfer_id")),
    )


def _asked(table: str) -> list[sa.schema.SchemaItem]:
    """Return what every row that asks for something has."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        _moment("asked_at"),
        sa.CheckConstraint("reason <> ''", name=op.f(f"ck_{table}_reason_given")),
        _of_school(table),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("school_id", "id", name=op.f(f"uq_{table}_school_id_id")),
    ]


def _decisions(table: str, key: str, of: str) -> None:
    op.create_table(
        table,
        sa.Column(key, sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("approved OR reason <> ''", name=op.f(f"ck_{table}_no_has_a_reason")),
        _within(table, key, of),
        _of_school(table),
        sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
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
    """Take them away again."""
    op.execute("DROP TRIGGER card_payout_pays_nothing ON payments")
    op.execute("DROP TRIGGER card_payout_stays ON transfers")
    for table in reversed(TABLES):
        op.drop_table(table)
    for name in (
        "card_payout_pays_nothing",
        "card_payout_stays",
        "card_payout_fits",
        *(name for name, _, _ in BY_ANOTHER.values()),
    ):
        op.execute(f"DROP FUNCTION {name}()")
