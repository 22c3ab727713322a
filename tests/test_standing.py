"""A school that was put back is the one that was made: its rows, its numbers, and what the test holds of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.credits.credit_world import School, make_school
from tests.clean_databases import CleanDatabases, Contents
from tests.conftest import SCHOOL_DAY, TestServers
from tests.factories.schools import make_authority
from tests.standing import rows_of, standing

pytestmark = pytest.mark.usefixtures("superuser")


@pytest.fixture
def two(
    clean_databases: CleanDatabases, servers: TestServers, engines: Callable[[str], Engine]
) -> Iterator[tuple[Database, Database]]:
    """Two empty databases at once."""
    names = clean_databases.take(), clean_databases.take()
    one, other = (
        Database(engines(servers.addresses(name).app).execution_options(rows=clean_databases.rows(name)))
        for name in names
    )
    yield one, other
    for name in names:
        clean_databases.give_back(name)


def contents(database: Database) -> Contents:
    rows = rows_of(database)
    assert rows is not None
    return rows.read()


def counted() -> tuple[Callable[..., School], list[Database]]:
    """Return a fixture that has not made its school yet, and where it will have made it."""
    made_in: list[Database] = []

    @standing
    def billed(database: Database, vault: Vault) -> School:
        made_in.append(database)
        made = make_school(database, vault, SCHOOL_DAY)
        with made.open() as session:
            made.bill_month(session, 10)
            made.pay(session, 10)
        return made

    return billed, made_in


def test_what_is_put_back_is_what_was_made_and_goes_on_alike(two: tuple[Database, Database], vault: Vault) -> None:
    billed, made_in = counted()
    first, second = (billed(database=database, vault=vault) for database in two)
    assert made_in == [two[0]]
    assert (first.database, second.database, second.vault) == (two[0], two[1], vault)
    assert len(contents(two[0]).tables) > 20
    assert contents(two[0]) == contents(two[1])
    assert (first.id, first.rounds) == (second.id, second.rounds)
    assert first.billing.pupils[0].pupil is not second.billing.pupils[0].pupil
    for school in (second, first):
        with school.open() as session:
            school.bill_month(session, 11)
            school.pay(session, 11, child=1)
    assert contents(two[0]).sequences == contents(two[1]).sequences


def test_where_something_stands_already_the_school_is_made(two: tuple[Database, Database], vault: Vault) -> None:
    billed, made_in = counted()
    billed(database=two[0], vault=vault)
    with two[1].transaction(EVERYTHING) as session:
        make_authority(session)
    school = billed(database=two[1], vault=vault)
    assert made_in == list(two)
    assert school.database is two[1]
