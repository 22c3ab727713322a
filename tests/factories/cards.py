"""A school that takes cards: both Stripe feeds, the switch on, and the stand-in for Stripe on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import httpx
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.bills.tables import Bill
from billing.money import Money
from billing.payments.balances import bill_balances
from billing.payments.tables import PaymentRequest
from reconciliation.cards.asking import due_cards
from reconciliation.cards.checking_out import begin_checkout, idempotency_key, keep_session
from reconciliation.cards.client import StripeClient, Wanted
from reconciliation.cards.refunding import ask_refund, decide_refund
from reconciliation.cards.switching import ask_switch, decide_switch
from reconciliation.cards.tables import CardCheckout, CardFact
from reconciliation.feeds.opening import open_feed
from reconciliation.lists.base import LIST
from reconciliation.tables import Feed, InboxResult
from service.database import EVERYTHING
from service.jobs.cards import cards_with
from service.settings import Settings
from service.standins import stripe_api
from service.standins.stripe_api import StripeStandIn, event_body
from tests.factories.collecting import PAID_AT, Collecting
from tests.factories.schools import make_user
from tests.reconciliation.cards.houses import KEY, SECRET, Clock


@dataclass
class Carding:
    """What a test of cards needs at hand."""

    collecting: Collecting
    hooks: Feed
    token: str
    api: Feed
    standin: StripeStandIn
    clock: Clock
    http: httpx.Client
    maker: Actor
    approver: Actor
    pauses: list[float] = field(default_factory=list)
    told: int = 0

    def client(self, key: str = KEY) -> StripeClient:
        return StripeClient(self.http, self.standin.url, key, self.pauses.append, lambda: 0.0)

    def checkout(self, number: int = 0, amount: Money | None = None) -> CardCheckout:
        """Let a family open Stripe's page for a request."""
        collecting = self.collecting
        with collecting.database.transaction(collecting.scope) as session:
            request = session.get_one(PaymentRequest, collecting.requests[number].id)
            asked = amount or self._rest(session, number)
            checkout = begin_checkout(session, request, asked, self.clock())
        wanted = Wanted(
            str(checkout.id),
            checkout.amount,
            "Học phí",
            "http://x.invalid/1",
            "http://x.invalid/2",
            checkout.expires_at,
        )
        made = self.client().open_session(wanted, idempotency_key(checkout.id))
        with collecting.database.transaction(collecting.scope) as session:
            keep_session(session, checkout, made, self.clock())
        return checkout

    def _rest(self, session: Session, number: int) -> Money:
        pupil = self.collecting.requests[number].pupil_id
        (balance,) = bill_balances(session, col(Bill.pupil_id) == pupil)
        return balance.rest

    def pay(self, number: int = 0, outcome: str = "paid") -> CardCheckout:
        """Let a family pay a request by card; Stripe knows it, we do not yet."""
        checkout = self.checkout(number)
        self.standin.books.pay(self.session_of(checkout), outcome)
        return checkout

    def session_of(self, checkout: CardCheckout) -> str:
        sessions = self.standin.books.of_kind("checkout.session")
        return str(next(row["id"] for row in sessions if row["client_reference_id"] == str(checkout.id)))

    def intent_of(self, checkout: CardCheckout) -> str:
        return str(self.standin.books.rows[self.session_of(checkout)]["payment_intent"])

    def events(self) -> list[bytes]:
        """Return the events since this was last asked, as they go out."""
        events, self.told = self.standin.books.events[self.told :], len(self.standin.books.events)
        return [event_body(event) for event in events]

    def hear(self, *bodies: bytes) -> None:
        """Receive webhooks, in this order, then read the inbox and settle."""
        self.collecting.receive(*(bodies or self.events()), feed=self.hooks)
        self.collecting.reconcile()

    def ask(self) -> int:
        """Ask Stripe for what is due, then read the inbox and settle."""
        wiring = self.collecting.wiring
        with wiring.database.transaction(EVERYTHING) as session:
            due = due_cards(session, wiring.clock(), 100)
        asked = cards_with(wiring, self.client, due)
        self.collecting.reconcile()
        return asked

    def refund(self, checkout: CardCheckout, amount: Money) -> UUID:
        """Give money back by two people; it is sent with the next asking."""
        refund = self.ask_refund(checkout, amount)
        self.agree_refund(refund)
        return refund

    def ask_refund(self, checkout: CardCheckout, amount: Money) -> UUID:
        with self.collecting.database.transaction(self.collecting.scope) as session:
            school = self.collecting.school.id
            return ask_refund(session, self.maker, school, checkout.id, amount, "Nộp nhầm", self.clock()).id

    def agree_refund(self, refund: UUID) -> None:
        with self.collecting.database.transaction(self.collecting.scope) as session:
            school = self.collecting.school.id
            decide_refund(session, self.approver, school, refund, self.clock(), approved=True)

    def facts(self) -> Sequence[CardFact]:
        with self.collecting.database.transaction(EVERYTHING) as session:
            return session.exec(select(CardFact).order_by(col(CardFact.id))).all()

    def put_aside(self) -> list[str]:
        with self.collecting.database.transaction(EVERYTHING) as session:
            return list(session.exec(select(InboxResult.reason).where(InboxResult.outcome == "quarantined")).all())


@contextmanager
def carding(collecting: Collecting, base_url: str = "http://testserver", *, on: bool = True) -> Iterator[Carding]:
    """Let a school take cards; ``on`` is false for one that has the feeds and is not switched on."""
    clock = Clock(PAID_AT)
    standin = stripe_api.make(KEY, SECRET, clock)
    running = stripe_api.start(standin)
    settings = Settings.model_construct(base_url=base_url, stripe_api_base=running.url, stripe_page_origin=running.url)
    collecting.wiring = replace(collecting.wiring, settings=settings, clock=clock)
    with collecting.database.transaction(EVERYTHING) as session:
        hooks, token, api, maker, approver = switch_on(session, collecting, on=on)
    try:
        with httpx.Client(timeout=10) as http:
            yield Carding(collecting, hooks, token, api, standin, clock, http, maker, approver)
    finally:
        running.stop()


def switch_on(session: Session, collecting: Collecting, *, on: bool) -> tuple[Feed, str, Feed, Actor, Actor]:
    """Open both feeds and switch cards on, by two people."""
    wiring, account, school = collecting.wiring, collecting.account, collecting.school
    hooks, token = open_feed(session, wiring.vault, account, "stripe", "v1", SECRET, None, PAID_AT)
    api, _ = open_feed(session, wiring.vault, account, "stripe", LIST, KEY, None, PAID_AT)
    maker, approver = make_user(session, school, "accountant"), make_user(session, school, "approver")
    if not on:
        return hooks, token, api, maker, approver
    asked = ask_switch(session, maker, school.id, account.id, "Quyết định 12", PAID_AT, turn_on=True)
    decide_switch(session, approver, school.id, asked.id, PAID_AT, approved=True)
    return hooks, token, api, maker, approver
