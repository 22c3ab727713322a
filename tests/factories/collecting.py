"""A school that collects by transfer: an account with a feed, children with requests, and a bank that pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.ledger.balances import trial_balance
from billing.ledger.tables import BankAccount
from billing.money import Money, total
from billing.payments.balances import bill_balances
from billing.payments.tables import Payment, PaymentRequest, PaymentReversal, Receipt
from billing.people.tables import School
from billing.vault import Vault
from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.sepay import HMAC
from reconciliation.feeds.stand_in import Door, Movement, StandInBank
from reconciliation.feeds.stand_in import Payment as BankPayment
from reconciliation.inbox import store_message
from reconciliation.tables import Feed, Transfer
from service.database import EVERYTHING, Database, Scope
from service.jobs import reconciling
from service.preparing import Addresses
from service.settings import Settings
from service.wiring import Wiring
from tests.factories.bills import ask, make_bill
from tests.factories.schools import Enrolled, make_account, make_class, make_pupil, make_school

SECRET = "bi-mat-cua-kenh"  # noqa: S105  an invented one
PAID_AT = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)


def paid_at() -> datetime:
    """A clock that stands still."""
    return PAID_AT


@dataclass
class Collecting:
    """What a test of settling needs at hand."""

    wiring: Wiring
    school: School
    account: BankAccount
    feed: Feed
    token: str
    children: list[Enrolled]
    requests: list[PaymentRequest]
    bank: StandInBank
    rung: list[str] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        return Scope.of(self.school.id)

    @property
    def database(self) -> Database:
        return self.wiring.database

    def door(self, base_url: str) -> Door:
        return Door(f"{base_url}/callbacks/{self.token}", HMAC, SECRET)

    def pays(self, memo: str, dong: int = 650_000, **more: object) -> Movement:
        """Let somebody pay; the bank has booked it, we know nothing yet."""
        payment = {"account": self.account.number, "amount": Money(dong), "at": PAID_AT, "memo": memo, **more}
        return self.bank.book(BankPayment(**payment))  # type: ignore[arg-type]  # a test's short hand

    def receive(self, *bodies: bytes, feed: Feed | None = None) -> None:
        """Put raw messages into the inbox, as the door does."""
        with self.database.transaction(self.scope) as session:
            for body in bodies:
                store_message(session, self.wiring.vault, feed or self.feed, body, self.wiring.clock())

    def hear_of(self, *movements: Movement) -> None:
        """Receive the callbacks of movements, then read the inbox and settle."""
        self.receive(*(self.bank.callback(movement) for movement in movements))
        self.reconcile()

    def reconcile(self) -> None:
        """Run both jobs until nothing is left to do."""
        reconciling.normalise(self.wiring)
        reconciling.settle(self.wiring)

    def transfers(self) -> Sequence[Transfer]:
        with self.database.transaction(self.scope) as session:
            return session.exec(select(Transfer).order_by(col(Transfer.provider_id))).all()

    def states(self) -> list[str]:
        return sorted(transfer.state for transfer in self.transfers())

    def books(self) -> dict[str, int]:
        """Return the trial balance in đồng, without empty accounts."""
        with self.database.transaction(self.scope) as session:
            balances = trial_balance(session, self.school.id)
        assert total(balances.values()) == Money(0)
        return {code.split(".")[0]: balance.dong for code, balance in balances.items() if balance}

    def rests(self) -> list[int]:
        """Return what is due on each bill, oldest first, child after child."""
        with self.database.transaction(self.scope) as session:
            found = [bill_balances(session, col(Bill.pupil_id) == child.id) for child in self.children]
        return [balance.rest.dong for balances in found for balance in balances]

    def receipts(self) -> list[tuple[int, int]]:
        """Return number and amount of each receipt."""
        with self.database.transaction(self.scope) as session:
            rows = session.exec(select(Receipt).order_by(col(Receipt.number))).all()
        return [(row.number, row.amount.dong) for row in rows]

    def live_payments(self) -> int:
        with self.database.transaction(self.scope) as session:
            reversed_ids = select(PaymentReversal.payment_id)
            return len(session.exec(select(Payment.id).where(col(Payment.id).not_in(reversed_ids))).all())


def make_collecting(  # noqa: PLR0913  each is worth varying
    database: Database,
    addresses: Addresses,
    vault: Vault,
    *,
    dues: Sequence[int] = (650_000, 300_000),
    scheme: str = HMAC,
    told_by: str = "callback",
    only_virtual: bool = False,
    hold_above: Money | None = None,
) -> Collecting:
    """Make a school with one child for each due, each with one bill and a request for it."""
    rung: list[str] = []
    wiring = Wiring(Settings.model_construct(), addresses, "", database, vault, paid_at, rung.append)
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        account = make_account(session, school, told_by=told_by, only_virtual=only_virtual)
        feed, token = open_feed(session, vault, account, "sepay", scheme, SECRET, hold_above, PAID_AT)
        group = make_class(session, school)
        children = [
            make_pupil(session, group, f"Nguyễn Văn {n}", province_id=school.province_id) for n in range(len(dues))
        ]
        requests = [bill_and_ask(session, child, account, due) for child, due in zip(children, dues, strict=True)]
    bank = StandInBank({account.number: school.name}, Random(4))  # noqa: S311  chance, not secrecy
    return Collecting(wiring, school, account, feed, token, children, requests, bank, rung)


def bill_and_ask(
    session: Session, child: Enrolled, account: BankAccount, dong: int, period: str = "2025-10"
) -> PaymentRequest:
    """Make a bill and a request over all that the child owes."""
    make_bill(session, child, account, dong, period=period)
    return ask(session, child, account)


def transfer_ids(collecting: Collecting) -> list[UUID]:
    """Return the ids of all transfers."""
    return [transfer.id for transfer in collecting.transfers()]
