"""Shape and guards of money that goes back to its payer: a line of a refund may be of a transfer nobody could place.

A transfer goes back whole and once, at the word of two people, and its state follows the rows: *refunding* while an
approved line stands, *refunded* while the bank's transfer out is tied to it. What the bank brings back meets the money
out on 1388 as a purpose of its own kind, ``returned``.
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0041"
branch_labels = None
depends_on = None

STEP = "'refunded>refunding', "
OPEN_LINE = """EXISTS (SELECT 1 FROM refund_lines r
    LEFT JOIN refund_decisions d ON d.school_id = r.school_id AND d.refund_id = r.refund_id
    WHERE r.school_id = {school} AND r.transfer_id = {transfer} AND {decided}
      AND NOT EXISTS (SELECT 1 FROM refund_steps s WHERE s.school_id = r.school_id AND s.line_id = r.id
                      AND s.kind = 'taken_back'))"""
TIED = """EXISTS (SELECT 1 FROM money_out o
    JOIN refund_lines r ON r.school_id = o.school_id AND r.id = o.refund_line_id
    WHERE o.school_id = NEW.school_id AND r.transfer_id = NEW.id AND NOT EXISTS (
        SELECT 1 FROM money_out_ends e WHERE e.school_id = o.school_id AND e.purpose_id = o.id))"""

LINE_OF_TRANSFER_FITS = f"""
CREATE FUNCTION refund_of_transfer_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  came record;
BEGIN
  SELECT t.direction, t.state, t.amount INTO came FROM transfers t
    WHERE t.school_id = NEW.school_id AND t.id = NEW.transfer_id FOR UPDATE;
  IF came IS NULL OR came.direction <> 'in' OR came.state <> 'waiting' THEN
    RAISE EXCEPTION 'only money that waits for a person goes back' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.amount <> came.amount THEN
    RAISE EXCEPTION 'a transfer of % goes back whole, not %', came.amount, NEW.amount
      USING ERRCODE = 'check_violation';
  END IF;
  IF {OPEN_LINE.format(school="NEW.school_id", transfer="NEW.transfer_id", decided="d.approved IS NOT FALSE")} THEN
    RAISE EXCEPTION 'this transfer is asked back already' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
APPROVED_WHILE_WAITING = """
CREATE FUNCTION refund_approved_while_waiting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  stays text;
BEGIN
  FOR stays IN SELECT t.state FROM refund_lines r JOIN transfers t ON t.school_id = r.school_id AND t.id = r.transfer_id
      WHERE r.school_id = NEW.school_id AND r.refund_id = NEW.refund_id FOR UPDATE OF t LOOP
    IF stays <> 'waiting' THEN
      RAISE EXCEPTION 'the money waits no more, it is %', stays USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN NEW;
END $$
"""
STATE_FOLLOWS = f"""
CREATE FUNCTION refunding_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  asked boolean := {OPEN_LINE.format(school="NEW.school_id", transfer="NEW.id", decided="d.approved")};
  tied boolean := {TIED};
BEGIN
  IF NOT (CASE NEW.state WHEN 'refunding' THEN asked AND NOT tied WHEN 'refunded' THEN asked AND tied
               WHEN 'waiting' THEN NOT asked ELSE false END) THEN
    RAISE EXCEPTION 'a transfer goes from % to % with its refund', OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
GOING_BACK_PAYS_NOTHING = """
CREATE FUNCTION going_back_pays_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM transfers t WHERE t.school_id = NEW.school_id AND t.id = NEW.source_id
             AND t.state IN ('refunding', 'refunded')) THEN
    RAISE EXCEPTION 'money that goes back pays nothing' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
WATCHED = (
    ("refund_lines", "refund_of_transfer_fits", "BEFORE INSERT", "WHEN (NEW.transfer_id IS NOT NULL) "),
    ("refund_decisions", "refund_approved_while_waiting", "BEFORE INSERT", "WHEN (NEW.approved) "),
    (
        "transfers",
        "refunding_follows",
        "BEFORE UPDATE OF state",
        "WHEN (NEW.state IN ('refunding', 'refunded') OR OLD.state IN ('refunding', 'refunded')) ",
    ),
    ("payments", "going_back_pays_nothing", "BEFORE INSERT", "WHEN (NEW.source_kind = 'transfer') "),
)
OTHER_ACCOUNT = "t.bank_account_id <> sent.bank_account_id"
ANY_ACCOUNT = f"(NEW.kind = 'returned' OR {OTHER_ACCOUNT})"
KINDS = "kind IN ('treasury', 'insurance', 'purchase', 'refund', 'fee'{more})"
LEG = "CASE WHEN kind = 'treasury' THEN (leg_id IS NULL) = (document <> '') {more}ELSE leg_id IS NULL END"


def upgrade() -> None:
    """Add columns, steps and guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    _columns()
    for function in (LINE_OF_TRANSFER_FITS, APPROVED_WHILE_WAITING, STATE_FOLLOWS, GOING_BACK_PAYS_NOTHING):
        op.execute(function)
    for table, function, when, only in WATCHED:
        op.execute(f"CREATE TRIGGER {function} {when} ON {table} FOR EACH ROW {only}EXECUTE FUNCTION {function}()")
    op.execute(_steps_become("allowed_step(", f"allowed_step({STEP}"))
    _checks(", 'returned'", "WHEN kind = 'returned' THEN leg_id IS NOT NULL ")
    op.execute(_function_becomes(OTHER_ACCOUNT, ANY_ACCOUNT))


def _columns() -> None:
    op.alter_column("refund_lines", "pupil_id", existing_type=sa.Uuid(), nullable=True)
    op.add_column("refund_lines", sa.Column("transfer_id", sa.Uuid(), nullable=True))
    op.add_column("refund_lines", sa.Column("payee_source", sa.String(), nullable=True))
    op.add_column("refund_lines", sa.Column("proof", sa.String(), nullable=False, server_default=""))
    op.add_column("refund_lines", sa.Column("code", sa.String(length=11), nullable=True))
    op.create_foreign_key(
        op.f("fk_refund_lines_school_id_transfer_id"),
        "refund_lines",
        "transfers",
        ["school_id", "transfer_id"],
        ["school_id", "id"],
    )
    for name, check in {
        "of_a_pupil_or_a_transfer": "num_nonnulls(pupil_id, transfer_id) = 1",
        "transfer_goes_back_by_bank": "transfer_id IS NULL OR (way = 'bank' AND item_code IS NULL)",
        "payee_source_known": "payee_source IN ('payer', 'guardian', 'typed')",
        "typed_with_proof": "payee_source <> 'typed' OR proof <> ''",
    }.items():
        op.create_check_constraint(op.f(f"ck_refund_lines_{name}"), "refund_lines", check)
    op.create_unique_constraint(op.f("uq_refund_lines_school_id_code"), "refund_lines", ["school_id", "code"])
    op.create_index(
        "ix_refund_lines_transfer",
        "refund_lines",
        ["school_id", "transfer_id"],
        unique=False,
        postgresql_where=sa.text("transfer_id IS NOT NULL"),
    )
    op.execute("GRANT SELECT (transfer_id, payee_source, code) ON refund_lines TO hocphi_report")


def _checks(kind: str, leg: str) -> None:
    op.drop_constraint(op.f("ck_money_out_kind_known"), "money_out", type_="check")
    op.create_check_constraint(op.f("ck_money_out_kind_known"), "money_out", KINDS.format(more=kind))
    op.drop_constraint(op.f("ck_money_out_treasury_by_leg_or_document"), "money_out", type_="check")
    op.create_check_constraint(op.f("ck_money_out_treasury_by_leg_or_document"), "money_out", LEG.format(more=leg))


def _steps_become(old: str, new: str) -> str:
    """Return SQL that gives the trigger of allowed steps further ones, whichever it has by now."""
    return f"""DO $do$ DECLARE made text; BEGIN
      SELECT pg_get_triggerdef(t.oid) INTO STRICT made FROM pg_trigger t
        WHERE t.tgrelid = 'transfers'::regclass AND t.tgname = 'allowed_step';
      DROP TRIGGER allowed_step ON transfers;
      EXECUTE replace(made, {_quoted(old)}, {_quoted(new)});
    END $do$"""


def _function_becomes(old: str, new: str) -> str:
    """Return SQL that lets what the bank brings back come to the account that it left."""
    return f"""DO $do$ BEGIN
      EXECUTE replace(pg_get_functiondef('money_out_fits'::regproc), {_quoted(old)}, {_quoted(new)});
    END $do$"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def downgrade() -> None:
    """Take them away again; refuses while a transfer went back."""
    op.execute(_function_becomes(ANY_ACCOUNT, OTHER_ACCOUNT))
    _checks("", "")
    op.execute(_steps_become(f"allowed_step({STEP}", "allowed_step("))
    for table, function, _, _ in reversed(WATCHED):
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_index("ix_refund_lines_transfer", "refund_lines")
    for name in ("of_a_pupil_or_a_transfer", "transfer_goes_back_by_bank", "payee_source_known", "typed_with_proof"):
        op.drop_constraint(op.f(f"ck_refund_lines_{name}"), "refund_lines", type_="check")
    for column in ("code", "proof", "payee_source", "transfer_id"):
        op.drop_column("refund_lines", column)
    op.alter_column("refund_lines", "pupil_id", existing_type=sa.Uuid(), nullable=False)
