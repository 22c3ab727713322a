"""Posting many facts at once writes what posting them one by one would, and nothing twice."""

from datetime import date, datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from billing.errors import NotFound
from billing.ledger.accounts import open_account
from billing.ledger.balances import trial_balance
from billing.ledger.posting import Fact, Line, post
from billing.ledger.posting_many import Posted, post_many
from billing.ledger.tables import JournalEntry, Posting
from billing.money import ZERO, Money, total
from billing.people.tables import School
from billing.storage import new_id
from service.database import EVERYTHING, Database
from tests.factories.schools import make_class, make_pupil, make_school

DAY = date(2025, 10, 6)


def school_of(session: Session) -> School:
    school = make_school(session)
    open_account(session, school.id, "531", "Thu dịch vụ", "income")
    return school


def facts_of(school: School) -> list[Posted]:
    return [
        Posted(
            Fact(school.id, "bill_issued", f"bill {number}", DAY, "ghi chú"),
            (
                Line("131", "531", Money(100 * number), item_code="A"),
                Line("131N", "531", ZERO),
                Line("131N", "531", Money(7)),
            ),
        )
        for number in range(1, 6)
    ]


def rows_of(session: Session, school: School) -> list[tuple[object, ...]]:
    query = (
        select(JournalEntry, Posting)
        .join(Posting, col(Posting.entry_id) == col(JournalEntry.id))
        .where(JournalEntry.school_id == school.id)
        .order_by(col(JournalEntry.source_id), col(Posting.amount))
    )
    return [
        (entry.kind, entry.source_id, entry.value_date, entry.recorded_at, entry.note, line.amount, line.item_code)
        for entry, line in session.exec(query).all()
    ]


def test_many_at_once_are_the_same_rows_as_one_by_one(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        one, many = school_of(session), school_of(session)
        for each in facts_of(one):
            post(session, each.fact, each.lines, now)
        assert post_many(session, many.id, facts_of(many), now) == 5
        assert rows_of(session, many) == rows_of(session, one)
        assert len(rows_of(session, many)) == 10
        assert trial_balance(session, many.id) == trial_balance(session, one.id)
        assert total(trial_balance(session, many.id).values()) == ZERO


def test_shared_lines_are_each_facts_own(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        school = school_of(session)
        group = make_class(session, school)
        pupils = [make_pupil(session, group, province_id=school.province_id).pupil.id for _ in range(3)]
        lines = (Line("131", "531", Money(5), item_code="A"), Line("131", "531", Money(6), pupil_id=pupils[0]))
        facts = [Posted(Fact(school.id, "bill_issued", str(pupil), DAY), lines, pupil_id=pupil) for pupil in pupils]
        assert post_many(session, school.id, facts, now) == 3
        found = session.exec(
            select(col(JournalEntry.source_id), col(Posting.amount), col(Posting.pupil_id)).join(
                Posting, col(Posting.entry_id) == col(JournalEntry.id)
            )
        ).all()
        assert set(found) == {
            *((str(pupil), Money(5), pupil) for pupil in pupils),
            *((str(pupil), Money(6), pupils[0]) for pupil in pupils),
        }


def test_facts_without_money_make_no_entry(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        school = school_of(session)
        empty = Posted(Fact(school.id, "bill_issued", "covered", DAY), (Line("131", "531", ZERO),))
        assert post_many(session, school.id, [empty], now) == 0
        assert post_many(session, school.id, [], now) == 0
        assert session.exec(select(func.count()).select_from(JournalEntry)).one() == 0


def test_a_fact_posted_before_is_refused_with_all_of_them(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        school = school_of(session)
        post_many(session, school.id, facts_of(school)[:1], now)
    with pytest.raises(IntegrityError), database.transaction(EVERYTHING) as session:
        post_many(session, school.id, list(reversed(facts_of(school))), now)
    with database.transaction(EVERYTHING) as session:
        assert len(rows_of(session, school)) == 2


def test_unknown_accounts_and_other_schools_are_refused(database: Database, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        school = school_of(session)
        odd = Posted(Fact(school.id, "bill_issued", "x", DAY), (Line("131", "999", Money(1)),))
        with pytest.raises(NotFound, match="999"):
            post_many(session, school.id, [odd], now)
        foreign = Posted(Fact(new_id(), "bill_issued", "x", DAY), (Line("131", "531", Money(1)),))
        with pytest.raises(ValueError, match="one school"):
            post_many(session, school.id, [foreign], now)
