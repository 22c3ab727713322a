"""A small school with a bill, a payment and their events, written straight into the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlmodel import Session, select

from billing.bills.tables import Bill, BillLine, BillVoid
from billing.events.recording import BILL_ISSUED, PAYMENT_RECEIVED, PAYMENT_TAKEN_BACK, record_event
from billing.events.tables import Event
from billing.fees.tables import FeeItem
from billing.ledger.tables import BankAccount, JournalEntry
from billing.money import Money
from billing.payments.tables import (
    Allocation,
    Payment,
    PaymentRequest,
    PaymentRequestBill,
    PaymentReversal,
    Receipt,
    ReceiptBook,
    ReceiptCounter,
)
from billing.people.tables import Guardian, School
from billing.rounds.tables import BillingRound
from billing.storage import new_id
from billing.vault import Vault
from notifications.rendering import Desk
from notifications.rules import Kind, Via
from notifications.tables import Message, MessageAttempt, NoticePlan
from service.database import EVERYTHING, Database
from service.standins.zalo import TEMPLATE_IDS
from tests.factories.schools import (
    Enrolled,
    make_account,
    make_class,
    make_guardian,
    make_pupil,
    make_school,
    make_user,
)

PDF = b"%PDF-1.7 an invented receipt"


@dataclass
class World:
    """One school, one pupil; more is added by its methods, each in a transaction of its own."""

    database: Database
    vault: Vault
    now: datetime
    school: School
    account: BankAccount
    child: Enrolled
    bills: int = 0
    receipts: int = 0

    def guardian(
        self, phone: str | None = "84912345678", email: str | None = "hong@gia-dinh.example", language: str = "vi"
    ) -> Guardian:
        with self.database.transaction(EVERYTHING) as session:
            guardian = make_guardian(
                session, self.vault, self.child, phone=phone or "", email=email, name="Trần Thị Hồng"
            )
            guardian.language = language
        return guardian

    def bill(self, due: int = 616_000, *, reduced: int = 0, period: str = "Tháng 10/2025") -> UUID:
        """A bill for meals in one request with its event; return the request's id."""
        self.bills += 1
        with self.database.transaction(EVERYTHING) as session:
            bill = self._bill(session, due, reduced, period)
            request = PaymentRequest(
                school_id=self.school.id,
                pupil_id=self.child.id,
                bank_account_id=self.account.id,
                reference=f"FWAB3CD4E{self.bills:02d}",
                created_at=self.now,
            )
            session.add(request)
            session.flush()
            link = PaymentRequestBill(request_id=request.id, bill_id=bill.id, school_id=self.school.id, position=1)
            session.add(link)
            record_event(session, self.school.id, BILL_ISSUED, request.id, self.now)
        return request.id

    def pay(self, request_id: UUID, amount: int, credit: int = 0, **facts: str) -> UUID:
        """Money for the bill of a request, with receipt and event; return the payment's id."""
        with self.database.transaction(EVERYTHING) as session:
            bill_id = session.exec(
                select(PaymentRequestBill.bill_id).where(PaymentRequestBill.request_id == request_id)
            ).one()
            payment = Payment(
                school_id=self.school.id,
                pupil_id=self.child.id,
                source_kind="cash",
                source_id=new_id(),
                amount=Money(amount + credit),
                value_date=date(2025, 10, 5),
                recorded_at=self.now,
            )
            session.add(payment)
            session.flush()
            if amount:
                session.add(
                    Allocation(school_id=self.school.id, payment_id=payment.id, bill_id=bill_id, amount=Money(amount))
                )
            self._receipt(session, payment)
            record_event(session, self.school.id, PAYMENT_RECEIVED, payment.id, self.now, **facts)
        return payment.id

    def reverse(self, payment_id: UUID) -> None:
        with self.database.transaction(EVERYTHING) as session:
            entry = JournalEntry(
                school_id=self.school.id,
                kind="correction",
                source_id=str(payment_id),
                value_date=date(2025, 10, 6),
                recorded_at=self.now,
            )
            session.add(entry)
            session.flush()
            reversal = PaymentReversal(
                payment_id=payment_id, school_id=self.school.id, entry_id=entry.id or 0, reason="nhầm", at=self.now
            )
            session.add(reversal)

    def went_back(self, request_id: UUID, payment_id: UUID, by: str) -> None:
        """Write the event that money paid on the bill of a request went back."""
        with self.database.transaction(EVERYTHING) as session:
            bill_id = session.exec(
                select(PaymentRequestBill.bill_id).where(PaymentRequestBill.request_id == request_id)
            ).one()
            facts = {"pupil_id": str(self.child.id), "used": 616_000, "payment": str(payment_id), "by": by}
            record_event(session, self.school.id, PAYMENT_TAKEN_BACK, bill_id, self.now, **facts)

    def void_bill(self, request_id: UUID) -> None:
        with self.database.transaction(EVERYTHING) as session:
            bill_id = session.exec(
                select(PaymentRequestBill.bill_id).where(PaymentRequestBill.request_id == request_id)
            ).one()
            session.add(
                BillVoid(
                    bill_id=bill_id,
                    school_id=self.school.id,
                    reason="nhầm lớp",
                    made_by=new_id(),
                    approved_by=new_id(),
                    at=self.now,
                )
            )

    def desk(self) -> Desk:
        return Desk(
            vault=self.vault,
            links=lambda _, requests: {one.id: f"http://127.0.0.1:8000/t/{one.reference}" for one in requests},
            receipt_pdfs=lambda _, pages: dict.fromkeys(pages, PDF),
            templates={(kind, "vi"): TEMPLATE_IDS[kind, "vi"] for kind in Kind},
            contract_links=lambda _, contracts: {one: f"http://127.0.0.1:8000/hd/{one.hex[:22]}" for one in contracts},
        )

    def subject_of(self, event_id: int) -> UUID:
        with self.database.transaction(EVERYTHING) as session:
            return session.get_one(Event, event_id).subject_id

    def messages(self) -> list[Message]:
        with self.database.transaction(EVERYTHING) as session:
            found = session.exec(select(Message)).all()
        return sorted(found, key=lambda message: (message.event_id, list(Via).index(Via(message.channel))))

    def states(self) -> list[tuple[str, str]]:
        return [(message.channel, message.state) for message in self.messages()]

    def attempts(self) -> list[tuple[str, str]]:
        with self.database.transaction(EVERYTHING) as session:
            rows = session.exec(select(MessageAttempt).order_by(MessageAttempt.id)).all()  # type: ignore[arg-type]  # a column
            return [(row.outcome, row.provider_code) for row in rows]

    def plans(self) -> list[tuple[int, str]]:
        with self.database.transaction(EVERYTHING) as session:
            rows = session.exec(select(NoticePlan).order_by(NoticePlan.event_id)).all()  # type: ignore[arg-type]  # a column
            return [(row.messages, row.reason) for row in rows]

    def _bill(self, session: Session, due: int, reduced: int, period: str) -> Bill:
        user = make_user(session, self.school).user_id or new_id()
        round_ = BillingRound(
            school_id=self.school.id,
            school_year="2025-2026",
            code=f"R{self.bills}",
            name=period,
            period_from=date(2025, 10, 1),
            period_to=date(2025, 10, 31),
            due_on=date(2025, 10, 15),
            made_by=user,
            made_at=self.now,
        )
        item = FeeItem(
            school_id=self.school.id,
            code=f"TIENAN{self.bills}",
            legal_name="Tiền ăn bán trú",
            item_group="agreed",
            unit="meal_day",
            legal_basis="Thỏa thuận",
            revenue_account="531",
            bank_account_id=self.account.id,
            valid_from=date(2025, 9, 1),
        )
        session.add_all([round_, item])
        session.flush()
        gross = due + reduced
        bill = Bill(
            school_id=self.school.id,
            round_id=round_.id,
            enrolment_id=self.child.enrolment.id,
            pupil_id=self.child.id,
            class_id=self.child.class_group.id,
            bank_account_id=self.account.id,
            number=f"TB{self.bills:04d}",
            period=period,
            gross=Money(gross),
            reduced=Money(reduced),
            family_due=Money(due),
            due_on=date(2025, 10, 15),
            issued_at=self.now,
        )
        session.add(bill)
        session.flush()
        session.add(
            BillLine(
                school_id=self.school.id,
                bill_id=bill.id,
                position=1,
                item_id=item.id,
                item_code=item.code,
                item_name=item.legal_name,
                unit=item.unit,
                quantity=22,
                unit_price=Money(gross // 22),
                gross=Money(gross),
                family_share=Money(due),
            )
        )
        session.flush()
        return bill

    def _receipt(self, session: Session, payment: Payment) -> None:
        self.receipts += 1
        book = session.exec(select(ReceiptBook)).first()
        if book is None:
            book = ReceiptBook(school_id=self.school.id, code="BL2025", school_year="2025-2026")
            session.add(book)
            session.flush()
            session.add(ReceiptCounter(book_id=book.id, school_id=self.school.id, last_number=0))
            session.flush()
        counter = session.get_one(ReceiptCounter, book.id)
        counter.last_number += 1
        session.flush()
        session.add(
            Receipt(
                school_id=self.school.id,
                book_id=book.id,
                number=counter.last_number,
                payment_id=payment.id,
                amount=payment.amount,
                issued_at=self.now,
            )
        )
        session.flush()


def make_world(database: Database, vault: Vault, now: datetime) -> World:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        account = make_account(session, school)
        child = make_pupil(session, make_class(session, school, "3A"), province_id=school.province_id)
    return World(database, vault, now, school, account, child)


def statements(database: Database, deed: Callable[[], object]) -> int:
    """Do something and count the statements it sends to the database."""
    sent: list[str] = []

    def note(*told: Any) -> None:  # noqa: ANN401  as SQLAlchemy tells it
        sent.append(told[2])

    event.listen(database.engine, "before_cursor_execute", note)
    deed()
    event.remove(database.engine, "before_cursor_execute", note)
    return len(sent)
