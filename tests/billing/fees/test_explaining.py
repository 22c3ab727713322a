"""The words of a line, in two views: the full one tells everything, the plain one nothing of hardship."""

from datetime import date

import pytest
from hypothesis import given

from billing.fees.charges import PupilFacts, Registration, Schedule
from billing.fees.charging import charge_pupil
from billing.fees.explaining import (
    Language,
    LineFacts,
    ShareFacts,
    because_json,
    because_of,
    explain,
    line_facts,
    plain,
    plain_detail,
    plain_lines,
)
from billing.fees.items import Group, Level, PartMonth, Payer, Quantity, Span, Unit
from billing.money import Money, total
from tests.factories.fees import SCHOOL_YEAR, item, percent, period, price, private, public, pupil, pupils, schedules

MEALS = item("TIENAN", unit=Unit.MEAL_DAY, name="Tiền ăn bán trú", opt_in=True)
TUITION = item("HOCPHI", group=Group.TUITION, name="Học phí")
SECRETS = ("Hộ nghèo", "238/2025", "%", "Nhà nước", "State", "minh chứng")


def meals(dong_percent: int, since: date = SCHOOL_YEAR.start) -> LineFacts:
    shares = (percent(dong_percent),) if dong_percent else ()
    child = pupil(1, *shares, registrations=(Registration("TIENAN", Span(since)),))
    (line,) = charge_pupil(child, period(), public(price(MEALS, 32_000))).lines
    return line_facts(line)


def test_the_full_view_tells_a_boarder_who_came_late_everything() -> None:
    told = explain(meals(50, date(2025, 10, 13)))
    assert told.sentences == (
        (
            "Đơn giá 32.000 đ/ngày ăn, hiệu lực từ 01/09/2025 đến 31/05/2026, số lượng theo ngày ăn của trẻ trong kỳ,"
            " theo Thỏa thuận."
        ),
        "Tháng 10/2025: 15 ngày ăn, từ ngày 13/10.",
        "32.000 đ × 15 ngày ăn = 480.000 đ.",
        "Nhà nước chịu 50 %: 240.000 đ (Hộ nghèo; căn cứ: Nghị định 238/2025/NĐ-CP).",
        "Gia đình nộp 240.000 đ.",
    )


def test_the_same_in_english() -> None:
    told = explain(meals(50, date(2025, 10, 13)), "en")
    assert told.sentences == (
        (
            "Price 32.000 đ a meal day, valid from 01/09/2025 to 31/05/2026, counted by the child's meal days in the"
            " period, by Thỏa thuận."
        ),
        "10/2025: 15 meal days, from 13/10.",
        "32.000 đ × 15 meal days = 480.000 đ.",
        "The State carries 50 %: 240.000 đ (Hộ nghèo; legal basis: Nghị định 238/2025/NĐ-CP).",
        "The family pays 240.000 đ.",
    )


def test_half_a_month_the_audience_and_the_evidence_are_told() -> None:
    late = pupil(1, enrolled=(Span(date(2025, 10, 20), date(2025, 10, 30)),))
    of = price(TUITION, 2_500_001, part_month=PartMonth.HALF, levels=frozenset({Level.PRIMARY}), grades=frozenset({1}))
    (line,) = charge_pupil(late, period(), private(of)).lines
    facts = line_facts(line)
    told = explain(facts)
    assert told.price.startswith("Nửa giá 1.250.001 đ/tháng, hiệu lực từ 01/09/2025")
    assert "cho cấp tiểu học, khối 1" in told.price
    assert "for primary, grade 1" in explain(facts, "en").price
    assert told.months == ("Tháng 10/2025: 1 tháng, từ ngày 20/10, đến ngày 30/10.",)
    assert plain(facts) is not None
    assert (plain_detail(facts), plain_detail(facts, "en")) == ("nửa tháng", "half a month")
    share = ShareFacts("Học bổng", Payer.DONOR, Money(5), "QĐ 1", evidence="QĐ 1/2025")
    with_share = LineFacts("A", "month", 1, Money(5), Money(5), Money(0), shares=(share,))
    assert explain(with_share).shares == ("Nhà tài trợ chịu: 5 đ (Học bổng; căn cứ: QĐ 1; minh chứng: QĐ 1/2025).",)
    assert explain(with_share).family == "Gia đình không phải nộp."


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_plain_view_leaves_out_shows_the_net_or_shows_all(language: Language) -> None:
    assert plain(meals(100), language) is None
    half = plain(meals(50), language)
    assert half is not None
    assert (half.amount, half.detail) == (Money(368_000), "")
    whole = plain(meals(0), language)
    assert whole is not None
    assert whole.detail == {"vi": "23 ngày ăn × 32.000 đ", "en": "23 meal days × 32.000 đ"}[language]


def test_a_line_from_before_there_were_explanations_still_explains_itself() -> None:
    old = LineFacts("Tiền nước", "month", 2, Money(10_000), Money(20_000), Money(20_000))
    assert explain(old).sentences == (
        "Đơn giá 10.000 đ/tháng.",
        "10.000 đ × 2 tháng = 20.000 đ.",
        "Gia đình nộp 20.000 đ.",
    )
    assert plain_detail(old) == "2 tháng × 10.000 đ"


def test_the_kept_facts_are_small_and_leave_out_what_is_usual() -> None:
    of = price(TUITION, 400_000, Span(date(2025, 9, 1)), classes=frozenset({"1A"}), quantity=Quantity.FIXED)
    (line,) = charge_pupil(pupil(), period(Span(date(2025, 10, 1), date(2025, 11, 30))), private(of)).lines
    assert because_of(line.because) == {
        "rule": "fixed",
        "from": "2025-09-01",
        "for": ["class:1A"],
        "months": [["2025-10", 1], ["2025-11", 1]],
    }
    assert because_json(line.because) == (
        '{"rule":"fixed","from":"2025-09-01","for":["class:1A"],"months":[["2025-10",1],["2025-11",1]]}'
    )


@given(pupils(), schedules())
def test_no_plain_word_gives_a_reduction_away_and_its_sums_are_what_is_due(
    child: PupilFacts, schedule: Schedule
) -> None:
    charge = charge_pupil(child, period(), schedule)
    lines = [line_facts(line) for line in charge.lines]
    shown = plain_lines(lines)
    assert total(line.amount for line in shown) == charge.family_due
    words = " ".join(f"{line.name} {line.amount} {line.detail}" for line in shown)
    assert not any(secret in words for secret in SECRETS)
    for facts, line in zip(lines, charge.lines, strict=True):
        assert sum(each[1] for each in facts.because["months"]) == line.quantity
        told = " ".join(explain(facts).sentences)
        assert str(line.family_share) in told or not line.family_share
        assert all(each.reduction.legal_basis in told for each in line.reductions)
