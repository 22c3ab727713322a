"""Twenty clients on ten pupils at once: whatever meets, the totals are right in every read, and nothing is lost."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.factories.collecting import make_collecting
from tests.journeys.settling.office import Office, make_office

PROOF = bool(os.environ.get("HOCPHI_PROOF"))
CLIENTS, PUPILS = 20, 10
SECONDS = 60 if PROOF else 6
SUMS = (10_000, 50_000, 100_000, 300_000)

_BANK = threading.Lock()  # the stand-in for the bank books one movement after the other

pytestmark = [pytest.mark.timeout(900), *([pytest.mark.proof] if PROOF else [])]


class Client:
    """One of the twenty: does one act after the other on pupils drawn by chance, until the time is up."""

    def __init__(self, office: Office, number: int) -> None:
        self._office = office
        self._random = Random(number)  # noqa: S311  chance, not secrecy
        self._months = (f"{year}-{month:02d}" for year in (2026, 2027, 2028) for month in range(1, 13))
        self.came_in = 0
        self.done: Counter[str] = Counter()

    def work(self, until: float) -> None:
        """Act and count."""
        acts: list[Callable[[], bool]] = [
            self.pay,
            self.pay,
            self.pay,
            self.bill,
            self.allocate,
            self.allocate,
            self.ask_back,
            self.decide,
            self.finish,
            self.undo,
            self.void,
        ]
        while time.monotonic() < until:
            act = self._random.choice(acts)
            self.done[act.__name__] += act()

    def pay(self) -> bool:
        """A family pays what is open, or some other sum (then the rest becomes its credit)."""
        child = self._child()
        dong = self._random.choice((*SUMS, self._office.rest(child) or SUMS[0]))
        with _BANK:
            movement = self._office.transfer_for(child, dong)
        self._office.collecting.hear_of(movement)
        self.came_in += dong
        return True

    def bill(self) -> bool:
        """One more month is billed."""
        return self._office.bill(self._child(), self._random.choice(SUMS), next(self._months))

    def allocate(self) -> bool:
        """Credit is set against open bills."""
        return self._office.use_credit(self._child())

    def ask_back(self) -> bool:
        """Credit is asked back."""
        return self._office.ask_refund(self._child(), self._random.randint(1, 3))

    def decide(self) -> bool:
        """A refund is approved or refused."""
        return self._office.decide_refund(approve=self._random.random() < 0.8)

    def finish(self) -> bool:
        """A refund is paid out or taken back."""
        return self._office.finish_refund(self._random.randrange(100), pay=self._random.random() < 0.5)

    def undo(self) -> bool:
        """A match is undone."""
        return self._office.undo(self._random.randrange(1000))

    def void(self) -> bool:
        """An unpaid bill is taken back."""
        return self._office.take_bill_back(self._random.randrange(100))

    def _child(self) -> int:
        return self._random.randrange(PUPILS)


class Reader:
    """Reads the totals again and again while the others work."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._over = threading.Event()
        self.reads = 0
        self.wrong: list[str] = []

    def read(self) -> None:
        """Read until told to stop; note what does not tie out."""
        while not self._over.is_set():
            self.wrong += self._office.broken()
            self.reads += 1

    def stop(self) -> None:
        """Let the reading end."""
        self._over.set()


def test_the_totals_are_right_in_every_read(database: Database, addresses: Addresses, vault: Vault) -> None:
    office = make_office(make_collecting(database, addresses, vault, dues=(300_000,) * PUPILS))
    clients = [Client(office, number) for number in range(CLIENTS)]
    reader = Reader(office)
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        reading = pool.submit(reader.read)
        until = time.monotonic() + SECONDS
        working = [pool.submit(client.work, until) for client in clients]
        for each in working:
            each.result()
        reader.stop()
        reading.result()
    office.collecting.reconcile()
    done: Counter[str] = Counter()
    for client in clients:
        done.update(client.done)  # adding counters would drop what was never done

    assert reader.wrong == []
    assert reader.reads > 1
    assert office.broken() == []
    assert office.collecting.books()["112"] == sum(client.came_in for client in clients)
    assert set(office.collecting.states()) <= {"matched", "waiting"}
    assert done["pay"] > 0
    if PROOF:
        assert [name for name, count in done.items() if count == 0] == [], "each act was possible at least once"
