"""The months of claims as pure rules: each once, never more than the year allows, and corrections that add up."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.claims.months import (
    Billed,
    ClaimRules,
    Difference,
    Grant,
    Known,
    Learner,
    MonthRight,
    Stay,
    days_of,
    digest_of,
    owner_of,
    usual_months,
    work_out,
    year_of,
)
from billing.errors import Refused
from billing.fees.council_rates import RateKind
from billing.fees.items import Level, Span
from billing.fees.places import Located
from billing.money import ZERO, Money, total
from tests.factories.claims import rate

HERE, THERE = UUID(int=1), UUID(int=2)
HERE_IT_LIES = (Located("ward", ""),)
YEAR = "2025-2026"
ALL = Grant("Miễn học phí", "NQ 217", 100, Span(date(2025, 9, 1)))
WHOLE_YEAR = (date(2025, 8, 1), date(2026, 7, 1))
TERM_1, TERM_2 = usual_months(YEAR, 1), usual_months(YEAR, 2)


def rules(
    kind: RateKind = RateKind.TUITION, months: tuple[date, date] = TERM_1, *, school: UUID = HERE, cap: int | None = 9
) -> ClaimRules:
    rates = tuple(
        rate(each, level=level, months=cap, valid=Span(date(2025, 8, 1))) for each in RateKind for level in Level
    )
    return ClaimRules(kind, school, HERE_IT_LIES, YEAR, *months, rates)


def learner(
    *stays: Stay,
    level: Level = Level.PRIMARY,
    grants: tuple[Grant, ...] = (ALL,),
    number: int = 1,
    tuition: dict[date, Money] | None = None,
    billed: dict[date, Billed] | None = None,
) -> Learner:
    enrolment = UUID(int=number + 1000)
    return Learner(UUID(int=number), enrolment, level, "1A", stays, grants, tuition or {}, billed=billed or {})


def billed(dong: int) -> Billed:
    """Return a share of half a tuition, as a bill takes it off by law."""
    return Billed(Money(2 * dong), Money(dong), "Con của người bị tai nạn lao động", "NĐ 238")


def stay(start: date, end: date | None = None, school: UUID = HERE) -> Stay:
    return Stay(school, Span(start, end))


def months(lines: tuple[Difference, ...]) -> list[int]:
    return sorted(line.right.month.month for line in lines if line.right.amount)


def known_after(known: tuple[Known, ...], lines: tuple[Difference, ...]) -> tuple[Known, ...]:
    """Return what is known once a claim is approved: the last revision of each month."""
    latest = {(each.pupil_id, each.month): each for each in known}
    for line in lines:
        right = line.right
        key = (right.pupil_id, right.month)
        assert line.revision == (latest[key].revision + 1 if key in latest else 0)
        assert line.previous == (latest[key].amount if key in latest else ZERO)
        latest[key] = Known(right.pupil_id, right.month, line.revision, right.amount, right)
    return tuple(latest.values())


def test_one_day_of_a_month_is_the_month() -> None:
    worked = work_out([learner(stay(date(2025, 9, 30), date(2025, 11, 1)))], rules(), [])
    assert months(worked.lines) == [9, 10, 11]
    assert worked.total == Money(120_000 * 3)


def test_summer_is_paid_for_in_preschool_only() -> None:
    whole = stay(date(2025, 8, 1))
    assert len(work_out([learner(whole)], rules(months=WHOLE_YEAR), []).lines) == 9
    small = learner(whole, level=Level.PRESCHOOL)
    assert months(work_out([small], rules(months=WHOLE_YEAR, cap=None), []).lines) == [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        *range(9, 13),
    ]


def test_a_pupil_poor_in_the_first_term_only() -> None:
    poor = Grant("Hộ nghèo", "NĐ 238", 100, Span(date(2025, 9, 1), date(2025, 12, 31)))
    child = learner(stay(date(2025, 9, 1)), grants=(poor,))
    learning = RateKind.LEARNING
    assert months(work_out([child], rules(learning, TERM_1), []).lines) == [9, 10, 11, 12]
    assert work_out([child], rules(learning, TERM_2), []).lines == ()


def test_a_right_that_begins_within_a_month_counts_from_the_next() -> None:
    late = Grant("Hộ nghèo", "NĐ 238", 100, Span(date(2025, 10, 2)))
    child = learner(stay(date(2025, 9, 1)), grants=(late,))
    assert months(work_out([child], rules(RateKind.LEARNING), []).lines) == [11, 12]


def test_the_month_of_a_transfer_belongs_to_the_first_school() -> None:
    stays = (stay(date(2025, 9, 1), date(2026, 1, 14)), stay(date(2026, 1, 15), school=THERE))
    assert months(work_out([learner(*stays)], rules(months=TERM_2), []).lines) == [1]
    assert months(work_out([learner(*stays)], rules(months=TERM_2, school=THERE), []).lines) == [2, 3, 4, 5]


def test_of_two_enrolments_on_one_day_the_earlier_has_the_month() -> None:
    stays = (stay(date(2025, 9, 5)), stay(date(2025, 8, 20), school=THERE))
    owner = owner_of(date(2025, 10, 1), stays)
    assert owner is not None
    assert owner.school == THERE


def test_support_is_at_most_the_schools_own_tuition() -> None:
    cheap = Learner(
        UUID(int=1),
        UUID(int=2),
        Level.PRIMARY,
        "1A",
        (stay(date(2025, 9, 1)),),
        (ALL,),
        {date(2025, 9, 1): Money(90_000)},
    )
    worked = work_out([cheap], rules(RateKind.SUPPORT), [])
    assert [line.amount for line in worked.lines] == [Money(90_000)]
    assert [oddity.text[:30] for oddity in worked.oddities] == ["Không có học phí tính theo thá"] * 3


def test_a_share_of_the_rate() -> None:
    half = Grant("Giảm 50 %", "NĐ 238", 50, Span(date(2025, 9, 1)))
    worked = work_out([learner(stay(date(2025, 9, 1)), grants=(half,))], rules(), [])
    assert worked.total == Money(60_000 * 4)


def test_what_another_school_asked_for_is_left_to_it_and_counts_for_the_cap() -> None:
    child = learner(stay(date(2025, 9, 1)))
    theirs = Known(child.pupil_id, date(2025, 10, 1), 0, Money(120_000), None)
    worked = work_out([child], rules(), [theirs])
    assert months(worked.lines) == [9, 11, 12]
    assert "Trường khác đã đề nghị tháng 10/2025" in worked.oddities[0].text
    assert len(work_out([child], rules(cap=3), [theirs]).lines) == 1, "September; October was theirs, two were left"


def test_no_rate_is_said_with_level_and_month() -> None:
    nothing = ClaimRules(RateKind.TUITION, HERE, HERE_IT_LIES, YEAR, *TERM_1, ())
    with pytest.raises(Refused, match=r"cấp tiểu học, tháng 09/2025"):
        work_out([learner(stay(date(2025, 9, 1)))], nothing, [])


@pytest.mark.parametrize("text", ["2025", "2025-2027", "25-26", "2025/2026", ""])
def test_a_school_year_is_two_years_in_a_row(text: str) -> None:
    with pytest.raises(Refused):
        year_of(text)


@st.composite
def stays(draw: st.DrawFn) -> tuple[Stay, ...]:
    """Draw up to four stays at two schools; a pupil may be at both on one day."""
    made = []
    for _ in range(draw(st.integers(1, 4))):
        start = date(2025, 8, 1) + timedelta(days=draw(st.integers(0, 320)))
        length = draw(st.one_of(st.none(), st.integers(0, 250)))
        end = None if length is None else start + timedelta(days=length)
        made.append(Stay(draw(st.sampled_from([HERE, THERE])), Span(start, end)))
    return tuple(made)


@st.composite
def learners(draw: st.DrawFn) -> tuple[Learner, ...]:
    """Draw a few pupils with grants of any share and dates."""
    level = st.sampled_from([Level.PRESCHOOL, Level.PRIMARY, Level.UPPER_SECONDARY])
    made = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        grants = []
        for _ in range(draw(st.integers(0, 2))):
            start = date(2025, 8, 1) + timedelta(days=draw(st.integers(0, 300)))
            grants.append(Grant("Hộ nghèo", "NĐ", draw(st.integers(1, 100)), Span(start, start + timedelta(days=90))))
        made.append(learner(*draw(stays()), level=draw(level), grants=tuple(grants) or (ALL,), number=number))
    return tuple(made)


@given(learners(), st.sampled_from([None, 1, 5, 9]))
def test_every_month_of_a_pupil_is_asked_for_once_whoever_asks(children: tuple[Learner, ...], cap: int | None) -> None:
    known: tuple[Known, ...] = ()
    asked: list[tuple[UUID, date]] = []
    for school in (HERE, THERE):
        for window in (TERM_1, TERM_2):
            seen = tuple(
                Known(each.pupil_id, each.month, each.revision, each.amount, each.line if at == school else None)
                for each, at in ((each, _school(each, children)) for each in known)
            )
            worked = work_out(children, rules(months=window, school=school, cap=cap), seen)
            asked += [(line.right.pupil_id, line.right.month) for line in worked.lines]
            known = (*known, *known_after((), worked.lines))
    assert len(asked) == len(set(asked))
    by_pupil: dict[UUID, int] = defaultdict(int)
    for pupil, month in asked:
        by_pupil[pupil] += 1
        child = next(child for child in children if child.pupil_id == pupil)
        assert any(each.days.within(days_of(month)) for each in child.stays)
    assert all(count <= (cap or 12) for count in by_pupil.values())


def _school(each: Known, children: tuple[Learner, ...]) -> UUID:
    child = next(child for child in children if child.pupil_id == each.pupil_id)
    owner = owner_of(each.month, child.stays)
    assert owner is not None
    return owner.school


@given(learners(), learners(), learners())
def test_all_lists_together_are_the_recalculation(
    first: tuple[Learner, ...], second: tuple[Learner, ...], third: tuple[Learner, ...]
) -> None:
    known: tuple[Known, ...] = ()
    asked = ZERO
    for children in (first, second, third):
        worked = work_out(children, rules(), known)
        asked += worked.total
        known = known_after(known, worked.lines)
    fresh = work_out(third, rules(), [])
    assert asked == fresh.total == total(each.amount for each in known)
    assert work_out(third, rules(), known).lines == (), "and once more there is no difference"
    assert {(each.pupil_id, each.month) for each in known if each.amount} == {
        (line.right.pupil_id, line.right.month) for line in fresh.lines
    }


@given(learners())
def test_the_digest_names_every_line(children: tuple[Learner, ...]) -> None:
    worked = work_out(children, rules(), [])
    digest = digest_of(rules(), 1, ["822"], worked)
    assert digest == digest_of(rules(), 1, ["822"], work_out(children, rules(), []))
    assert digest != digest_of(rules(), 1, ["823"], worked)
    if worked.lines:
        shorter = type(worked)(worked.lines[1:], worked.oddities)
        assert digest != digest_of(rules(), 1, ["822"], shorter)


def test_a_change_of_payee_takes_back_and_asks_anew() -> None:
    child = Learner(
        UUID(int=1), UUID(int=2), Level.PRIMARY, "1A", (stay(date(2025, 9, 1)),), (ALL,),
        {date(2025, month, 1): Money(2_000_000) for month in range(9, 13)},
    )  # fmt: skip
    before = work_out([child], rules(RateKind.SUPPORT), [])
    assert {line.right.payee for line in before.lines} == {"family"}
    known = known_after((), before.lines)
    paid = ClaimRules(RateKind.SUPPORT, HERE, HERE_IT_LIES, YEAR, *TERM_1, rules().rates, {date(2025, 12, 1): "school"})
    after = work_out([child], paid, known)
    assert [(line.right.payee, line.amount, line.revision) for line in after.lines] == [
        ("family", Money(-120_000), 1),
        ("school", Money(120_000), 2),
    ]
    assert work_out([child], paid, known_after(known, after.lines)).lines == ()


def test_a_right_is_what_the_line_says() -> None:
    (line,) = work_out([learner(stay(date(2025, 9, 1), date(2025, 9, 2)))], rules(), []).lines
    assert line.right == MonthRight(
        UUID(int=1), UUID(int=1001), date(2025, 9, 1), Money(120_000), Money(120_000), 9, "school", "1A",
        "Miễn học phí", "NQ 217; NQ thử",
    )  # fmt: skip
