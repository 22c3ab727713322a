"""A school whose bank calls back over the network, with our programs as processes around it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from sqlmodel import col, select

from reconciliation.feeds.stand_in import Movement
from reconciliation.tables import InboxMessage, InboxResult
from service.database import EVERYTHING
from service.invariants import check_all
from service.wiring import moved_clock
from tests.conftest import TEST_SECRET
from tests.factories.collecting import PAID_AT, Collecting
from tests.journeys.money_in.programs import Program, running, wait_for

PROOF = bool(os.environ.get("HOCPHI_PROOF"))
# Each test of money in runs in `make test` with a tenth of its counts, and in `make proof` with all of them.
MARKS = [pytest.mark.timeout(900), *([pytest.mark.proof] if PROOF else [])]


@dataclass(frozen=True, slots=True)
class Town:
    """The school, what our programs are told, and what ends with the test."""

    collecting: Collecting
    environment: dict[str, str]
    clock: Callable[[], datetime]
    running: ExitStack

    def start(self, *names: str) -> list[Program]:
        """Start programs of the product; they run until the test ends."""
        return [self.running.enter_context(running(name, self.environment)) for name in names]

    def pay(self, place: int, dong: int = 50_000) -> tuple[Movement, bytes]:
        """Let the family of one request pay; return the movement and the body that the bank's provider posts."""
        movement = self.collecting.pays(self.collecting.requests[place].reference, dong)
        return movement, self.collecting.bank.callback(movement)

    def post(self, url: str, body: bytes) -> int | None:
        """Post a callback once, signed now; return the status, or None when there was no answer."""
        door = self.collecting.door(url)
        try:
            with httpx.Client() as client:
                return client.post(
                    door.url, content=body, headers=door.headers(body, self.clock()), timeout=120
                ).status_code
        except httpx.TransportError:
            return None

    def messages(self) -> Sequence[InboxMessage]:
        """Return what is stored."""
        with self.collecting.database.transaction(EVERYTHING) as session:
            return session.exec(select(InboxMessage).order_by(col(InboxMessage.id))).all()

    def results(self) -> Sequence[InboxResult]:
        """Return what became of it."""
        with self.collecting.database.transaction(EVERYTHING) as session:
            return session.exec(select(InboxResult).order_by(col(InboxResult.inbox_id))).all()

    def wait_until_settled(self, transfers: int, seconds: float = 300.0) -> None:
        """Wait until so many transfers are written and none of them waits for a job."""
        wait_for(
            lambda: len(states := self.collecting.states()) >= transfers and "new" not in states,
            f"{transfers} transfers",
            seconds,
        )

    def wait_until_sealed(self) -> None:
        """Wait until every entry and deed has its seal: with the last settled transfer, it is still to come."""

        def sealed() -> bool:
            with self.collecting.database.transaction(EVERYTHING) as session:
                results = check_all(session, self.collecting.wiring.vault, self.clock())
            told = [problem for each in results for problem in each.problems]
            return not any("has no seal" in problem for problem in told)

        wait_for(sealed, "all seals")

    def demand_invariants(self, *only: str) -> None:
        """Demand that what must always be true is true now: all of it, or ``only`` some."""
        with self.collecting.database.transaction(EVERYTHING) as session:
            results = check_all(session, self.collecting.wiring.vault, self.clock())
        broken = [(each.id, each.problems) for each in results if not each.ok and (not only or each.id in only)]
        assert not broken, broken

    def demand_sound(self, amounts: Sequence[int]) -> None:
        """Demand that exactly these payments are on the books, each with its receipt, and that all invariants hold.

        Seals come by a job of their own, behind the settled transfer: they are waited for, and must come.
        """
        self.wait_until_sealed()
        self.demand_invariants()
        assert self.collecting.states() == ["matched"] * len(amounts)
        assert sorted(amount for _, amount in self.collecting.receipts()) == sorted(amounts)
        assert [number for number, _ in self.collecting.receipts()] == list(range(1, len(amounts) + 1))
        assert self.collecting.books()["112"] == sum(amounts)


def environment_for(collecting: Collecting, redis_url: str, log: str) -> tuple[dict[str, str], Callable[[], datetime]]:
    """Return what programs are told, and their clock, which shows the day on which the payments are made."""
    offset = int((PAID_AT - datetime.now(UTC)).total_seconds())
    told = {
        "DATABASE_URL": collecting.wiring.addresses.app,
        "DATABASE_DOOR_URL": collecting.wiring.addresses.door,
        "REDIS_URL": redis_url,
        "HOCPHI_SECRET": TEST_SECRET.hex(),
        "HOCPHI_VAULT_KEY": TEST_SECRET.hex(),
        "HOCPHI_CLOCK_OFFSET_SECONDS": str(offset),
        "LOG_OF_PROGRAMS": log,
    }
    return told, moved_clock(offset)
