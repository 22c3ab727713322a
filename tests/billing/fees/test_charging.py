"""What a pupil is charged: the published numbers, the accountants' stories, and the sums that always hold."""

from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.fees.catalogue import shipped_catalogue
from billing.fees.charges import Charge, PupilFacts, Registration, Schedule
from billing.fees.charging import charge_all, charge_pupil, split_by_account
from billing.fees.items import Group, Level, Ownership, Payer, Quantity, Span, Unit
from billing.money import ZERO, Money, total
from tests.factories.fees import (
    OCTOBER,
    SCHOOL_YEAR,
    amount_off,
    item,
    percent,
    period,
    price,
    private,
    public,
    pupil,
    pupils,
    schedules,
    weekdays,
)

_Thing = TypeVar("_Thing")

WATER = item("NUOCUONG")
MEALS = item("TIENAN", unit=Unit.MEAL_DAY)
TUITION = item("HOCPHI", group=Group.TUITION)
BUS = item("XE", group=Group.SERVICE, opt_in=True)


def registered(*codes: str) -> tuple[Registration, ...]:
    return tuple(Registration(code, SCHOOL_YEAR) for code in codes)


def shares(charge: Charge) -> dict[str, int]:
    return {line.item.code: line.family_share.dong for line in charge.lines}


def test_an_amount_a_month_is_taken_once_where_the_price_changes_within_it() -> None:
    early, late = Span(date(2025, 9, 1), date(2025, 10, 14)), Span(date(2025, 10, 15), date(2026, 5, 31))
    two = public(price(MEALS, 30_000, early), price(MEALS, 32_000, late))
    gift = amount_off(100_000, "TIENAN")
    assert charge_pupil(pupil(1, gift), period(), two).share(Payer.DONOR) == Money(100_000)
    # What the first part of the month leaves of it goes to the second: 10 meals of 30.000 đ are 300.000 đ.
    large = charge_pupil(pupil(1, amount_off(400_000, "TIENAN")), period(), two)
    assert [line.share(Payer.DONOR).dong for line in large.lines] == [300_000, 100_000]
    quarter = period(Span(date(2025, 10, 1), date(2025, 11, 30)))
    assert charge_pupil(pupil(1, gift), quarter, two).share(Payer.DONOR) == Money(200_000), "once for each month"


def test_an_amount_a_month_is_not_given_again_to_who_comes_back_within_it() -> None:
    first, second = Span(date(2025, 9, 1), date(2025, 10, 10)), Span(date(2025, 10, 20), date(2026, 5, 31))
    meals, gift = public(price(MEALS, 30_000)), amount_off(300_000, "TIENAN")
    one = charge_pupil(pupil(1, gift, enrolled=(first,)), period(), meals)
    two = charge_pupil(replace(pupil(1, gift, enrolled=(second,)), before=(first,)), period(), meals)
    assert (one.share(Payer.DONOR), two.share(Payer.DONOR)) == (Money(240_000), Money(60_000))


def test_an_amount_a_month_held_under_a_row_of_either_stay_is_given_once() -> None:
    """The scholarship went on into the new stay as a row of its own: one grant, so one amount a month."""
    first, second = Span(date(2025, 9, 1), date(2025, 10, 10)), Span(date(2025, 10, 20), date(2026, 5, 31))
    gift = replace(amount_off(300_000, "TIENAN"), kind="HOCBONG")
    rows = replace(gift, id="old", valid=first), replace(gift, id="new", valid=second)
    both = charge_pupil(pupil(1, *rows, enrolled=(first, second)), period(), public(price(MEALS, 30_000)))
    assert both.share(Payer.DONOR) == Money(300_000)
    early, late = Span(date(2025, 9, 1), date(2025, 10, 14)), Span(date(2025, 10, 15), date(2026, 5, 31))
    dearer = public(price(MEALS, 30_000, early), price(MEALS, 32_000, late))
    cut = charge_pupil(pupil(1, *rows, enrolled=(first, second)), period(), dearer)
    assert [line.share(Payer.DONOR) for line in cut.lines] == [Money(240_000), Money(60_000)]
    again = charge_pupil(replace(pupil(1, *rows, enrolled=(second,)), before=(first,)), period(), dearer)
    assert again.share(Payer.DONOR) == Money(60_000)


def test_of_the_states_reductions_on_tuition_the_highest_counts() -> None:
    both = (percent(70, id="a", items=("HOCPHI",)), percent(50, id="b", items=("HOCPHI",)))
    charge = charge_pupil(pupil(1, *both), period(), private(price(TUITION, 1_000_000)))
    assert [(each.reduction.id, each.amount) for each in charge.lines[0].reductions] == [("a", Money(700_000))]
    support = replace(amount_off(150_000, "HOCPHI", Payer.STATE), id="HOTRO")
    cheap = private(price(TUITION, 200_000), reductions=(support,))
    assert charge_pupil(pupil(1, both[1]), period(), cheap).share(Payer.STATE) == Money(150_000)
    # What the school and a donor give comes on top of it, and so does the State's share of anything but tuition.
    school = percent(20, Payer.SCHOOL, id="c", items=("HOCPHI",))
    assert charge_pupil(pupil(1, *both, school), period(), private(price(TUITION, 1_000_000))).family_due == Money(
        100_000
    )
    insured = (percent(50, id="a", items=("NUOCUONG",)), percent(20, id="b", items=("NUOCUONG",)))
    assert charge_pupil(pupil(1, *insured), period(), public(price(WATER, 10_000))).family_due == Money(3_000)


@pytest.mark.parametrize(("level", "due"), [(Level.PRIMARY, 2_500_000), (Level.PRESCHOOL, 1_250_000)])
def test_the_state_takes_nothing_off_in_a_summer_it_does_not_pay(level: Level, due: int) -> None:
    july = Span(date(2026, 7, 1), date(2026, 7, 31))
    whole_year = private(price(TUITION, 2_500_000, Span(date(2025, 9, 1))))
    right = percent(50, id="TNLD", items=("HOCPHI",), valid=Span(OCTOBER.start))
    child = replace(pupil(1, right, enrolled=(Span(OCTOBER.start),)), level=level)
    assert charge_pupil(child, period(july), whole_year).family_due == Money(due)
    assert charge_pupil(child, period(), whole_year).family_due == Money(1_250_000)


def test_a_foreign_pupil_of_a_public_school_pays_its_tuition() -> None:
    schedule = public(price(TUITION, 100_000))
    assert charge_pupil(replace(pupil(1), citizen=False), period(), schedule).family_due == Money(100_000)
    assert charge_pupil(pupil(1), period(), schedule).family_due == ZERO


# The four schools with their published prices, October 2025 (23 weekdays).


def test_a_boarder_of_the_public_primary_school_in_october() -> None:
    schedule = shipped_catalogue("public-primary").schedule(Ownership.PUBLIC)
    boarder = pupil(registrations=registered("BANTRU", "TIENAN"))
    charge = charge_pupil(boarder, period(), schedule)
    assert shares(charge) == {"BANTRU": 300_000, "TIENAN": 736_000, "NUOCUONG": 10_000, "BHYT-3T": 157_950}
    assert charge.family_due == Money(1_203_950)
    assert charge.share(Payer.STATE) == Money(157_950)


def test_a_day_pupil_of_the_public_primary_school_after_the_insurance_month() -> None:
    november = Span(date(2025, 11, 1), date(2025, 11, 30))
    schedule = shipped_catalogue("public-primary").schedule(Ownership.PUBLIC)
    assert shares(charge_pupil(pupil(), period(november, "2025-11"), schedule)) == {"NUOCUONG": 10_000}


def test_public_preschool_tuition_is_on_the_bill_of_the_state_only() -> None:
    schedule = shipped_catalogue("public-preschool").schedule(Ownership.PUBLIC)
    child = PupilFacts(UUID(int=1), Level.PRESCHOOL, 5, "Lá 2", (SCHOOL_YEAR,), registered("BANTRU", "TIENAN"))
    charge = charge_pupil(child, period(), schedule)
    assert shares(charge) == {"HOCPHI": 0, "BANTRU": 320_000, "TIENAN": 690_000, "NUOCUONG": 10_000}
    tuition = charge.lines[0]
    assert (tuition.gross, tuition.share(Payer.STATE)) == (Money(50_000), Money(50_000))
    assert "217/2025/QH15" in tuition.reductions[0].reduction.legal_basis


def test_the_upper_secondary_school_in_october() -> None:
    schedule = shipped_catalogue("public-upper-secondary").schedule(Ownership.PUBLIC)
    charge = charge_pupil(
        PupilFacts(UUID(int=1), Level.UPPER_SECONDARY, 10, "10A1", (SCHOOL_YEAR,)), period(), schedule
    )
    assert charge.family_due == Money(30_000 + 8_000 + 45_000 + 157_950)


def test_the_private_school_bills_tuition_gross_with_its_sibling_discount() -> None:
    schedule = shipped_catalogue("private-school").schedule(Ownership.PRIVATE)
    first = charge_pupil(pupil(registrations=registered("XEDUARUOC")), period(), schedule)
    second = charge_pupil(pupil(sibling_order=2), period(), schedule)
    assert shares(first) == {"HOCPHI": 2_500_000, "XEDUARUOC": 800_000, "TIENAN": 45_000 * 23}
    assert shares(second) == {"HOCPHI": 2_250_000, "TIENAN": 45_000 * 23}
    assert second.share(Payer.SCHOOL) == Money(250_000)
    assert second.share(Payer.STATE) == ZERO


# Who pays.


def test_public_tuition_is_the_states_even_if_the_schedule_forgets_it() -> None:
    charge = charge_pupil(pupil(), period(), public(price(TUITION, 540_000)))
    assert charge.covered
    assert charge.share(Payer.STATE) == charge.gross == Money(540_000)


def test_public_tuition_was_the_familys_before_the_school_year_2025() -> None:
    may = Span(date(2025, 5, 1), date(2025, 5, 31))
    old = public(price(TUITION, 90_000, Span(date(2024, 9, 1), date(2025, 5, 31))))
    child = pupil(enrolled=(Span(date(2024, 9, 1)),))
    assert charge_pupil(child, period(may, "2025-05"), old).family_due == Money(90_000)


def test_private_tuition_stays_with_the_family() -> None:
    charge = charge_pupil(pupil(), period(), private(price(TUITION, 2_500_000)))
    assert charge.family_due == Money(2_500_000)


def test_the_state_comes_first_and_nobody_pays_what_is_paid() -> None:
    poor = pupil(1, percent(50, Payer.SCHOOL), percent(100, Payer.STATE), amount_off(5_000, "NUOCUONG"))
    (line,) = charge_pupil(poor, period(), public(price(WATER, 10_000))).lines
    assert [(each.reduction.payer, each.amount) for each in line.reductions] == [(Payer.STATE, Money(10_000))]


def test_each_payer_takes_a_share_of_the_gross() -> None:
    child = pupil(1, percent(10, Payer.SCHOOL), percent(70, Payer.STATE), amount_off(5_000, "NUOCUONG"))
    (line,) = charge_pupil(child, period(), public(price(WATER, 10_000))).lines
    assert [line.share(payer).dong for payer in Payer] == [0, 7_000, 1_000, 2_000]


def test_a_reduction_counts_from_its_first_whole_month_to_its_last() -> None:
    half_year = Span(date(2025, 9, 1), date(2025, 12, 31))
    child = pupil(1, percent(100, valid=Span(date(2025, 9, 15), date(2025, 11, 15))))
    (line,) = charge_pupil(child, period(half_year), public(price(WATER, 10_000))).lines
    assert (line.gross, line.share(Payer.STATE)) == (Money(40_000), Money(20_000))  # October and November


def test_two_reductions_in_turn_never_meet_in_one_month() -> None:
    turn = date(2025, 10, 16)
    child = pupil(
        1,
        percent(100, id="poor", valid=Span(date(2025, 9, 1), turn - timedelta(days=1))),
        percent(50, id="near-poor", valid=Span(turn)),
    )
    schedule = public(price(WATER, 10_000))
    assert charge_pupil(child, period(), schedule).family_due == ZERO
    november = Span(date(2025, 11, 1), date(2025, 11, 30))
    assert charge_pupil(child, period(november), schedule).family_due == Money(5_000)


def test_who_comes_mid_month_has_the_reductions_of_that_day() -> None:
    late = pupil(1, percent(100, valid=Span(date(2025, 10, 15))), enrolled=(Span(date(2025, 10, 20)),))
    early = pupil(1, percent(100, valid=Span(date(2025, 10, 15))))
    schedule = public(price(WATER, 10_000))
    assert charge_pupil(late, period(), schedule).covered
    assert charge_pupil(early, period(), schedule).family_due == Money(10_000)


def test_an_amount_is_taken_once_a_month() -> None:
    term = Span(date(2025, 9, 1), date(2025, 11, 30))
    child = pupil(1, amount_off(160_000, "TIENAN", Payer.STATE))
    (line,) = charge_pupil(child, period(term), public(price(MEALS, 32_000))).lines
    assert line.share(Payer.STATE) == Money(3 * 160_000)


def test_the_same_reduction_for_all_and_for_the_pupil_counts_once() -> None:
    half = percent(50)
    charge = charge_pupil(pupil(1, half), period(), public(price(WATER, 10_000), reductions=(half,)))
    assert charge.family_due == Money(5_000)


def test_two_reductions_may_not_share_an_id() -> None:
    child = pupil(1, percent(50, id="r"), percent(70, id="r"))
    with pytest.raises(Refused, match="cùng mang mã r"):
        charge_pupil(child, period(), public(price(WATER, 10_000)))


@pytest.mark.parametrize(("order", "due"), [(1, 100_000), (2, 90_000), (3, 75_000)])
def test_sibling_discounts_start_at_their_child_and_add_up(order: int, due: int) -> None:
    rules = (
        percent(10, Payer.SCHOOL, id="second", from_sibling=2),
        percent(15, Payer.SCHOOL, id="third", from_sibling=3),
    )
    schedule = private(price(WATER, 100_000), reductions=rules)
    assert charge_pupil(pupil(sibling_order=order), period(), schedule).family_due == Money(due)


# Coming, leaving, registering.


def test_who_comes_mid_month_eats_from_then_on_and_pays_the_month() -> None:
    late = pupil(enrolled=(Span(date(2025, 10, 20)),))
    charge = charge_pupil(late, period(), public(price(MEALS, 32_000), price(WATER, 10_000)))
    assert shares(charge) == {"NUOCUONG": 10_000, "TIENAN": 10 * 32_000}


def test_who_leaves_and_returns_within_the_month_pays_it_once() -> None:
    back = pupil(enrolled=(Span(date(2025, 9, 1), date(2025, 10, 3)), Span(date(2025, 10, 27))))
    charge = charge_pupil(back, period(), public(price(MEALS, 32_000), price(WATER, 10_000)))
    assert shares(charge) == {"NUOCUONG": 10_000, "TIENAN": 8 * 32_000}


def test_who_left_before_the_period_is_charged_nothing() -> None:
    gone = pupil(enrolled=(Span(date(2025, 9, 1), date(2025, 9, 30)),))
    assert charge_pupil(gone, period(), public(price(WATER, 10_000))).lines == ()


def test_a_registration_that_overlaps_another_is_charged_once() -> None:
    twice = pupil(
        registrations=(Registration("XE", OCTOBER), Registration("XE", Span(date(2025, 10, 10)))),
    )
    assert charge_pupil(twice, period(), public(price(BUS, 800_000))).family_due == Money(800_000)


def test_meals_registered_twice_over_are_eaten_once() -> None:
    meals = item("TIENAN", unit=Unit.MEAL_DAY, opt_in=True)
    twice = pupil(registrations=(Registration("TIENAN", OCTOBER), Registration("TIENAN", Span(date(2025, 10, 10)))))
    (line,) = charge_pupil(twice, period(), public(price(meals, 32_000))).lines
    assert line.quantity == 23


def test_a_price_may_count_several_units_a_month() -> None:
    lessons = item("KNS", unit=Unit.LESSON)
    term = Span(date(2025, 9, 1), date(2025, 10, 31))
    (line,) = charge_pupil(pupil(), period(term), public(price(lessons, 15_000, count=8))).lines
    assert (line.quantity, line.gross) == (16, Money(240_000))


def test_without_registration_there_is_no_line() -> None:
    early = pupil(registrations=(Registration("XE", Span(date(2025, 9, 1), date(2025, 9, 30))),))
    assert charge_pupil(early, period(), public(price(BUS, 800_000))).lines == ()


def test_registered_hours_are_charged_as_registered() -> None:
    hours = item("NGOAIGIO", group=Group.SERVICE, unit=Unit.HOUR, opt_in=True)
    schedule = public(price(hours, 11_000, quantity=Quantity.REGISTERED))
    child = pupil(registrations=(Registration("NGOAIGIO", SCHOOL_YEAR, quantity=20),))
    assert charge_pupil(child, period(), schedule).family_due == Money(220_000)


def test_prices_are_for_the_classes_they_name() -> None:
    schedule = public(price(WATER, 10_000, classes=frozenset({"1B"})))
    assert charge_pupil(pupil(), period(), schedule).lines == ()
    assert charge_pupil(pupil(class_name="1B"), period(), schedule).family_due == Money(10_000)


def test_two_prices_of_one_item_at_one_time_are_refused() -> None:
    schedule = public(price(WATER, 10_000), price(WATER, 12_000, grades=frozenset({1})))
    with pytest.raises(Refused, match="hai đơn giá cùng áp dụng cho lớp 1A"):
        charge_pupil(pupil(), period(), schedule)


def test_a_price_that_follows_another_is_no_second_price() -> None:
    mid = date(2025, 10, 15)
    schedule = public(
        price(MEALS, 32_000, Span(SCHOOL_YEAR.start, mid - timedelta(days=1))),
        price(MEALS, 35_000, Span(mid)),
    )
    charge = charge_pupil(pupil(), period(), schedule)
    assert [(line.unit_price.dong, line.quantity) for line in charge.lines] == [(32_000, 10), (35_000, 13)]


# What always holds.


@given(pupils(), schedules())
def test_sums_always_hold_and_nothing_is_negative(child: PupilFacts, schedule: Schedule) -> None:
    term = Span(date(2025, 9, 1), date(2025, 12, 31))
    charge = charge_pupil(child, period(term), schedule)
    for line in charge.lines:
        assert line.gross == line.unit_price * line.quantity
        assert line.gross == total(line.share(payer) for payer in Payer)
        assert min(line.share(payer) for payer in Payer) >= ZERO
        assert all(each.amount > ZERO for each in line.reductions)
    assert charge.family_due == total(line.family_share for line in charge.lines)
    assert charge.gross == total(charge.share(payer) for payer in Payer)
    assert charge.covered == (charge.family_due == ZERO)


@given(pupils(), schedules())
def test_no_public_tuition_ever_reaches_a_family(child: PupilFacts, schedule: Schedule) -> None:
    charge = charge_pupil(child, period(), Schedule(Ownership.PUBLIC, schedule.prices))
    tuition = [line for line in charge.lines if line.item.group is Group.TUITION]
    assert all(line.share(Payer.STATE) == line.gross for line in tuition)


@given(pupils(), schedules())
def test_a_quarter_costs_what_its_months_cost(child: PupilFacts, schedule: Schedule) -> None:
    ends = [date(2025, 10, 31), date(2025, 11, 30), date(2025, 12, 31)]
    months = [Span(end.replace(day=1), end) for end in ends]
    whole = charge_pupil(child, period(Span(months[0].start, ends[-1])), schedule)
    parts = [charge_pupil(child, period(month), schedule) for month in months]
    for payer in Payer:
        assert whole.share(payer) == total(part.share(payer) for part in parts)


@given(pupils(), schedules(), st.randoms(use_true_random=False))
def test_the_order_of_prices_and_reductions_makes_no_difference(
    child: PupilFacts, schedule: Schedule, random: Random
) -> None:
    def mixed(things: tuple[_Thing, ...]) -> tuple[_Thing, ...]:
        return tuple(random.sample(things, len(things)))

    other_child = PupilFacts(
        child.pupil_id,
        child.level,
        child.grade,
        child.class_name,
        mixed(child.enrolled),
        mixed(child.registrations),
        mixed(child.reductions),
        child.sibling_order,
    )
    other_schedule = Schedule(schedule.ownership, mixed(schedule.prices))
    assert charge_pupil(other_child, period(), other_schedule) == charge_pupil(child, period(), schedule)


@given(pupils(), schedules())
def test_splitting_by_account_loses_no_dong_and_mixes_no_account(child: PupilFacts, schedule: Schedule) -> None:
    charge = charge_pupil(child, period(), schedule)
    parts = split_by_account(charge)
    assert total(part.family_due for part in parts.values()) == charge.family_due
    assert total(part.gross for part in parts.values()) == charge.gross
    assert sorted(parts) == list(parts)
    for account, part in parts.items():
        assert part.lines
        assert {line.item.account for line in part.lines} == {account}
        assert (part.pupil_id, part.period) == (charge.pupil_id, charge.period)


@given(st.lists(pupils(), max_size=5), schedules())
def test_charging_all_is_charging_each(children: list[PupilFacts], schedule: Schedule) -> None:
    same = pupil(99_999)
    every = [*children, same, pupil(99_998)]
    expected = [charge_pupil(child, period(), schedule) for child in every]
    assert list(charge_all(every, period(), schedule)) == expected
    # Made one after the other and let go, so that ids of objects are given away again.
    assert list(charge_all((deepcopy(child) for child in every), period(), schedule)) == expected


def test_parts_come_in_the_order_of_their_accounts() -> None:
    schedule = public(*(price(item(code, account=at), 1_000) for code, at in [("A", "z"), ("B", "m"), ("C", "a")]))
    assert list(split_by_account(charge_pupil(pupil(), period(), schedule))) == ["a", "m", "z"]


def test_stays_are_taken_by_date_however_they_are_listed() -> None:
    first, second = Span(date(2025, 9, 1), date(2025, 10, 3)), Span(date(2025, 10, 27))
    half = percent(50, valid=Span(date(2025, 9, 1), date(2025, 10, 15)))
    for stays in [(first, second), (second, first)]:
        assert charge_pupil(pupil(1, half, enrolled=stays), period(), public(price(WATER, 10_000))).share(
            Payer.STATE
        ) == Money(5_000)


def test_twelve_equal_shares_lose_nothing() -> None:
    """A peer rounds each month's share and bills 2,970,000 of 3,000,000."""
    fees = [price(item(code), 1_000_000) for code in ("A", "B", "C")]
    year = [Money(each.amount.dong).split([1] * 12) for each in fees]
    assert total(part for parts in year for part in parts) == Money(3_000_000)


def test_weekdays_of_october_are_23() -> None:
    assert len(weekdays(OCTOBER)) == 23
