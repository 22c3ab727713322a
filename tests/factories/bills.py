"""Short ways to make bills of any amount, requests for them, and the money that pays them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.bills.tables import Bill
from billing.ledger.accounts import FAMILY_RECEIVABLE, open_account
from billing.ledger.posting import Fact, Line, post
from billing.ledger.tables import BankAccount
from billing.money import Money
from billing.payments.requests import open_requests
from billing.payments.tables import PaymentRequest
from billing.rounds.tables import BillingRound
from billing.storage import new_id
from tests.factories.schools import SCHOOL_YEAR, Enrolled

REFERENCE_KEY = bytes(range(32))
ISSUED_AT = datetime(2025, 10, 1, tzinfo=UTC)
REVENUE = "531"


def make_bill(
    session: Session, child: Enrolled, account: BankAccount, dong: int = 650_000, *, period: str = "2025-10"
) -> Bill:
    """Make a bill of one sum for a child, due in its month, with its entry in the book."""
    school_id = child.enrolment.school_id
    year, month = map(int, period.split("-"))
    bill = Bill(
        school_id=school_id,
        round_id=_round(session, school_id, period).id,
        enrolment_id=child.enrolment.id,
        pupil_id=child.id,
        class_id=child.class_group.id,
        bank_account_id=account.id,
        number=f"{period}-{new_id().hex[-12:]}",
        period=period,
        gross=Money(dong),
        reduced=Money(0),
        family_due=Money(dong),
        due_on=date(year, month, 20),
        issued_at=ISSUED_AT,
    )
    session.add(bill)
    session.flush()
    open_account(session, school_id, REVENUE, "Thu dịch vụ", "income")
    line = Line(FAMILY_RECEIVABLE, REVENUE, Money(dong), pupil_id=child.id, bill_id=bill.id)
    post(session, Fact(school_id, "bill_issued", str(bill.id), bill.due_on), [line], ISSUED_AT)
    return bill


def ask(session: Session, child: Enrolled, account: BankAccount, now: datetime = ISSUED_AT) -> PaymentRequest:
    """Open a request over all that a child owes on an account."""
    payee = (child.id, account.id)
    (opened,) = open_requests(session, child.enrolment.school_id, [payee], now, REFERENCE_KEY)
    return session.exec(select(PaymentRequest).where(PaymentRequest.id == opened.id)).one()


def _round(session: Session, school_id: UUID, code: str) -> BillingRound:
    found = session.exec(
        select(BillingRound).where(BillingRound.school_id == school_id, BillingRound.code == code)
    ).one_or_none()
    if found is not None:
        return found
    year, month = map(int, code.split("-"))
    made = BillingRound(
        school_id=school_id,
        school_year=SCHOOL_YEAR,
        code=code,
        name=f"Đợt thu {code}",
        period_from=date(year, month, 1),
        period_to=date(year, month, 28),
        due_on=date(year, month, 20),
        state="issued",
        preview_digest=b"made",
        made_by=new_id(),
        made_at=ISSUED_AT,
        approved_by=new_id(),
        approved_at=ISSUED_AT,
        issued_at=ISSUED_AT,
    )
    session.add(made)
    session.flush()
    return made
