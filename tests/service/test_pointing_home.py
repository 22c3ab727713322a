"""Rows of a billing run point at rows of their school; looked up once a statement, refused as by a foreign key."""

from typing import NamedTuple
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope, libpq_url, metadata
from service.preparing import Addresses
from tests.conftest import SCHOOL_DAY
from tests.factories.rounds import BillingSchool, issued_round, make_billing_school
from tests.standing import standing

MANY = 50  # a statement of more rows than this looks up each thing once


class Pointer(NamedTuple):
    """A column, the table that it points at, and whether it names a row of the same school."""

    table: str
    column: str
    parent: str
    in_school: bool = True

    @property
    def columns(self) -> list[str]:
        """The columns of the key that it stands for."""
        return ["school_id", self.column] if self.in_school else [self.column]


POINTERS = [
    Pointer("bills", "pupil_id", "pupils", in_school=False),
    Pointer("bills", "bank_account_id", "bank_accounts"),
    Pointer("bills", "class_id", "class_groups"),
    Pointer("bills", "enrolment_id", "enrolments"),
    Pointer("bills", "round_id", "billing_rounds"),
    Pointer("bill_lines", "bill_id", "bills"),
    Pointer("bill_lines", "item_id", "fee_items"),
    Pointer("events", "school_id", "schools", in_school=False),
    Pointer("journal_entries", "school_id", "schools", in_school=False),
    Pointer("journal_entries", "reverses_id", "journal_entries"),
    Pointer("payment_requests", "pupil_id", "pupils", in_school=False),
    Pointer("payment_requests", "bank_account_id", "bank_accounts"),
    Pointer("payment_request_bills", "request_id", "payment_requests"),
    Pointer("payment_request_bills", "bill_id", "bills"),
    Pointer("postings", "entry_id", "journal_entries"),
    Pointer("postings", "debit_account_id", "ledger_accounts"),
    Pointer("postings", "credit_account_id", "ledger_accounts"),
    Pointer("postings", "bill_id", "bills"),
    Pointer("postings", "pupil_id", "pupils", in_school=False),
    Pointer("reference_registry", "request_id", "payment_requests"),
]
# Rows like the ones that stand; all are good but the last one, whose pointer is ``:lost``.
_AGAIN = "SELECT *, row_number() OVER () n, count(*) OVER () last FROM {table}, generate_series(1, {times})"
# What rows of their own are needed for, where a key lets two not be alike.
_MORE = (
    """INSERT INTO billing_rounds SELECT (jsonb_populate_record(r, jsonb_build_object(
           'id', gen_random_uuid(), 'name', 'Again', 'state', 'draft', 'code', 'A' || n))).*
       FROM billing_rounds r, generate_series(1, :times) n""",
    """INSERT INTO payment_requests (id, school_id, pupil_id, bank_account_id, reference, link_version, created_at)
       SELECT gen_random_uuid(), r.school_id, r.pupil_id, r.bank_account_id, 'AGAIN' || n, 1, r.created_at
       FROM (SELECT * FROM payment_requests LIMIT 1) r, generate_series(1, :times) n""",
)
LIKE = {
    "bills": """
        INSERT INTO bills (id, school_id, round_id, enrolment_id, pupil_id, class_id, bank_account_id, number, period,
                           gross, reduced, family_due, due_on, issued_at)
        SELECT gen_random_uuid(), school_id, {round_id}, {enrolment_id}, {pupil_id}, {class_id}, {bank_account_id},
               'X' || n, '', 0, 0, 0, due_on, issued_at
        FROM (SELECT *, row_number() OVER () n, count(*) OVER () last
              FROM (SELECT school_id, id AS round_id FROM billing_rounds WHERE name = 'Again' LIMIT {times}) r
              JOIN (SELECT school_id, enrolment_id, pupil_id, class_id, bank_account_id, due_on, issued_at
                    FROM bills) b USING (school_id)) x""",
    "bill_lines": """
        INSERT INTO bill_lines (school_id, bill_id, position, item_id, item_code, item_name, unit, quantity, unit_price,
                                gross, family_share, note)
        SELECT school_id, {bill_id}, 100 + n, {item_id}, 'X', 'X', 'month', 1, 1, 1, 1, '' FROM ({again}) x""",
    "events": """
        INSERT INTO events (school_id, kind, subject_id, facts, occurred_at)
        SELECT {school_id}, 'x', subject_id, '{{}}', occurred_at FROM ({again}) x""",
    "journal_entries": """
        INSERT INTO journal_entries (school_id, kind, source_id, value_date, recorded_at, reverses_id, note)
        SELECT {school_id}, 'x', n, value_date, recorded_at, {reverses_id}, '' FROM ({again}) x""",
    "payment_requests": """
        INSERT INTO payment_requests (id, school_id, pupil_id, bank_account_id, reference, link_version, created_at)
        SELECT gen_random_uuid(), school_id, {pupil_id}, {bank_account_id}, 'X' || n, 1, created_at FROM ({again}) x""",
    "payment_request_bills": """
        INSERT INTO payment_request_bills (request_id, bill_id, school_id, position)
        SELECT {request_id}, {bill_id}, school_id, 9
        FROM (SELECT *, row_number() OVER () n, count(*) OVER () last
              FROM (SELECT school_id, id AS request_id FROM payment_requests
                    WHERE reference LIKE 'AGAIN%' LIMIT {times}) r
              JOIN (SELECT school_id, id AS bill_id FROM bills) b USING (school_id)) x""",
    "postings": """
        INSERT INTO postings (school_id, entry_id, debit_account_id, credit_account_id, amount, pupil_id, bill_id)
        SELECT school_id, {entry_id}, {debit_account_id}, {credit_account_id}, 1, {pupil_id}, {bill_id}
        FROM ({again}) x""",
    "reference_registry": """
        INSERT INTO reference_registry (reference, number, school_id, request_id, issued_at)
        SELECT 'X' || n, n, school_id, {request_id}, issued_at
        FROM (SELECT *, row_number() OVER () n, count(*) OVER () last
              FROM reference_registry, generate_series(1, {times})
              WHERE school_id IN (SELECT school_id FROM payment_requests)) x""",
}


_REFUSED = psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation


class World(NamedTuple):
    """Two schools that have issued a round."""

    database: Database
    addresses: Addresses
    ours: BillingSchool
    other: BillingSchool


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault) -> World:
    """Both schools, each with bills, lines, entries and postings."""
    with database.transaction(EVERYTHING) as session:
        schools = [make_billing_school(session, vault) for _ in range(2)]
    for school in schools:
        with database.transaction(Scope.of(school.id)) as session:
            issued_round(session, school, SCHOOL_DAY)
    with database.transaction(Scope.of(schools[0].id)) as session:
        for statement in _MORE:
            session.execute(text(statement), {"times": MANY + 1})
    return World(database, addresses, *schools)


def written(session: Session, table: str, broken: str | None = None, lost: object = None, times: int = 1) -> int:
    """Write as many rows again, ``times`` over, as stand there, the last with the broken pointer; return how many."""
    columns = {each.column: each.column for each in POINTERS if each.table == table}
    if table == "journal_entries":
        columns["reverses_id"] = "NULL"  # no two entries reverse the same one
    if broken is not None:
        kind = "uuid" if isinstance(lost, UUID) else "bigint"
        columns[broken] = f"CASE WHEN n = last THEN CAST(:lost AS {kind}) ELSE {columns[broken]} END"
    again = _AGAIN.format(table=table, times=times)
    insert = LIKE[table].format(times=times, again=again, **columns)
    statement = f"WITH again AS ({insert} RETURNING 1) SELECT count(*) FROM again"  # noqa: S608  texts are ours
    return int(session.execute(text(statement), {"lost": lost} if broken else {}).scalar_one())


def count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608  names are ours


def test_good_rows_are_taken_many_at_once(world: World) -> None:
    with world.database.transaction(Scope.of(world.ours.id)) as session:
        for table in LIKE:
            before = count(session, table)
            more = written(session, table, times=MANY)
            assert more > MANY
            assert count(session, table) == before + more
        assert count(session, "schools") == 1  # as before: what the triggers may see ends with them


def refuse(world: World, pointer: Pointer, lost: object, times: int) -> None:
    """Assert that all rows of a statement are refused for the one, by name, and that nothing stays."""
    table, column = pointer.table, pointer.column
    with world.database.transaction(EVERYTHING) as session:
        before = count(session, table)
    # A row of no school is refused by the policy before anybody looks where it points, but for the system's own work.
    scope = EVERYTHING if column == "school_id" else Scope.of(world.ours.id)
    with pytest.raises(IntegrityError) as caught, world.database.transaction(scope) as session:
        written(session, table, column, lost, times)
    refusal = caught.value.orig
    assert isinstance(refusal, psycopg.errors.ForeignKeyViolation)
    name = f"fk_{table}_{'_'.join(pointer.columns)}"
    assert refusal.diag.constraint_name == name
    assert refusal.diag.message_primary == (
        f'insert or update on table "{table}" violates foreign key constraint "{name}"'
    )
    named, key = (f"school_id, {column}", f"{world.ours.id}, {lost}") if pointer.in_school else (column, lost)
    assert refusal.diag.message_detail == f'Key ({named})=({key}) is not present in table "{pointer.parent}".'
    with world.database.transaction(EVERYTHING) as session:
        assert count(session, table) == before


@pytest.mark.parametrize("table", LIKE)
def test_one_row_that_points_nowhere_or_abroad_spoils_the_statement(world: World, table: str) -> None:
    for pointer in (each for each in POINTERS if each.table == table):
        with world.database.transaction(EVERYTHING) as session:
            whose = "school_id = :school" if pointer.in_school else "true"
            query = text(f"SELECT id FROM {pointer.parent} WHERE {whose} LIMIT 1")  # noqa: S608  names are ours
            abroad = session.execute(query, {"school": world.other.id} if pointer.in_school else {}).scalar_one()
        nowhere = new_id() if isinstance(abroad, UUID) else 999_999_999
        for times in (1, MANY):
            refuse(world, pointer, nowhere, times)
            if pointer.in_school:
                refuse(world, pointer, abroad, times)


def test_a_bill_that_takes_the_place_of_none_is_refused(world: World) -> None:
    """The trigger *new_bills_fit* is the first to see it."""
    names = [column.name for column in metadata().tables["bills"].columns if column.computed is None]
    values = {"id": "gen_random_uuid()", "number": "'X'", "replaces_id": "gen_random_uuid()"}
    statement = (
        f"INSERT INTO bills ({', '.join(names)}) SELECT {', '.join(values.get(name, name) for name in names)} "  # noqa: S608  names are ours
        "FROM bills LIMIT 1"
    )
    with pytest.raises(IntegrityError, match="place of a void one"), world.database.transaction(EVERYTHING) as session:
        session.execute(text(statement))


def test_a_pupil_whom_the_school_does_not_see_is_there_as_for_a_key(world: World) -> None:
    stranger = world.other.pupils[0].id
    for times in (1, MANY):
        with world.database.transaction(Scope.of(world.ours.id)) as session:
            seen = session.execute(text("SELECT count(*) FROM pupils WHERE id = :id"), {"id": stranger}).scalar_one()
            assert seen == 0
            assert written(session, "postings", "pupil_id", stranger, times)
            assert count(session, "schools") == 1


def test_what_another_has_not_committed_yet_is_not_there(world: World) -> None:
    """Nobody waits for the other, and what he commits is seen by the next statement."""
    late = new_id()
    made = (
        "INSERT INTO payment_requests (id, school_id, pupil_id, bank_account_id, reference, link_version, created_at) "
    )
    made += "SELECT :late, school_id, pupil_id, bank_account_id, 'LATE', 1, created_at FROM payment_requests LIMIT 1"
    scope = Scope.of(world.ours.id)
    with world.database.transaction(scope) as reader:
        with world.database.transaction(scope) as writer:
            writer.execute(text(made), {"late": late})
            for table in ("payment_request_bills", "reference_registry"):
                with pytest.raises(IntegrityError, match="request_id"), reader.begin_nested():
                    written(reader, table, "request_id", late)
        for table in ("payment_request_bills", "reference_registry"):
            assert written(reader, table, "request_id", late)


def test_a_temporary_table_of_the_same_name_deceives_nobody(world: World) -> None:
    lost = new_id()
    with world.database.transaction(Scope.of(world.ours.id)) as session:
        session.execute(text("CREATE TEMPORARY TABLE bills (school_id uuid, id uuid) ON COMMIT DROP"))
        session.execute(text("INSERT INTO pg_temp.bills VALUES (:school, :id)"), {"school": world.ours.id, "id": lost})
        with pytest.raises(IntegrityError, match="fk_postings_school_id_bill_id"), session.begin_nested():
            written(session, "postings", "bill_id", lost)


def test_what_is_pointed_at_stays_even_for_the_owner(world: World) -> None:
    with psycopg.connect(libpq_url(world.addresses.owner), autocommit=True) as connection:
        connection.execute("SELECT set_config('app.schools', '*', false)")
        for table, key in {(each.parent, "school_id" if each.in_school else "id") for each in POINTERS}:
            for statement in (
                f"UPDATE {table} SET {key} = gen_random_uuid()",  # noqa: S608  names are ours
                f"DELETE FROM {table}",  # noqa: S608  as above
                f"TRUNCATE {table} CASCADE",
            ):
                with pytest.raises(_REFUSED, match=r"written once|keep their key|change only in|is another row"):
                    connection.execute(statement.encode())
