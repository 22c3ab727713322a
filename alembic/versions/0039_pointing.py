"""What lines and postings point at is looked up once for each thing pointed at, not once for each row.

The lines of a bill name one bill, the postings of an entry one entry and one bill, and all of them a handful of items
and accounts: of 36,000 look-ups for the postings of 1,500 pupils 33,000 asked again what had just been answered. A
statement of a few rows goes the old way, since to sort out what is the same costs more than it saves there.
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# As in 0013. Table: (column, the table whose (school_id, id) it names).
POINTERS = {
    "bill_lines": [("bill_id", "bills"), ("item_id", "fee_items")],
    "postings": [
        ("entry_id", "journal_entries"),
        ("debit_account_id", "ledger_accounts"),
        ("credit_account_id", "ledger_accounts"),
        ("bill_id", "bills"),
    ],
}
# Tables are named with their schema: whoever writes could put a temporary one of the same name before them. A scalar
# subquery is never planned as a join, so one row and ten thousand are both looked up by the parent's key.
_NOT_THERE = "(SELECT true FROM public.{parent} p WHERE p.school_id = n.school_id AND p.id = n.{column}) IS NULL"
_EACH = "(SELECT DISTINCT r.school_id, r.{column} FROM new_rows r WHERE r.{column} IS NOT NULL) n"
_ROW_BY_ROW = f"n.{{column}} IS NOT NULL\n           AND {_NOT_THERE}"
_NAME_IT = """
    SELECT n.school_id, n.{column} AS id INTO lost
      FROM new_rows n WHERE {lost} LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'insert or update on table "{table}" violates foreign key constraint "{key}"'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = '{key}', TABLE = '{table}',
            DETAIL = format('Key (school_id, {column})=(%s, %s) is not present in table "{parent}".',
                            lost.school_id, lost.id);
    END IF;
"""
_OR = "\n        OR "
_BEFORE = """
CREATE OR REPLACE FUNCTION {table}_point_home() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lost record;
BEGIN
    PERFORM FROM new_rows n
     WHERE {lost} LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
{names}
    RETURN NULL;
END $$;
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION {table}_point_home() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lost record;
    something boolean;
BEGIN
    PERFORM FROM new_rows OFFSET 50 LIMIT 1;
    IF FOUND THEN
        something := {each_once};
    ELSE
        something := {row_by_row};
    END IF;
    IF NOT something THEN
        RETURN NULL;
    END IF;
{names}
    RETURN NULL;
END $$;
"""


def upgrade() -> None:
    """Ask once for each thing pointed at, where there are many rows."""
    for table, pointers in POINTERS.items():
        once = [
            f"EXISTS (SELECT FROM {_EACH} WHERE {_NOT_THERE})".format(column=column, parent=parent)
            for column, parent in pointers
        ]
        lost = _lost(table).values()
        each_row = f"EXISTS (SELECT FROM new_rows n WHERE {_OR.join(lost)})"
        op.execute(_FUNCTION.format(table=table, each_once=_OR.join(once), row_by_row=each_row, names=_names(table)))


def downgrade() -> None:
    """Ask once for each row again."""
    for table in POINTERS:
        lost = _lost(table).values()
        op.execute(_BEFORE.format(table=table, lost=_OR.join(lost), names=_names(table)))


def _lost(table: str) -> dict[str, str]:
    return {column: _ROW_BY_ROW.format(column=column, parent=parent) for column, parent in POINTERS[table]}


def _names(table: str) -> str:
    lost = _lost(table)
    return "".join(
        _NAME_IT.format(
            table=table, column=column, parent=parent, key=f"fk_{table}_school_id_{column}", lost=lost[column]
        )
        for column, parent in POINTERS[table]
    )
