"""A school with two accounts: pupils' insurance was collected, a refund approved, and the bank books money out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.credits.payee import Payee
from billing.credits.refunding import Wanted, approve_refund, ask_refund, lines_of
from billing.insurance.passing_on import NewPayout, approve_payout, enter_payout
from billing.ledger.balances import debit_balance, trial_balance
from billing.ledger.tables import BankAccount
from billing.money import Money, total
from billing.vault import Vault
from reconciliation.feeds.base import STATEMENT, NormalisedTransfer
from reconciliation.feeds.opening import statement_feed
from reconciliation.inbox import store_message
from reconciliation.matching import Direction
from reconciliation.outgoing.classifying import Purpose, classify, take_back
from reconciliation.outgoing.kinds import Tie
from reconciliation.outgoing.reading import not_tied_yet, open_out
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.settling import settle
from reconciliation.tables import Transfer
from reconciliation.transfers import Origin, write_transfer
from service.database import EVERYTHING, Database
from tests.billing.credits.credit_world import MEAL
from tests.billing.insurance.insurance_world import FAMILY, NUMBER, Insuring, make_insuring
from tests.factories.schools import make_account

PAYEE = Payee("Nguyễn Văn Hòa", "970436", "0071000123456", proof="Đơn ngày 02/10/2025, đã gọi lại số trong hồ sơ")


@dataclass
class Spending:
    """The school; every transaction ends with the invariants checked (``credit_world.School.open``)."""

    insuring: Insuring
    vault: Vault
    treasury: BankAccount
    told: int = field(default=0)

    @contextmanager
    def open(self) -> Iterator[Session]:
        with self.insuring.open() as session:
            yield session

    @property
    def id(self) -> UUID:
        return self.insuring.school.id

    @property
    def now(self) -> datetime:
        return self.insuring.school.now

    @property
    def accountant(self) -> Actor:
        return self.insuring.school.billing.accountant

    def books(  # noqa: PLR0913  what the bank writes
        self, session: Session, dong: int, memo: str = "chuyen tien", *, account: BankAccount | None = None,
        incoming: bool = False, day: date | None = None, settled: bool = True, payer: tuple[str, str] | None = None,
    ) -> UUID:  # fmt: skip
        """Let the bank book a movement, told of by a statement (``payer``: account and name); money in is settled."""
        account = account or self.insuring.school.billing.account
        self.told += 1
        feed = statement_feed(session, self.vault, account, self.now)
        inbox_id = store_message(session, self.vault, feed, f"{memo} {self.told}".encode(), self.now)
        direction = Direction.IN if incoming else Direction.OUT
        read = NormalisedTransfer(
            provider=STATEMENT, provider_id=f"T{self.told}", account=account.number, direction=direction,
            amount=Money(dong), memo=memo, bank_reference=f"FT{self.told:06d}", time=self.now,
            payer_account=payer[0] if payer else None, payer_name=payer[1] if payer else None,
        )  # fmt: skip
        origin = Origin(account, inbox_id or 0, value_date=day or self.now.date())
        made = write_transfer(session, self.vault, origin, read, self.now)
        assert made is not None
        if incoming and settled:
            settle(session, made, self.now)
        return made

    def classify(self, session: Session, transfer: UUID, *wanted: Purpose) -> list[MoneyOut]:
        return classify(session, self.accountant, self.id, transfer, wanted, self.now)

    def take_back(self, session: Session, purpose: UUID, reason: str = "ghi nhầm") -> None:
        take_back(session, self.accountant, self.id, purpose, reason, self.now)

    def payout(self, session: Session, amount: Money, reference: str = "UNC 1") -> UUID:
        """Enter and approve a payout to the insurer."""
        school = self.insuring.school
        sent = self.insuring_list
        made = enter_payout(
            session, school.billing.accountant, self.id, NewPayout(sent, amount, self.now.date(), reference), self.now
        )
        approve_payout(session, self.id, made.id, school.billing.approver, self.now)
        return made.id

    insuring_list: UUID = field(default=UUID(int=0))

    def refund(self, session: Session, children: Sequence[int] = (0,)) -> list[UUID]:
        """Ask for and approve a refund by bank of what was not eaten; return its lines."""
        school = self.insuring.school
        for child in children:
            school.lower(session, 10, "TIENAN", 2 * MEAL, child)
        wanted = [Wanted(school.pupil(child), "TIENAN", 2 * MEAL, PAYEE) for child in children]
        asked = ask_refund(session, self.vault, school.billing.accountant, self.id, wanted, "Nghỉ ăn", self.now)
        approve_refund(session, asked.id, school.billing.approver, self.now)
        return [line.id for line in lines_of(session, asked)]

    def balances(self, session: Session) -> dict[str, int]:
        """Return the trial balance by code before the first dot, in đồng, without empty accounts."""
        return {code.split(".")[0]: each.dong for code, each in trial_balance(session, self.id).items() if each}

    def state(self, session: Session, transfer: UUID) -> str:
        return session.exec(select(Transfer.state).where(Transfer.id == transfer)).one()

    def clearing_is_what_is_unknown(self, session: Session) -> None:
        """Assert that 1388 holds what has no purpose, less payouts to the insurer that no transfer is tied to."""
        unknown = total(each.rest for each in open_out(session, self.id)) - not_tied_yet(session, self.id)
        assert debit_balance(session, self.id, "1388") == unknown


def tied(tie: Tie, to: UUID) -> Purpose:
    kinds = {Tie.INSURANCE: "insurance", Tie.LEG: "treasury"}
    return Purpose(kinds.get(tie, "refund"), tie=tie, tied_id=to)


def make_spending(database: Database, vault: Vault, now: datetime) -> Spending:
    """Make the school; October is billed and paid in cash, with insurance, and the first list is sent."""
    insuring = make_insuring(database, vault, now)
    with database.transaction(EVERYTHING) as session:
        treasury = make_account(session, insuring.school.billing.school, told_by="statement", can_qr=False)
    spending = Spending(insuring, vault, treasury)
    with insuring.open() as session:
        for child in range(3):
            insuring.enter(session, insuring.buys(child, card_end=date(2025, 9, 30), number=NUMBER))
        insuring.bill_month(session, 10)
        for child in range(3):
            insuring.school.pay(session, 10, child)
    with insuring.open() as session:
        spending.insuring_list = insuring.send(session).id
    return spending


WHOLE = 9 * FAMILY  # three pupils, three months each
