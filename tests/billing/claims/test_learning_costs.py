"""Learning-cost support: a right with two people behind it, a list, and money that a family gets once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlmodel import Session, col, select

from billing.claims import booking, paying_out
from billing.claims.booking import HANDED_ON, NewPayment, record_payment, undo_payment
from billing.claims.claiming import claim_lines
from billing.claims.entitling import (
    NewEntitlement,
    approve_entitlement,
    end_entitlement,
    entitle,
    entitlements_of,
)
from billing.claims.paying_out import Signature, pay_out, payout_list, undo_payout
from billing.claims.tables import Entitlement, Payout, StatePayment
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.fees.council_rates import RateKind
from billing.ledger.accounts import open_account
from billing.ledger.posting import Fact, Line, post
from billing.ledger.tables import LedgerAccount, Posting
from billing.money import ZERO, Money, total
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from service.invariants import check_all
from tests.factories.claims import LEARNING_RATE, approved_claim
from tests.factories.rounds import BillingSchool, make_billing_school
from tests.factories.schools import Enrolled, make_class, make_pupil, make_school
from tests.factories.till import fill_till
from tests.standing import standing

LEARNING = RateKind.LEARNING
DECEMBER = datetime(2025, 12, 22, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 20, 1, tzinfo=UTC)
SIGNED = Signature("Điểu Thị Mai", date(2025, 12, 20), "cash")
TERM_1 = (date(2025, 9, 1), date(2025, 12, 31))


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        return make_billing_school(session, vault)


def right(session: Session, billing: BillingSchool, child: Enrolled, days: tuple[date, date | None]) -> Entitlement:
    new = NewEntitlement(child.enrolment.id, "HONGHEO", "Giấy chứng nhận hộ nghèo số 15/2025", *days)
    made = entitle(session, billing.id, billing.accountant, new, DECEMBER)
    return approve_entitlement(session, made.id, billing.approver, DECEMBER)


def balance(session: Session, billing: BillingSchool, code: str) -> Money:
    account = session.exec(
        select(LedgerAccount.id).where(LedgerAccount.school_id == billing.id, LedgerAccount.code == code)
    ).one()
    rows = session.exec(select(Posting).where(Posting.school_id == billing.id)).all()
    debit = total(row.amount for row in rows if row.debit_account_id == account)
    return debit - total(row.amount for row in rows if row.credit_account_id == account)


def test_a_pupil_poor_in_term_one_gets_four_months_once(
    database: Database, vault: Vault, billing: BillingSchool
) -> None:
    poor, other = billing.pupils[0], billing.pupils[1]
    with database.transaction(Scope.of(billing.id)) as session:
        right(session, billing, poor, TERM_1)
        right(session, billing, other, (date(2025, 9, 1), None))
        first = approved_claim(session, billing, LEARNING, DECEMBER)
        assert {row.pupil_id: (row.months, row.amount) for row in payout_list(session, first)} == {
            poor.id: (4, LEARNING_RATE * 4),
            other.id: (4, LEARNING_RATE * 4),
        }
        came = NewPayment(LEARNING_RATE * 8, date(2025, 12, 18), "cash", "PT 77")
        record_payment(session, first, billing.accountant, came, DECEMBER)
        payout = pay_out(session, first, poor.id, billing.accountant, SIGNED, DECEMBER)
        assert payout.amount == LEARNING_RATE * 4
        assert [row.pupil_id for row in payout_list(session, first) if row.payout is None] == [other.id]
        with pytest.raises(Conflict, match="Đã chi trả ngày 20/12/2025 cho Điểu Thị Mai"):
            pay_out(session, first, poor.id, billing.accountant, SIGNED, DECEMBER)
        assert balance(session, billing, HANDED_ON) == -(LEARNING_RATE * 4), (
            "the other family's is still to be handed on"
        )
        assert balance(session, billing, "111") == LEARNING_RATE * 4
        second = approved_claim(session, billing, LEARNING, MAY, 2)
        assert {line.pupil_id for line in claim_lines(session, second)} == {other.id}
        assert second.total == LEARNING_RATE * 5
    with database.transaction(EVERYTHING) as session:
        broken = {result.id for result in check_all(session, vault, DECEMBER) if not result.ok}
        assert broken <= {"I12"}, "the seals: nobody gives them out in this test"


def test_a_wrong_payout_is_undone_and_paid_to_the_right_one(database: Database, billing: BillingSchool) -> None:
    poor = billing.pupils[0]
    with database.transaction(Scope.of(billing.id)) as session:
        right(session, billing, poor, TERM_1)
        claim = approved_claim(session, billing, LEARNING, DECEMBER)
        with pytest.raises(Refused, match=r"Trong quỹ chỉ còn 0.*Rút về quỹ"):
            pay_out(session, claim, poor.id, billing.accountant, SIGNED, DECEMBER)
        fill_till(session, billing.school, LEARNING_RATE * 4, DECEMBER)
        wrong = pay_out(session, claim, poor.id, billing.accountant, SIGNED, DECEMBER)
        with pytest.raises(Refused, match="lý do"):
            undo_payout(session, wrong.id, billing.accountant, "", DECEMBER)
        undo_payout(session, wrong.id, billing.accountant, "ghi nhầm người ký", DECEMBER)
        with pytest.raises(Conflict, match="đã được đảo"):
            undo_payout(session, wrong.id, billing.accountant, "lần nữa", DECEMBER)
        assert balance(session, billing, HANDED_ON) == ZERO
        again = pay_out(session, claim, poor.id, billing.accountant, SIGNED, DECEMBER)
        assert [row.payout and row.payout.id for row in payout_list(session, claim)] == [again.id]


def test_support_of_before_is_moved_from_the_account_of_refunds_and_nothing_is_rewritten(
    database: Database, billing: BillingSchool
) -> None:
    """What came and was paid on 3388H once is carried over by the next act, and again where an old entry is undone."""
    poor, other = billing.pupils[0], billing.pupils[1]
    sum_of_one = LEARNING_RATE * 4
    with database.transaction(Scope.of(billing.id)) as session:
        for pupil in (poor, other):
            right(session, billing, pupil, TERM_1)
        claim = approved_claim(session, billing, LEARNING, DECEMBER)
        open_account(session, billing.id, "3388H", "Tiền tồn phải hoàn cho gia đình", "clearing")
        refund = Fact(billing.id, "refund", "1", DECEMBER.date())
        post(session, refund, [Line("111", "3388H", Money(5_000))], DECEMBER)
        with pytest.MonkeyPatch.context() as before:
            for module in (booking, paying_out):
                before.setattr(module, "open_handed_on", lambda *_: "3388H")
            came = NewPayment(sum_of_one * 2, date(2025, 12, 18), "cash", "PT 77")
            payment = record_payment(session, claim, billing.accountant, came, DECEMBER)
            old = pay_out(session, claim, poor.id, billing.accountant, SIGNED, DECEMBER)
        assert balance(session, billing, "3388H") == -sum_of_one - Money(5_000)
        entries = session.exec(select(col(Posting.entry_id), col(Posting.amount)).order_by("id")).all()

        new = pay_out(session, claim, other.id, billing.accountant, SIGNED, DECEMBER)
        assert (balance(session, billing, "3388H"), balance(session, billing, HANDED_ON)) == (Money(-5_000), ZERO)
        undo_payout(session, old.id, billing.accountant, "ghi nhầm", DECEMBER)
        assert (balance(session, billing, "3388H"), balance(session, billing, HANDED_ON)) == (
            Money(-5_000),
            -sum_of_one,
        )
        undo_payout(session, new.id, billing.accountant, "ghi nhầm", DECEMBER)
        undo_payment(session, payment.id, billing.accountant, "ghi nhầm", DECEMBER)
        assert (balance(session, billing, "3388H"), balance(session, billing, HANDED_ON)) == (Money(-5_000), ZERO)
        assert (
            session.exec(select(col(Posting.entry_id), col(Posting.amount)).order_by("id")).all()[: len(entries)]
            == entries
        )


def test_the_database_itself_pays_a_line_once_and_in_full(database: Database, billing: BillingSchool) -> None:
    poor = billing.pupils[0]
    with database.transaction(Scope.of(billing.id)) as session:
        right(session, billing, poor, TERM_1)
        claim = approved_claim(session, billing, LEARNING, DECEMBER)
        fill_till(session, billing.school, LEARNING_RATE * 12, DECEMBER)
        paid = pay_out(session, claim, poor.id, billing.accountant, SIGNED, DECEMBER)
    for change in ({}, {"amount": Money(1)}, {"pupil_id": billing.pupils[1].id}):
        with pytest.raises(IntegrityError), database.transaction(Scope.of(billing.id)) as session:
            session.add(copied(paid, **change))
    with pytest.raises(ProgrammingError), database.transaction(Scope.of(billing.id)) as session:
        session.execute(text("UPDATE payouts SET received_by = 'Người khác'"))


def copied(paid: Payout, **change: object) -> Payout:
    names = ("school_id", "claim_id", "pupil_id", "amount", "received_by", "received_on", "way", "entry_id", "made_by")
    return Payout(**{name: getattr(paid, name) for name in names} | change, at=paid.at)


def test_a_right_that_ends_is_taken_back_by_the_next_list(database: Database, billing: BillingSchool) -> None:
    poor = billing.pupils[0]
    with database.transaction(Scope.of(billing.id)) as session:
        made = right(session, billing, poor, (date(2025, 9, 1), None))
        approved_claim(session, billing, LEARNING, DECEMBER)
        end_entitlement(session, made.id, billing.accountant, date(2025, 10, 31), "thoát nghèo", DECEMBER)
        correction = approved_claim(session, billing, LEARNING, DECEMBER)
        assert correction.total == -(LEARNING_RATE * 2)
        assert payout_list(session, correction) == [], "what was paid too much is not paid out"


def test_a_list_pays_out_what_its_correction_left_and_names_what_was_too_much(
    database: Database, billing: BillingSchool
) -> None:
    early, late = billing.pupils[0], billing.pupils[1]
    by_transfer = replace(SIGNED, way="transfer")
    with database.transaction(Scope.of(billing.id)) as session:
        made = [right(session, billing, pupil, (date(2025, 9, 1), None)) for pupil in (early, late)]
        first = approved_claim(session, billing, LEARNING, DECEMBER)
        pay_out(session, first, early.id, billing.accountant, by_transfer, DECEMBER)
        for each in made:
            end_entitlement(session, each.id, billing.accountant, date(2025, 10, 31), "thoát nghèo", DECEMBER)
        correction = approved_claim(session, billing, LEARNING, DECEMBER)
        left, over = LEARNING_RATE * 2, LEARNING_RATE * 2
        assert {row.pupil_id: (row.amount, row.too_much) for row in payout_list(session, first)} == {
            early.id: (LEARNING_RATE * 4, over), late.id: (left, ZERO),
        }  # fmt: skip
        assert pay_out(session, first, late.id, billing.accountant, by_transfer, DECEMBER).amount == left
        assert payout_list(session, correction) == []
        (wrong,) = [row.payout for row in payout_list(session, first) if row.too_much]
        assert wrong is not None
        undo_payout(session, wrong.id, billing.accountant, "danh sách điều chỉnh giảm", DECEMBER)
        assert pay_out(session, first, early.id, billing.accountant, by_transfer, DECEMBER).amount == left
        assert [row.too_much for row in payout_list(session, first)] == [ZERO, ZERO]


def test_one_paper_of_the_states_money_is_written_down_once(database: Database, billing: BillingSchool) -> None:
    came = NewPayment(LEARNING_RATE * 4, date(2025, 12, 18), "treasury", "LC 1")
    with database.transaction(Scope.of(billing.id)) as session:
        right(session, billing, billing.pupils[0], TERM_1)
        claim = approved_claim(session, billing, LEARNING, DECEMBER)
        paid = record_payment(session, claim, billing.accountant, came, DECEMBER)
        with pytest.raises(Conflict, match=r"Chứng từ LC 1 ngày 18/12/2025"):
            record_payment(session, claim, billing.accountant, replace(came, document=" lc 1 "), DECEMBER)
        with pytest.raises(Refused, match="trước năm học"):
            record_payment(session, claim, billing.accountant, replace(came, paid_on=date(2000, 1, 1)), DECEMBER)
    again = StatePayment(
        school_id=billing.id, claim_id=paid.claim_id, amount=paid.amount, paid_on=paid.paid_on, way=paid.way,
        document="lc 1", entry_id=paid.entry_id, made_by=paid.made_by, at=paid.at,
    )  # fmt: skip
    with (
        pytest.raises(IntegrityError, match="written down before"),
        database.transaction(Scope.of(billing.id)) as session,
    ):
        session.add(again)
    with database.transaction(Scope.of(billing.id)) as session:
        undo_payment(session, paid.id, billing.accountant, "ghi nhầm", DECEMBER)
        record_payment(session, claim, billing.accountant, came, DECEMBER)


def test_nobody_approves_his_own_entry_and_an_unapproved_one_counts_for_nothing(
    database: Database, billing: BillingSchool
) -> None:
    with database.transaction(Scope.of(billing.id)) as session:
        new = NewEntitlement(billing.pupils[0].enrolment.id, "MOCOI", "Giấy chứng tử", date(2025, 9, 1))
        made = entitle(session, billing.id, billing.accountant, new, DECEMBER)
        with pytest.raises(SamePerson):
            approve_entitlement(session, made.id, billing.accountant, DECEMBER)
        with pytest.raises(Refused, match="không có dòng nào"):
            approved_claim(session, billing, LEARNING, DECEMBER)
        end_entitlement(session, made.id, billing.accountant, date(2025, 9, 1), "ghi nhầm", DECEMBER)
        assert entitlements_of(session, billing.id) == []


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        ({"class_code": "GIAU"}, Refused, "chọn một đối tượng"),
        ({"evidence": "  "}, Refused, "giấy tờ"),
        ({"valid_to": date(2025, 8, 1)}, Refused, "trước ngày bắt đầu"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(
    database: Database, billing: BillingSchool, change: dict[str, object], error: type[Exception], why: str
) -> None:
    given = {"class_code": "HONGHEO", "evidence": "Sổ hộ nghèo", "valid_from": date(2025, 9, 1), **change}
    new = NewEntitlement(billing.pupils[0].enrolment.id, **given)  # type: ignore[arg-type]  # varied fields
    with database.transaction(Scope.of(billing.id)) as session, pytest.raises(error, match=why):
        entitle(session, billing.id, billing.accountant, new, DECEMBER)


def test_a_pupil_of_another_school_has_no_right_here(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        other = make_school(session)
        child = make_pupil(session, make_class(session, other), province_id=other.province_id)
    with database.transaction(Scope.of(billing.id)) as session:
        new = NewEntitlement(child.enrolment.id, "HONGHEO", "Sổ hộ nghèo", date(2025, 9, 1))
        with pytest.raises(NotFound):
            entitle(session, billing.id, billing.accountant, new, DECEMBER)


@pytest.mark.parametrize(
    ("signed", "why"),
    [
        (Signature(" ", date(2025, 12, 20), "cash"), "người ký nhận"),
        (Signature("Mai", date(2026, 1, 20), "cash"), "chưa đến"),
        (Signature("Mai", date(2025, 12, 20), "thẻ"), "tiền mặt hoặc chuyển khoản"),
    ],
)
def test_a_signature_that_cannot_be_is_refused(
    database: Database, billing: BillingSchool, signed: Signature, why: str
) -> None:
    poor = billing.pupils[0]
    with database.transaction(Scope.of(billing.id)) as session:
        right(session, billing, poor, TERM_1)
        claim = approved_claim(session, billing, LEARNING, DECEMBER)
        with pytest.raises(Refused, match=why):
            pay_out(session, claim, poor.id, billing.accountant, signed, DECEMBER)
