"""Shape and guards of money that a bank took back; and nobody assigns what is asked back, or asks back what is assigned.

A transfer is *reversed* only by a standing reversal that another person agreed to (or that the bank's own data names),
with no payment on it, and *waiting* again only when its purpose was taken back.
"""

import sqlalchemy as sa
from alembic import op

revision = "0054b"
down_revision = "0053"
branch_labels = None
depends_on = None

TABLES = ["bank_reversals", "bank_reversal_decisions"]
IN_SCOPE = "((SELECT app_sees_all()) OR school_id = ANY ((SELECT app_schools())::uuid[]))"
PLAIN = "regexp_replace(upper({}), '[^A-Z0-9]', '', 'g')"
FITS = f"""
CREATE FUNCTION bank_reversal_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  took record;
  came record;
  told text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('money out ' || NEW.school_id, 0));
  SELECT * INTO took FROM transfers t WHERE t.school_id = NEW.school_id AND t.id = NEW.out_id;
  SELECT * INTO came FROM transfers t WHERE t.school_id = NEW.school_id AND t.id = NEW.came_id FOR UPDATE;
  IF took.direction <> 'out' OR took.state <> 'ignored_out' OR came.direction <> 'in'
     OR came.state NOT IN ('matched', 'waiting') THEN
    RAISE EXCEPTION 'only money out takes back money that came in' USING ERRCODE = 'check_violation';
  END IF;
  IF took.bank_account_id <> came.bank_account_id OR took.amount <> came.amount OR took.value_date < came.value_date THEN
    RAISE EXCEPTION 'the bank takes back the very sum, from the same account, later' USING ERRCODE = 'check_violation';
  END IF;
  told := {PLAIN.format("took.memo || coalesce(took.bank_reference, '')")};
  IF NEW.named AND NOT EXISTS (
    SELECT 1 FROM unnest(ARRAY[came.bank_reference, came.provider_id]) AS number
    WHERE length({PLAIN.format("number")}) >= 6 AND strpos(told, {PLAIN.format("number")}) > 0
  ) THEN
    RAISE EXCEPTION 'the bank does not name this money' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (
    SELECT 1 FROM bank_reversals r LEFT JOIN bank_reversal_decisions d ON d.reversal_id = r.id
    WHERE r.school_id = NEW.school_id AND (r.out_id = NEW.out_id OR r.came_id = NEW.came_id) AND d.reversal_id IS NULL
  ) THEN
    RAISE EXCEPTION 'a reversal of this money waits already' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
BY_ANOTHER = """
CREATE FUNCTION bank_reversal_by_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bank_reversals r WHERE r.school_id = NEW.school_id AND r.id = NEW.reversal_id
             AND r.made_by = NEW.decided_by AND NOT r.named) THEN
    RAISE EXCEPTION 'whoever says that the bank took money back does not approve it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
LIVE = "NOT EXISTS (SELECT 1 FROM money_out_ends e WHERE e.school_id = o.school_id AND e.purpose_id = o.id)"
FOLLOWS = f"""
CREATE FUNCTION reversed_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = 'reversed' AND (
    NOT EXISTS (SELECT 1 FROM bank_reversals r JOIN bank_reversal_decisions d ON d.reversal_id = r.id AND d.approved
                WHERE r.school_id = NEW.school_id AND r.came_id = NEW.id)
    OR EXISTS (SELECT 1 FROM payments p WHERE p.school_id = NEW.school_id AND p.source_kind = 'transfer'
               AND p.source_id = NEW.id
               AND NOT EXISTS (SELECT 1 FROM payment_reversals v WHERE v.payment_id = p.id))) THEN
    RAISE EXCEPTION 'money is reversed by a decision, and pays nothing then' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state = 'reversed' AND EXISTS (
    SELECT 1 FROM money_out o WHERE o.school_id = NEW.school_id AND o.leg_id = NEW.id AND {LIVE}) THEN
    RAISE EXCEPTION 'the money out that took it back is tied to it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
NOT_ASKED_BACK = """
CREATE FUNCTION act_of_nothing_asked_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM transfers t WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id FOR UPDATE;
  IF EXISTS (SELECT 1 FROM refund_lines r
      LEFT JOIN refund_decisions d ON d.school_id = r.school_id AND d.refund_id = r.refund_id
      WHERE r.school_id = NEW.school_id AND r.transfer_id = NEW.transfer_id AND d.approved IS NOT FALSE
        AND NOT EXISTS (SELECT 1 FROM refund_steps s WHERE s.school_id = r.school_id AND s.line_id = r.id
                        AND s.kind = 'taken_back')) THEN
    RAISE EXCEPTION 'this money is asked back' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
NOT_UNDER_AN_ACT = """
CREATE FUNCTION refund_of_nothing_assigned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM transfers t WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id FOR UPDATE;
  IF EXISTS (SELECT 1 FROM queue_acts a WHERE a.school_id = NEW.school_id AND a.transfer_id = NEW.transfer_id
             AND NOT EXISTS (SELECT 1 FROM queue_decisions d WHERE d.school_id = a.school_id AND d.act_id = a.id)) THEN
    RAISE EXCEPTION 'an act about this money is open' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
WATCHED = (
    ("bank_reversals", "bank_reversal_fits", "BEFORE INSERT", ""),
    ("bank_reversal_decisions", "bank_reversal_by_another", "BEFORE INSERT", "WHEN (NEW.approved) "),
    (
        "transfers",
        "reversed_follows",
        "BEFORE UPDATE OF state",
        "WHEN (NEW.state = 'reversed' OR OLD.state = 'reversed') ",
    ),
    ("queue_acts", "act_of_nothing_asked_back", "BEFORE INSERT", "WHEN (NEW.kind = 'assign') "),
    ("refund_lines", "refund_of_nothing_assigned", "BEFORE INSERT", "WHEN (NEW.transfer_id IS NOT NULL) "),
)
FUNCTIONS = (FITS, BY_ANOTHER, FOLLOWS, NOT_ASKED_BACK, NOT_UNDER_AN_ACT)
STEP = "'reversed>waiting', "
LEG_WAITS = "t.state = 'waiting' AND (NEW.kind = 'returned' OR t.bank_account_id <> sent.bank_account_id)"
LEG_STANDS = f"""CASE WHEN NEW.kind = 'reversed' THEN t.state = 'reversed' AND t.bank_account_id = sent.bank_account_id
        ELSE {LEG_WAITS} END"""
KINDS = "kind IN ('treasury', 'insurance', 'purchase', 'refund', 'fee', 'returned'{more})"
LEG = (
    "CASE WHEN kind = 'treasury' THEN (leg_id IS NULL) = (document <> '') "
    "WHEN {kinds} THEN leg_id IS NOT NULL ELSE leg_id IS NULL END"
)


def upgrade() -> None:
    """Add tables, steps and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _reversals()
    _decisions()
    for table in TABLES:
        _guard(table)
    for function in FUNCTIONS:
        op.execute(function)
    for table, function, when, only in WATCHED:
        op.execute(f"CREATE TRIGGER {function} {when} ON {table} FOR EACH ROW {only}EXECUTE FUNCTION {function}()")
    op.execute(_steps_become("allowed_step(", f"allowed_step({STEP}"))
    _checks(", 'reversed'", "kind IN ('returned', 'reversed')")
    op.execute(_function_becomes(LEG_WAITS, LEG_STANDS))


def _reversals() -> None:
    op.create_table(
        "bank_reversals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("out_id", sa.Uuid(), nullable=False),
        sa.Column("came_id", sa.Uuid(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_bank_reversals_reason_given")),
        _within("bank_reversals", "out_id", "transfers"),
        _within("bank_reversals", "came_id", "transfers"),
        _of_school("bank_reversals"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_reversals")),
        sa.UniqueConstraint("school_id", "id", name=op.f("uq_bank_reversals_school_id_id")),
    )
    op.create_index("ix_bank_reversals_out", "bank_reversals", ["school_id", "out_id"])
    op.create_index("ix_bank_reversals_came", "bank_reversals", ["school_id", "came_id"])


def _decisions() -> None:
    op.create_table(
        "bank_reversal_decisions",
        sa.Column("reversal_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("approved OR reason <> ''", name=op.f("ck_bank_reversal_decisions_refusing_has_a_reason")),
        _within("bank_reversal_decisions", "reversal_id", "bank_reversals"),
        _of_school("bank_reversal_decisions"),
        sa.PrimaryKeyConstraint("reversal_id", name=op.f("pk_bank_reversal_decisions")),
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


def _checks(kind: str, kinds: str) -> None:
    op.drop_constraint(op.f("ck_money_out_kind_known"), "money_out", type_="check")
    op.create_check_constraint(op.f("ck_money_out_kind_known"), "money_out", KINDS.format(more=kind))
    op.drop_constraint(op.f("ck_money_out_treasury_by_leg_or_document"), "money_out", type_="check")
    op.create_check_constraint(op.f("ck_money_out_treasury_by_leg_or_document"), "money_out", LEG.format(kinds=kinds))


def _steps_become(old: str, new: str) -> str:
    """Return SQL that gives the trigger of allowed steps further ones, whichever it has by now."""
    return f"""DO $do$ DECLARE made text; BEGIN
      SELECT pg_get_triggerdef(t.oid) INTO STRICT made FROM pg_trigger t
        WHERE t.tgrelid = 'transfers'::regclass AND t.tgname = 'allowed_step';
      DROP TRIGGER allowed_step ON transfers;
      EXECUTE replace(made, {_quoted(old)}, {_quoted(new)});
    END $do$"""


def _function_becomes(old: str, new: str) -> str:
    return f"""DO $do$ DECLARE made text := pg_get_functiondef('money_out_fits'::regproc); BEGIN
      IF strpos(made, {_quoted(old)}) = 0 THEN RAISE EXCEPTION 'money_out_fits is not as expected'; END IF;
      EXECUTE replace(made, {_quoted(old)}, {_quoted(new)});
    END $do$"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def downgrade() -> None:
    """Take them away again; refuses while a bank took money back."""
    op.execute(_function_becomes(LEG_STANDS, LEG_WAITS))
    _checks("", "kind = 'returned'")
    op.execute(_steps_become(f"allowed_step({STEP}", "allowed_step("))
    for table, function, _, _ in reversed(WATCHED):
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    for table in reversed(TABLES):
        op.drop_table(table)
