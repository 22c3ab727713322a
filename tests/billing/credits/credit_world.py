"""A small school of boarders over several months: bill, pay, lower, use and give back, as its accountant does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine
from billing.credits.reading import Kept, credit_of
from billing.fees.items import Span
from billing.money import Money
from billing.payments.allocation import allocate
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.recording import Received, record_payment
from billing.rounds.correcting import Lowering, approve_correction, propose_credit
from billing.rounds.issuing import IssuedRound, issue_round
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from tests.billing.rounds.correction_world import ties_out
from tests.factories.rounds import REFERENCE_KEY, BillingSchool, approved_round, make_billing_school, register

MEAL = Money(32_000)
MONTHS = {
    9: Span(date(2025, 9, 1), date(2025, 9, 30)),
    10: Span(date(2025, 10, 1), date(2025, 10, 31)),
    11: Span(date(2025, 11, 1), date(2025, 11, 30)),
}


@dataclass
class School:
    """A school with its clock; ``rounds`` has the issued round of each month."""

    database: Database
    billing: BillingSchool
    now: datetime
    vault: Vault
    rounds: dict[int, UUID] = field(default_factory=dict)

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Open a transaction; whatever was done in it ties out."""
        with self.database.transaction(Scope.of(self.billing.id)) as session:
            yield session
            session.flush()
            ties_out(session, self.billing)

    @property
    def id(self) -> UUID:
        return self.billing.id

    def pupil(self, child: int = 0) -> UUID:
        return self.billing.pupils[child].id

    def bill_month(self, session: Session, month: int) -> IssuedRound:
        self.rounds[month] = approved_round(session, self.billing, self.now, MONTHS[month], f"2025-{month:02d}")
        return issue_round(session, self.rounds[month], self.now, REFERENCE_KEY)

    def issue_again(self, session: Session, month: int) -> IssuedRound:
        return issue_round(session, self.rounds[month], self.now, REFERENCE_KEY)

    def bill(self, session: Session, month: int, child: int = 0) -> BillBalance:
        of = col(Bill.round_id) == self.rounds[month], col(Bill.pupil_id) == self.pupil(child)
        return [each for each in bill_balances(session, *of) if not each.void][-1]

    def pay(self, session: Session, month: int, child: int = 0, over: int = 0) -> None:
        """Pay a month's bill in cash, and ``over`` đồng too much."""
        self.pay_part(session, month, self.bill(session, month, child).rest + Money(over), child)

    def pay_part(self, session: Session, month: int, amount: Money, child: int = 0) -> None:
        """Pay some cash for a month's bill; nothing happens for 0 đ."""
        if not amount:
            return
        bill = self.bill(session, month, child)
        received = Received(
            school_id=self.id, pupil_id=bill.pupil_id, source_kind="cash", source_id=new_id(), amount=amount,
            value_date=self.now.date(),
        )  # fmt: skip
        record_payment(session, received, allocate(amount, [(bill.bill_id, bill.rest)])[0], self.now)

    def lower(self, session: Session, month: int, item: str, amount: Money, child: int = 0) -> None:
        """Credit an amount of one item: not eaten, or cheaper than billed."""
        bill = self.bill(session, month, child)
        line = select(BillLine.id).where(BillLine.bill_id == bill.bill_id, BillLine.item_code == item)
        lowering = [Lowering(session.exec(line).one() or 0, amount)]
        asked = propose_credit(session, self.billing.accountant, bill.bill_id, lowering, "Nghỉ ăn", self.now)
        later = self.now + timedelta(minutes=1)
        approve_correction(session, asked.id, self.billing.approver, later, REFERENCE_KEY)

    def kept(self, session: Session, child: int = 0) -> dict[str | None, int]:
        kept: Kept = credit_of(session, self.id, {self.pupil(child)})
        return {item: amount.dong for (_, item), amount in kept.items()}

    def rule(self, session: Session, item: str, rule: str) -> None:
        session.execute(
            text("UPDATE fee_items SET carry_over = :rule WHERE school_id = :school AND code = :item"),
            {"rule": rule, "school": self.id, "item": item},
        )


def make_school(database: Database, vault: Vault, now: datetime, pupils: int = 3) -> School:
    """Make the school; all its pupils board, meals are settled against the round."""
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=pupils)
        for child in billing.pupils:
            register(session, child, "BANTRU", "TIENAN")
    school = School(database, billing, now, vault)
    with school.open() as session:
        school.rule(session, "TIENAN", "offset_round")
    return school
