"""Families who pay equal sums, callbacks lost and late, statements in between: everybody's money is their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from sqlmodel import select

from billing.money import ZERO
from billing.vault import Vault
from reconciliation.feeds.stand_in import Movement
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.tables import TransferStep
from service.database import Database
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.reconciliation.statements.test_importing import bring
from tests.standing import standing

SUM = 650_000
DAY = date(2025, 10, 6)


@pytest.fixture
@standing
def two(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_collecting(database, addresses, vault, dues=(SUM, SUM))


def pays(collecting: Collecting, family: int, hour: int) -> Movement:
    return collecting.pays(collecting.requests[family].reference, SUM, at=PAID_AT + timedelta(hours=hour))


def statement_of(collecting: Collecting, movements: Sequence[Movement]) -> bytes:
    head = StatementHead(
        account=collecting.account.number,
        owner=collecting.school.name,
        first_day=DAY,
        last_day=DAY,
        opening=ZERO,
    )
    return statement(head, movements)


def read(collecting: Collecting, movements: Sequence[Movement]) -> None:
    bring(collecting, statement_of(collecting, movements))
    collecting.reconcile()


def assert_each_paid_once(collecting: Collecting) -> None:
    families = len(collecting.requests)
    assert collecting.rests() == [0] * families
    assert [amount for _, amount in collecting.receipts()] == [SUM] * families
    assert collecting.books()["112"] == SUM * families


def test_a_lost_callback_is_not_taken_for_the_next_familys(two: Collecting) -> None:
    lost, heard = pays(two, 0, 0), pays(two, 1, 1)
    two.hear_of(heard)
    read(two, [lost, heard])

    assert_each_paid_once(two)


def test_a_callback_is_not_taken_for_another_familys_line(two: Collecting) -> None:
    late = pays(two, 0, 0)
    read(two, [late])
    other = pays(two, 1, 1)
    two.hear_of(other)
    assert two.rests() == [0, 0]
    two.hear_of(late)
    read(two, [late, other])

    assert_each_paid_once(two)
    assert two.states() == ["duplicate", "matched", "matched"]


def test_a_duplicate_names_the_line_it_stands_for_and_no_other_takes_it(collecting: Collecting) -> None:
    twice = [collecting.pays("hoc phi", SUM, at=PAID_AT + timedelta(hours=n)) for n in range(2)]
    alike = [replace(movement, bank_reference="") for movement in twice]
    read(collecting, alike[:1])
    collecting.hear_of(*alike)

    assert collecting.states() == ["duplicate", "waiting", "waiting"]
    (line,) = [each.id for each in collecting.transfers() if each.provider == "statement"]
    with collecting.database.transaction(collecting.scope) as session:
        steps = session.exec(select(TransferStep).where(TransferStep.to_state == "duplicate")).all()
    assert [step.reason for step in steps] == [f"on_statement {line}"]


def test_the_next_days_payment_is_not_tied_to_a_line_read_before(collecting: Collecting) -> None:
    first = replace(collecting.pays("hoc phi", SUM), bank_reference="")
    collecting.hear_of(first)
    read(collecting, [first])
    untold = replace(first, id=first.id + 1, at=first.at + timedelta(days=1))
    head = StatementHead(
        account=collecting.account.number,
        owner=collecting.school.name,
        first_day=DAY + timedelta(days=1),
        last_day=DAY + timedelta(days=1),
        opening=first.amount,
    )
    brought = bring(collecting, statement(head, [untold]))

    assert (brought.new, brought.known) == (1, 0)
    assert collecting.books()["112"] == 2 * SUM


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_lost_and_in_whatever_order_everybody_pays_once(
    database: Database, addresses: Addresses, vault: Vault, seed: int
) -> None:
    chance = Random(seed)  # noqa: S311  chance, not secrecy
    families = chance.randint(2, 4)
    collecting = make_collecting(database, addresses, vault, dues=[SUM] * families)
    numbered = chance.random() < 0.5
    booked: list[Movement] = []
    unheard: list[Movement] = []
    for family in chance.sample(range(families), families):
        movement = pays(collecting, family, len(booked))
        booked.append(movement if numbered else replace(movement, bank_reference=""))
        unheard.append(booked[-1])
        chance.shuffle(unheard)
        if chance.random() < 0.5:
            collecting.hear_of(unheard.pop())
        if chance.random() < 0.4:
            read(collecting, chance.sample(booked, len(booked)))
    read(collecting, chance.sample(booked, families))
    assert_each_paid_once(collecting)

    collecting.hear_of(*chance.sample(unheard, chance.randint(0, len(unheard))))
    assert_each_paid_once(collecting)
