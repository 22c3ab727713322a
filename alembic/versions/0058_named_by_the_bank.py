"""The bank names what it takes back by its own reference alone; and two people undo what the bank took back.

A memo of money out is typed by whoever orders the payment, so it proves nothing (0054b took it for the bank's word).
A purpose *reversed* is taken back by an undoing that one asked for and another agreed to: a row of ``bank_reversals``
that names the purpose. Money is *reversed* while more reversals than undoings of it were agreed to, else it is not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0054c"
branch_labels = None
depends_on = None

PLAIN = "regexp_replace(upper({}), '[^A-Z0-9]', '', 'g')"
LIVE = "NOT EXISTS (SELECT 1 FROM money_out_ends e WHERE e.school_id = o.school_id AND e.purpose_id = o.id)"
TOLD_BEFORE = f"""told := {PLAIN.format("took.memo || coalesce(took.bank_reference, '')")};"""
TOLD = "told := coalesce(took.bank_reference, '');"
NAMES_BEFORE = f"""  IF NEW.named AND NOT EXISTS (
    SELECT 1 FROM unnest(ARRAY[came.bank_reference, came.provider_id]) AS number
    WHERE length({PLAIN.format("number")}) >= 6 AND strpos(told, {PLAIN.format("number")}) > 0
  ) THEN"""
NAMES = f"""  IF NEW.named AND (took.provider = 'statement' OR came.provider = 'statement'
    OR length(coalesce(came.bank_number, '')) < 6
    OR (came.bank_number IS DISTINCT FROM took.bank_number AND NOT EXISTS (
      SELECT 1 FROM regexp_split_to_table(told, '\\s+') AS word WHERE {PLAIN.format("word")} = came.bank_number))
  ) THEN"""
FIRST_BEFORE = "  IF took.direction <> 'out' OR took.state"
FIRST = f"""  IF NEW.undoes IS NOT NULL THEN
    IF NEW.named OR NOT EXISTS (SELECT 1 FROM money_out o WHERE o.school_id = NEW.school_id AND o.id = NEW.undoes
        AND o.kind = 'reversed' AND o.transfer_id = NEW.out_id AND o.leg_id = NEW.came_id AND {LIVE}) THEN
      RAISE EXCEPTION 'only a standing reversal is undone' USING ERRCODE = 'check_violation';
    END IF;
  ELSIF took.direction <> 'out' OR took.state"""
SUM_BEFORE = "  IF took.bank_account_id <> came.bank_account_id"
SUM = "  IF NEW.undoes IS NULL AND (took.bank_account_id <> came.bank_account_id"
DATE_BEFORE = "took.value_date < came.value_date THEN"
DATE = "took.value_date < came.value_date) THEN"
AGREED = """(SELECT count(*) FROM bank_reversals r
        JOIN bank_reversal_decisions d ON d.reversal_id = r.id AND d.approved
        WHERE r.school_id = NEW.school_id AND r.came_id = NEW.id AND r.undoes IS {})"""
BEGINS_BEFORE = """NOT EXISTS (SELECT 1 FROM bank_reversals r JOIN bank_reversal_decisions d ON d.reversal_id = r.id AND d.approved
                WHERE r.school_id = NEW.school_id AND r.came_id = NEW.id)"""
TAKEN, UNDONE = AGREED.format("NULL"), AGREED.format("NOT NULL")
BEGINS = f"{TAKEN} <= {UNDONE}"
LEAVES_BEFORE = "  IF OLD.state = 'reversed' AND EXISTS ("
LEAVES = f"""  IF OLD.state = 'reversed' AND {TAKEN} > {UNDONE} THEN
    RAISE EXCEPTION 'two people undo what the bank took back' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state = 'reversed' AND EXISTS ("""
ENDS = """
CREATE FUNCTION reversed_ends_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM money_out o WHERE o.school_id = NEW.school_id AND o.id = NEW.purpose_id
             AND o.kind = 'reversed')
     AND NOT EXISTS (SELECT 1 FROM bank_reversals r
                     JOIN bank_reversal_decisions d ON d.reversal_id = r.id AND d.approved
                     WHERE r.school_id = NEW.school_id AND r.undoes = NEW.purpose_id) THEN
    RAISE EXCEPTION 'two people undo what the bank took back' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
FITS = (
    (TOLD_BEFORE, TOLD),
    (NAMES_BEFORE, NAMES),
    (FIRST_BEFORE, FIRST),
    (SUM_BEFORE, SUM),
    (DATE_BEFORE, DATE),
)
FOLLOWS = ((BEGINS_BEFORE, BEGINS), (LEAVES_BEFORE, LEAVES))


def upgrade() -> None:
    """Add the column and the guards."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("bank_reversals", sa.Column("undoes", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_bank_reversals_school_id_undoes"),
        "bank_reversals",
        "money_out",
        ["school_id", "undoes"],
        ["school_id", "id"],
    )
    op.execute(_becomes("bank_reversal_fits", *FITS))
    op.execute(_becomes("reversed_follows", *FOLLOWS))
    op.execute(ENDS)
    op.execute(
        "CREATE TRIGGER reversed_ends_by_two BEFORE INSERT ON money_out_ends"
        " FOR EACH ROW EXECUTE FUNCTION reversed_ends_by_two()"
    )


def _becomes(function: str, *changes: tuple[str, str]) -> str:
    """Return SQL that changes words of a function, and fails where they do not stand there."""
    looks = "\n".join(
        f"IF strpos(made, {_quoted(old)}) = 0 THEN RAISE EXCEPTION '{function} is not as expected'; END IF;\n"
        f"made := replace(made, {_quoted(old)}, {_quoted(new)});"
        for old, new in changes
    )
    return f"""DO $do$ DECLARE made text := pg_get_functiondef('{function}'::regproc); BEGIN
      {looks}
      EXECUTE made;
    END $do$"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def downgrade() -> None:
    """Take them away again; what was undone by two then stands as asked and agreed twice."""
    op.execute("DROP TRIGGER reversed_ends_by_two ON money_out_ends")
    op.execute("DROP FUNCTION reversed_ends_by_two()")
    op.execute(_becomes("reversed_follows", *((new, old) for old, new in reversed(FOLLOWS))))
    op.execute(_becomes("bank_reversal_fits", *((new, old) for old, new in reversed(FITS))))
    op.drop_constraint(op.f("fk_bank_reversals_school_id_undoes"), "bank_reversals", type_="foreignkey")
    op.drop_column("bank_reversals", "undoes")
