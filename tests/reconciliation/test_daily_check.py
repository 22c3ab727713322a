"""Bank against book: 0 đ whatever waits, and one đồng that is missing on either side shows."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg
import pytest
from sqlmodel import select

from billing.money import Money
from billing.vault import Vault
from reconciliation.daily_check import check_day
from reconciliation.matching import Direction
from reconciliation.tables import DailyCheck, StatementFile, StatementLine
from service.database import Database, Scope, libpq_url
from service.preparing import Addresses
from tests.factories.closing import shut
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.factories.sound_world import make_billed

PAID_ON = date(2025, 10, 6)


def checked(world: Collecting, day: date = PAID_ON) -> DailyCheck:
    with world.database.transaction(world.scope) as session:
        (check,) = check_day(session, world.school.id, day, PAID_AT)
    return check


def test_the_difference_is_nothing_while_money_waits(collecting: Collecting) -> None:
    collecting.hear_of(
        collecting.pays(collecting.requests[0].reference, 650_000),
        collecting.pays("khong co ma", 70_000),
        collecting.pays("phi", 11_000, direction=Direction.OUT),
    )
    check = checked(collecting)
    assert (check.bank_net, check.book_net, check.difference) == (Money(709_000), Money(709_000), Money(0))
    assert (check.waiting_count, check.waiting_amount) == (1, Money(70_000))


def test_each_day_ends_by_the_banks_days(collecting: Collecting) -> None:
    collecting.hear_of(
        collecting.pays("hom qua", 5_000, at=PAID_AT - timedelta(days=1)),
        collecting.pays("hom nay", 7_000),
    )
    nets = [checked(collecting, PAID_ON + timedelta(days=each)).bank_net.dong for each in (-2, -1, 0, 1)]
    assert nets == [0, 5_000, 12_000, 12_000]


def test_late_money_of_a_closed_month_is_no_difference_on_any_day(collecting: Collecting) -> None:
    september = date(2025, 9, 1)
    with collecting.database.transaction(collecting.scope) as session:
        shut(session, collecting.school.id, september, PAID_AT - timedelta(days=1))
    collecting.hear_of(collecting.pays(collecting.requests[0].reference, 9_000, at=PAID_AT - timedelta(days=10)))
    for day in (date(2025, 9, 25), date(2025, 9, 26), date(2025, 9, 30), date(2025, 10, 1)):
        with collecting.database.transaction(collecting.scope) as session:
            [check] = check_day(session, collecting.school.id, day, PAID_AT)
            came = Money(9_000 if day >= date(2025, 9, 26) else 0)
            assert (check.bank_net, check.book_net, check.difference) == (came, came, Money(0))


@pytest.mark.usefixtures("superuser")
def test_an_amount_changed_behind_the_guards_shows(collecting: Collecting, addresses: Addresses) -> None:
    collecting.hear_of(collecting.pays("khong co ma", 70_000))
    with psycopg.connect(libpq_url(addresses.owner), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE postings SET amount = amount - 1")
    assert checked(collecting).difference == Money(1)


def state(world: Collecting, *amounts: int, opening: int = 1_000_000) -> None:
    """Let the bank's statement of the day tell of these amounts."""
    with world.database.transaction(world.scope) as session:
        inbox_id = world.transfers()[0].inbox_id
        total = sum(amounts)
        file = StatementFile(
            school_id=world.school.id,
            bank_account_id=world.account.id,
            inbox_id=inbox_id,
            first_day=PAID_ON,
            last_day=PAID_ON,
            opening=Money(opening),
            money_in=Money(total),
            money_out=Money(0),
            closing=Money(opening + total),
            read_at=PAID_AT,
        )
        session.add(file)
        session.flush()
        for line, amount in enumerate(amounts, start=1):
            session.add(
                StatementLine(
                    school_id=world.school.id,
                    file_id=file.id,
                    line=line,
                    day=PAID_ON,
                    direction="in",
                    amount=Money(amount),
                    memo="",
                    occurrence=1,
                )
            )


def test_a_statement_that_agrees_changes_nothing(collecting: Collecting) -> None:
    collecting.hear_of(collecting.pays("a", 5_000), collecting.pays("b", 7_000))
    state(collecting, 5_000, 7_000)
    assert checked(collecting).difference == Money(0)


def test_money_that_only_the_statement_knows_shows(collecting: Collecting) -> None:
    collecting.hear_of(collecting.pays("truoc do", 1_000, at=PAID_AT - timedelta(days=3)), collecting.pays("a", 5_000))
    state(collecting, 5_000, 7_000)
    check = checked(collecting)
    assert (check.bank_net, check.book_net, check.difference) == (Money(13_000), Money(6_000), Money(7_000))


def test_every_check_is_kept(collecting: Collecting) -> None:
    checked(collecting)
    checked(collecting)
    with collecting.database.transaction(collecting.scope) as session:
        assert len(session.exec(select(DailyCheck)).all()) == 2


def test_accounts_of_other_schools_are_not_looked_at(
    collecting: Collecting, database: Database, addresses: Addresses, vault: Vault
) -> None:
    other = make_collecting(database, addresses, vault)
    billed = make_billed(database, addresses, vault, pupils=1)
    with database.transaction(Scope.of(other.school.id)) as session:
        found = check_day(session, other.school.id, PAID_ON, PAID_AT)
        assert [check.bank_account_id for check in found] == [other.account.id]
        assert check_day(session, billed.school.id, PAID_ON, PAID_AT) == []
    assert checked(collecting).difference == Money(0)
