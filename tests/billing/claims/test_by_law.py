"""A private pupil's reductions by law: what the bills book on the State is, to the đồng, what the list asks for."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlmodel import Session

from billing.claims.booking import NewPayment, record_payment
from billing.claims.claiming import claim_lines, find_claim
from billing.claims.months import work_out
from billing.claims.tables import StateClaim
from billing.fees.council_rates import RateKind
from billing.fees.reducing import NewReduction, approve_reduction, enter_reduction
from billing.fees.support import NewChoice, approve_choice, choose_support
from billing.ledger.accounts import STATE_RECEIVABLE
from billing.money import ZERO, Money, total
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from tests.billing.claims.test_claiming import balance
from tests.billing.claims.test_months import billed, learner, rules, stay
from tests.factories.claims import PRIVATE_RATE, approved_claim, load_invented
from tests.factories.rounds import BillingSchool, issued_round, make_billing_school
from tests.standing import standing

OCTOBER = date(2025, 10, 1)
HALF, WHOLE = Money(1_250_000), Money(2_500_000)  # of the tuition that the private catalogue asks for


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    """A private school of three in a province with invented rates."""
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault, catalogue="private-school")
        load_invented(session, made.school.province_id)
    return made


def granted(session: Session, billing: BillingSchool, kind: str, now: datetime, child: int = 0) -> None:
    new = NewReduction(billing.pupils[child].enrolment.id, kind, date(2025, 9, 1), "Giấy xác nhận")
    row = enter_reduction(session, billing.school, new, billing.accountant, now)
    approve_reduction(session, billing.id, row.id, billing.approver, now)


def october(session: Session, billing: BillingSchool, now: datetime) -> StateClaim:
    return approved_claim(session, billing, RateKind.SUPPORT, now, first_month=OCTOBER, last_month=OCTOBER)


def asked(session: Session, claim: StateClaim, payee: str) -> list[Money]:
    return [line.amount - line.previous for line in claim_lines(session, claim) if line.payee == payee]


def test_what_the_bill_took_off_is_asked_for_and_paid_to_the_school(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        granted(session, billing, "TNLD", now)
        issued_round(session, billing, now)
        assert balance(session, billing.id, STATE_RECEIVABLE) == HALF
        claim = october(session, billing, now)
        assert claim.notes["oddities"] == []
        assert asked(session, claim, "school") == [HALF]
        assert asked(session, claim, "family") == [PRIVATE_RATE] * 2, "the support of the other two is their families'"
        (line,) = [line for line in claim_lines(session, claim) if line.payee == "school"]
        assert (line.rate, line.legal_basis) == (WHOLE, "Nghị định 238/2025/NĐ-CP")
        new = NewPayment(HALF, date(2025, 10, 3), "treasury", "LC 12")
        record_payment(session, find_claim(session, claim.id), billing.accountant, new, now)
        assert balance(session, billing.id, STATE_RECEIVABLE) == ZERO


def test_of_two_rights_the_higher_one_is_billed_and_asked_for(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        granted(session, billing, "TNLD", now)
        granted(session, billing, "NCC", now)
        issued_round(session, billing, now)
        assert balance(session, billing.id, STATE_RECEIVABLE) == WHOLE
        assert asked(session, october(session, billing, now), "school") == [WHOLE]


def test_the_support_that_the_school_takes_off_does_not_add_up_with_a_reduction(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        choice = choose_support(
            session, billing.school, billing.accountant, NewChoice("school", "QĐ 12", OCTOBER, OCTOBER), now
        )
        approve_choice(session, choice.id, billing.approver, now)
        granted(session, billing, "TNLD", now)
        issued_round(session, billing, now)
        booked = balance(session, billing.id, STATE_RECEIVABLE)
        assert booked == HALF + PRIVATE_RATE + PRIVATE_RATE
        claim = october(session, billing, now)
        assert total(asked(session, claim, "school")) == booked
        assert asked(session, claim, "family") == []


def test_a_reduction_entered_later_takes_the_place_of_the_support_asked_for_before(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        issued_round(session, billing, now)
        first = october(session, billing, now)
        assert asked(session, first, "family") == [PRIVATE_RATE] * 3
        assert first.notes["oddities"] == []
        granted(session, billing, "TNLD", now)
        second = october(session, billing, now)
        assert asked(session, second, "family") == [-PRIVATE_RATE]
        assert asked(session, second, "school") == [HALF]
        # The bill was issued before: what it booked and what is asked for differ, and the list says of whom.
        (odd,) = second.notes["oddities"]
        assert odd["pupil"] == str(billing.pupils[0].id)
        assert "Nhà nước chịu 0 đ học phí tháng 10/2025, còn danh sách đề nghị 1.250.000 đ" in odd["text"]


def test_where_the_support_would_be_more_the_list_says_so() -> None:
    child = learner(stay(OCTOBER), billed={OCTOBER: billed(100_000)}, tuition={OCTOBER: Money(200_000)})
    month = rules(RateKind.SUPPORT, (OCTOBER, OCTOBER))
    worked = work_out([child], month, [])
    assert [(line.right.payee, line.amount) for line in worked.lines] == [("school", Money(100_000))]
    (oddity,) = worked.oddities
    assert "100.000 đ" in oddity.text
    assert "120.000 đ" in oddity.text
    dear = learner(stay(OCTOBER), billed={OCTOBER: billed(120_000)}, tuition={OCTOBER: Money(240_000)})
    assert work_out([dear], month, []).oddities == ()
