"""What the other rows of a billing run point at is looked up once a statement too, as lines and postings are since 0013.

Bills, entries, payment requests, references and events had eighteen keys a pupil left, each a query for each row; so
had every posting for its pupil. What they point at stays from here on: pupils, schools, enrolments, classes, bank
accounts and rounds are never deleted and keep their key, whoever asks. So no lock is needed (decision 0012).

A key is not subject to row-level security: it finds a pupil that the writer may not see. The functions here look with
all schools in scope, for as long as they run, and tell no more than a key told: whether the row is there.
"""

from typing import NamedTuple

from alembic import op

revision = "0056"
down_revision = "0046"
branch_labels = None
depends_on = None


class Pointer(NamedTuple):
    """A column, the table whose row it names, and whether that row is of the same school."""

    column: str
    parent: str
    in_school: bool = True


# As of today; the keys of ``postings`` to anything but the pupil fell with 0013.
POINTERS = {
    "bills": [
        Pointer("pupil_id", "pupils", in_school=False),
        Pointer("bank_account_id", "bank_accounts"),
        Pointer("class_id", "class_groups"),
        Pointer("enrolment_id", "enrolments"),
        Pointer("replaces_id", "bills"),
        Pointer("round_id", "billing_rounds"),
    ],
    "events": [Pointer("school_id", "schools", in_school=False)],
    "journal_entries": [
        Pointer("school_id", "schools", in_school=False),
        Pointer("reverses_id", "journal_entries"),
    ],
    "payment_request_bills": [Pointer("bill_id", "bills"), Pointer("request_id", "payment_requests")],
    "payment_requests": [
        Pointer("pupil_id", "pupils", in_school=False),
        Pointer("bank_account_id", "bank_accounts"),
    ],
    "postings": [Pointer("pupil_id", "pupils", in_school=False)],
    "reference_registry": [Pointer("request_id", "payment_requests")],
}
BEFORE = [
    Pointer("entry_id", "journal_entries"),
    Pointer("debit_account_id", "ledger_accounts"),
    Pointer("credit_account_id", "ledger_accounts"),
    Pointer("bill_id", "bills"),
]
"""Of ``postings``, since 0013."""
KEEP_THEIR_KEY = {
    "bank_accounts": "school_id, id",
    "billing_rounds": "school_id, id",
    "class_groups": "school_id, id",
    "enrolments": "school_id, id",
    "pupils": "id",
    "schools": "id",
}

# As in 0039: tables with their schema, since whoever writes could put a temporary one of the same name before them; a
# scalar subquery, which is never planned as a join, so one row and ten thousand are both looked up by the parent's key.
_NOT_THERE = "(SELECT true FROM public.{parent} p WHERE {same} = {mine}) IS NULL"
_EACH = "(SELECT DISTINCT {columns} FROM new_rows r WHERE r.{column} IS NOT NULL) n"
_ROW_BY_ROW = "n.{column} IS NOT NULL\n           AND {not_there}"
_NAME_IT = """
        SELECT n.* INTO lost FROM new_rows n WHERE {lost} LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'insert or update on table "{table}" violates foreign key constraint "{key}"'
                USING ERRCODE = 'foreign_key_violation', CONSTRAINT = '{key}', TABLE = '{table}',
                DETAIL = format('Key ({named})=({places}) is not present in table "{parent}".', {values});
        END IF;
"""
_OR = "\n        OR "
_FUNCTION = """
CREATE OR REPLACE FUNCTION {table}_point_home() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lost record;
    something boolean;{remember}
BEGIN{widen}
    PERFORM FROM new_rows OFFSET 50 LIMIT 1;
    IF FOUND THEN
        something := {each_once};
    ELSE
        something := EXISTS (SELECT FROM new_rows n WHERE {row_by_row});
    END IF;
    IF something THEN{names}    END IF;{narrow}
    RETURN NULL;
END $$;
"""
# A function's own SET of such a setting asks for a superuser. What is raised undoes the setting too.
_REMEMBER = "\n    was text := current_setting('app.schools', true);"
_WIDEN = "\n    PERFORM set_config('app.schools', '*', true);"
_NARROW = "\n    PERFORM set_config('app.schools', coalesce(was, ''), true);"


def upgrade() -> None:
    """Put the triggers in the place of the keys."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, key in KEEP_THEIR_KEY.items():
        op.execute(
            f"CREATE TRIGGER key_stays BEFORE DELETE OR UPDATE OF {key} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION keep_key()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION keep_key()"
        )
    for table, pointers in POINTERS.items():
        op.execute(_function(table, [*BEFORE, *pointers] if table == "postings" else pointers))
        if table != "postings":
            op.execute(
                f"CREATE TRIGGER point_home AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_point_home()"
            )
        for pointer in pointers:
            op.drop_constraint(op.f(_key(table, pointer)), table, type_="foreignkey")


def downgrade() -> None:
    """Put the keys back; they look at every row that was written meanwhile, of all schools."""
    op.execute("SELECT set_config('app.schools', '*', true)")  # till this migration's transaction ends
    for table, pointers in POINTERS.items():
        for pointer in pointers:
            ours = _columns(pointer)
            theirs = ["school_id", "id"] if pointer.in_school else ["id"]
            op.create_foreign_key(op.f(_key(table, pointer)), table, pointer.parent, ours, theirs)
        if table == "postings":
            op.execute(_function(table, BEFORE, all_schools=False))
        else:
            op.execute(f"DROP TRIGGER point_home ON {table}")
            op.execute(f"DROP FUNCTION {table}_point_home()")
    for table in KEEP_THEIR_KEY:
        op.execute(f"DROP TRIGGER key_stays ON {table}")
        op.execute(f"DROP TRIGGER never_emptied ON {table}")


def _columns(pointer: Pointer) -> list[str]:
    return ["school_id", pointer.column] if pointer.in_school else [pointer.column]


def _key(table: str, pointer: Pointer) -> str:
    return f"fk_{table}_{'_'.join(_columns(pointer))}"


def _function(table: str, pointers: list[Pointer], *, all_schools: bool = True) -> str:
    once = [f"EXISTS (SELECT FROM {_each(pointer)} WHERE {_not_there(pointer)})" for pointer in pointers]
    return _FUNCTION.format(
        table=table,
        remember=_REMEMBER if all_schools else "",
        widen=_WIDEN if all_schools else "",
        narrow=_NARROW if all_schools else "",
        each_once=_OR.join(once),
        row_by_row=_OR.join(map(_lost, pointers)),
        names="".join(_name(table, pointer) for pointer in pointers),
    )


def _not_there(pointer: Pointer) -> str:
    same, mine = ("(p.school_id, p.id)", "(n.school_id, n.{})") if pointer.in_school else ("p.id", "n.{}")
    return _NOT_THERE.format(parent=pointer.parent, same=same, mine=mine.format(pointer.column))


def _each(pointer: Pointer) -> str:
    return _EACH.format(columns=", ".join(f"r.{column}" for column in _columns(pointer)), column=pointer.column)


def _lost(pointer: Pointer) -> str:
    return _ROW_BY_ROW.format(column=pointer.column, not_there=_not_there(pointer))


def _name(table: str, pointer: Pointer) -> str:
    columns = _columns(pointer)
    return _NAME_IT.format(
        table=table,
        key=_key(table, pointer),
        parent=pointer.parent,
        lost=_lost(pointer),
        named=", ".join(columns),
        places=", ".join("%s" for _ in columns),
        values=", ".join(f"lost.{column}" for column in columns),
    )
