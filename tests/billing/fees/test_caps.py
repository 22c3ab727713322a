"""What a price may be: the council's published caps, what needs a yes, and what is forbidden."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import OverCap, Refused
from billing.fees.caps import (
    Cap,
    Place,
    Prohibition,
    Rulebook,
    Standing,
    check_price,
    check_schedule,
    fold,
    last_price,
    refuse_overlaps,
    refuse_prohibited,
    school_year,
)
from billing.fees.catalogue import shipped_catalogue, shipped_rules
from billing.fees.errors import NotComparable, Prohibited
from billing.fees.items import Group, Level, Ownership, Span, Unit
from billing.money import Money
from tests.factories.fees import OCTOBER, SCHOOL_YEAR, item, price

RULES = shipped_rules()
DAY = date(2025, 10, 1)
BOARDING = item("BANTRU", group=Group.SERVICE, name="Tiền tổ chức, quản lý và vệ sinh bán trú", opt_in=True)
WARD = Place(Ownership.PUBLIC, Level.PRIMARY, "ward", "binh_phuoc")


@pytest.mark.parametrize(
    ("level", "zone", "most"),
    [
        (Level.PRIMARY, "ward", 300_000),
        (Level.PRESCHOOL, "ward", 320_000),
        (Level.PRIMARY, "rural", 280_000),
        (Level.PRESCHOOL, "rural", 300_000),
        (Level.PRIMARY, "ethnic_1", 280_000),
        (Level.PRESCHOOL, "ethnic_1", 300_000),
        (Level.PRIMARY, "ethnic_2", 260_000),
        (Level.PRESCHOOL, "ethnic_2", 280_000),
        (Level.PRIMARY, "ethnic_3", 260_000),
        (Level.PRESCHOOL, "ethnic_3", 280_000),
    ],
)
def test_resolution_08_of_2025_for_boarding(level: Level, zone: str, most: int) -> None:
    place = Place(Ownership.PUBLIC, level, zone, "binh_phuoc")
    verdict = check_price(price(BOARDING, most), place, DAY, RULES)
    assert verdict.standing is Standing.WITHIN
    assert not verdict.needs_yes
    with pytest.raises(OverCap, match=r"bán trú.*vượt mức trần.*08/2025/NQ-HĐND") as refusal:
        check_price(price(BOARDING, most + 1), place, DAY, RULES)
    assert refusal.value.facts["cap"] == Money(most)


def test_the_message_names_item_cap_and_basis() -> None:
    with pytest.raises(OverCap) as refusal:
        check_price(price(BOARDING, 310_000), WARD, DAY, RULES)
    assert refusal.value.message == (
        "Khoản thu Tiền tổ chức, quản lý và vệ sinh bán trú cấp tiểu học: 310.000 đ/tháng vượt mức trần"
        " 300.000 đ theo Nghị quyết 08/2025/NQ-HĐND ngày 20/6/2025 (khu vực Bình Phước cũ, tỉnh Đồng Nai)."
        " Hãy giảm đơn giá."
    )


@pytest.mark.parametrize(
    "place",
    [
        replace(WARD, area="dong_nai"),
        replace(WARD, zone="island"),
        replace(WARD, level=Level.UPPER_SECONDARY),
    ],
)
def test_where_no_cap_is_published_the_approver_must_say_yes(place: Place) -> None:
    verdict = check_price(price(BOARDING, 900_000), place, DAY, RULES)
    assert verdict.needs_yes
    assert verdict.cap is None
    assert "người duyệt phải đồng ý" in verdict.reason


@pytest.mark.parametrize("day", [date(2025, 8, 31), date(2026, 9, 1)])
def test_a_cap_holds_within_its_dates_only(day: date) -> None:
    assert check_price(price(BOARDING, 900_000), WARD, day, RULES).needs_yes


def test_a_private_school_sets_its_own_prices() -> None:
    verdict = check_price(price(BOARDING, 9_000_000), replace(WARD, ownership=Ownership.PRIVATE), DAY, RULES)
    assert verdict.standing is Standing.FREE
    assert not verdict.needs_yes


def test_another_unit_than_the_caps_is_no_way_around_it() -> None:
    daily = replace(BOARDING, unit=Unit.DAY)
    with pytest.raises(NotComparable, match="tính theo ngày, còn mức trần tính theo tháng"):
        check_price(price(daily, 20_000), WARD, DAY, RULES)


def test_two_half_months_are_no_way_around_it_either() -> None:
    with pytest.raises(OverCap):
        check_price(price(BOARDING, 160_000, count=2), WARD, DAY, RULES)
    assert not check_price(price(BOARDING, 150_000, count=2), WARD, DAY, RULES).needs_yes


def test_lessons_are_capped_one_by_one() -> None:
    lessons = item("KNS", unit=Unit.LESSON)
    rules = Rulebook((Cap("KNS", Level.PRIMARY, "", "", Unit.LESSON, Money(20_000), "NQ", Span(date(2025, 1, 1))),))
    assert not check_price(price(lessons, 20_000, count=8), WARD, DAY, rules).needs_yes


def test_the_strictest_of_several_caps_binds() -> None:
    wide = Cap("BANTRU", Level.PRIMARY, "", "", Unit.MONTH, Money(250_000), "Khung cả nước", SCHOOL_YEAR)
    with pytest.raises(OverCap, match="Khung cả nước"):
        check_price(price(BOARDING, 300_000), WARD, DAY, replace(RULES, caps=(*RULES.caps, wide)))


@pytest.mark.parametrize(("now", "fine"), [(115_000, True), (115_001, False)])
def test_a_fee_may_rise_by_fifteen_percent_where_the_council_says_so(now: int, *, fine: bool) -> None:
    cap = Cap("A", Level.PRIMARY, "", "", Unit.MONTH, Money(500_000), "NQ 18", SCHOOL_YEAR, 15)
    rules = Rulebook((cap,))
    if fine:
        assert not check_price(price(item("A"), now), WARD, DAY, rules, Money(100_000)).needs_yes
    else:
        with pytest.raises(OverCap, match="quá 15 % so với năm trước"):
            check_price(price(item("A"), now), WARD, DAY, rules, Money(100_000))
    assert not check_price(price(item("A"), 500_000), WARD, DAY, rules).needs_yes


@given(st.integers(1, 1_000_000), st.integers(1, 1_000_000))
def test_a_price_passes_exactly_up_to_its_cap(asked: int, most: int) -> None:
    cap = Cap("A", Level.PRIMARY, "", "", Unit.MONTH, Money(most), "NQ", SCHOOL_YEAR)
    try:
        passed = not check_price(price(item("A"), asked), WARD, DAY, Rulebook((cap,))).needs_yes
    except OverCap:
        passed = False
    assert passed == (asked <= most)


@pytest.mark.parametrize(
    ("name", "article"),
    [
        ("Tiền bảo vệ trường", "Thông tư 55/2011"),
        ("Giữ xe đạp", "Thông tư 55/2011"),
        ("TIỀN GỬI XE", "Thông tư 55/2011"),
        ("Vệ sinh lớp học", "Thông tư 55/2011"),
        ("Khen thưởng giáo viên cuối năm", "Thông tư 55/2011"),
        ("Mua sắm trang thiết bị (ti vi)", "Thông tư 55/2011"),
        ("Hỗ trợ công tác quản lý", "Thông tư 55/2011"),
        ("Sửa chữa phòng học", "Thông tư 55/2011"),
        ("Quỹ xây dựng", "Thông tư 55/2011"),
        ("Thuê bảo vệ", "an ninh nhà trường"),
        ("Tiền vệ sinh", "vệ sinh lớp học"),
        ("Thưởng thầy cô 20/11", "khen thưởng cán bộ"),
        ("Lắp máy chiếu", "mua sắm máy móc"),
        ("Quỹ lớp", "không theo nguyên tắc tự nguyện"),
        ("Quỹ phụ huynh", "không theo nguyên tắc tự nguyện"),
        ("Đóng góp tự nguyện", "không theo nguyên tắc tự nguyện"),
        ("Dạy thêm buổi chiều", "Thông tư 29/2024"),
        ("Ôn thi tốt nghiệp", "Thông tư 29/2024"),
    ],
)
def test_a_public_school_may_not_collect_this(name: str, article: str) -> None:
    wanted = price(item("X", name=name), 20_000)
    with pytest.raises(Prohibited, match=article):
        check_price(wanted, WARD, DAY, RULES)
    private = check_price(wanted, replace(WARD, ownership=Ownership.PRIVATE), DAY, RULES)
    assert private.standing is Standing.FREE


@pytest.mark.parametrize(
    "name",
    [
        "Tiền tổ chức, quản lý và vệ sinh bán trú",
        "Trang thiết bị, đồ dùng bán trú",
        "Trông giữ ngoài giờ",
        "Khám sức khỏe học sinh đầu năm",
        "Ứng dụng công nghệ thông tin, sổ liên lạc điện tử",
        "Xe đưa rước",
        "Tiếng Anh với giáo viên nước ngoài",
        "Tiền sử dụng máy lạnh (máy của trường)",
        "Tiền vệ sinh bán trú",
    ],
)
def test_these_are_allowed_names(name: str) -> None:
    refuse_prohibited(item("X", name=name), DAY, RULES.prohibitions)


def test_what_is_given_freely_for_a_building_is_a_donation_but_not_for_guards() -> None:
    for name in ("Ủng hộ sửa chữa thư viện", "Tài trợ mua máy tính"):
        refuse_prohibited(item("X", group=Group.DONATION, name=name), DAY, RULES.prohibitions)
        with pytest.raises(Prohibited):
            refuse_prohibited(item("X", group=Group.AGREED, name=name), DAY, RULES.prohibitions)
    for name in ("Tài trợ tiền bảo vệ", "Ủng hộ khen thưởng giáo viên"):
        with pytest.raises(Prohibited):
            refuse_prohibited(item("X", group=Group.DONATION, name=name), DAY, RULES.prohibitions)


def test_extra_classes_were_allowed_before_circular_29() -> None:
    lessons = item("X", name="Dạy thêm")
    refuse_prohibited(lessons, date(2025, 2, 13), RULES.prohibitions)
    with pytest.raises(Prohibited):
        refuse_prohibited(lessons, date(2025, 2, 14), RULES.prohibitions)


def test_words_are_whole_words() -> None:
    rule = Prohibition(("giu xe",), "Điều X", SCHOOL_YEAR)
    refuse_prohibited(item("X", name="Giữ xén"), DAY, [rule])
    with pytest.raises(Prohibited, match="Điều X"):
        refuse_prohibited(item("X", name="phí giữ-xe"), DAY, [rule])


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Vệ sinh lớp học", "ve sinh lop hoc"),
        ("ĐỒ DÙNG  dạy-học", "do dung day hoc"),
        ("Ôn thi", "on thi"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_overlapping_caps_are_refused_and_following_ones_are_not() -> None:
    first = Cap("A", Level.PRIMARY, "ward", "", Unit.MONTH, Money(1), "NQ", OCTOBER)
    later = replace(first, valid=Span(date(2025, 11, 1)))
    refuse_overlaps([first, later, replace(first, zone="rural"), replace(first, unit=Unit.DAY)])
    with pytest.raises(Refused, match="hai mức trần cùng hiệu lực"):
        refuse_overlaps([first, later, replace(first, valid=Span(date(2025, 10, 31)))])


def test_a_schedule_is_judged_where_and_when_it_holds() -> None:
    catalogue = shipped_catalogue("public-primary")
    verdicts = check_schedule(catalogue.prices, WARD, OCTOBER, RULES)
    assert {each.item.code: each.standing for each in verdicts} == {
        "BANTRU": Standing.WITHIN,
        "TIENAN": Standing.NO_CAP,
        "NUOCUONG": Standing.NO_CAP,
        "BHYT-3T": Standing.WITHIN,
    }
    november = Span(date(2025, 11, 1), date(2025, 11, 30))
    assert "BHYT-3T" not in {each.item.code for each in check_schedule(catalogue.prices, WARD, november, RULES)}
    other_level = [replace(each, levels=frozenset({Level.UPPER_SECONDARY})) for each in catalogue.prices]
    assert check_schedule(other_level, WARD, OCTOBER, RULES) == ()


def test_a_price_that_starts_within_the_period_is_judged_from_its_own_start() -> None:
    later = Cap("A", Level.PRIMARY, "", "", Unit.MONTH, Money(10_000), "NQ mới", Span(date(2025, 11, 1)))
    term = Span(date(2025, 9, 1), date(2025, 12, 31))
    wanted = price(item("A"), 10_001, Span(date(2025, 11, 1), date(2025, 12, 31)))
    with pytest.raises(OverCap, match="NQ mới"):
        check_schedule([wanted], WARD, term, Rulebook((later,)))


@pytest.mark.parametrize("group", [Group.AGREED, Group.SERVICE, Group.PASS_THROUGH])
def test_a_public_school_hides_no_tuition_in_another_group(group: Group) -> None:
    hidden = item("HP2", group=group, name="Thu hộ HỌC PHÍ tháng")
    with pytest.raises(Prohibited, match="217/2025/QH15"):
        refuse_prohibited(hidden, DAY, RULES.prohibitions)
    refuse_prohibited(replace(hidden, group=Group.TUITION), DAY, RULES.prohibitions)
    refuse_prohibited(hidden, date(2025, 8, 31), RULES.prohibitions)  # families paid it then
    refuse_prohibited(item("X", group=group, name="Tài liệu chi phí học tập"), DAY, RULES.prohibitions)
    with pytest.raises(Prohibited, match="29/2024"):
        refuse_prohibited(item("X", group=group, name="Bồi dưỡng học sinh giỏi"), DAY, RULES.prohibitions)


BEFORE, AFTER = Span(date(2025, 8, 1), date(2025, 12, 31)), Span(date(2026, 1, 1))
WINTER = Span(date(2025, 12, 1), date(2026, 1, 31))


def boarding_cap(most: int, valid: Span, rise: int | None = None) -> Cap:
    return Cap("BANTRU", Level.PRIMARY, "ward", "", Unit.MONTH, Money(most), f"NQ {most}", valid, rise)


def test_a_cap_that_falls_within_a_round_binds_the_months_after_it() -> None:
    rules = Rulebook((boarding_cap(300_000, BEFORE), boarding_cap(250_000, AFTER)))
    with pytest.raises(OverCap, match="NQ 250000"):
        check_schedule([price(BOARDING, 250_001)], WARD, WINTER, rules)
    verdicts = check_schedule([price(BOARDING, 250_000)], WARD, WINTER, rules)
    assert [each.cap.max_amount.dong for each in verdicts if each.cap] == [300_000, 250_000]
    assert len(check_schedule([price(BOARDING, 250_001)], WARD, replace(WINTER, end=date(2025, 12, 31)), rules)) == 1


def test_a_cap_that_ends_within_a_round_leaves_a_question() -> None:
    ends = check_schedule([price(BOARDING, 300_000)], WARD, WINTER, Rulebook((boarding_cap(300_000, BEFORE),)))
    assert [each.standing for each in ends] == [Standing.WITHIN, Standing.NO_CAP]
    assert "01/01/2026" in ends[1].reason
    begins = check_schedule([price(BOARDING, 250_000)], WARD, WINTER, Rulebook((boarding_cap(300_000, AFTER),)))
    assert [each.standing for each in begins] == [Standing.NO_CAP, Standing.WITHIN]


def test_what_is_forbidden_from_a_day_within_a_round_is_refused() -> None:
    rule = Prohibition(("giu xe",), "điều 9", AFTER)
    parking = price(item("X", name="Giữ xe"), 10_000)
    with pytest.raises(Prohibited, match="điều 9"):
        check_schedule([parking], WARD, WINTER, Rulebook((), (rule,)))
    assert check_schedule([parking], WARD, OCTOBER, Rulebook((), (rule,)))


def test_the_rise_on_last_year_counts_how_many_months_are_asked_for() -> None:
    rules = Rulebook((boarding_cap(350_000, BEFORE, 15),))
    last_year = price(BOARDING, 150_000, Span(date(2024, 9, 1), date(2025, 5, 31)))
    with pytest.raises(OverCap, match=r"tăng từ 150\.000 đ lên 300\.000 đ, quá 15 %"):
        check_schedule([price(BOARDING, 150_000, count=2)], WARD, OCTOBER, rules, [last_year])
    two = replace(last_year, amount=Money(75_000), count=2)
    assert check_schedule([price(BOARDING, 172_500)], WARD, OCTOBER, rules, [two])


# Resolution 18/2025 of Ho Chi Minh City, and the rise on last year.


@pytest.mark.parametrize(
    ("level", "ward", "commune"),
    [
        (Level.PRESCHOOL, 550_000, 500_000),
        (Level.PRIMARY, 350_000, 320_000),
        (Level.LOWER_SECONDARY, 300_000, 280_000),
        (Level.UPPER_SECONDARY, 250_000, 230_000),
    ],
)
def test_resolution_18_of_2025_for_boarding_in_ho_chi_minh_city(level: Level, ward: int, commune: int) -> None:
    for zone, most in (("ward", ward), ("rural", commune)):
        place = Place(Ownership.PUBLIC, level, zone, "ho_chi_minh")
        assert check_price(price(BOARDING, most), place, DAY, RULES).standing is Standing.WITHIN
        with pytest.raises(OverCap, match="18/2025/NQ-HĐND"):
            check_price(price(BOARDING, most + 1), place, DAY, RULES)


def test_one_city_does_not_bind_another() -> None:
    elsewhere = Place(Ownership.PUBLIC, Level.PRIMARY, "ward", "dong_nai")
    assert check_price(price(BOARDING, 900_000), elsewhere, DAY, RULES).needs_yes


@pytest.mark.parametrize(("was", "now", "allowed"), [(200_000, 230_000, True), (200_000, 230_001, False)])
def test_a_price_may_rise_by_fifteen_percent_on_last_year(was: int, now: int, *, allowed: bool) -> None:
    place = Place(Ownership.PUBLIC, Level.PRIMARY, "ward", "ho_chi_minh")
    last_year = price(BOARDING, was, Span(date(2024, 9, 1), date(2025, 5, 31)))
    if allowed:
        assert check_schedule([price(BOARDING, now)], place, OCTOBER, RULES, [last_year])
    else:
        with pytest.raises(OverCap, match=r"tăng từ 200\.000 đ lên 230\.001 đ, quá 15 %.*18/2025/NQ-HĐND"):
            check_schedule([price(BOARDING, now)], place, OCTOBER, RULES, [last_year])


def test_last_years_price_is_the_last_one_that_held_for_the_level() -> None:
    autumn, spring = (
        Span(date(2024, 9, 1), date(2024, 12, 31)),
        Span(date(2025, 1, 1), date(2025, 5, 31)),
    )
    history = [
        price(BOARDING, 180_000, autumn),
        price(BOARDING, 200_000, spring),
        price(BOARDING, 500_000, spring, levels=frozenset({Level.PRESCHOOL})),
        price(BOARDING, 900_000, Span(date(2023, 9, 1), date(2024, 5, 31))),
        price(item("NUOCUONG"), 700_000, spring),
    ]
    asked = price(BOARDING, 230_000)
    assert last_price(history, asked, Level.PRIMARY, DAY) == Money(200_000)
    assert last_price(history, asked, Level.PRESCHOOL, DAY) == Money(500_000)
    assert last_price([history[-1]], asked, Level.PRIMARY, DAY) is None
    assert last_price(history, asked, Level.PRIMARY, date(2024, 10, 1)) == Money(900_000)


def test_a_grade_is_compared_with_what_can_have_held_for_it() -> None:
    year = Span(date(2024, 9, 1), date(2025, 5, 31))
    history = [price(BOARDING, 100_000, year, grades=frozenset({1})), price(BOARDING, 90_000, year)]
    second = price(BOARDING, 90_000, grades=frozenset({2}))
    assert last_price(history, second, Level.PRIMARY, DAY) == Money(90_000)


def test_a_school_year_begins_in_august() -> None:
    year = Span(date(2025, 8, 1), date(2026, 7, 31))
    assert school_year(date(2025, 8, 1)) == school_year(date(2026, 7, 31)) == year
    assert school_year(date(2025, 7, 31)).end == date(2025, 7, 31)
