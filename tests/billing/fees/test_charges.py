"""What goes into a charge and what comes out of it: refused when it is built, and equal to the sum of its lines."""

from datetime import date

import pytest
from hypothesis import given

from billing.errors import Refused
from billing.fees.charges import Period, PupilFacts, Registration, Schedule
from billing.fees.charging import charge_pupil
from billing.fees.items import Ownership, Payer, Span, Unit
from billing.money import Money
from tests.factories.fees import OCTOBER, item, percent, period, price, public, pupil, pupils, schedules

MEALS = item("TIENAN", unit=Unit.MEAL_DAY)


def test_the_formula_reads_like_the_accountant_writes_it() -> None:
    line = charge_pupil(pupil(), period(), public(price(MEALS, 32_000))).lines[0]
    assert line.formula == "32.000 đ × 23 ngày ăn = 736.000 đ"


def test_a_registration_needs_a_quantity() -> None:
    with pytest.raises(Refused, match="từ 1"):
        Registration("XE", OCTOBER, quantity=0)


def test_a_period_needs_an_end_and_holds_its_meal_days() -> None:
    with pytest.raises(Refused, match="ngày kết thúc"):
        Period("2025-10", "Tháng 10", Span(date(2025, 10, 1)))
    with pytest.raises(Refused, match="nằm ngoài kỳ"):
        Period("2025-10", "Tháng 10", OCTOBER, frozenset({date(2025, 11, 1)}))


def test_a_schedule_knows_whether_a_reduction_asks_for_the_place_among_siblings() -> None:
    assert not Schedule(Ownership.PRIVATE, ()).by_siblings()
    assert not Schedule(Ownership.PUBLIC, (), (percent(10, Payer.SCHOOL, id="each"),)).by_siblings()
    later = percent(10, Payer.SCHOOL, id="second", from_sibling=2)
    assert Schedule(Ownership.PUBLIC, (), (percent(10, Payer.SCHOOL, id="each"), later)).by_siblings()


@given(pupils(), schedules())
def test_the_shares_of_all_payers_are_the_gross_line_by_line(child: PupilFacts, schedule: Schedule) -> None:
    charge = charge_pupil(child, period(), schedule)
    assert sum(charge.share(payer).dong for payer in Payer) == charge.gross.dong
    assert charge.family_due == charge.share(Payer.FAMILY)
    assert charge.covered is (charge.family_due == Money(0))
    for line in charge.lines:
        assert (
            sum(line.share(payer).dong for payer in Payer) == line.gross.dong == (line.unit_price * line.quantity).dong
        )
