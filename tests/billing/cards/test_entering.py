"""Writing cards down: once, in an earlier one's place, sealed, and never why in the audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from billing.audit.tables import AuditEntry
from billing.cards.entering import Entered, NewCard, clean_number, number_of
from billing.cards.reading import live_cards, months_collected
from billing.cards.tables import InsuranceCard
from billing.errors import NotFound, Refused
from billing.insurance.changing import change_cards
from billing.storage import new_id
from tests.billing.insurance.insurance_world import NUMBER, Insuring


def test_a_card_is_entered_once_and_a_change_takes_its_place(insuring: Insuring) -> None:
    school = insuring.school
    card = insuring.buys(0, card_end=date(2025, 9, 30), number=NUMBER)
    with school.open() as session:
        assert insuring.enter(session, card) == Entered(new=1)
        assert insuring.enter(session, card) == Entered(unchanged=1)
        assert insuring.enter(session, replace(card, number="")) == Entered(unchanged=1)  # keeps the number
        later = replace(card, number="", at_a_time=3, collected_in=date(2025, 11, 9))
        assert insuring.enter(session, later) == Entered(changed=1)
        [live] = live_cards(session, school.id, 2025, [school.pupil()]).values()
        assert (live.at_a_time, live.collected_in, live.starts_on) == (3, date(2025, 11, 1), date(2025, 10, 1))
        assert number_of(school.vault, live.number_sealed) == NUMBER
        assert NUMBER.encode() not in (live.number_sealed or b"")
        assert len(session.exec(select(InsuranceCard)).all()) == 2
        assert months_collected(session, school.id, date(2025, 11, 1), date(2025, 11, 30)) == {
            school.pupil(): {date(2025, 11, 1): 3}
        }


def test_why_a_child_is_insured_elsewhere_is_told_to_no_audit(insuring: Insuring) -> None:
    school = insuring.school
    with school.open() as session:
        assert insuring.enter(session, NewCard(school.pupil(1), 2025, "poor")) == Entered(new=1)
        told = str(session.execute(text("SELECT to_jsonb(a)::text FROM audit_entries a")).scalars().all())
        assert "insurance.cards" in told
        assert "poor" not in told
        assert session.exec(select(AuditEntry)).all()
        assert months_collected(session, school.id, date(2025, 1, 1), date(2025, 12, 31)) == {}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": "rich"}, "diện tham gia"),
        ({"collected_in": None}, "tháng thu"),
        ({"collected_in": date(2024, 7, 31)}, "từ tháng 8/2024 đến tháng 12/2025"),
        ({"collected_in": date(2026, 1, 1)}, "từ tháng 8/2024"),
        ({"at_a_time": 5}, "3, 6 hoặc 12"),
        ({"starts_on": date(2025, 9, 1)}, "còn hạn đến 30/09/2025"),
        ({"number": "123"}, "10 hoặc 15 ký tự"),
        ({"number": "ĐN12345678"}, "10 hoặc 15 ký tự"),
    ],
)
def test_what_makes_no_sense_is_refused(insuring: Insuring, changes: dict[str, Any], sentence: str) -> None:
    card = insuring.buys(0, card_end=date(2025, 9, 30))
    with insuring.school.open() as session, pytest.raises(Refused, match=sentence):
        insuring.enter(session, replace(card, **changes))


def test_two_years_are_never_collected_in_one_month(insuring: Insuring) -> None:
    with insuring.school.open() as session:
        insuring.enter(session, insuring.buys(0, collected_in=date(2025, 12, 1)))
        with pytest.raises(Refused, match="12/2025 đã thu BHYT năm 2025"):
            insuring.enter(session, NewCard(insuring.school.pupil(), 2026, collected_in=date(2025, 12, 1)))


def test_only_pupils_of_the_school_have_cards(insuring: Insuring) -> None:
    with insuring.school.open() as session, pytest.raises(NotFound, match="không học ở trường này"):
        insuring.enter(session, NewCard(new_id(), 2025, "poor"))


def test_a_number_is_read_with_blanks_and_small_letters() -> None:
    assert clean_number(" hs4 7575 12345678 ") == "HS4757512345678"
    assert clean_number("  ") == ""


def test_the_database_lets_a_card_be_withdrawn_and_nothing_else(insuring: Insuring) -> None:
    school = insuring.school
    with school.open() as session:
        insuring.enter(session, insuring.buys(0))
    for change in ("year = 2026", "withdrawn_at = NULL", "reason = 'poor'"):
        with pytest.raises(Exception, match=r"permission denied|only ever withdrawn"), school.open() as session:
            session.execute(text(f"UPDATE insurance_cards SET {change}"))  # noqa: S608  the test's own words
    with school.open() as session:
        session.execute(text("UPDATE insurance_cards SET withdrawn_at = :now"), {"now": school.now + timedelta(1)})
    with pytest.raises(Exception, match="only ever withdrawn"), school.open() as session:
        session.execute(text("UPDATE insurance_cards SET withdrawn_at = :now"), {"now": school.now + timedelta(2)})


def test_enter_cards_needs_a_person(insuring: Insuring) -> None:
    school = insuring.school
    nobody = replace(school.billing.accountant, user_id=None)
    with school.open() as session, pytest.raises(Exception, match="một người có tên"):
        change_cards(session, school.vault, nobody, school.id, [insuring.buys(0)], school.now)
