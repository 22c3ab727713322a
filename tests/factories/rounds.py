"""A small school that bills: catalogue loaded, round drafted, previewed, approved and issued."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.fees.catalogue import shipped_catalogue
from billing.fees.items import Span
from billing.fees.schedule import load_catalogue
from billing.fees.tables import FeeItem, OptIn
from billing.ledger.tables import BankAccount
from billing.payments.tables import PaymentRequest
from billing.people.tables import Authority, School
from billing.rounds.approving import approve_round, submit_round
from billing.rounds.drafting import RoundPlan, draft_round
from billing.rounds.issuing import IssuedRound, issue_round
from billing.rounds.previewing import preview_round
from billing.vault import Vault
from tests.factories.fees import OCTOBER, weekdays
from tests.factories.schools import (
    MADE_AT,
    SCHOOL_YEAR,
    YEAR_STARTS,
    Enrolled,
    make_account,
    make_class,
    make_guardian,
    make_pupil,
    make_school,
    make_user,
)

REFERENCE_KEY = bytes(range(32))
SEPTEMBER = Span(date(2025, 9, 1), date(2025, 9, 30))


@dataclass
class BillingSchool:
    """A school with an account, an accountant, an approver and pupils of class 1A, ready to bill."""

    school: School
    account: BankAccount
    accountant: Actor
    approver: Actor
    pupils: list[Enrolled] = field(default_factory=list)

    @property
    def id(self) -> UUID:
        """The school's id."""
        return self.school.id


def make_billing_school(  # noqa: PLR0913  each is a field worth varying
    session: Session,
    vault: Vault,
    *,
    pupils: int = 3,
    catalogue: str = "public-primary",
    told_by: str = "callback",
    only_virtual: bool = False,
    province: Authority | None = None,
) -> BillingSchool:
    """Make the school; each pupil has a guardian with a phone number and is a day pupil (no boarding)."""
    school = make_school(session, kind="private" if catalogue == "private-school" else "public", province=province)
    account = make_account(session, school, told_by=told_by, only_virtual=only_virtual)
    load_catalogue(session, school, shipped_catalogue(catalogue), {"main": account.id}, MADE_AT)
    group = make_class(session, school)
    made = BillingSchool(
        school, account, make_user(session, school, "accountant"), make_user(session, school, "approver")
    )
    for number in range(1, pupils + 1):
        child = make_pupil(session, group, f"Nguyễn Văn {number}", province_id=school.province_id)
        make_guardian(session, vault, child)
        made.pupils.append(child)
    return made


def register(session: Session, child: Enrolled, *codes: str, since: date = YEAR_STARTS) -> None:
    """Register a pupil for opt-in items of its school."""
    school_id = child.enrolment.school_id
    for code in codes:
        found = select(FeeItem.id).where(FeeItem.school_id == school_id, FeeItem.code == code)
        item_id = session.exec(found).one()
        made = OptIn(
            school_id=school_id,
            enrolment_id=child.enrolment.id,
            item_id=item_id,
            valid_from=since,
            evidence="Phiếu đăng ký của gia đình",
        )
        session.add(made)
    session.flush()


def approved_round(
    session: Session, billing: BillingSchool, now: datetime, days: Span = OCTOBER, code: str = "2025-10"
) -> UUID:
    """Draft, preview, submit and approve a round; return its id."""
    plan = RoundPlan(
        school_id=billing.id,
        school_year=SCHOOL_YEAR,
        code=code,
        name=f"Đợt thu {code}",
        days=days,
        meal_days=weekdays(days),
        due_on=days.start.replace(day=20),
    )
    made = draft_round(session, billing.accountant, plan, now)
    preview_round(session, made.id, billing.accountant, now)
    submit_round(session, made.id, billing.accountant, now)
    approve_round(session, made.id, billing.approver, now, confirm=True)
    return made.id


def issued_round(
    session: Session, billing: BillingSchool, now: datetime, days: Span = OCTOBER, code: str = "2025-10"
) -> IssuedRound:
    """Do all of it and issue the round."""
    round_id = approved_round(session, billing, now, days, code)
    return issue_round(session, round_id, now, REFERENCE_KEY)


def requests_of(session: Session, child: Enrolled) -> list[PaymentRequest]:
    """Return a pupil's payment requests, oldest first."""
    query = select(PaymentRequest).where(PaymentRequest.pupil_id == child.id).order_by("created_at", "id")
    return list(session.exec(query).all())
