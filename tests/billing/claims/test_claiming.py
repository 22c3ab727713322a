"""Claims on real rows: from the first list to its correction, between two schools, and what nobody may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from billing.claims.booking import NewPayment, payments_of, record_payment, standing_of, undo_payment
from billing.claims.claiming import (
    approve_claim,
    calculate_claim,
    claim_lines,
    draft_claim,
    find_claim,
    recalculate,
    send_claim,
    submit_claim,
    withdraw_claim,
)
from billing.claims.tables import StateClaim, StateClaimLine
from billing.errors import Conflict, Refused, SamePerson
from billing.fees.council_rates import RateKind
from billing.ledger.accounts import STATE_RECEIVABLE
from billing.ledger.tables import LedgerAccount, Posting
from billing.money import ZERO, Money, total
from billing.people.tables import Authority, Enrolment
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from tests.factories.claims import PUBLIC_RATE, approved, approved_claim, load_invented, plan_of
from tests.factories.rounds import BillingSchool, make_billing_school
from tests.factories.schools import make_account, make_class, make_pupil, make_school, make_user
from tests.standing import standing

TUITION = RateKind.TUITION


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    """A public primary school of three, in a province with invented rates."""
    with database.transaction(EVERYTHING) as session:
        made = make_billing_school(session, vault)
        load_invented(session, made.school.province_id)
    return made


def balance(session: Session, school_id: UUID, code: str) -> Money:
    """Return debits less credits of an account."""
    account = session.exec(
        select(LedgerAccount.id).where(LedgerAccount.school_id == school_id, LedgerAccount.code == code)
    ).one()
    postings = session.exec(select(Posting).where(Posting.school_id == school_id)).all()
    debit = total(each.amount for each in postings if each.debit_account_id == account)
    return debit - total(each.amount for each in postings if each.credit_account_id == account)


@pytest.mark.parametrize("field", ["chapter_code", "category_code", "economic_code"])
def test_a_budget_code_is_short_and_of_digits(
    database: Database, billing: BillingSchool, now: datetime, field: str
) -> None:
    for code in ("12345678901", "1e5", "-5", "<b>", "٣"):
        plan = replace(plan_of(billing.id, TUITION), **{field: code})  # type: ignore[arg-type]  # one of three texts
        with database.transaction(Scope.of(billing.id)) as session, pytest.raises(Refused, match="10 chữ số"):
            draft_claim(session, billing.accountant, plan, now)


def test_a_term_is_asked_for_approved_sent_and_paid(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        claim = approved_claim(session, billing, TUITION, now)
        assert (claim.state, claim.total, claim.pupils) == ("approved", PUBLIC_RATE * 12, 3)
        assert {line.month.month for line in claim_lines(session, claim)} == {9, 10, 11, 12}
        assert balance(session, billing.id, STATE_RECEIVABLE) == PUBLIC_RATE * 12
        send_claim(session, claim.id, billing.accountant, now)
        new = NewPayment(PUBLIC_RATE * 10, date(2025, 10, 3), "treasury", "LC 12")
        record_payment(session, find_claim(session, claim.id), billing.accountant, new, now)
        standing = standing_of(session, claim)
        assert (standing.to_school, standing.paid_school, standing.rest) == (
            PUBLIC_RATE * 12,
            PUBLIC_RATE * 10,
            PUBLIC_RATE * 2,
        )
        assert balance(session, billing.id, STATE_RECEIVABLE) == PUBLIC_RATE * 2
        assert balance(session, billing.id, "112KB") == PUBLIC_RATE * 10


def test_a_payment_written_down_wrongly_is_undone_once(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        claim = approved_claim(session, billing, TUITION, now)
        new = NewPayment(PUBLIC_RATE, date(2025, 10, 3), "cash", "PT 3")
        wrong = record_payment(session, claim, billing.accountant, new, now)
        undo_payment(session, wrong.id, billing.accountant, "ghi nhầm đợt", now)
        assert payments_of(session, claim) == []
        assert balance(session, billing.id, "111") == ZERO
        with pytest.raises(Conflict, match="đã được đảo"):
            undo_payment(session, wrong.id, billing.accountant, "lần nữa", now)


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (NewPayment(ZERO, date(2025, 10, 1), "treasury", "1"), "lớn hơn 0"),
        (NewPayment(Money(1), date(2025, 11, 1), "treasury", "1"), "chưa đến"),
        (NewPayment(Money(1), date(2025, 10, 1), "treasury", " "), "số chứng từ"),
        (NewPayment(Money(1), date(2025, 10, 1), "pigeon", "1"), "tiền về đâu"),
        (NewPayment(Money(1), date(2025, 10, 1), "families", "1"), "không đề nghị chi cho gia đình"),
    ],
)
def test_a_payment_that_cannot_be_is_refused(
    database: Database, billing: BillingSchool, now: datetime, new: NewPayment, why: str
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        claim = approved_claim(session, billing, TUITION, now)
        with pytest.raises(Refused, match=why):
            record_payment(session, claim, billing.accountant, new, now)


def test_a_correction_holds_the_differences_and_all_lists_make_the_recalculation(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        first = approved_claim(session, billing, TUITION, now)
        left = session.get_one(Enrolment, billing.pupils[0].enrolment.id)
        left.ended_on, left.state = date(2025, 10, 20), "left"
        session.add(left)
        session.flush()
        second = approved_claim(session, billing, TUITION, now)
        assert (second.number, second.total, second.pupils) == (1, -(PUBLIC_RATE * 2), 1)
        assert balance(session, billing.id, STATE_RECEIVABLE) == PUBLIC_RATE * 10
        assert total(claim.total or ZERO for claim in (first, second)) == PUBLIC_RATE * 10
        _, worked = recalculate(session, second)
        assert worked.lines == ()
    with database.transaction(EVERYTHING) as session:
        late = make_pupil(
            session, billing.pupils[0].class_group, "Lê Văn Muộn", province_id=billing.school.province_id,
            started_on=date(2025, 11, 28),
        )  # fmt: skip
        third = approved_claim(session, billing, TUITION, now)
        assert {(line.pupil_id, line.month.month) for line in claim_lines(session, third)} == {
            (late.id, 11),
            (late.id, 12),
        }


def test_a_pupil_who_moves_in_january_is_asked_for_once(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    moving = billing.pupils[0]
    with database.transaction(EVERYTHING) as session:
        moved = session.get_one(Enrolment, moving.enrolment.id)
        moved.ended_on, moved.state = date(2026, 1, 14), "transferred_out"
        session.add(moved)
        province = session.get_one(Authority, billing.school.province_id)
        other = make_school(session, name="Trường Tiểu học Hoa Ban", province=province)
        make_account(session, other)
        group = make_class(session, other)
        maker, checker = make_user(session, other, "accountant"), make_user(session, other, "approver")
        make_pupil(session, group, province_id=province.id, pupil=moving.pupil, started_on=date(2026, 1, 15))
    with database.transaction(Scope.of(other.id)) as session:  # the new school is faster, and sees no other school
        theirs = approved(session, maker, checker, plan_of(other.id, TUITION, 2), now)
        assert {line.month.month for line in claim_lines(session, theirs)} == {2, 3, 4, 5}
    with database.transaction(Scope.of(billing.id)) as session:
        ours = approved_claim(session, billing, TUITION, now, 2)
        months = {line.month.month for line in claim_lines(session, ours) if line.pupil_id == moving.id}
        assert months == {1}, "the month belongs to the school where the pupil was first in it"
    with database.transaction(EVERYTHING) as session:
        doubled = session.execute(
            text("SELECT count(*) FROM state_claim_lines GROUP BY pupil_id, month HAVING count(*) > 1")
        ).all()
        assert doubled == []


def test_the_database_lets_no_second_school_ask_for_a_month(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        approved_claim(session, billing, TUITION, now)
    with database.transaction(EVERYTHING) as session:
        other = make_school(session)
        child = make_pupil(
            session, make_class(session, other), province_id=other.province_id, pupil=billing.pupils[0].pupil
        )
        maker = make_user(session, other)
    with database.transaction(Scope.of(other.id)) as session:
        claim = draft_claim(session, maker, plan_of(other.id, TUITION), now)
        claim.digest, claim.total = b"x", PUBLIC_RATE
        session.flush()
        claim.state = "submitted"
    for revision, previous in ((0, ZERO), (1, PUBLIC_RATE)):
        row = StateClaimLine(
            school_id=other.id, claim_id=claim.id, kind=TUITION.value, school_year="2025-2026", pupil_id=child.id,
            enrolment_id=child.enrolment.id, month=date(2025, 9, 1), revision=revision, rate=PUBLIC_RATE,
            previous=previous, amount=PUBLIC_RATE * 2, payee="school", title="x", legal_basis="x",
        )  # fmt: skip
        with pytest.raises(IntegrityError, match=r"follows|another school"):
            write(database, other.id, row)


def write(database: Database, school_id: UUID, row: StateClaimLine) -> None:
    with database.transaction(Scope.of(school_id)) as session:
        session.add(row)


def test_two_people_and_exactly_what_was_shown(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        claim = draft_claim(session, billing.accountant, plan_of(billing.id, TUITION), now)
        with pytest.raises(Conflict, match="tính danh sách trước"):
            submit_claim(session, claim.id, "00", billing.accountant, now)
        calculate_claim(session, claim.id, billing.accountant, now)
        digest = (find_claim(session, claim.id).digest or b"").hex()
        with pytest.raises(Conflict, match="tính lại sau khi mở trang"):
            submit_claim(session, claim.id, "00", billing.accountant, now)
        submit_claim(session, claim.id, digest, billing.accountant, now)
        with pytest.raises(SamePerson):
            approve_claim(session, claim.id, digest, billing.accountant, now)
        left = session.get_one(Enrolment, billing.pupils[0].enrolment.id)
        left.ended_on = date(2025, 10, 20)
        session.add(left)
        session.flush()
        with pytest.raises(Conflict, match="Dữ liệu đã đổi"):
            approve_claim(session, claim.id, digest, billing.approver, now)
        assert claim_lines(session, claim) == []


def test_one_open_list_at_a_time_and_a_withdrawn_one_leaves_its_number(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        claim = draft_claim(session, billing.accountant, plan_of(billing.id, TUITION), now)
        with pytest.raises(Conflict, match="đang soạn"):
            draft_claim(session, billing.accountant, plan_of(billing.id, TUITION), now)
        with pytest.raises(Refused, match="lý do"):
            withdraw_claim(session, claim.id, billing.accountant, now, " ")
        withdraw_claim(session, claim.id, billing.accountant, now, "chọn nhầm đợt")
        again = draft_claim(session, billing.accountant, plan_of(billing.id, TUITION), now)
        assert again.number == 0


@pytest.mark.parametrize("change", ["UPDATE state_claims SET total = 1", "UPDATE state_claims SET state = 'draft'"])
def test_an_approved_list_does_not_change(
    database: Database, billing: BillingSchool, now: datetime, change: str
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        approved_claim(session, billing, TUITION, now)
    with pytest.raises(IntegrityError), database.transaction(Scope.of(billing.id)) as session:
        session.execute(text(change))


def test_without_a_councils_rate_nothing_is_asked_for(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault)
        claim = draft_claim(session, billing.accountant, plan_of(billing.id, TUITION), now)
        with pytest.raises(Refused, match=r"chưa có mức của hội đồng nhân dân cho cấp tiểu học, tháng 09/2025"):
            calculate_claim(session, claim.id, billing.accountant, now)


def test_a_kind_that_is_not_for_this_school_is_refused(
    database: Database, billing: BillingSchool, now: datetime
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        with pytest.raises(Refused, match="ngoài công lập"):
            draft_claim(session, billing.accountant, plan_of(billing.id, RateKind.SUPPORT), now)
        with pytest.raises(Refused, match="trong năm học"):
            draft_claim(session, billing.accountant, plan_of(billing.id, TUITION, first_month=date(2025, 7, 1)), now)


def test_a_foreign_pupil_is_left_out_with_the_reason(database: Database, billing: BillingSchool, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        pupil = billing.pupils[1].pupil
        session.execute(text("UPDATE pupils SET nationality = 'Hàn Quốc' WHERE id = :id"), {"id": pupil.id})
        claim = approved_claim(session, billing, TUITION, now)
        kept = session.exec(select(StateClaim).where(StateClaim.id == claim.id)).one()
        assert claim.pupils == 2
        assert [(note["pupil"], "quốc tịch" in note["text"]) for note in kept.notes["oddities"]] == [
            (str(pupil.id), True)
        ]
