"""Shape and guards of money out and of who told of a transfer: what money out was for, and how that was taken back.

The database refuses more purposes than money, a payout tied twice, another sum than the payout's, and that what is tied
is undone beneath it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0024"
branch_labels = None
depends_on = None

IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
TABLES = ["transfer_tellings", "money_out", "money_out_ends"]
TIES = {
    "insurance_payout_id": "insurance_payouts",
    "refund_line_id": "refund_lines",
    "payout_id": "payouts",
    "leg_id": "transfers",
}
LIVE = "NOT EXISTS (SELECT 1 FROM money_out_ends e WHERE e.school_id = o.school_id AND e.purpose_id = o.id)"

MONEY_OUT_FITS = f"""
CREATE FUNCTION money_out_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  sent record;
  tied record;
  used bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('money out ' || NEW.school_id, 0));
  SELECT t.direction, t.state, t.amount, t.bank_account_id INTO sent FROM transfers t
    WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id;
  IF sent IS NULL OR sent.direction <> 'out' OR sent.state <> 'ignored_out' THEN
    RAISE EXCEPTION 'only money that left has a purpose' USING ERRCODE = 'check_violation';
  END IF;
  SELECT coalesce(sum(o.amount), 0) INTO used FROM money_out o
    WHERE o.school_id = NEW.school_id AND o.transfer_id = NEW.transfer_id AND {LIVE};
  IF used + NEW.amount > sent.amount THEN
    RAISE EXCEPTION 'more purposes than money: % of %', used + NEW.amount, sent.amount
      USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM money_out o WHERE o.school_id = NEW.school_id AND {LIVE}
             AND (o.insurance_payout_id = NEW.insurance_payout_id OR o.refund_line_id = NEW.refund_line_id
                  OR o.payout_id = NEW.payout_id OR o.leg_id = NEW.leg_id)) THEN
    RAISE EXCEPTION 'this is tied to money out already' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.insurance_payout_id IS NOT NULL THEN
    SELECT p.amount, (SELECT array_agg(s.kind::text) FROM insurance_payout_steps s
                      WHERE s.school_id = p.school_id AND s.payout_id = p.id) = ARRAY['approved'] AS stands
      INTO tied FROM insurance_payouts p WHERE p.school_id = NEW.school_id AND p.id = NEW.insurance_payout_id;
  ELSIF NEW.refund_line_id IS NOT NULL THEN
    SELECT l.amount, l.way = 'bank' AND 'sent' = (
        SELECT s.kind FROM refund_steps s WHERE s.school_id = l.school_id AND s.line_id = l.id
        ORDER BY s.turn DESC LIMIT 1) AS stands
      INTO tied FROM refund_lines l WHERE l.school_id = NEW.school_id AND l.id = NEW.refund_line_id;
  ELSIF NEW.payout_id IS NOT NULL THEN
    SELECT p.amount, p.way = 'transfer' AND p.reverses_id IS NULL AND NOT EXISTS (
        SELECT 1 FROM payouts u WHERE u.school_id = p.school_id AND u.reverses_id = p.id) AS stands
      INTO tied FROM payouts p WHERE p.school_id = NEW.school_id AND p.id = NEW.payout_id;
  ELSIF NEW.leg_id IS NOT NULL THEN
    SELECT t.amount, t.direction = 'in' AND t.state = 'waiting' AND t.bank_account_id <> sent.bank_account_id
        AS stands
      INTO tied FROM transfers t WHERE t.school_id = NEW.school_id AND t.id = NEW.leg_id;
  ELSE
    RETURN NEW;
  END IF;
  IF tied.stands IS NOT TRUE OR tied.amount <> NEW.amount THEN
    RAISE EXCEPTION 'money out is tied to what is approved, in full' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def _refuses(name: str, found: str, words: str) -> str:
    """Return a trigger function that refuses a row while a live purpose is ``found``."""
    return f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('money out ' || NEW.school_id, 0));
  IF EXISTS (SELECT 1 FROM money_out o WHERE o.school_id = NEW.school_id AND {found} AND {LIVE}) THEN
    RAISE EXCEPTION '{words}' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


# A payment asks without the lock: the leg's own row is locked by whoever ties it and by whoever settles it.
OWN_MONEY_PAYS_NOTHING = f"""
CREATE FUNCTION own_money_pays_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM money_out o WHERE o.school_id = NEW.school_id AND o.leg_id = NEW.source_id AND {LIVE}) THEN
    RAISE EXCEPTION 'money between the school''s own accounts is no family''s payment'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
BENEATH = "the bank''s own transfer is tied to it: take that back first"
REFUSING = {
    "tied_refund_stands": ("o.refund_line_id = NEW.line_id", "refund_steps", "NEW.kind IN ('undone', 'taken_back')"),
    "tied_insurance_stands": (
        "o.insurance_payout_id = NEW.payout_id",
        "insurance_payout_steps",
        "NEW.kind = 'undone'",
    ),
    "tied_payout_stands": ("o.payout_id = NEW.reverses_id", "payouts", "NEW.reverses_id IS NOT NULL"),
}


def upgrade() -> None:
    """Add the tables with their guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _tellings()
    _money_out()
    _ends()
    for table in TABLES:
        _guard(table)
    op.execute(MONEY_OUT_FITS)
    op.execute(OWN_MONEY_PAYS_NOTHING)
    _watch("money_out", "money_out_fits")
    _watch("payments", "own_money_pays_nothing", "WHEN (NEW.source_kind = 'transfer') ")
    for name, (found, table, when) in REFUSING.items():
        op.execute(_refuses(name, found, BENEATH))
        _watch(table, name, f"WHEN ({when}) ")


def _tellings() -> None:
    op.create_table(
        "transfer_tellings",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        _moment("at"),
        _within("transfer_tellings", "transfer_id", "transfers"),
        _within("transfer_tellings", "feed_id", "feeds"),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_transfer_tellings_inbox_id")),
        _of_school("transfer_tellings"),
        sa.PrimaryKeyConstraint("school_id", "transfer_id", "feed_id", name=op.f("pk_transfer_tellings")),
    )


def _money_out() -> None:
    op.create_table(
        "money_out",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("item_code", sa.String(length=40), nullable=True),
        sa.Column("document", sa.String(length=80), nullable=False),
        *(sa.Column(column, sa.Uuid(), nullable=True) for column in TIES),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint(
            "kind IN ('treasury', 'insurance', 'purchase', 'refund', 'fee')", name=op.f("ck_money_out_kind_known")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_money_out_amount_above_zero")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_money_out_reason_given")),
        sa.CheckConstraint(
            "(kind = 'insurance') = (insurance_payout_id IS NOT NULL)", name=op.f("ck_money_out_insurance_is_tied")
        ),
        sa.CheckConstraint(
            "num_nonnulls(refund_line_id, payout_id) = CASE WHEN kind = 'refund' THEN 1 ELSE 0 END",
            name=op.f("ck_money_out_refund_is_tied"),
        ),
        sa.CheckConstraint(
            "CASE WHEN kind = 'treasury' THEN (leg_id IS NULL) = (document <> '') ELSE leg_id IS NULL END",
            name=op.f("ck_money_out_treasury_by_leg_or_document"),
        ),
        sa.CheckConstraint(
            "(kind = 'purchase') = (item_code IS NOT NULL) AND (kind <> 'purchase' OR document <> '')",
            name=op.f("ck_money_out_purchase_has_item_and_document"),
        ),
        sa.CheckConstraint("(kind = 'insurance') = (entry_id IS NULL)", name=op.f("ck_money_out_posted_once")),
        _within("money_out", "transfer_id", "transfers"),
        *(_within("money_out", column, table) for column, table in TIES.items()),
        _within("money_out", "entry_id", "journal_entries"),
        sa.ForeignKeyConstraint(
            ["school_id", "item_code"],
            ["fee_items.school_id", "fee_items.code"],
            name=op.f("fk_money_out_school_id_item_code"),
        ),
        _of_school("money_out"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_out")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_money_out_school_id_id")),
    )
    op.create_index("ix_money_out_transfer", "money_out", ["school_id", "transfer_id"], unique=False)
    for column in TIES:
        op.create_index(
            f"ix_money_out_{column.removesuffix('_id')}",
            "money_out",
            ["school_id", column],
            unique=False,
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )


def _ends() -> None:
    op.create_table(
        "money_out_ends",
        sa.Column("purpose_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_money_out_ends_reason_given")),
        _within("money_out_ends", "purpose_id", "money_out"),
        _within("money_out_ends", "entry_id", "journal_entries"),
        _of_school("money_out_ends"),
        sa.PrimaryKeyConstraint("purpose_id", name=op.f("pk_money_out_ends")),
    )


def _moment(name: str) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _of_school(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f(f"fk_{table}_school_id"))


def _within(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["school_id", column], [f"{of}.school_id", f"{of}.id"], name=op.f(f"fk_{table}_school_id_{column}")
    )


def _watch(table: str, function: str, only: str = "") -> None:
    op.execute(f"CREATE TRIGGER {function} BEFORE INSERT ON {table} FOR EACH ROW {only}EXECUTE FUNCTION {function}()")


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
    op.execute("DROP TRIGGER own_money_pays_nothing ON payments")
    for name, (_, table, _) in REFUSING.items():
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for table in reversed(TABLES):
        op.drop_table(table)
    for name in ("money_out_fits", "own_money_pays_nothing", *REFUSING):
        op.execute(f"DROP FUNCTION {name}()")
