"""A school whose account is asked for as well as told of: a list feed, and the provider's list behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import httpx
from sqlmodel import Session, col, select

from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.stand_in import Movement
from reconciliation.lists.base import LIST
from reconciliation.lists.fetching import Fetcher
from reconciliation.lists.polling import due_askings
from reconciliation.lists.tables import Poll
from reconciliation.tables import Feed, InboxMessage, InboxResult
from service.database import EVERYTHING
from service.jobs.polling import MOST_FEEDS, poll_with
from service.settings import Settings
from service.standins import bank_list
from service.standins.bank_list import ListBank
from tests.factories.collecting import PAID_AT, Collecting

TOKEN = "mot-ma-truy-cap"  # noqa: S105  an invented one


@dataclass
class Clock:
    """Our clock, moved by hand."""

    now: datetime = PAID_AT + timedelta(seconds=30)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Listing:
    """What a test of the poller needs at hand; ``paused`` are the waits that it would have made."""

    collecting: Collecting
    feed: Feed
    bank: ListBank
    clock: Clock
    client: httpx.Client
    paused: list[float] = field(default_factory=list)

    @property
    def fetcher(self) -> Fetcher:
        return Fetcher(self.client, self.paused.append, lambda: 0.0)

    def poll(self) -> int:
        """Ask what is due now."""
        wiring = self.collecting.wiring
        with wiring.database.transaction(EVERYTHING) as session:
            due = due_askings(session, wiring.clock(), MOST_FEEDS)
        return poll_with(wiring, self.fetcher, due)

    def poll_and_reconcile(self) -> int:
        asked = self.poll()
        self.collecting.reconcile()
        return asked

    def later(self, **more: float) -> None:
        self.clock.now += timedelta(**more)

    def tell(self, *movements: Movement) -> None:
        """Let the provider list movements."""
        self.bank.tell(*movements)

    def polls(self) -> Sequence[Poll]:
        with self.collecting.database.transaction(EVERYTHING) as session:
            return session.exec(select(Poll).order_by(col(Poll.id))).all()

    def pages_kept(self) -> int:
        with self.collecting.database.transaction(EVERYTHING) as session:
            return len(session.exec(select(InboxMessage.id).where(InboxMessage.feed_id == self.feed.id)).all())

    def put_aside(self) -> list[str]:
        """Return the reasons of the messages that were put aside, oldest first."""
        with self.collecting.database.transaction(EVERYTHING) as session:
            query = select(InboxResult.reason).where(InboxResult.outcome == "quarantined")
            return list(session.exec(query.order_by(col(InboxResult.inbox_id))).all())


@contextmanager
def listing(collecting: Collecting, provider: str = "sepay") -> Iterator[Listing]:
    """Open a list feed of the school's account; its provider is a stand-in on this machine."""
    bank, clock = ListBank(TOKEN, a_second=10_000), Clock()
    running = bank_list.start(bank)
    settings = Settings.model_construct(sepay_api_url=running.url, casso_api_url=running.url)
    collecting.wiring = replace(collecting.wiring, settings=settings, clock=clock)
    with collecting.database.transaction(collecting.scope) as session:
        feed = open_list(session, collecting, provider)
    try:
        with httpx.Client(timeout=10) as client:
            yield Listing(collecting, feed, bank, clock, client)
    finally:
        running.stop()


def open_list(session: Session, collecting: Collecting, provider: str) -> Feed:
    """Open a list feed of the school's account."""
    wiring = collecting.wiring
    return open_feed(session, wiring.vault, collecting.account, provider, LIST, TOKEN, None, PAID_AT)[0]
