"""A private school over a year: a version approved, a child that applies, pays its deposit, is billed and leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlmodel import Session, col

from billing.bills.tables import Bill
from billing.contracts.admitting import admit
from billing.contracts.agreeing import Agreement, agree
from billing.contracts.applying import Applicant, WantedContract, apply_for_place
from billing.contracts.tables import Contract, ContractVersion
from billing.contracts.terms import (
    DepositTerms,
    Keep,
    LateTerms,
    PlanTerms,
    Step,
    Terms,
    WithdrawalTerms,
)
from billing.contracts.versions import NewTerm, NewVersion, approve_version, draft_version, open_term
from billing.credits.reading import credit_of
from billing.fees.items import Span
from billing.fees.reducing import approve_reduction, waiting_reductions
from billing.ledger.balances import debit_balance
from billing.money import Money
from billing.payments.allocation import allocate
from billing.payments.balances import BillBalance, bill_balances
from billing.payments.recording import Received, record_payment
from billing.plans.papers import Paper
from billing.rounds.correcting import approve_correction, open_corrections
from billing.rounds.issuing import issue_round
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.billing.credits.credit_world import School
from tests.factories.rounds import REFERENCE_KEY, approved_round, make_billing_school
from tests.factories.schools import make_class

NOBODY = UUID(int=0)
JUNE = datetime(2025, 6, 10, 3, 0, tzinfo=UTC)
MONTHLY = Money(2_500_000)
DEPOSIT = Money(2_000_000)
STARTS = date(2025, 9, 1)
SEPTEMBER = Span(date(2025, 9, 1), date(2025, 9, 30))
SIGNED = Paper("hop-dong.pdf", "application/pdf", b"%PDF-1.4 signed")
TERMS = Terms(
    deposit=DepositTerms(DEPOSIT, (Keep(60, 0), Keep(30, 50))),
    plans=(
        PlanTerms("year", "HOCPHI-NAM", 10, "HOCPHI"),
        PlanTerms("half", "HOCPHI-KY", 5, "HOCPHI"),
        PlanTerms("month", "HOCPHI"),
    ),
    withdrawal=WithdrawalTerms(100, less_deposit=True, steps=(Step(2, 70), Step(5, 50))),
    late=LateTerms(grace=10, cap=Money(500_000), percent=2),
)


def at(month: int, day: int) -> datetime:
    """Return ten in the morning of a day of the school year 2025-2026."""
    return datetime(2025 if month > 5 else 2026, month, day, 3, 0, tzinfo=UTC)


@dataclass
class PrivateSchool(School):
    """A private school with an approved version; ``now`` is moved by the story."""

    version_id: UUID = NOBODY
    class_id: UUID = NOBODY

    october = Span(date(2025, 10, 1), date(2025, 10, 31))

    def applicant(self, number: int = 1, birth: date = date(2019, 3, 5)) -> Applicant:
        return Applicant(f"Trần Thị {'ABCDEFGH'[number]}", birth, "Nữ", "Trần Văn Cha", "father", "0912 345 678")

    def apply(self, session: Session, plan: str = "year", starts_on: date = STARTS, months: int = 9) -> Contract:
        wanted = WantedContract(self.version_id, plan, starts_on, months)
        return apply_for_place(
            session, self.vault, self.id, self.applicant(), wanted, self.billing.accountant, self.now
        )

    def sign(self, session: Session, contract: Contract, due: date = date(2025, 6, 30)) -> UUID:
        """Agree on paper; return the deposit's bill."""
        agreement = Agreement(self.now.date(), due, SIGNED)
        step = agree(session, self.id, contract.id, agreement, self.billing.accountant, self.now, REFERENCE_KEY)
        return step.bill_id or NOBODY

    def pay_bill(self, session: Session, bill_id: UUID, amount: Money | None = None) -> None:
        (bill,) = bill_balances(session, col(Bill.id) == bill_id)
        paid = bill.rest if amount is None else amount
        received = Received(
            school_id=self.id, pupil_id=bill.pupil_id, source_kind="cash", source_id=new_id(), amount=paid,
            value_date=self.now.date(),
        )  # fmt: skip
        record_payment(session, received, allocate(paid, [(bill.bill_id, bill.rest)])[0], self.now)

    def admit(self, session: Session, contract: Contract) -> UUID:
        """Enrol the child, let the approver say yes to discount and deposit; return the enrolment."""
        step = admit(session, self.id, contract.id, self.class_id, self.billing.accountant, self.now)
        for waiting in waiting_reductions(session, self.id):
            approve_reduction(session, self.id, waiting.id, self.billing.approver, self.now)
        self.approve_all(session)
        return step.enrolment_id or NOBODY

    def approve_all(self, session: Session) -> None:
        for correction in open_corrections(session, self.id):
            approve_correction(session, correction.id, self.billing.approver, self.now, REFERENCE_KEY)

    def issue(self, session: Session, days: Span = SEPTEMBER) -> None:
        round_id = approved_round(session, self.billing, self.now, days, f"{days.start:%Y-%m}")
        issue_round(session, round_id, self.now, REFERENCE_KEY)

    def bills_of(self, session: Session, pupil_id: UUID) -> list[BillBalance]:
        return bill_balances(session, col(Bill.pupil_id) == pupil_id, col(Bill.school_id) == self.id)

    def credit(self, session: Session, pupil_id: UUID) -> dict[str | None, int]:
        return {item: amount.dong for (_, item), amount in credit_of(session, self.id, {pupil_id}).items()}

    def balance(self, session: Session, code: str) -> Money:
        """Return the credit balance of an account."""
        return -debit_balance(session, self.id, code)

    def yearly_child(self, session: Session) -> tuple[Contract, UUID]:
        """Let a child apply in June, sign, pay its deposit, enrol in August and be billed for the year."""
        self.now = JUNE
        contract = self.apply(session)
        self.pay_bill(session, self.sign(session, contract))
        self.now = at(8, 20)
        enrolment = self.admit(session, contract)
        self.issue(session)
        return contract, enrolment


def make_private_school(database: Database, vault: Vault) -> PrivateSchool:
    """Make the school; its version holds from 1 June 2025, a year is nine months, a half five and four."""
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=1, catalogue="private-school")
        group = make_class(session, billing.school, "1B")
    school = PrivateSchool(database, billing, JUNE, vault, class_id=group.id)
    actor, school_id = billing.accountant, billing.id
    with school.open() as session:
        halves = ((date(2025, 9, 1), 5), (date(2026, 2, 1), 4))
        year = NewTerm("HOCPHI-NAM", "Học phí đóng cả năm", "HOCPHI", MONTHLY, ((STARTS, 9),))
        open_term(session, school_id, year, actor, JUNE)
        open_term(session, school_id, NewTerm("HOCPHI-KY", "Học phí đóng kỳ", "HOCPHI", MONTHLY, halves), actor, JUNE)
        school.version_id = new_version(session, school).id
    return school


def new_version(
    session: Session, school: PrivateSchool, terms: Terms = TERMS, code: str = "HD-2025"
) -> ContractVersion:
    """Write and approve a version."""
    new = NewVersion(code, "Hợp đồng dịch vụ giáo dục", "Điều 1. …", terms, date(2025, 6, 1))
    version = draft_version(session, school.id, new, school.billing.accountant, JUNE)
    approve_version(session, school.id, version.id, school.billing.approver, JUNE)
    return version
