"""Tests of reversing a taking: two people, the receipt void with its number, the bills open again, the till less."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from billing.cash import undoing
from billing.cash.paper_books import Leaf, open_book
from billing.cash.tables import CashReversal, CashReversalDecision
from billing.cash.undoing import approve_reversal, ask_reversal, payment_of, refuse_reversal
from billing.credits.using import Occasion, use_credit
from billing.errors import Conflict, NotFound, OwnFamily, Refused, SamePerson
from billing.events.tables import Event
from billing.money import Money
from billing.payments.reversing import reverse_payment
from billing.payments.tables import Receipt, ReceiptVoid
from billing.people import agreeing
from billing.people.kinship_tables import OwnChild
from billing.storage import new_id
from service.database import Scope
from tests.billing.cash.cash_world import Till
from tests.factories.closing import shut


def test_a_taking_is_reversed_and_its_number_stays(till: Till) -> None:
    with till.open() as session:
        before = till.school.bill(session, 9, 1).rest
        taking = till.take(session, till.handed(before.dong))
    with till.open() as session:
        till.take_back(session, taking)
        assert till.school.bill(session, 9, 1).rest == before
        assert till.cash(session) == 0
        assert session.exec(select(ReceiptVoid.reason)).all() == ["Ghi nhầm em"]
        told = select(Event.kind).where(Event.subject_id == payment_of(session, taking).id).order_by("id")
        assert session.exec(told).all() == ["payment_received", "payment_reversed"]
        till.take(session, till.handed(1000))
        assert sorted(session.exec(select(Receipt.number)).all()) == [1, 2]


def test_two_people_and_once(till: Till) -> None:
    with till.open() as session:
        taking = till.take(session, till.handed(1000))
        asked = ask_reversal(session, till.approver, till.id, taking.id, "Nhầm", till.now)
        with pytest.raises(SamePerson):
            approve_reversal(session, till.approver, till.id, asked.id, till.now)
        with pytest.raises(SamePerson):
            approve_reversal(session, till.cashier, till.id, asked.id, till.now)
        with pytest.raises(Conflict, match="đã có đề nghị"):
            ask_reversal(session, till.cashier, till.id, taking.id, "Nhầm", till.now)
        refuse_reversal(session, till.second, till.id, asked.id, "Tiền đúng", till.now)
        with pytest.raises(Conflict, match="đã được quyết định"):
            approve_reversal(session, till.second, till.id, asked.id, till.now)
        again = ask_reversal(session, till.cashier, till.id, taking.id, "Nhầm thật", till.now)
        approve_reversal(session, till.second, till.id, again.id, till.now)
        with pytest.raises(Conflict, match="hoặc đã đảo"):
            ask_reversal(session, till.cashier, till.id, taking.id, "Nhầm", till.now)


def test_reasons_and_what_is_not_there(till: Till) -> None:
    with till.open() as session:
        taking = till.take(session, till.handed(1000))
        with pytest.raises(Refused, match="lý do đảo"):
            ask_reversal(session, till.cashier, till.id, taking.id, " ", till.now)
        with pytest.raises(NotFound):
            ask_reversal(session, till.cashier, till.id, new_id(), "Nhầm", till.now)
        asked = ask_reversal(session, till.cashier, till.id, taking.id, "Nhầm", till.now)
        with pytest.raises(Refused, match="lý do không đảo"):
            refuse_reversal(session, till.approver, till.id, asked.id, "", till.now)
        month = till.now.date().replace(day=1)
        shut(session, till.id, month, till.now + timedelta(days=40))
        with pytest.raises(Refused, match="đã khóa"):
            approve_reversal(session, till.approver, till.id, asked.id, till.now)


def test_a_leaf_of_a_closed_month_is_reversed_while_the_month_that_books_it_is_open(till: Till) -> None:
    with till.open() as session:
        book = open_book(session, till.cashier, till.id, "AB", 1, 50, till.now)
        shut(session, till.id, date(2025, 9, 1), till.now)
        handed = till.handed(1000, leaf=Leaf(book.id, 1), day=date(2025, 9, 20))
        till.take_back(session, till.take(session, handed))
        assert till.cash(session) == 0
        again = till.take(session, replace(handed, form=new_id()))
        asked = ask_reversal(session, till.cashier, till.id, again.id, "Nhầm", till.now)
        shut(session, till.id, date(2025, 10, 1), till.now + timedelta(days=40))
        with pytest.raises(Refused, match="Sổ tháng 10/2025 đã khóa"):
            approve_reversal(session, till.approver, till.id, asked.id, till.now)


def test_a_month_that_is_closed_while_a_taking_is_reversed_is_not_reversed(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    with till.open() as session:
        asked = ask_reversal(session, till.cashier, till.id, till.take(session, till.handed(1000)).id, "Nhầm", till.now)

    def closed_meanwhile(*_: object) -> None:
        with till.open() as session:
            shut(session, till.id, till.now.date().replace(day=1), till.now + timedelta(days=40))

    monkeypatch.setattr(undoing, "hold_cash", closed_meanwhile)
    # Half done inside: whoever catches it takes the whole transaction back.
    with pytest.raises(Refused, match="đã khóa"), till.open() as session:
        approve_reversal(session, till.approver, till.id, asked.id, till.now)
    with till.open() as session:
        assert session.exec(select(ReceiptVoid)).all() == []


def test_credit_that_was_used_is_not_taken_away_beneath_a_bill(till: Till) -> None:
    with till.open() as session:
        open_ = till.school.bill(session, 9, 1).rest + till.school.bill(session, 10, 1).rest
        taking = till.take(session, till.handed(open_.dong + 70_000))
        asked = ask_reversal(session, till.cashier, till.id, taking.id, "Nhầm", till.now)
        till.school.bill_month(session, 11)
        use_credit(
            session,
            Occasion(school_id=till.id, made_by=till.accountant.user_id, reason="Dùng tiền thừa"),
            [till.school.pupil(1)],
            till.now,
        )
        with pytest.raises(Refused, match="chỉ còn"):
            approve_reversal(session, till.approver, till.id, asked.id, till.now)


def test_the_database_wants_the_decision_of_two(till: Till) -> None:
    with till.open() as session:
        taking = till.take(session, till.handed(1000))
        payment = payment_of(session, taking).id
    transaction = till.school.database.transaction(Scope.of(till.id))
    with pytest.raises(IntegrityError, match="two people decided"), transaction as session:
        reverse_payment(session, till.id, payment, till.approver.user_id, "x", till.now)
    maker, taker = till.approver.user_id, till.cashier.user_id
    assert maker
    assert taker
    asked, again = (
        CashReversal(id=new_id(), school_id=till.id, taking_id=taking.id, reason="x", made_by=maker, at=till.now)
        for _ in range(2)
    )
    for decider in (maker, taker):
        decided = CashReversalDecision(
            reversal_id=asked.id, school_id=till.id, approved=True, decided_by=decider, at=till.now
        )
        with pytest.raises(IntegrityError, match="by two people"):
            till.store(copied(asked), decided)
    with pytest.raises(IntegrityError, match="asked for already"):
        till.store(asked, again)


def copied(asked: CashReversal) -> CashReversal:
    return CashReversal(**asked.model_dump())


def test_money(till: Till) -> None:
    with till.open() as session:
        till.take_back(session, till.take(session, till.handed(1234, 2)))
        assert till.cash(session) == 0
        assert till.school.kept(session, 2) == {}
        assert till.school.bill(session, 9, 2).paid == Money(0)


@pytest.mark.parametrize("who", ["who took it", "who asked"])
def test_a_child_declared_after_asking_stops_the_reversal(
    till: Till, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = {"who took it": till.cashier, "who asked": till.second}[who]
    with till.open() as session:
        taking = till.take(session, till.handed(1000, 1))
        asked = ask_reversal(session, till.second, till.id, taking.id, "Nhầm", till.now)
        assert person.user_id
        child = till.school.pupil(1)
        session.add(
            OwnChild(school_id=till.id, user_id=person.user_id, pupil_id=child, made_by=person.user_id, at=till.now)
        )
        session.flush()
        with pytest.raises(OwnFamily, match="trong nhà của người đề nghị"):
            approve_reversal(session, till.approver, till.id, asked.id, till.now)
        monkeypatch.setattr(agreeing, "refuse_askers_family", lambda *_: None)
        with pytest.raises(IntegrityError, match="family of who asked"), session.begin_nested():
            approve_reversal(session, till.approver, till.id, asked.id, till.now)


def test_nobody_takes_or_reverses_cash_of_the_own_family(till: Till) -> None:
    with till.open() as session:
        taking = till.take(session, till.handed(1000, 1))
        child = till.school.pupil(1)
        for person in (till.cashier, till.approver):
            assert person.user_id
            session.add(
                OwnChild(school_id=till.id, user_id=person.user_id, pupil_id=child, made_by=person.user_id, at=till.now)
            )
        session.flush()
        with pytest.raises(OwnFamily):
            till.take(session, till.handed(1000, 1))
        till.take(session, till.handed(1000, 2))
        with pytest.raises(OwnFamily):
            ask_reversal(session, till.cashier, till.id, taking.id, "Nhầm", till.now)
        asked = ask_reversal(session, till.second, till.id, taking.id, "Nhầm", till.now)
        with pytest.raises(OwnFamily):
            approve_reversal(session, till.approver, till.id, asked.id, till.now)
