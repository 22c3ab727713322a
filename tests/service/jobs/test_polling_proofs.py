"""Callback and poller against each other: raced on one movement, and after an outage of 48 hours (R-10, R-11).

In ``make test`` a tenth of the rounds; in full under ``make proof``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest

from billing.money import Money
from billing.vault import Vault
from reconciliation.feeds.sepay import API_KEY
from reconciliation.feeds.stand_in import Movement, as_it_really_comes
from service.database import EVERYTHING, Database
from service.invariants import check_all
from service.jobs import reconciling
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.factories.listing import Listing, listing

FULL = pytest.mark.proof
RACES, OUTAGE = 200, 1_000


def race(asked: Listing, movement: Movement) -> None:
    """Let a callback arrive and the list be asked at one moment, each side reading the inbox and settling at once."""
    collecting, ready = asked.collecting, threading.Barrier(2)

    def callback() -> None:
        ready.wait()
        collecting.receive(collecting.bank.callback(movement))
        collecting.reconcile()

    def poll() -> None:
        ready.wait()
        asked.poll_and_reconcile()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(callback), pool.submit(poll)]:
            done.result()
    collecting.reconcile()


def race_often(asked: Listing, rounds: int) -> None:
    """Race again and again on a new movement; each becomes one transfer with one posting, whoever is first."""
    collecting = asked.collecting
    for number in range(rounds):
        movement = collecting.pays(f"lan {number}", 1_000 + number, at=PAID_AT + timedelta(seconds=number))
        asked.tell(movement)
        race(asked, movement)
        asked.later(minutes=5)
    transfers = collecting.transfers()
    assert len(transfers) == rounds
    assert {transfer.state for transfer in transfers} == {"waiting"}
    assert collecting.books()["112"] == sum(1_000 + number for number in range(rounds))
    assert asked.put_aside() == []
    hold_true(collecting)


def hold_true(collecting: Collecting) -> None:
    """Assert that bank and book agree and every transfer is posted once."""
    with collecting.database.transaction(EVERYTHING) as session:
        results = check_all(session, collecting.wiring.vault, collecting.wiring.clock())
    assert [result for result in results if result.id in {"I1", "I2", "I3", "I11"} and not result.ok] == []


@pytest.mark.parametrize("rounds", [RACES // 10, pytest.param(RACES, marks=FULL)])
def test_callback_and_poller_race_on_one_movement(
    database: Database, addresses: Addresses, vault: Vault, rounds: int
) -> None:
    with listing(make_collecting(database, addresses, vault)) as asked:
        race_often(asked, rounds)


@pytest.mark.parametrize("rounds", [RACES // 20, pytest.param(RACES // 2, marks=FULL)])
def test_held_money_is_let_go_once_when_callback_and_list_race(
    database: Database, addresses: Addresses, vault: Vault, rounds: int
) -> None:
    """Whoever is first: held and let go, or never held at all."""
    collecting = make_collecting(database, addresses, vault, scheme=API_KEY, hold_above=Money(0))
    with listing(collecting) as asked:
        race_often(asked, rounds)


def outage(asked: Listing, count: int, bring: Callable[[Movement], None]) -> None:
    """Drop the callbacks of 48 hours, ask the list as it is given, then let all callbacks come after all."""
    collecting, random = asked.collecting, Random(11)  # noqa: S311  chance, not secrecy
    step = timedelta(hours=48) / count
    paid = [
        collecting.pays(
            f"em {random.randrange(10**6)}", random.choice((650_000, 300_000, 1_000 + n)), at=PAID_AT + n * step
        )
        for n in range(count)
    ]
    asked.clock.now = PAID_AT + timedelta(hours=48, minutes=1)
    late = set(random.sample([movement.id for movement in paid], count // 20))
    asked.bank.hidden |= late
    asked.tell(*paid)
    asked.bank.trouble.order("500", 3)
    assert asked.poll_and_reconcile() == 0, "the provider is not back yet"
    asked.later(minutes=5)
    assert asked.poll_and_reconcile() == 2, "the span, and the whole days that were missed"
    assert len(collecting.transfers()) == count - len(late)
    asked.bank.hidden.clear()
    asked.later(minutes=5)
    assert asked.poll_and_reconcile() == 1
    known = {transfer.provider_id: transfer.amount for transfer in collecting.transfers()}
    assert known == {str(movement.id): movement.amount for movement in paid}, "0 missing, rows that appeared late too"

    for movement in as_it_really_comes(paid, random):
        bring(movement)
    while reconciling.normalise(collecting.wiring):
        pass
    reconciling.settle(collecting.wiring)
    assert len(collecting.transfers()) == count, "0 doubled"
    assert collecting.books()["112"] == sum(movement.amount.dong for movement in paid)
    assert asked.put_aside() == []
    hold_true(collecting)


@pytest.mark.parametrize("count", [OUTAGE // 10, pytest.param(OUTAGE, marks=FULL)])
def test_after_48_hours_without_callbacks_nothing_is_missing_and_nothing_doubled(
    database: Database, addresses: Addresses, vault: Vault, count: int
) -> None:
    collecting = make_collecting(database, addresses, vault)
    with listing(collecting) as asked:
        outage(asked, count, lambda movement: collecting.receive(collecting.bank.callback(movement)))
