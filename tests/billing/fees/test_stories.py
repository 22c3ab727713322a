"""The accountant's stories: every exemption, reduction and discount, old and new, and who comes, goes or changes.

Each is told with the kinds that ship with the program, so that a wrong entry in the file is a wrong bill here.
"""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.contracts.terms import PLANS
from billing.errors import Refused
from billing.fees.catalogue import shipped_catalogue
from billing.fees.charges import Charge, ChargeLine, Period, PupilFacts, Registration, Schedule
from billing.fees.charging import charge_pupil
from billing.fees.explaining import because_of, explain, line_facts, plain_lines
from billing.fees.items import Group, Level, Ownership, PartMonth, Payer, Price, Reduction, Span, Unit
from billing.fees.kinds import find_kind, prepaid_kinds
from billing.money import ZERO, Money, total
from tests.factories.fees import (
    OCTOBER,
    SCHOOL_YEAR,
    item,
    percent,
    period,
    price,
    private,
    public,
    pupil,
    pupils,
    schedules,
)

TUITION = item("HOCPHI", group=Group.TUITION, name="Học phí")
WATER = item("NUOCUONG", name="Tiền nước uống")
BOARDING = item("BANTRU", group=Group.SERVICE, name="Dịch vụ bán trú")
LAST_YEAR = Span(date(2024, 9, 1), date(2025, 5, 31))
OCTOBER_2024 = Span(date(2024, 10, 1), date(2024, 10, 31))


def granted(code: str, *, share: int | None = None, days: Span | None = None, amount: Money | None = None) -> Reduction:
    """Return a reduction of a kind as it stands once it is approved."""
    kind = find_kind(code)
    return Reduction(
        id=f"granted-{code}",
        title=kind.name,
        payer=kind.payer,
        valid=days or Span(max(kind.valid.start, date(2024, 9, 1)), kind.valid.end),
        legal_basis=kind.legal_basis,
        percent=None if amount else share or kind.percent,
        amount=amount,
        items=frozenset({"HOCPHI"}) if amount else frozenset(),
        groups=frozenset() if amount else kind.groups,
        evidence="Giấy tờ trong hồ sơ",
        prepaid=kind.prepaid,
        kind=kind.code,
    )


def month(year: int, number: int, last: int) -> Period:
    return Period(f"{year}-{number:02}", f"Tháng {number}", Span(date(year, number, 1), date(year, number, last)))


def private_tuition(child: PupilFacts, days: Span = OCTOBER, dong: int = 2_500_000, **more: object) -> Charge:
    of = price(TUITION, dong, **more)  # type: ignore[arg-type]  # any field of a price
    return charge_pupil(child, period(days), private(of))


# Whom the State pays for.


@pytest.mark.parametrize("level", list(Level))
def test_nobody_at_a_public_school_pays_tuition_and_the_council_rate_stays_to_be_claimed(level: Level) -> None:
    child = PupilFacts(UUID(int=1), level, 1, "1A", (SCHOOL_YEAR,))
    (line,) = charge_pupil(child, period(), public(price(TUITION, 100_000))).lines
    assert (line.gross, line.share(Payer.STATE), line.family_share) == (Money(100_000), Money(100_000), ZERO)
    (cause,) = (each.reduction for each in line.reductions)
    assert cause.legal_basis == find_kind("NQ217").legal_basis
    assert plain_lines([line_facts(line)]) == ()


def test_the_child_of_a_war_invalid_pays_no_tuition_at_a_private_school_either() -> None:
    charge = private_tuition(pupil(1, granted("NCC")))
    assert (charge.family_due, charge.share(Payer.STATE)) == (ZERO, Money(2_500_000))


def test_a_parents_accident_at_work_halves_the_tuition_then_and_now() -> None:
    now = private_tuition(pupil(1, granted("TNLD")))
    assert now.share(Payer.STATE) == Money(1_250_000)
    before = _last_year(granted("ND81-TNLD"))
    assert before.share(Payer.STATE) == Money(45_000)


def _last_year(*reductions: Reduction) -> Charge:
    child = pupil(1, *reductions, enrolled=(LAST_YEAR,))
    old = Period("2024-10", "Tháng 10/2024", OCTOBER_2024)
    return charge_pupil(child, old, public(price(TUITION, 90_000, LAST_YEAR)))


@pytest.mark.parametrize(
    ("code", "due"),
    [
        ("ND81-NCC", 0), ("ND81-KT", 0), ("ND81-MC", 0), ("ND81-HN", 0),
        ("ND81-DTTS", 27_000), ("ND81-CN", 45_000), ("ND81-TNLD", 45_000),
    ],
)  # fmt: skip
def test_a_debt_of_last_year_follows_the_decree_of_last_year(code: str, due: int) -> None:
    charge = _last_year(granted(code))
    assert charge.family_due == Money(due)
    assert charge.gross == Money(90_000)
    assert "81/2021" in charge.lines[0].reductions[0].reduction.legal_basis


def test_near_poor_under_the_old_decree_is_nothing_at_a_private_school_under_the_new_one() -> None:
    assert private_tuition(pupil(1, granted("ND81-CN"))).family_due == Money(2_500_000)


def test_poor_in_the_first_term_and_no_longer_in_the_second() -> None:
    first_term = Span(date(2025, 9, 1), date(2025, 12, 31))
    child = pupil(1, granted("TRUONGGIAM", share=70, days=first_term))
    schedule = private(price(TUITION, 1_000_000))
    assert charge_pupil(child, month(2025, 12, 31), schedule).family_due == Money(300_000)
    assert charge_pupil(child, month(2026, 1, 31), schedule).family_due == Money(1_000_000)
    year = charge_pupil(child, period(SCHOOL_YEAR), schedule)
    assert (year.gross, year.share(Payer.SCHOOL)) == (Money(9_000_000), Money(4 * 700_000))


def test_the_states_share_of_insurance_and_an_exemption_do_not_get_mixed_up() -> None:
    schedule = shipped_catalogue("public-primary").schedule(Ownership.PUBLIC)
    gift = percent(100, Payer.DONOR, groups=(Group.AGREED, Group.PASS_THROUGH))
    charge = charge_pupil(pupil(1, gift), period(), schedule)
    assert (charge.share(Payer.STATE), charge.share(Payer.DONOR), charge.family_due) == (
        Money(157_950),
        Money(157_950 + 10_000),
        ZERO,
    )


# What a private school gives away itself.


@pytest.mark.parametrize(
    ("code", "due"),
    [("ANHCHIEM", 2_250_000), ("CANAM", 2_375_000), ("NUANAM", 2_425_000), ("QUY", 2_425_000), ("CONCBNV", 1_250_000)],
)
def test_sibling_whole_year_quarter_and_staff_discounts_are_the_schools(code: str, due: int) -> None:
    charge = private_tuition(pupil(1, granted(code)))
    assert (charge.family_due, charge.share(Payer.SCHOOL)) == (Money(due), Money(2_500_000 - due))
    assert charge.share(Payer.STATE) == ZERO


def test_a_second_child_paid_for_the_whole_year_has_both_discounts_of_the_gross() -> None:
    child = pupil(1, granted("ANHCHIEM"), granted("CANAM"))
    year = private_tuition(child, SCHOOL_YEAR)
    assert (year.gross, year.share(Payer.SCHOOL)) == (Money(22_500_000), Money(9 * 375_000))


def test_who_paid_a_year_ahead_has_no_quarter_on_top_and_the_full_view_says_so() -> None:
    """Until now 5 % and 3 % added up to 8 % on the same tuition."""
    both = private_tuition(pupil(1, granted("QUY"), granted("CANAM")))
    assert both.family_due == Money(2_375_000)
    (line,) = both.lines
    assert [(each.reduction.title, each.amount) for each in line.reductions] == [
        ("Nộp trước cả năm học", Money(125_000))
    ]
    said = explain(line_facts(line)).sentences
    assert (
        "Không tính thêm “Nộp trước một quý” tháng 10/2025: mỗi khoản chỉ tính một diện nộp trước, đã tính “Nộp trước"
        " cả năm học” có lợi hơn hoặc bằng cho gia đình." in said
    )
    assert "“Nộp trước một quý” does not count in 10/2025" in explain(line_facts(line), "en").gave_way[0]
    (plain,) = plain_lines([line_facts(line)])
    assert (plain.amount, plain.detail) == (Money(2_375_000), "")


def test_a_quarter_counts_again_in_the_months_that_the_half_year_does_not_hold() -> None:
    half = granted("NUANAM", share=5, days=Span(date(2025, 9, 1), date(2026, 1, 31)))
    quarter = granted("QUY", days=Span(date(2025, 12, 1), date(2026, 2, 28)))
    year = private_tuition(pupil(1, half, quarter), SCHOOL_YEAR)
    assert year.share(Payer.SCHOOL) == Money(5 * 125_000 + 75_000)
    (line,) = year.lines
    assert [(each.title, each.months) for each in line.because.gave_way] == [
        ("Nộp trước một quý", ("2025-12", "2026-01"))
    ]


def test_a_bill_with_one_way_of_paying_ahead_explains_itself_as_it_always_did() -> None:
    (line,) = private_tuition(pupil(1, granted("ANHCHIEM"), granted("QUY"))).lines
    assert because_of(line.because) == {
        "rule": "fixed",
        "from": "2025-09-01",
        "to": "2026-05-31",
        "months": [["2025-10", 1]],
    }


@given(st.permutations(["CANAM", "NUANAM", "QUY", "ANHCHIEM"]), st.lists(st.integers(1, 60), min_size=4, max_size=4))
def test_paying_ahead_gives_the_best_of_its_kinds_in_any_order(codes: list[str], shares: list[int]) -> None:
    each = {code: granted(code, share=share) for code, share in zip(sorted(codes), shares, strict=True)}
    alone = {code: private_tuition(pupil(1, one)).share(Payer.SCHOOL) for code, one in each.items()}
    together = private_tuition(pupil(1, *(each[code] for code in codes))).share(Payer.SCHOOL)
    ahead = max(alone[code] for code in ("CANAM", "NUANAM", "QUY"))
    assert together == min(Money(2_500_000), ahead + alone["ANHCHIEM"])


def test_the_kinds_for_paying_ahead_are_those_that_contracts_grant() -> None:
    assert prepaid_kinds() == {code for code in PLANS.values() if code}


def test_a_scholarship_by_amount_never_gives_more_than_what_is_left() -> None:
    child = pupil(1, granted("NCC", days=Span(date(2025, 11, 1))), granted("HOCBONG", amount=Money(3_000_000)))
    october, november = private_tuition(child), private_tuition(child, Span(date(2025, 11, 1), date(2025, 11, 30)))
    assert october.share(Payer.DONOR) == Money(2_500_000)
    assert (november.share(Payer.STATE), november.share(Payer.DONOR)) == (Money(2_500_000), ZERO)


# Who comes, goes, or changes.


HALF, NONE = PartMonth.HALF, PartMonth.NONE


@pytest.mark.parametrize(
    ("rule", "there", "due"),
    [
        (HALF, [(1, 31)], 425_001),
        (HALF, [(15, 31)], 425_001),
        (HALF, [(16, 31)], 212_501),
        (HALF, [(1, 15)], 212_501),
        (HALF, [(1, 16)], 425_001),
        (HALF, [(1, 3), (27, 31)], 425_001),
        (HALF, [(17, 18), (27, 31)], 212_501),
        (NONE, [(16, 31)], 0),
        (NONE, [(15, 31)], 425_001),
        (NONE, [(1, 2)], 425_001),
        (PartMonth.WHOLE, [(31, 31)], 425_001),
    ],
)
def test_a_month_of_which_the_child_was_there_a_part(rule: PartMonth, there: list[tuple[int, int]], due: int) -> None:
    days = tuple(Span(date(2025, 10, first), date(2025, 10, last)) for first, last in there)
    charge = private_tuition(pupil(enrolled=days), dong=425_001, part_month=rule)
    assert charge.family_due == Money(due)


def test_who_comes_on_the_twentieth_of_october_pays_half_of_it_and_all_of_november() -> None:
    late = pupil(1, granted("ANHCHIEM"), enrolled=(Span(date(2025, 10, 20)),))
    lines = private_tuition(late, Span(date(2025, 10, 1), date(2025, 11, 30)), part_month=HALF).lines
    assert [(line.quantity, line.unit_price.dong, line.family_share.dong) for line in lines] == [
        (1, 2_500_000, 2_250_000),
        (1, 1_250_000, 1_125_000),
    ]
    assert [explain(line_facts(line)).months for line in lines] == [
        ("Tháng 11/2025: 1 tháng.",),
        ("Tháng 10/2025: 1 tháng, từ ngày 20/10.",),
    ]


def test_a_bus_taken_from_the_middle_of_the_month_costs_half_where_the_school_says_so() -> None:
    bus = item("XEDUARUOC", group=Group.SERVICE, opt_in=True)
    rider = pupil(registrations=(Registration("XEDUARUOC", Span(date(2025, 10, 16))),))
    assert charge_pupil(rider, period(), private(price(bus, 800_000, part_month=HALF))).family_due == Money(400_000)


def test_half_a_month_is_looked_at_over_the_whole_month_even_if_the_round_is_shorter() -> None:
    whole = pupil(enrolled=(SCHOOL_YEAR,))
    fortnight = Span(date(2025, 10, 1), date(2025, 10, 15))
    assert private_tuition(whole, fortnight, part_month=HALF).family_due == Money(2_500_000)


def test_only_prices_by_the_month_know_half_months() -> None:
    with pytest.raises(Refused, match="chỉ khoản thu theo tháng mới tính được nửa tháng"):
        price(item("TIENAN", unit=Unit.MEAL_DAY), 30_000, part_month=HALF)


def test_who_arrives_in_november_owes_neither_the_months_before_nor_what_was_due_once() -> None:
    schedule = shipped_catalogue("public-primary").schedule(Ownership.PUBLIC)
    late = pupil(enrolled=(Span(date(2025, 11, 3)),))
    to_november = Span(date(2025, 9, 1), date(2025, 11, 30))
    assert charge_pupil(late, period(to_november), schedule).family_due == Money(10_000)
    assert charge_pupil(pupil(), period(to_november), schedule).family_due == Money(30_000 + 157_950)


def test_who_leaves_is_charged_up_to_that_month_and_no_further() -> None:
    leaver = pupil(enrolled=(Span(date(2025, 9, 5), date(2025, 11, 14)),))
    schedule = public(price(BOARDING, 300_000))
    assert charge_pupil(leaver, period(SCHOOL_YEAR), schedule).family_due == Money(900_000)
    assert charge_pupil(leaver, month(2025, 12, 31), schedule).lines == ()


def test_a_preschool_bills_the_months_studied_and_a_school_nine() -> None:
    eleven = Span(date(2025, 8, 1), date(2026, 6, 30))
    schedule = private(price(TUITION, 1_000_000, eleven))
    summer_too = pupil(enrolled=(eleven,))
    assert charge_pupil(summer_too, period(eleven), schedule).gross == Money(11_000_000)
    nine = private(price(TUITION, 1_000_000, SCHOOL_YEAR))
    assert charge_pupil(summer_too, period(eleven), nine).gross == Money(9_000_000)


def test_who_changes_class_pays_what_the_class_at_the_end_of_the_period_costs() -> None:
    schedule = public(price(WATER, 10_000, classes=frozenset({"1A"})), price(WATER, 12_000, classes=frozenset({"1B"})))
    assert charge_pupil(pupil(class_name="1B"), period(), schedule).family_due == Money(12_000)


def test_a_fee_lowered_from_425_to_400_thousand_is_25_thousand_for_each_who_paid() -> None:
    before, after = (charge_pupil(pupil(), period(), public(price(BOARDING, dong))) for dong in (425_000, 400_000))
    assert before.family_due - after.family_due == Money(25_000)


def test_a_donation_can_never_be_charged() -> None:
    with pytest.raises(Refused, match="tự nguyện"):
        price(item("TAITRO", group=Group.DONATION, unit=Unit.ONCE), 100_000, OCTOBER)


# What always holds.


def _cut(of: Price, at: date) -> list[Price]:
    """Return a price ended the day before a month and raised again to the same amount in it."""
    end = of.valid.end
    if at <= of.valid.start or (end is not None and at > end):
        return [of]
    first = Span(of.valid.start, at - timedelta(days=1))
    fields = {name: getattr(of, name) for name in ("quantity", "count", "levels", "grades", "classes", "part_month")}
    return [Price(of.item, of.amount, span, **fields) for span in (first, Span(at, end))]


def _by_item(charge: Charge, payer: Payer) -> dict[str, Money]:
    found: dict[str, Money] = {}
    for line in charge.lines:
        found[line.item.code] = found.get(line.item.code, ZERO) + line.share(payer)
    return found


@given(pupils(), schedules(), st.integers(9, 12))
def test_a_fee_lowered_and_raised_again_leaves_no_trace(child: PupilFacts, schedule: Schedule, in_month: int) -> None:
    term = period(Span(date(2025, 9, 1), date(2025, 12, 31)))
    at = date(2025, in_month, 1)
    cut = Schedule(schedule.ownership, tuple(each for of in schedule.prices for each in _cut(of, at)))
    before, after = charge_pupil(child, term, schedule), charge_pupil(child, term, cut)
    for payer in Payer:
        assert _by_item(before, payer) == _by_item(after, payer)


@given(pupils(), schedules())
def test_half_months_lose_no_dong(child: PupilFacts, schedule: Schedule) -> None:
    charge = charge_pupil(child, period(Span(date(2025, 9, 1), date(2025, 12, 31))), schedule)
    for line in charge.lines:
        assert line.gross == line.unit_price * line.quantity
        assert line.gross == total(line.share(payer) for payer in Payer)
        assert sum(each.units for each in line.because.months) == line.quantity
        assert _half_is_half(line, schedule)


def _half_is_half(line: ChargeLine, schedule: Schedule) -> bool:
    (of,) = [each for each in schedule.prices if each.item.code == line.item.code]
    if not line.because.half:
        return line.unit_price == of.amount
    return of.part_month is PartMonth.HALF and Money(0) <= of.half + of.half - of.amount <= Money(1)
