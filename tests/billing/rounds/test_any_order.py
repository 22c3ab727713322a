"""Paying, lowering, taking back and replacing in any order: bills, book and credit always say the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine
from billing.credits.applying import apply_credit
from billing.credits.paying_out import pay_cash, take_back
from billing.credits.reading import free_credit
from billing.credits.refunding import Wanted, approve_refund, ask_refund, lines_of
from billing.errors import HocphiError, Refused
from billing.money import ZERO, Money
from billing.payments.allocation import Part
from billing.payments.balances import BillBalance, bill_balances, line_dues
from billing.payments.recording import Received, record_payment
from billing.rounds.correcting import Lowering, propose_credit, propose_price, propose_void
from billing.rounds.drafting import SupplementaryPlan
from billing.rounds.locking import lock_round, unlock_round
from billing.rounds.tables import Correction
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.rounds.correction_world import Issued, ties_out
from tests.billing.rounds.makers import exempt
from tests.billing.rounds.test_instalments import issue_in_parts
from tests.billing.rounds.test_supplementing import supplement
from tests.factories.rounds import make_billing_school, register

NOW = datetime(2025, 10, 6, 1, tzinfo=UTC)
CHILDREN = st.integers(0, 2)
PERCENT = st.integers(1, 100)
DAYS = [date(2025, 10, 6) + timedelta(days=20 * step) for step in range(6)]


class Corrections(RuleBasedStateMachine):
    """One school with one round in three instalments; the third pupil is half exempt, and nothing is left out."""

    database: Database
    vault: Vault

    def __init__(self) -> None:
        super().__init__()
        with self.database.transaction(EVERYTHING) as session:
            billing = make_billing_school(session, self.vault)
            for child in billing.pupils:
                register(session, child, "BANTRU", "TIENAN")
            exempt(session, billing.pupils[2], 50, "BANTRU")
            round_id = issue_in_parts(session, billing, NOW)
        self.issued = Issued(self.database, billing, round_id, NOW)
        self.price = 300_000
        self.supplements = 0
        self.locked = False

    def live(self, session: Session, child: int) -> BillBalance | None:
        """Return the child's live bill, of the round or of one that supplements it."""
        of = col(Bill.pupil_id) == self.issued.billing.pupils[child].id
        return next((each for each in bill_balances(session, of) if not each.void), None)

    def corrected(self, ask: Callable[[Session], Correction]) -> None:
        """Ask and approve; what our rules refuse leaves no trace."""
        try:
            with self.issued.open() as session:
                self.issued.approve(session, ask(session))
        except HocphiError as refusal:
            assert refusal.message  # noqa: PT017  a sentence for a person, whatever it was

    @rule(child=CHILDREN, percent=st.integers(1, 130))
    def pay(self, child: int, percent: int) -> None:
        with self.issued.open() as session:
            bill = self.live(session, child)
            if bill is None or not bill.rest:
                return
            amount = bill.rest.percent(percent)
            if amount:
                received = Received(
                    school_id=self.issued.billing.id,
                    pupil_id=bill.pupil_id,
                    source_kind="cash",
                    source_id=new_id(),
                    amount=amount,
                    value_date=NOW.date(),
                )
                record_payment(session, received, [Part(bill.bill_id, min(amount, bill.rest))], NOW)

    @rule(child=CHILDREN, freely=st.booleans())
    def use_credit(self, child: int, *, freely: bool) -> None:
        billing = self.issued.billing
        with self.issued.open() as session:
            before, bill = self.issued.credit_of(session, child), self.live(session, child)
            rest = bill.rest if bill else ZERO
            pupils = {billing.pupils[child].id}
            try:
                apply_credit(session, billing.accountant, billing.id, pupils, "Trừ tồn", NOW, freely=freely)
            except Refused:
                assert not freely or not before or not rest
            else:
                assert ZERO < before - self.issued.credit_of(session, child) <= rest

    @rule(child=CHILDREN, percent=PERCENT, paid=st.booleans())
    def give_back(self, child: int, percent: int, *, paid: bool) -> None:
        """Refund a part of a child's credit in cash, or take the refund back before it is paid."""
        billing = self.issued.billing
        with self.issued.open() as session:
            free = free_credit(session, billing.id, {billing.pupils[child].id})
            wanted = [Wanted(pupil, item, amount.percent(percent)) for (pupil, item), amount in free.items()]
            wanted = [each for each in wanted if each.amount]
            if not wanted:
                return
            refund = ask_refund(session, self.vault, billing.accountant, billing.id, wanted, "Hoàn", NOW)
            approve_refund(session, refund.id, billing.approver, NOW)
            for line in lines_of(session, refund):
                if paid:
                    pay_cash(session, line.id, billing.accountant, "Nguyễn Văn Hòa", NOW.date(), NOW)
                else:
                    take_back(session, line.id, billing.accountant, "Giữ lại", NOW)

    @rule(child=CHILDREN, percent=PERCENT, place=st.integers(0, 3))
    def lower_a_line(self, child: int, percent: int, place: int) -> None:
        with self.issued.open() as session:
            bill = self.live(session, child)
            if bill is None:
                return
            lines = session.exec(
                select(BillLine).where(BillLine.bill_id == bill.bill_id).order_by(col(BillLine.position))
            ).all()
            line = lines[place % len(lines)]
            line_id = line.id or 0
            amount = line_dues(session, [bill])[line_id].percent(percent)
        accountant, bill_id = self.issued.billing.accountant, bill.bill_id
        lowering = [Lowering(line_id, amount)]
        self.corrected(lambda session: propose_credit(session, accountant, bill_id, lowering, "Nghỉ học", NOW))

    @rule(percent=st.integers(50, 100))
    def lower_the_price(self, percent: int) -> None:
        price = Money(self.price).percent(percent)
        accountant, round_id = self.issued.billing.accountant, self.issued.round_id
        self.corrected(lambda session: propose_price(session, accountant, round_id, "BANTRU", price, "Hạ giá", NOW))
        self.price = price.dong

    @rule(child=CHILDREN, replace=st.booleans())
    def take_back(self, child: int, *, replace: bool) -> None:
        with self.issued.open() as session:
            bill = self.live(session, child)
        if bill is None:
            return
        accountant, bill_id = self.issued.billing.accountant, bill.bill_id
        self.corrected(lambda session: propose_void(session, accountant, bill_id, "Nhầm", NOW, replace=replace))

    @precondition(lambda self: self.supplements < 3)
    @rule()
    def supplement(self) -> None:
        """Bill again whose bill was taken back; without any it goes no further."""
        self.supplements += 1
        plan = SupplementaryPlan(f"BS{self.supplements}", "Bổ sung", date(2025, 12, 31))
        with self.issued.open() as session:
            billed = sum(self.live(session, child) is not None for child in range(3))
            if billed == len(self.issued.billing.pupils):
                with pytest.raises(Refused, match="không có thông báo nào"):
                    supplement(session, self.issued, plan)
            else:
                assert supplement(session, self.issued, plan).bills == 3 - billed

    @rule()
    def lock_or_unlock(self) -> None:
        approver, accountant = self.issued.billing.approver, self.issued.billing.accountant
        with self.issued.open() as session:
            if self.locked:
                unlock_round(session, self.issued.round_id, accountant, NOW, "Cần sửa")
            else:
                lock_round(session, self.issued.round_id, approver, NOW)
        self.locked = not self.locked

    @invariant()
    def everything_ties_out(self) -> None:
        with self.issued.open() as session:
            ties_out(session, self.issued.billing)
            for child in range(3):
                assert self.issued.credit_of(session, child) >= ZERO
                bill = self.live(session, child)
                for today in DAYS if bill else ():
                    assert bill is not None
                    asked = bill.asked(today)
                    assert asked.amount + asked.later == bill.rest
                    assert bool(asked.amount) == bool(bill.rest)


def test_any_order_ties_out(database: Database, vault: Vault) -> None:
    Corrections.database, Corrections.vault = database, vault
    many = bool(os.environ.get("HOCPHI_PROOF"))
    counts = settings(max_examples=60 if many else 6, stateful_step_count=25 if many else 12)
    run_state_machine_as_test(Corrections, settings=counts)
