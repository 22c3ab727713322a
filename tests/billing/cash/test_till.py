"""Tests of the till: counts by two, deposits of what was counted, hand-overs that list each movement once."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.cash.counting import Counted, agree_count, balance_of, count_till, reject_count
from billing.cash.depositing import IN_TRANSIT, Brought, deposit_cash, depositable, take_back_deposit
from billing.cash.handing_over import Handing, decide_handover, hand_over, to_hand
from billing.cash.taking import ScreenMoved
from billing.cash.till_tables import CashCount, CashDeposit, CashHandover, CashHandoverDecision, CashHandoverLine
from billing.errors import Conflict, NotAllowed, NotFound, Refused, SamePerson
from billing.ledger.balances import debit_balance
from billing.money import Money
from billing.storage import new_id
from tests.billing.cash.cash_world import Till


def counts(till: Till, session: Session, dong: int, reason: str = "", by: Actor | None = None) -> CashCount:
    """Count so many thousands as notes of 1,000 đ."""
    book = balance_of(session, till.id)
    counted = Counted(notes={1_000: dong // 1_000}, book=book, reason=reason, form=new_id())
    return count_till(session, by or till.cashier, till.id, counted, till.now)


def brings(till: Till, session: Session, dong: int, slip: str = "NT 01") -> CashDeposit:
    account = till.school.billing.account.id
    brought = Brought(account_id=account, amount=Money(dong), slip=slip, form=new_id())
    return deposit_cash(session, till.cashier, till.id, brought, till.now)


def hands(till: Till, session: Session, to: Actor | None = None) -> CashHandover:
    receiver = (to or till.approver).user_id
    assert receiver
    return hand_over(
        session, till.cashier, till.id, Handing(receiver=receiver, note="kèm chìa khóa két", form=new_id()), till.now
    )


def test_an_equal_count_stands_at_once_and_once(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        counted = Counted(notes={50_000: 1, 20_000: 2}, book=Money(90_000), reason="", form=new_id())
        first = count_till(session, till.cashier, till.id, counted, till.now)
        assert count_till(session, till.cashier, till.id, counted, till.now).id == first.id
        assert first.notes == {"50000": 1, "20000": 2}
        with pytest.raises(Conflict, match="không còn chờ"):
            agree_count(session, till.accountant, till.id, first.id, till.now)


def test_a_difference_has_a_reason_and_a_second_person_and_is_booked(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        with pytest.raises(Refused, match="lý do chênh lệch"):
            counts(till, session, 80_000)
        less = counts(till, session, 80_000, "Thối nhầm")
        with pytest.raises(Conflict, match="còn chờ người thứ hai"):
            counts(till, session, 90_000)
        with pytest.raises(SamePerson):
            agree_count(session, till.cashier, till.id, less.id, till.now)
        with pytest.raises(SamePerson):
            reject_count(session, till.cashier, till.id, less.id, "x", till.now)
        assert depositable(session, till.id) == (None, Money(0))
        agree_count(session, till.accountant, till.id, less.id, till.now)
        assert till.cash(session) == 80_000
        assert debit_balance(session, till.id, "1388Q") == Money(10_000)
        more = counts(till, session, 81_000, "Thừa chưa rõ")
        with pytest.raises(Refused, match="không xác nhận"):
            reject_count(session, till.approver, till.id, more.id, "", till.now)
        reject_count(session, till.approver, till.id, more.id, "Đếm lại", till.now)
        assert till.cash(session) == 80_000
        agree_count(session, till.approver, till.id, counts(till, session, 81_000, "Thừa thật").id, till.now)
        assert debit_balance(session, till.id, "3388Q") == Money(-1_000)
        assert till.cash(session) == 81_000


def test_cash_that_moved_since_the_page_was_shown_stops_a_count(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        stale = Counted(notes={}, book=Money(0), reason="", form=new_id())
        with pytest.raises(ScreenMoved):
            count_till(session, till.cashier, till.id, stale, till.now)


def test_what_was_counted_is_deposited_and_taken_back_by_another(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        with pytest.raises(Refused, match="Chưa có lần kiểm quỹ"):
            brings(till, session, 10_000)
        counts(till, session, 90_000)
        for wrong in (0, 90_001):
            with pytest.raises(Refused, match="từ 1 đ đến"):
                brings(till, session, wrong)
        with pytest.raises(Refused, match="số giấy nộp tiền"):
            brings(till, session, 10_000, " ")
        row = brings(till, session, 60_000)
        assert (till.cash(session), debit_balance(session, till.id, IN_TRANSIT)) == (30_000, Money(60_000))
        till.take(session, till.handed(500_000))
        assert depositable(session, till.id)[1] == Money(30_000), "only what was counted"
        with pytest.raises(SamePerson):
            take_back_deposit(session, till.cashier, till.id, row.id, "Chưa nộp", till.now)
        take_back_deposit(session, till.approver, till.id, row.id, "Chưa nộp", till.now)
        with pytest.raises(Conflict, match="đã được rút lại"):
            take_back_deposit(session, till.approver, till.id, row.id, "Chưa nộp", till.now)
        assert till.cash(session) == 590_000
        with pytest.raises(NotFound):
            deposit_cash(
                session, till.cashier, till.id,
                Brought(account_id=new_id(), amount=Money(1), slip="x", form=new_id()), till.now,
            )  # fmt: skip


def test_a_handover_lists_each_movement_once_and_two_sign(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        with pytest.raises(Refused, match="chưa được kiểm"):
            hands(till, session)
        counts(till, session, 90_000)
        with pytest.raises(SamePerson):
            hands(till, session, till.cashier)
        first = hands(till, session)
        assert (first.number, first.opening, first.closing) == (1, Money(0), Money(90_000))
        with pytest.raises(Conflict, match="chờ người nhận"):
            hands(till, session)
        with pytest.raises(NotAllowed):
            decide_handover(session, till.accountant, till.id, first.id, till.now, accepted=True)
        with pytest.raises(NotAllowed):
            decide_handover(session, till.cashier, till.id, first.id, till.now, accepted=True)
        with pytest.raises(Refused, match="lý do"):
            decide_handover(session, till.approver, till.id, first.id, till.now, accepted=False)
        decide_handover(session, till.approver, till.id, first.id, till.now, accepted=False, reason="Thiếu chứng từ")
        assert len(to_hand(session, till.id).entries) == 1
        second = hands(till, session)
        decide_handover(session, till.approver, till.id, second.id, till.now, accepted=True)
        with pytest.raises(Refused, match="chưa có thu chi"):
            hands(till, session)
        brings(till, session, 40_000)
        counts(till, session, 50_000)
        third = hands(till, session)
        assert (third.number, third.opening, third.closing) == (3, Money(90_000), Money(50_000))
        lines = session.exec(select(CashHandoverLine).where(CashHandoverLine.handover_id == third.id)).all()
        assert len(lines) == 1


def test_the_database_refuses_what_the_rules_refuse(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        waiting = counts(till, session, 80_000, "Thiếu").id
    cashier, accountant, approver = till.cashier.user_id, till.accountant.user_id, till.approver.user_id
    assert cashier
    assert accountant
    assert approver
    count = CashCount(school_id=till.id, form=new_id(), counted=Money(1), book=Money(1), made_by=cashier, at=till.now)
    with pytest.raises(IntegrityError, match="waits for its second person"):
        till.store(count)
    deposit = CashDeposit(
        school_id=till.id, form=new_id(), count_id=waiting, bank_account_id=till.school.billing.account.id,
        amount=Money(1), slip="x", entry_id=1, made_by=cashier, at=till.now,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="than was counted"):
        till.store(deposit)
    handover = CashHandover(
        id=new_id(), school_id=till.id, form=new_id(), number=1, count_id=waiting, receiver=accountant,
        opening=Money(0), closing=Money(0), made_by=cashier, at=till.now,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="does not keep its cash"):
        till.store(handover)
    handover.receiver = approver
    decided = CashHandoverDecision(
        handover_id=handover.id, school_id=till.id, accepted=True, decided_by=cashier, at=till.now
    )
    with pytest.raises(IntegrityError, match="the receiver accepts"):
        till.store(handover, decided)
