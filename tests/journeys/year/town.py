"""The schools of a story as rows of a real database: accounts, feeds, staff, classes, and a bank that pays."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.audit.recording import Actor
from billing.bills.tables import Bill as BillRow
from billing.fees.catalogue import parse_catalogue
from billing.fees.schedule import load_catalogue
from billing.ledger.tables import BankAccount
from billing.money import Money
from billing.payments.tables import PaymentRequest
from billing.people.tables import Authority, Pupil, School
from billing.vault import Vault
from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.sepay import HMAC
from reconciliation.feeds.stand_in import Payment, StandInBank
from reconciliation.inbox import store_message
from reconciliation.matching import Direction
from reconciliation.tables import Feed
from service.database import EVERYTHING, Database, Scope
from service.jobs import reconciling
from service.preparing import Addresses
from service.settings import Settings
from service.web import build_app
from service.wiring import Wiring
from tests.factories.collecting import SECRET
from tests.factories.schools import Enrolled, make_account, make_authority, make_class, make_school, make_user
from tests.journeys.year import events as e
from tests.journeys.year.book import Bill, Request
from tests.journeys.year.reckoner import Reckoner


@dataclass
class Clock:
    """The one clock, moved by the story."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    @property
    def today(self) -> date:
        """The school day in Viet Nam."""
        return (self.now + timedelta(hours=7)).date()


@dataclass
class Place:
    """A school with all that is at hand of it, and the reckoner beside it."""

    id: UUID
    plan: e.SchoolPlan
    school: School
    accounts: dict[str, BankAccount]
    feeds: dict[str, Feed]
    accountant: Actor
    approver: Actor
    teacher: Actor
    classes: dict[str, UUID]
    reckoner: Reckoner
    enrolled: dict[str, Enrolled] = field(default_factory=dict)
    rounds: dict[str, UUID] = field(default_factory=dict)
    leavings: dict[str, UUID] = field(default_factory=dict)
    stayed: set[str] = field(default_factory=set)  # pupils whose last leaving was taken back
    parked: set[UUID] = field(default_factory=set)
    references: dict[int, str] = field(default_factory=dict)


@dataclass
class Town:
    """All schools in one database, the bank, and the clock."""

    wiring: Wiring
    clock: Clock
    province: UUID
    places: dict[str, Place]
    bank: StandInBank
    client: TestClient
    pupils: dict[str, Pupil] = field(default_factory=dict)
    told: bool = False
    payers: set[str] = field(default_factory=set)

    @property
    def vault(self) -> Vault:
        return self.wiring.vault

    @contextmanager
    def at(self, place: Place) -> Iterator[Session]:
        """Open a transaction that sees one school."""
        with self.wiring.database.transaction(Scope.of(place.id)) as session:
            yield session

    @contextmanager
    def everywhere(self) -> Iterator[Session]:
        """Open a transaction that sees everything."""
        with self.wiring.database.transaction(EVERYTHING) as session:
            yield session

    def bank_tells(  # noqa: PLR0913  a movement
        self, place: Place, account: str, memo: str, dong: int, *, out: bool = False, times: int = 1
    ) -> None:
        """Let the bank book a movement and tell of it, once or twice; ``reconcile`` reads what it told."""
        number = place.accounts[account].number
        direction = Direction.OUT if out else Direction.IN
        payment = Payment(account=number, amount=Money(dong), at=self.clock.now, memo=memo, direction=direction)
        body = self.bank.callback(self.bank.book(payment))
        with self.at(place) as session:
            for _ in range(times):
                store_message(session, self.vault, place.feeds[account], body, self.clock.now)
        self.told = True

    def reconcile(self) -> None:
        """Read the inbox and settle, as the jobs do; several families' payments at once, as they come."""
        if self.told:
            reconciling.normalise(self.wiring)
            reconciling.settle(self.wiring)
        self.told, self.payers = False, set()

    def rows_of(self, session: Session, place: Place) -> dict[int, PaymentRequest]:
        """Return the rows of all requests that were reckoned, by the ``id()`` of each; there are no others."""
        by_key: dict[tuple[UUID, UUID], list[PaymentRequest]] = defaultdict(list)
        query = select(PaymentRequest).where(PaymentRequest.school_id == place.id)
        for row in session.exec(query.order_by(col(PaymentRequest.created_at), col(PaymentRequest.id))).all():
            by_key[row.pupil_id, row.bank_account_id].append(row)
        found = {}
        for request in place.reckoner.book.requests:
            key = self.pupils[request.pupil].id, place.accounts[request.account].id
            found[id(request)] = by_key[key].pop(0)
        assert not any(by_key.values())
        return found

    def codes(self, place: Place, requests: Sequence[Request]) -> list[str]:
        """Return the references of requests; they are looked up again when one is new."""
        if any(id(request) not in place.references for request in requests):
            with self.at(place) as session:
                place.references = {key: row.reference for key, row in self.rows_of(session, place).items()}
        return [place.references[id(request)] for request in requests]

    def bill_row(self, session: Session, place: Place, bill: Bill) -> BillRow:
        """Return the row of a bill that was reckoned."""
        alike = [each for each in place.reckoner.book.bills
                 if (each.round, each.pupil, each.account) == (bill.round, bill.pupil, bill.account)]  # fmt: skip
        rows = session.exec(
            select(BillRow)
            .where(
                BillRow.school_id == place.id,
                BillRow.round_id == place.rounds[bill.round],
                BillRow.pupil_id == self.pupils[bill.pupil].id,
                BillRow.bank_account_id == place.accounts[bill.account].id,
            )
            .order_by(col(BillRow.number))
        ).all()
        return rows[alike.index(bill)]


def found_town(database: Database, addresses: Addresses, vault: Vault, redis_url: str, story: e.Story) -> Town:
    """Make the story's schools, as they are before anything happens."""
    clock = Clock(story.events[0].at)
    wiring = Wiring(Settings.model_construct(), addresses, redis_url, database, vault, clock, lambda _: None)
    with database.transaction(EVERYTHING) as session:
        province = make_authority(session)
        places = {plan.key: _place(session, vault, province, plan, clock.now) for plan in story.schools}
        owners = {account.number: place.school.name for place in places.values() for account in place.accounts.values()}
    client = TestClient(build_app(wiring), headers={"accept": "text/html"}, follow_redirects=False)
    bank = StandInBank(owners, Random(story.seed))  # noqa: S311  chance, not secrecy
    return Town(wiring, clock, province.id, places, bank, client)


def _place(session: Session, vault: Vault, province: Authority, plan: e.SchoolPlan, now: datetime) -> Place:
    school = make_school(session, kind=plan.kind, province=province, name=f"Trường Tiểu học {plan.key}")
    accounts = {key: make_account(session, school) for key in (e.MAIN, e.SECOND)}
    keys = {key: account.id for key, account in accounts.items()}
    load_catalogue(session, school, parse_catalogue(_catalogue(plan), f"{plan.key}.json"), keys, now)
    feeds = {
        key: open_feed(session, vault, account, "sepay", HMAC, SECRET, None, now)[0]
        for key, account in accounts.items()
    }
    numbered = sorted(accounts, key=lambda key: str(accounts[key].id))
    return Place(
        id=school.id,
        plan=plan,
        school=school,
        accounts=accounts,
        feeds=feeds,
        accountant=make_user(session, school, "accountant"),
        approver=make_user(session, school, "approver"),
        teacher=make_user(session, school, "class_teacher"),
        classes={code: make_class(session, school, code, grade=grade).id for code, grade in plan.classes},
        reckoner=Reckoner(plan, {key: rank for rank, key in enumerate(numbered)}),
    )


def _catalogue(plan: e.SchoolPlan) -> str:
    """Write what a school charges as a catalogue file; public tuition is the law's and stands in none."""
    items = [
        {"code": item.code, "name": item.name, "group": item.group, "unit": item.unit, "account": item.account,
         "basis": "BIA", "revenue_account": item.revenue, "opt_in": item.opt_in, "carry_over": item.carry}
        for item in plan.items
    ]  # fmt: skip
    prices = [
        {"item": price.item, "amount": price.amount, "valid_from": str(price.first), "valid_to": str(price.last),
         "quantity": price.quantity, "part_month": price.part}
        for price in plan.prices
    ]  # fmt: skip
    reductions = [
        {"code": each.key, "title": each.kind, "payer": each.payer, "percent": each.percent, "basis": "BIA",
         "items": list(each.items), "valid_from": str(each.first), "valid_to": str(each.last)}
        for each in plan.standing if each.key != "NQ217"
    ]  # fmt: skip
    sources = [{"code": "BIA", "text": "Thỏa thuận bịa ra để thử"}]
    return json.dumps(
        {"title": plan.key, "sources": sources, "items": items, "prices": prices, "reductions": reductions}
    )
