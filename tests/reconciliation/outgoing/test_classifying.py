"""Money out: each purpose takes its sum off 1388 once, ties are kept, and everything can be taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from billing.claims.entitling import NewEntitlement, approve_entitlement, entitle
from billing.claims.paying_out import Signature, pay_out
from billing.claims.paying_out import undo_payout as take_payout_back
from billing.credits.paying_out import states_of, undo_step
from billing.errors import Conflict, NotFound, Refused
from billing.fees.council_rates import RateKind
from billing.fees.tables import FeeItem
from billing.insurance.passing_on import undo_payout
from billing.money import Money
from billing.payments.recording import Received, record_payment
from billing.storage import new_id
from reconciliation.outgoing.classifying import Purpose
from reconciliation.outgoing.kinds import Tie
from reconciliation.outgoing.reading import KindSum, open_out, sums_by_kind, waiting_for_money
from reconciliation.outgoing.standing import refuse_tied
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.reports.filling import report_record
from reconciliation.reports.records import checks
from reconciliation.tables import Match
from service.database import Scope
from tests.billing.credits.credit_world import MEAL
from tests.factories.claims import approved_claim
from tests.reconciliation.outgoing.outgoing_world import WHOLE, Spending, tied

FEE = Purpose("fee", Money(11_000))


def test_a_fee_and_a_purchase_split_one_transfer(spending: Spending) -> None:
    with spending.open() as session:
        before = spending.balances(session)
        out = spending.books(session, 150_000, "thanh toan dong phuc va phi")
        assert spending.balances(session)["1388"] == 150_000
        bought = Purpose("purchase", Money(100_000), item_code="BHYT-THEO-EM", document="HD 0000123")
        items = [each.item_code for each in spending.classify(session, out, FEE, bought_for(session, spending, bought))]
        assert items == [None, bought_item(session, spending)]
        left = open_out(session, spending.id)
        assert [(each.rest, each.transfer.id) for each in left] == [(Money(39_000), out)]
        spending.clearing_is_what_is_unknown(session)
    with spending.open() as session:
        with pytest.raises(Refused, match=r"50\.000 đ, nhiều hơn 39\.000 đ"):
            spending.classify(session, out, Purpose("fee", Money(50_000)))
        for row in session.exec(select(MoneyOut).where(MoneyOut.transfer_id == out)).all():
            spending.take_back(session, row.id)
            with pytest.raises(Conflict, match="đã được hủy"):
                spending.take_back(session, row.id)
        after = spending.balances(session)
        assert after == {**before, "112": before.get("112", 0) - 150_000, "1388": 150_000}


def bought_item(session: Session, spending: Spending) -> str:
    """Return the code of an item that is collected for others."""
    row = session.exec(select(FeeItem.code).where(FeeItem.school_id == spending.id, FeeItem.revenue_account == "3381"))
    return row.first() or ""


def bought_for(session: Session, spending: Spending, purpose: Purpose) -> Purpose:
    return Purpose("purchase", purpose.amount, item_code=bought_item(session, spending), document=purpose.document)


def test_money_to_the_insurer_meets_its_approved_payout(spending: Spending) -> None:
    with spending.open() as session:
        payout = spending.payout(session, WHOLE)
        out = spending.books(session, WHOLE.dong, "nop BHYT hoc sinh")
        spending.clearing_is_what_is_unknown(session)
        (row,) = spending.classify(session, out, tied(Tie.INSURANCE, payout))
        assert (row.kind, row.amount, row.entry_id) == ("insurance", WHOLE, None)
        assert spending.balances(session).get("1388") is None
        assert waiting_for_money(session, spending.id) == []
    twice = spending.insuring.school
    with spending.open() as session:
        again = spending.books(session, WHOLE.dong, "nop BHYT lan hai")
        with pytest.raises(Conflict, match="không còn chờ"):
            spending.classify(session, again, tied(Tie.INSURANCE, payout))
    with spending.open() as session, pytest.raises(Conflict, match="trang Tiền ra"):
        refuse_tied(session, spending.id, payout)
    with pytest.raises(IntegrityError, match="tied to it"), spending.open() as session:
        undo_payout(session, spending.id, payout, twice.billing.approver, "sai", spending.now)
    with spending.open() as session:
        spending.take_back(session, row.id)
        refuse_tied(session, spending.id, payout)
        undo_payout(session, spending.id, payout, twice.billing.approver, "sai", spending.now)
        spending.clearing_is_what_is_unknown(session)


def test_one_order_to_the_bank_pays_several_refunds(spending: Spending) -> None:
    with spending.open() as session:
        lines = spending.refund(session, (0, 1))
        out = spending.books(session, 4 * MEAL.dong, "hoan tien an")
        assert spending.balances(session)["3388H"] == -4 * MEAL.dong
        rows = spending.classify(session, out, *(tied(Tie.REFUND, line) for line in lines))
        assert spending.balances(session).get("3388H") is None
        assert {each.word for each in states_of(session, spending.id, lines).values()} == {"sent"}
        assert sums_by_kind(session, spending.id, date.min, date.max) == [KindSum("refund", 2, 4 * MEAL)]
    with pytest.raises(IntegrityError, match="tied to it"), spending.open() as session:
        undo_step(session, lines[0], spending.accountant, "chưa chuyển", spending.now)
    with spending.open() as session:
        spending.take_back(session, rows[0].id)
        undo_step(session, lines[0], spending.accountant, "chưa chuyển", spending.now)


def test_support_paid_to_a_family_by_bank_left_another_account_than_the_treasury(spending: Spending) -> None:
    """The payout took it off the Treasury deposit; the bank says that it left another account of the school."""
    billing, december = spending.insuring.school.billing, datetime(2025, 12, 22, 1, tzinfo=UTC)
    signed = Signature("Điểu Thị Mai", date(2025, 10, 6), "transfer")
    with spending.open() as session:
        new = NewEntitlement(
            billing.pupils[0].enrolment.id, "HONGHEO", "Giấy chứng nhận hộ nghèo số 15/2025", date(2025, 9, 1), None
        )
        made = entitle(session, billing.id, billing.accountant, new, december)
        approve_entitlement(session, made.id, billing.approver, december)
        claim = approved_claim(session, billing, RateKind.LEARNING, december)
        paid = pay_out(session, claim, billing.pupils[0].id, billing.accountant, signed, december)
        out = spending.books(session, paid.amount.dong, "chi tra ho tro")
        (waits,) = waiting_for_money(session, spending.id)
        assert (waits.tie, waits.amount) == (Tie.SUPPORT, paid.amount)
        assert "Văn" not in waits.words, "nobody reads here whose family is poor"
        assert spending.balances(session)["112KB"] == -paid.amount.dong
        spending.classify(session, out, tied(Tie.SUPPORT, paid.id))
        assert "112KB" not in spending.balances(session)
        spending.clearing_is_what_is_unknown(session)
    with pytest.raises(IntegrityError, match="tied to it"), spending.open() as session:
        take_payout_back(session, paid.id, billing.accountant, "sai", december)


def test_both_legs_of_a_payment_into_the_treasury_are_nobodys_income(spending: Spending) -> None:
    with spending.open() as session:
        out = spending.books(session, 5_000_000, "nop kho bac")
        came = spending.books(session, 5_000_000, "nop kho bac", account=spending.treasury, incoming=True)
        assert spending.state(session, came) == "waiting"
        with pytest.raises(Refused, match="không ghi bằng chứng từ"):
            spending.classify(session, out, Purpose("treasury", Money(5_000_000), document="GNT 12"))
        (row,) = spending.classify(session, out, tied(Tie.LEG, came))
        assert spending.state(session, came) == "matched"
        balances = spending.balances(session)
        assert "1388" not in balances
        assert "3388S" not in balances
    received = Received(
        school_id=spending.id, pupil_id=spending.insuring.school.pupil(), source_kind="transfer", source_id=came,
        amount=Money(5_000_000), value_date=spending.now.date(),
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="own accounts"), spending.open() as session:
        record_payment(session, received, [], spending.now)
    with spending.open() as session:
        assert session.exec(select(Match.outcome).where(Match.transfer_id == came).order_by(col(Match.id))).all()[
            -1
        ] == ("matched")
        record = report_record(session, spending.id, date(2025, 10, 1), date(2025, 10, 31), spending.now)
        assert [each.name for each in checks(record) if each.difference] == []
        assert sum(each.own.dong for each in record.accounts) == 5_000_000
        spending.take_back(session, row.id)
        assert spending.state(session, came) == "waiting"
        assert spending.balances(session)["3388S"] == -5_000_000


def test_without_another_account_a_paper_says_that_it_is_in_the_treasury(spending: Spending) -> None:
    with spending.open() as session:
        out = spending.books(session, 700_000, "nop kho bac")
        with pytest.raises(Refused, match="số chứng từ"):
            spending.classify(session, out, Purpose("treasury", Money(700_000)))
        spending.classify(session, out, Purpose("treasury", Money(700_000), document="GNT 12"))
        assert spending.balances(session)["112KB"] == 700_000
        spending.clearing_is_what_is_unknown(session)


def test_what_is_no_money_out_has_no_purpose(spending: Spending) -> None:
    with spending.open() as session:
        came = spending.books(session, 90_000, incoming=True)
        with pytest.raises(Refused, match="không phải tiền ra"):
            spending.classify(session, came, FEE)
        with pytest.raises(NotFound):
            spending.classify(session, new_id(), FEE)
        out = spending.books(session, 90_000)
        for wrong, words in (
            (Purpose("fee"), "lớn hơn 0"),
            (Purpose("purchase", Money(5)), "số chứng từ"),
            (Purpose("purchase", Money(5), item_code="KHONG-CO", document="1"), "chọn khoản thu"),
            (Purpose("refund", Money(5)), "khoản đã duyệt"),
        ):
            with pytest.raises(Refused, match=words):
                spending.classify(session, out, wrong)
        with pytest.raises(Refused, match="chi cho việc gì"):
            spending.classify(session, out)


def row_of(spending: Spending, transfer: UUID, entry: int | None, **more: Any) -> MoneyOut:  # noqa: ANN401  columns
    facts: dict[str, Any] = {
        "school_id": spending.id, "transfer_id": transfer, "kind": "fee", "amount": Money(60_000), "reason": "x",
        "entry_id": entry, "made_by": spending.accountant.user_id, "at": spending.now, **more,
    }  # fmt: skip
    return MoneyOut(**facts)


def test_the_database_itself_refuses(spending: Spending) -> None:
    with spending.open() as session:
        out, other = spending.books(session, 100_000), spending.books(session, 100_000)
        payout = spending.payout(session, Money(90_000))
        (row,) = spending.classify(session, out, FEE)
        entry = row.entry_id
        came = spending.books(session, 60_000, incoming=True)
    wrong = {
        "more purposes than money": row_of(spending, out, entry, amount=Money(90_000)),
        "money that left": row_of(spending, came, entry),
        "in full": row_of(spending, other, None, kind="insurance", insurance_payout_id=payout, amount=Money(80_000)),
        "insurance_is_tied": row_of(spending, other, None, kind="insurance"),
        "purchase_has_item": row_of(spending, other, entry, kind="purchase", document="1"),
        "treasury_by_leg": row_of(spending, other, entry, kind="treasury"),
        "money_out_school_id_item_code": row_of(
            spending, other, entry, kind="purchase", document="1", item_code="KHONG"
        ),
        "reason_given": row_of(spending, other, entry, reason=""),
    }
    database = spending.insuring.school.database
    for words, bad in wrong.items():
        with pytest.raises(IntegrityError, match=words), database.transaction(Scope.of(spending.id)) as session:
            session.add(bad)


def test_another_school_sees_and_ties_nothing(spending: Spending) -> None:
    database = spending.insuring.school.database
    with spending.open() as session:
        out = spending.books(session, 100_000)
        spending.classify(session, out, FEE)
    with database.transaction(Scope.of(new_id())) as session:
        assert session.exec(select(MoneyOut)).all() == []
        with pytest.raises(NotFound):
            spending.classify(session, out, FEE)
