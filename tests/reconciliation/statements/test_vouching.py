"""A statement lets held money go, or shows that it never was; what it does not speak of stays held."""

from __future__ import annotations

from datetime import date

import pytest
from sqlmodel import select

from billing.money import Money
from billing.vault import Vault
from reconciliation.feeds.sepay import API_KEY
from reconciliation.feeds.stand_in import Movement
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.tables import TransferStep
from service.database import EVERYTHING, Database
from service.invariants import check_all
from service.preparing import Addresses
from tests.factories.collecting import Collecting, make_collecting
from tests.reconciliation.statements.test_importing import NEXT_DAY, bring, written


@pytest.fixture
def holding(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    """A school whose feed has a mere key: above 500,000 đ money is held."""
    return make_collecting(database, addresses, vault, scheme=API_KEY, hold_above=Money(500_000))


def forged(collecting: Collecting, movement: Movement, dong: int) -> bytes:
    """Return the callback of a movement with another sum in it."""
    said = f'"transferAmount":{movement.amount.dong},'.encode()
    return collecting.bank.callback(movement).replace(said, f'"transferAmount":{dong},'.encode())


def without(collecting: Collecting, *left_out: Movement) -> bytes:
    """Return a statement of October that leaves movements out."""
    shown = [one for one in collecting.bank.movements(collecting.account.number) if one not in left_out]
    head = StatementHead(
        account=collecting.account.number,
        owner=collecting.school.name,
        first_day=date(2025, 10, 1),
        last_day=date(2025, 10, 31),
        opening=Money(0),
    )
    return statement(head, shown)


def reasons(collecting: Collecting) -> list[tuple[str | None, str]]:
    with collecting.database.transaction(EVERYTHING) as session:
        rows = session.exec(select(TransferStep).where(TransferStep.from_state == "held").order_by("id")).all()
    return [(row.to_state, row.reason) for row in rows]


def test_a_line_of_the_same_movement_lets_held_money_go(holding: Collecting) -> None:
    movement = holding.pays(holding.requests[0].reference, route="to MB")
    holding.hear_of(movement)
    assert holding.states() == ["held"]
    brought = bring(holding, written(holding))
    holding.reconcile()

    assert (brought.new, brought.known) == (0, 1)
    assert holding.states() == ["matched"]
    assert reasons(holding) == [("new", "line_of_statement")]
    assert holding.receipts() == [(1, 650_000)]
    assert bring(holding, written(holding)).known == 1


def test_the_banks_own_number_with_another_sum_takes_it_out_of_the_book(holding: Collecting) -> None:
    movement = holding.pays(holding.requests[1].reference, 300_000)
    holding.receive(forged(holding, movement, 90_000_000))
    holding.reconcile()
    assert (holding.states(), holding.books()["112"]) == (["held"], 90_000_000)
    brought = bring(holding, written(holding))
    holding.reconcile()

    assert (brought.new, brought.known) == (1, 0)
    assert holding.states() == ["matched", "quarantined"]
    [(state, why)] = reasons(holding)
    assert state == "quarantined"
    assert "300.000" in why
    assert "90.000.000" in why
    assert holding.books()["112"] == 300_000
    assert holding.receipts() == [(1, 300_000)]
    with holding.database.transaction(EVERYTHING) as session:
        checked = check_all(session, holding.wiring.vault, NEXT_DAY)
    assert [each for each in checked if each.id in {"I1", "I2", "I3", "I16"} and not each.ok] == []


def test_what_the_statement_does_not_speak_of_stays_held(holding: Collecting) -> None:
    told, untold = holding.pays("hoc phi lan mot", 600_000), holding.pays("hoc phi lan hai", 700_000)
    holding.hear_of(told, untold)
    bring(holding, without(holding, untold))
    holding.reconcile()

    assert holding.states() == ["held", "waiting"]


def test_an_equal_sum_of_another_family_lets_nothing_go(holding: Collecting) -> None:
    held = holding.pays(holding.requests[0].reference, 600_000)
    holding.hear_of(held)
    holding.pays(holding.requests[1].reference, 600_000)
    bring(holding, without(holding, held))
    holding.reconcile()

    assert holding.states() == ["held", "matched"]
    assert reasons(holding) == []
