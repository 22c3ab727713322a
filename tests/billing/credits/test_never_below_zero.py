"""The database refuses a credit below zero, whoever writes and however many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from billing.credits.applying import apply_credit
from billing.credits.refunding import Wanted, approve_refund, ask_refund
from billing.credits.tables import RefundLine
from billing.errors import HocphiError
from billing.ledger.posting import Fact, Line, post
from billing.ledger.tables import JournalEntry
from billing.money import Money
from tests.billing.credits.credit_world import MEAL, School


def take(school: School, session: Session, source: str, amount: Money, item: str | None = "TIENAN") -> None:
    """Take credit out of the book without asking anybody."""
    fact = Fact(school.id, "test", source, school.now.date())
    post(session, fact, [Line("3383", "111", amount, school.pupil(), item)], school.now)


def test_not_even_by_the_book_alone(school: School) -> None:
    with school.open() as session:
        school.lower(session, 9, "TIENAN", 2 * MEAL)
    for amount, item in ((2 * MEAL + Money(1), "TIENAN"), (Money(1), None), (Money(1), "BANTRU")):
        with pytest.raises(IntegrityError, match="more credit is taken"), school.open() as session:
            take(school, session, "1", amount, item)
    with pytest.raises(IntegrityError, match="kept for a pupil"), school.open() as session:
        post(session, Fact(school.id, "test", "2", school.now.date()), [Line("111", "3383", Money(1))], school.now)


def race(school: School, many: int) -> None:
    """Let several take the whole leftover at once; one of them gets it."""

    def one(number: int) -> bool:
        try:
            with school.open() as session:
                take(school, session, f"race {number}", 2 * MEAL)
        except IntegrityError:
            return False
        return True

    with school.open() as session:
        school.lower(session, 9, "TIENAN", 2 * MEAL)
    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(one, range(many))) == 1
    with school.open() as session:
        assert school.kept(session) == {}
        assert len(session.exec(select(JournalEntry).where(JournalEntry.kind == "test")).all()) == 1


def test_five_who_take_at_once(school: School) -> None:
    race(school, 5)


@pytest.mark.proof
def test_fifty_who_take_at_once(school: School) -> None:
    race(school, 50)


def test_using_and_refunding_at_once_spends_it_once(school: School) -> None:
    with school.open() as session:
        school.bill_month(session, 10)
        school.lower(session, 9, "TIENAN", 2 * MEAL)

    def use(_: int) -> int:
        with school.open() as session:
            used = apply_credit(session, school.billing.accountant, school.id, {school.pupil()}, "Trừ", school.now)
            return sum(each.use.amount.dong for each in used)

    def refund(_: int) -> int:
        wanted = [Wanted(school.pupil(), "TIENAN", 2 * MEAL)]
        with school.open() as session:
            asked = ask_refund(session, school.vault, school.billing.accountant, school.id, wanted, "Hoàn", school.now)
            return approve_refund(session, asked.id, school.billing.approver, school.now).dong

    def tried(number: int) -> int:
        try:
            return (use, refund)[number % 2](number)
        except HocphiError:
            return 0

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(tried, range(5))) == (2 * MEAL).dong
    with school.open() as session:
        assert school.kept(session) == {}
        back = sum(line.amount.dong for line in session.exec(select(RefundLine)).all())
        assert back + school.bill(session, 10).paid.dong == (2 * MEAL).dong
