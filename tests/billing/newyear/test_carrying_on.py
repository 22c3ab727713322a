"""Reductions by their dates, rules one year on, and agreed items asked anew unless they are carried over."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session, col, select

from billing.fees.items import Span
from billing.fees.pupils import read_roll
from billing.fees.reducing import approve_reduction
from billing.fees.tables import FeeItem, OptIn, Reduction
from billing.money import Money
from billing.newyear.carrying_on import WentOn, carry_on, preview_going_on
from billing.newyear.choosing import choose_usual
from billing.newyear.promotion import promote
from tests.billing.newyear.year_world import FIRST_DAY, NEW_YEAR, YearSchool

SEPTEMBER = Span(date(2026, 9, 1), date(2026, 9, 30))


def reduction(school: YearSchool, child: int | None, until: date | None, title: str = "Học bổng") -> Reduction:
    return Reduction(
        school_id=school.id,
        enrolment_id=None if child is None else school.enrolment(child),
        title=title,
        item_codes=["BANTRU"],
        item_groups=[],
        kind="percent",
        percent=50,
        payer="school",
        reason_class="HOCBONG",
        legal_basis="Quyết định số 12",
        evidence="Quyết định số 12",
        valid_from=date(2025, 9, 1),
        valid_to=until,
        made_by=school.billing.accountant.user_id,
        approved_by=school.billing.approver.user_id,
    )


def at_the_border(school: YearSchool, session: Session) -> None:
    school.classes(session)
    accountant = school.billing.accountant
    choose_usual(session, school.billing.school, NEW_YEAR, None, accountant, school.later)
    promote(session, school.vault, school.id, NEW_YEAR, FIRST_DAY, accountant, school.later)


def on(school: YearSchool, session: Session, *items: str) -> WentOn:
    return carry_on(session, school.id, NEW_YEAR, items, school.billing.accountant, school.later)


def test_reductions_go_on_by_their_own_dates_and_those_that_end_do_not(school: YearSchool) -> None:
    with school.open() as session:
        in_dong = reduction(school, 0, None)
        in_dong.kind, in_dong.percent, in_dong.amount = "amount", None, Money(20_000)
        session.add_all([in_dong, reduction(school, 1, date(2026, 12, 31)),
                         reduction(school, 2, date(2026, 5, 31))])  # fmt: skip
        at_the_border(school, session)
        told = preview_going_on(session, school.id, NEW_YEAR)
        assert (told.reductions, told.reductions_done, told.ended) == (2, 0, 1)
        assert on(school, session) == WentOn(2, 1, 0)
        assert on(school, session) == WentOn(0, 0, 0)
        told = preview_going_on(session, school.id, NEW_YEAR)
        assert (told.reductions, told.reductions_done, told.ended) == (0, 2, 1)
        roll = read_roll(session, school.id, NEW_YEAR, SEPTEMBER)
        reduced = {each.facts.pupil_id: [one.valid for one in each.facts.reductions] for each in roll.pupils}
        assert reduced[school.pupil(0)] == [Span(FIRST_DAY)]
        copied = session.exec(select(Reduction).where(Reduction.enrolment_id != school.enrolment(0))).all()
        sums = [each.amount for each in copied if each.amount and each.valid_from == FIRST_DAY]
        assert sums == [Money(20_000)]
        assert reduced[school.pupil(1)] == [Span(FIRST_DAY, date(2026, 12, 31))]
        assert reduced[school.pupil(2)] == []
        assert roll.waiting_reductions == frozenset()


def test_a_rule_that_ends_is_proposed_one_year_on_and_waits_for_another(school: YearSchool) -> None:
    with school.open() as session:
        session.add(reduction(school, None, date(2026, 5, 31), "Anh chị em"))
        session.flush()
        *of_the_catalogue, last = preview_going_on(session, school.id, NEW_YEAR).rules
        assert last == "Anh chị em"
        assert on(school, session).rules == len(of_the_catalogue) + 1
        assert on(school, session).rules == 0
        of_title = Reduction.title == "Anh chị em", col(Reduction.approved_by).is_(None)
        (new,) = session.exec(select(Reduction).where(*of_title)).all()
        assert (new.valid_from, new.valid_to, new.approved_by) == (date(2026, 9, 1), date(2027, 5, 31), None)
        approve_reduction(session, school.id, new.id, school.billing.approver, school.later)


def test_agreed_items_are_asked_anew_unless_they_are_carried_over_with_evidence(school: YearSchool) -> None:
    with school.open() as session:
        second = session.exec(
            select(OptIn)
            .join(FeeItem, col(FeeItem.id) == col(OptIn.item_id))
            .where(OptIn.enrolment_id == school.enrolment(1), FeeItem.code == "BANTRU")
        ).one()
        values = second.model_dump(exclude={"id", "evidence"})
        second.withdrawn_at = school.now
        session.add(second)
        session.flush()
        session.add(OptIn(**values, evidence=""))
        at_the_border(school, session)
        told = {each.code: each for each in preview_going_on(session, school.id, NEW_YEAR).opt_ins}
        assert (told["BANTRU"].with_evidence, told["BANTRU"].without) == (2, 1)
        assert on(school, session).registrations == 0, "default: not registered"
        roll = read_roll(session, school.id, NEW_YEAR, SEPTEMBER)
        assert all(not each.facts.registrations for each in roll.pupils)
        assert on(school, session, "BANTRU").registrations == 2
        assert on(school, session, "BANTRU").registrations == 0
        roll = read_roll(session, school.id, NEW_YEAR, SEPTEMBER)
        found = {each.facts.pupil_id: [one.item for one in each.facts.registrations] for each in roll.pupils}
        assert [found[school.pupil(child)] for child in range(4)] == [["BANTRU"], [], ["BANTRU"], []]
        told = {each.code: each for each in preview_going_on(session, school.id, NEW_YEAR).opt_ins}
        assert (told["BANTRU"].carried, told["BANTRU"].with_evidence) == (2, 0)
        said = session.exec(select(OptIn.evidence).where(col(OptIn.evidence).startswith("Chuyển tiếp"))).all()
        assert said == ["Chuyển tiếp từ năm học 2025-2026: Phiếu đăng ký của gia đình"] * 2


def test_an_item_that_the_school_does_not_have_is_not_carried(school: YearSchool) -> None:
    with school.open() as session:
        at_the_border(school, session)
        assert on(school, session, "KHONGCO").registrations == 0
