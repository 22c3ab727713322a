"""What lines and postings point at is looked up once for a statement, not once for each row and key.

Nine of ten rows of a billing run are lines and postings. Each of their foreign keys cost more than the row itself, so
these are checked by a trigger after the statement, over all its rows, with the message of the key that it replaces.
It needs no lock, since what they point at can neither go away nor change its key: bills and entries are written once,
ledger accounts and fee items keep their key from here on.

Keys to ``schools`` fall where another key of the same row, never empty, leads to a row that has one itself.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Table: (column, the table whose (school_id, id) it names).
POINTERS = {
    "bill_lines": [("bill_id", "bills"), ("item_id", "fee_items")],
    "postings": [
        ("entry_id", "journal_entries"),
        ("debit_account_id", "ledger_accounts"),
        ("credit_account_id", "ledger_accounts"),
        ("bill_id", "bills"),
    ],
}
KEEP_THEIR_KEY = ["fee_items", "ledger_accounts"]
LED_TO_THEIR_SCHOOL = [
    "bill_lines",
    "bill_reductions",
    "bills",
    "payment_request_bills",
    "payment_requests",
    "postings",
]

KEEP_KEY = """
CREATE FUNCTION keep_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay, and keep their key', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
"""

# Tables are named with their schema: whoever writes could put a temporary one of the same name before them. A scalar
# subquery is never planned as a join, so one row and ten thousand are both looked up by the parent's key. One query
# looks at everything; which key is broken is asked only when one is.
_LOST = """n.{column} IS NOT NULL
           AND (SELECT true FROM public.{parent} p WHERE p.school_id = n.school_id AND p.id = n.{column}) IS NULL"""
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
_POINT_HOME = """
CREATE FUNCTION {table}_point_home() RETURNS trigger LANGUAGE plpgsql AS $$
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


def upgrade() -> None:
    """Put the triggers in the place of the keys."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(KEEP_KEY)
    for table in KEEP_THEIR_KEY:
        op.execute(
            f"CREATE TRIGGER key_stays BEFORE DELETE OR UPDATE OF school_id, id ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION keep_key()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION keep_key()"
        )
    for table, pointers in POINTERS.items():
        lost = {column: _LOST.format(column=column, parent=parent) for column, parent in pointers}
        names = "".join(
            _NAME_IT.format(table=table, column=column, parent=parent, key=_key(table, column), lost=lost[column])
            for column, parent in pointers
        )
        anything = "\n        OR ".join(lost.values())
        op.execute(_POINT_HOME.format(table=table, lost=anything, names=names))
        op.execute(
            f"CREATE TRIGGER point_home AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_point_home()"
        )
        for column, _ in pointers:
            op.drop_constraint(op.f(_key(table, column)), table, type_="foreignkey")
    for table in LED_TO_THEIR_SCHOOL:
        op.drop_constraint(op.f(f"fk_{table}_school_id"), table, type_="foreignkey")


def _key(table: str, column: str) -> str:
    return f"fk_{table}_school_id_{column}"


def downgrade() -> None:
    """Put the keys back; they look at every row that was written meanwhile."""
    for table in LED_TO_THEIR_SCHOOL:
        op.create_foreign_key(op.f(f"fk_{table}_school_id"), table, "schools", ["school_id"], ["id"])
    for table, pointers in POINTERS.items():
        for column, parent in pointers:
            op.create_foreign_key(op.f(_key(table, column)), table, parent, ["school_id", column], ["school_id", "id"])
        op.execute(f"DROP TRIGGER point_home ON {table}")
        op.execute(f"DROP FUNCTION {table}_point_home()")
    for table in KEEP_THEIR_KEY:
        op.execute(f"DROP TRIGGER key_stays ON {table}")
        op.execute(f"DROP TRIGGER never_emptied ON {table}")
    op.execute("DROP FUNCTION keep_key()")
