"""Tests of what a form, a paper or a count stands for: once, for what it said, until something newer says otherwise."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from billing.cash.counting import Counted, count_till, reject_count, uncounted_days
from billing.cash.depositing import Brought, deposit_cash, depositable, take_back_deposit
from billing.cash.handing_over import Handing, hand_over
from billing.cash.paper_books import Leaf, open_book
from billing.cash.tables import PaperBook, PaperNumber
from billing.cash.till_tables import CashDeposit
from billing.cash.undoing import approve_reversal, ask_reversal, refuse_reversal
from billing.errors import Conflict, Refused
from billing.money import Money
from billing.storage import new_id
from tests.billing.cash.cash_world import Till
from tests.billing.cash.test_till import brings, counts, hands


def test_a_deposit_under_an_old_key_is_refused_unless_it_is_the_same(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        counts(till, session, 90_000)
        account = till.school.billing.account.id
        brought = Brought(account_id=account, amount=Money(50_000), slip="A 1", form=new_id())
        first = deposit_cash(session, till.cashier, till.id, brought, till.now)
        assert deposit_cash(session, till.cashier, till.id, brought, till.now).id == first.id
        for other in (
            replace(brought, amount=Money(40_000)),
            replace(brought, slip="A 2"),
            replace(brought, account_id=new_id()),
        ):
            with pytest.raises(Conflict, match=r"một lần nộp khác: 50\.000"):
                deposit_cash(session, till.cashier, till.id, other, till.now)
        assert till.cash(session) == 40_000


def test_a_second_leaf_under_an_old_key_is_refused(till: Till) -> None:
    today = till.now.date()
    with till.open() as session:
        book = open_book(session, till.cashier, till.id, "AB", 1, 50, till.now)
        handed = till.handed(90_000, leaf=Leaf(book.id, 1), day=today)
        first = till.take(session, handed)
        assert till.take(session, handed).id == first.id
        for other in (
            replace(handed, leaf=Leaf(book.id, 2)),
            replace(handed, leaf=None),
            replace(handed, day=today - timedelta(days=1)),
            replace(handed, payer="Điểu Thị Lan"),
            replace(handed, chosen=frozenset({new_id()})),
        ):
            with pytest.raises(Conflict, match="một lần thu khác"):
                till.take(session, other)
        assert [row.number for row in session.exec(select(PaperNumber)).all()] == [1]
        assert till.cash(session) == 90_000


def test_a_count_or_hand_over_under_an_old_key_is_refused(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        count = Counted(notes={50_000: 1, 20_000: 2, 500: 0}, book=Money(90_000), reason="", form=new_id())
        first = count_till(session, till.cashier, till.id, count, till.now)
        assert count_till(session, till.cashier, till.id, count, till.now).id == first.id
        for notes in ({10_000: 9}, {50_000: 1}):
            with pytest.raises(Conflict, match="một lần kiểm quỹ khác"):
                count_till(session, till.cashier, till.id, replace(count, notes=notes), till.now)
        receiver, other = till.approver.user_id, till.second.user_id
        assert receiver
        assert other
        handing = Handing(receiver=receiver, note="chìa khóa", form=new_id())
        row = hand_over(session, till.cashier, till.id, handing, till.now)
        assert hand_over(session, till.cashier, till.id, handing, till.now).id == row.id
        for changed in (replace(handing, receiver=other), replace(handing, note="")):
            with pytest.raises(Conflict, match="nội dung khác"):
                hand_over(session, till.cashier, till.id, changed, till.now)


def test_after_a_count_that_was_not_agreed_to_no_older_one_serves(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        older = counts(till, session, 90_000)
        less = counts(till, session, 10_000, "Chưa rõ")
        reject_count(session, till.accountant, till.id, less.id, "Đếm lại", till.now)
        assert depositable(session, till.id) == (None, Money(0))
        with pytest.raises(Refused, match="Chưa có lần kiểm quỹ"):
            brings(till, session, 10_000)
        with pytest.raises(Refused, match="chưa được kiểm"):
            hands(till, session)
        counts(till, session, 90_000)
        assert depositable(session, till.id)[1] == Money(90_000)
        deposit = CashDeposit(
            school_id=till.id, form=new_id(), count_id=older.id, bank_account_id=till.school.billing.account.id,
            amount=Money(1), slip="x", entry_id=1, made_by=older.made_by, at=till.now,
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="of the newest count"):
        till.store(deposit)


def test_a_day_whose_only_count_was_not_agreed_to_is_uncounted(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        less = counts(till, session, 10_000, "Chưa rõ")
        day = (till.now + timedelta(hours=7)).date()
        assert uncounted_days(session, till.id, day + timedelta(days=1)) == ()
        reject_count(session, till.accountant, till.id, less.id, "Đếm lại", till.now)
        assert uncounted_days(session, till.id, day + timedelta(days=1)) == (day,)


def test_no_reversal_out_of_a_till_that_holds_less(till: Till) -> None:
    with till.open() as session:
        taking = till.take(session, till.handed(90_000))
        counts(till, session, 90_000)
        brought = brings(till, session, 10_000)
        asked = ask_reversal(session, till.cashier, till.id, taking.id, "Nhầm em", till.now)
        with pytest.raises(Refused, match=r"chỉ còn 80\.000.*phiếu hoàn tiền"):
            approve_reversal(session, till.approver, till.id, asked.id, till.now)
        refuse_reversal(session, till.approver, till.id, asked.id, "Quỹ không đủ", till.now)
        take_back_deposit(session, till.approver, till.id, brought.id, "Chưa nộp", till.now)
        till.take_back(session, taking)
        assert till.cash(session) == 0


def test_cash_that_came_and_went_is_counted_before_the_till_is_handed_over(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        counts(till, session, 90_000)
        till.take_back(session, till.take(session, till.handed(50_000, 2)))
        with pytest.raises(Refused, match="chưa được kiểm"):
            hands(till, session)
        counts(till, session, 90_000)
        assert hands(till, session).closing == Money(90_000)


def test_one_book_has_one_spelling(till: Till) -> None:
    with till.open() as session:
        book = open_book(session, till.cashier, till.id, "AB/25", 1, 50, till.now)
        for code in ("ab/25", "AB / 25", "ＡＢ/25"):
            with pytest.raises(Conflict, match="Quyển AB/25 đã có"):
                open_book(session, till.cashier, till.id, code, 1, 50, till.now)
    again = PaperBook(
        school_id=till.id, code="ab /25", first_number=1, last_number=50, made_by=book.made_by, at=till.now
    )
    with pytest.raises(IntegrityError, match="uq_paper_books_folded"):
        till.store(again)


def test_a_paper_of_the_bank_stands_for_one_deposit_on_an_account(till: Till) -> None:
    with till.open() as session:
        till.take(session, till.handed(90_000))
        count = counts(till, session, 90_000)
        first = brings(till, session, 40_000, "NT 1")
        for slip in ("NT 1", " nt1 "):
            with pytest.raises(Conflict, match=r"NT 1 đã ghi cho lần nộp 40\.000"):
                brings(till, session, 50_000, slip)
        take_back_deposit(session, till.approver, till.id, first.id, "Ghi nhầm", till.now)
        brings(till, session, 40_000, "NT 1")
        assert till.cash(session) == 50_000
        twice = CashDeposit(
            school_id=till.id, form=new_id(), count_id=count.id, bank_account_id=first.bank_account_id,
            amount=Money(1), slip="Nt 1", entry_id=1, made_by=first.made_by, at=till.now,
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="stands for another deposit"):
        till.store(twice)


def test_a_leaf_from_before_the_school_was_here_is_refused(till: Till) -> None:
    with till.open() as session:
        book = open_book(session, till.cashier, till.id, "AB", 1, 50, till.now)
        for day in (date(1900, 1, 1), date(2024, 12, 31)):
            with pytest.raises(Refused, match="nên nhận từ ngày 01/01/2025"):
                till.take(session, till.handed(90_000, leaf=Leaf(book.id, 1), day=day))
        assert till.take(session, till.handed(90_000, leaf=Leaf(book.id, 1), day=date(2025, 1, 1))).day.month == 1
