"""Two people on one line at the same moment: one wins, the other is told who and when, and nothing is booked twice.

The full count runs in two processes, each with a connection of its own (HOCPHI_PROOF=1, ``-m proof``); in the suite a
few rounds run in threads, also with a connection each.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlmodel import col, select

from billing.audit.recording import Actor
from billing.payments.tables import Payment, PaymentReversal
from billing.vault import Vault
from reconciliation.queue.in_bulk import dry_run
from reconciliation.queue.standing import open_acts
from reconciliation.queue.tables import QueueAct
from reconciliation.tables import Transfer
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.factories.collecting import make_collecting
from tests.factories.schools import make_user
from tests.reconciliation.queue import racing
from tests.reconciliation.queue.queue_world import Queue, make_queue
from tests.reconciliation.queue.racing import Order, Told
from tests.reconciliation.queue.test_assigning import damaged

PROOF = bool(os.environ.get("HOCPHI_PROOF"))
ROUNDS = 200 if PROOF else 5
DUE = 650_000
# What the first and the second do to the same line, in turn.
PAIRS = (("plain", "plain"), ("plain", "credit"), ("plain", "bulk"), ("agree", "agree"), ("undo", "undo"))

pytestmark = [pytest.mark.timeout(900), *([pytest.mark.proof] if PROOF else [])]


@dataclass
class Race:
    """A school whose every child has one bill and one transfer, and two people at two connections."""

    queue: Queue
    second_approver: Actor
    transfers: list[UUID]
    wins: Counter[str]

    def people(self, kind: str) -> tuple[Actor, Actor]:
        """Return the two who meet: accountants, except where it is about agreeing."""
        if kind == "agree":
            return self.queue.approver, self.second_approver
        return self.queue.accountant, self.queue.other

    def orders(self, number: int) -> tuple[Order, Order]:
        """Prepare a round: what each of the two saw a moment ago, and what each is about to do."""
        kinds = PAIRS[number % len(PAIRS)]
        first, second = self.people(kinds[0])
        if kinds[0] in {"agree", "undo"}:
            self._before(number, kinds[0])
        return self._order(number, kinds[0], first), self._order(number, kinds[1], second)

    def _before(self, number: int, kind: str) -> None:
        """Let the line be asked for (then two agree), or be booked (then two want it undone)."""
        with self.queue.collecting.database.transaction(self.queue.collecting.scope) as session:
            piece = self.queue.on_bill(session, number, DUE) if kind == "undo" else self.queue.credit(number, DUE)
            self.queue.assign(session, self.transfers[number], piece)

    def _order(self, number: int, kind: str, actor: Actor) -> Order:
        queue, transfer = self.queue, self.transfers[number]
        with queue.collecting.database.transaction(queue.collecting.scope) as session:
            on_bill, as_credit = queue.on_bill(session, number, DUE), queue.credit(number, DUE)
            order = Order(
                {"plain": "assign", "credit": "assign"}.get(kind, kind),
                actor,
                queue.school_id,
                transfer,
                str(queue.seen(session, transfer)),
                (as_credit,) if kind == "credit" else (on_bill,),
                queue.collecting.wiring.clock(),
            )
            if kind == "bulk":
                run = dry_run(session, queue.collecting.wiring.vault, actor, queue.school_id, [transfer])
                return dataclasses.replace(order, digest=run.digest)
            if kind == "agree":
                (act,) = [each for each in open_acts(session, queue.school_id) if each.transfer_id == transfer]
                return dataclasses.replace(order, act_id=act.id)
        return order


def meet(pool: Executor, race: Race, number: int) -> None:
    """Let both act at one moment; one wins, the other is told by whom it was overtaken and when."""
    start = time.monotonic() + 0.02
    orders = [dataclasses.replace(order, start=start) for order in race.orders(number)]
    told: list[Told] = [future.result(timeout=60) for future in [pool.submit(racing.run, order) for order in orders]]
    assert [each.won for each in told].count(True) == 1, (number, told)
    winner = orders[0] if told[0].won else orders[1]
    (loser,) = [each for each in told if not each.won]
    assert (loser.by, loser.at) == (winner.actor.user_id, winner.now), number
    race.wins["first" if told[0].won else "second"] += 1


@contextmanager
def two_at_once(address: str) -> Iterator[Executor]:
    """Open two hands with a connection each: processes under proof, else threads."""
    if PROOF:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, mp_context=context, initializer=racing.connect, initargs=(address,)) as pool:
            yield pool
        return
    racing.connect(address)
    try:
        with ThreadPoolExecutor(2) as pool:
            yield pool
    finally:
        racing.disconnect()


def test_two_people_on_one_line_have_one_winner(database: Database, addresses: Addresses, vault: Vault) -> None:
    collecting = make_collecting(database, addresses, vault, dues=(DUE,) * ROUNDS)
    queue = make_queue(collecting)
    with database.transaction(EVERYTHING) as session:
        second_approver = make_user(session, collecting.school, "approver")
    moved = [collecting.pays(damaged(queue, child), DUE) for child in range(ROUNDS)]
    collecting.hear_of(*moved)
    known = {transfer.provider_id: transfer.id for transfer in collecting.transfers()}
    race = Race(queue, second_approver, [known[str(each.id)] for each in moved], Counter())
    with two_at_once(addresses.app) as pool:
        for number in range(ROUNDS):
            meet(pool, race, number)
    sys.stdout.write(f"{ROUNDS} rounds, one winner in each: {dict(race.wins)}\n")
    if PROOF:
        assert len(race.wins) == 2, "neither hand is always the faster one"
    nothing_twice(race)


def nothing_twice(race: Race) -> None:
    """Each transfer stands in one payment at most, each act once, and the book has every đồng once."""
    queue = race.queue
    with queue.open() as session:  # and all invariants hold
        acts = Counter(session.exec(select(QueueAct.transfer_id)).all())
        undone = select(PaymentReversal.payment_id)
        paid = Counter(session.exec(select(Payment.source_id).where(col(Payment.id).not_in(undone))).all())
        states = dict(session.exec(select(Transfer.id, Transfer.state)).all())
    assert set(paid.values()) == {1}
    for number, transfer in enumerate(race.transfers):
        kinds = PAIRS[number % len(PAIRS)]
        assert acts[transfer] == (2 if kinds[0] == "undo" else 1), number
        assert paid[transfer] == (states[transfer] == "matched"), number
        if "credit" not in kinds:
            assert states[transfer] == "matched", number
    assert queue.collecting.books()["112"] == DUE * len(race.transfers)
