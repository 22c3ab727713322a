"""Lines and postings point at rows of their own school; looked up once a statement, refused like by a foreign key."""

from typing import NamedTuple
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope, libpq_url
from service.preparing import Addresses
from tests.conftest import SCHOOL_DAY
from tests.factories.rounds import BillingSchool, issued_round, make_billing_school
from tests.standing import standing

MANY = 50  # a statement of more rows than this looks up each thing once
POINTERS = [
    ("bill_lines", "bill_id", "bills"),
    ("bill_lines", "item_id", "fee_items"),
    ("postings", "entry_id", "journal_entries"),
    ("postings", "debit_account_id", "ledger_accounts"),
    ("postings", "credit_account_id", "ledger_accounts"),
    ("postings", "bill_id", "bills"),
]
# Rows like the ones that stand; all are good but the last one, whose pointer is ``:lost``.
LIKE = {
    "bill_lines": """
        INSERT INTO bill_lines (school_id, bill_id, position, item_id, item_code, item_name, unit, quantity, unit_price,
                                gross, family_share, note)
        SELECT school_id, {bill_id}, 100 + n, {item_id}, 'X', 'X', 'month', 1, 1, 1, 1, ''
        FROM (SELECT *, row_number() OVER (ORDER BY id) n, count(*) OVER () last
              FROM bill_lines, generate_series(1, {times})) x""",
    "postings": """
        INSERT INTO postings (school_id, entry_id, debit_account_id, credit_account_id, amount, pupil_id, bill_id)
        SELECT school_id, {entry_id}, {debit_account_id}, {credit_account_id}, 1, pupil_id, {bill_id}
        FROM (SELECT *, row_number() OVER (ORDER BY id) n, count(*) OVER () last
              FROM postings, generate_series(1, {times})) x""",
}


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
    return World(database, addresses, *schools)


def written(session: Session, table: str, broken: str | None = None, lost: object = None, times: int = 1) -> int:
    """Write as many rows again, ``times`` over, as stand there, the last with the broken pointer; return how many."""
    columns = [column for each, column, _ in POINTERS if each == table]
    values = {
        column: f"CASE WHEN n = last THEN CAST(:lost AS {'uuid' if isinstance(lost, UUID) else 'bigint'}) "
        f"ELSE {column} END"
        if column == broken
        else column
        for column in columns
    }
    statement = f"WITH again AS ({LIKE[table].format(times=times, **values)} RETURNING 1) SELECT count(*) FROM again"  # noqa: S608  texts are ours
    return int(session.execute(text(statement), {"lost": lost} if broken else {}).scalar_one())


def count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608  names are ours


def test_good_rows_are_taken_many_at_once(world: World) -> None:
    with world.database.transaction(Scope.of(world.ours.id)) as session:
        for table in LIKE:
            before = count(session, table)
            assert written(session, table, times=MANY) == MANY * before > MANY
            assert count(session, table) == (MANY + 1) * before


def refuse(  # noqa: PLR0913, PLR0917  what names one pointer
    world: World, table: str, column: str, parent: str, lost: object, times: int
) -> None:
    """Assert that all rows of a statement are refused for the one, by name, and that nothing stays."""
    with world.database.transaction(Scope.of(world.ours.id)) as session:
        before = count(session, table)
    with pytest.raises(IntegrityError) as caught, world.database.transaction(Scope.of(world.ours.id)) as session:
        written(session, table, column, lost, times)
    refusal = caught.value.orig
    assert isinstance(refusal, psycopg.errors.ForeignKeyViolation)
    name = f"fk_{table}_school_id_{column}"
    assert refusal.diag.constraint_name == name
    assert refusal.diag.message_primary == (
        f'insert or update on table "{table}" violates foreign key constraint "{name}"'
    )
    assert refusal.diag.message_detail == (
        f'Key (school_id, {column})=({world.ours.id}, {lost}) is not present in table "{parent}".'
    )
    with world.database.transaction(Scope.of(world.ours.id)) as session:
        assert count(session, table) == before


def test_one_row_that_points_nowhere_or_abroad_spoils_the_statement(world: World) -> None:
    for table, column, parent in POINTERS:
        with world.database.transaction(EVERYTHING) as session:
            query = text(f"SELECT id FROM {parent} WHERE school_id = :school LIMIT 1")  # noqa: S608  names are ours
            abroad = session.execute(query, {"school": world.other.id}).scalar_one()
        nowhere = new_id() if isinstance(abroad, UUID) else 999_999_999
        for times in (1, MANY):
            refuse(world, table, column, parent, abroad, times)
            refuse(world, table, column, parent, nowhere, times)


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
        for table in {parent for _, _, parent in POINTERS}:
            for statement in (
                f"UPDATE {table} SET school_id = gen_random_uuid()",  # noqa: S608  names are ours
                f"DELETE FROM {table}",  # noqa: S608  as above
                f"TRUNCATE {table} CASCADE",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"written once|keep their key"):
                    connection.execute(statement.encode())
