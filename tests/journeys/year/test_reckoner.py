"""The reckoner itself, on cases that are reckoned by hand here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.journeys.year import events as e
from tests.journeys.year.book import Bill, Book, Request, lower_price, lower_units
from tests.journeys.year.charges import Absent, Facts, Line, Stay, charge, share_of
from tests.journeys.year.schools import three_schools
from tests.journeys.year.story import school_days

FIRST, SECOND, THIRD = three_schools()
OCTOBER = date(2025, 10, 1)
COOKED = frozenset(school_days(OCTOBER))  # 23 days


def facts(plan: e.SchoolPlan, *items: str, first: date = date(2025, 9, 1), last: date | None = None) -> Facts:
    made = Facts(plan, list(plan.prices))
    made.stays["em"] = Stay(first, [(first, "4A")])
    for item in items:
        made.register("em", item, first, 3)
    if last is not None:
        made.end_stay("em", last)
    return made


def charged(known: Facts) -> dict[str, list[tuple[int, int, int]]]:
    """Return units, price and the family's share by item."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for line in charge(known, "em", [OCTOBER], COOKED):
        found.setdefault(line.item, []).append((line.units, line.price, line.family))
    return found


def test_a_boarder_of_the_public_school_pays_no_tuition_and_half_the_insurance() -> None:
    assert charged(facts(FIRST, "BANTRU", "TIENAN")) == {
        "HOCPHI": [(1, 100_000, 0)],
        "BANTRU": [(1, 280_000, 280_000)],
        "TIENAN": [(23, 32_000, 736_000)],
        "NUOCUONG": [(1, 10_000, 10_000)],
        "BHYT-3T": [(1, 315_900, 157_950)],
    }


def test_half_a_month_costs_half_rounded_up_and_water_nothing_after_the_middle() -> None:
    late = charged(facts(SECOND, "BANTRU", first=date(2025, 10, 16)))
    assert late["BANTRU"] == [(1, 137_501, 137_501)]
    assert "NUOCUONG" not in late
    early = charged(facts(SECOND, "BANTRU", last=date(2025, 10, 15)))
    assert (early["BANTRU"], early["NUOCUONG"]) == ([(1, 137_501, 137_501)], [(1, 12_000, 12_000)])


def test_only_credited_days_of_a_closed_month_are_not_eaten() -> None:
    known = facts(FIRST, "TIENAN")
    known.absent = {
        ("em", date(2025, 10, 6)): Absent(credited=True, group="4A", by_office=False),
        ("em", date(2025, 10, 7)): Absent(credited=False, group="4A", by_office=False),
        ("em", date(2025, 10, 8)): Absent(credited=True, group="5A", by_office=False),
    }
    assert charged(known)["TIENAN"][0][0] == 23
    known.closed.add(("4A", OCTOBER))
    known.off.add(date(2025, 10, 9))
    assert charged(known)["TIENAN"][0][0] == 21


def test_a_dearer_meal_makes_a_line_of_its_own_and_registered_hours_count() -> None:
    known = facts(THIRD, "TIENAN", "NGOAIGIO")
    known.change_price("TIENAN", 47_000, date(2025, 10, 20))
    assert charged(known)["TIENAN"] == [(13, 45_000, 585_000), (10, 47_000, 470_000)]
    assert charged(known)["NGOAIGIO"] == [(3, 12_000, 36_000)]


def test_the_state_comes_first_and_nobody_carries_more_than_is_left() -> None:
    known = facts(THIRD)
    known.reductions["em"] = [
        e.Reduction("b", "HOCBONG", "donor", ("HOCPHI",), OCTOBER, OCTOBER, amount=2_000_000),
        e.Reduction("a", "TNLD", "state", ("HOCPHI",), OCTOBER, OCTOBER, percent=50),
    ]
    (line,) = charge(known, "em", [OCTOBER], COOKED)
    assert [(each.payer, each.amount) for each in line.taken] == [("state", 1_250_000), ("donor", 1_250_000)]
    assert (line.family, line.state) == (0, 1_250_000)
    known.reductions["em"] = [replace(each, last=date(2025, 9, 30)) for each in known.reductions["em"]]
    assert charge(known, "em", [OCTOBER], COOKED)[0].family == 2_500_000


def test_the_state_grants_one_right_and_nothing_in_summer() -> None:
    known, may = facts(THIRD), date(2026, 5, 31)
    half = e.Reduction("a", "TNLD", "state", ("HOCPHI",), OCTOBER, may, percent=50)
    known.reductions["em"] = [half, e.Reduction("b", "NCC", "state", ("HOCPHI",), OCTOBER, may, percent=100)]
    assert [each.percent for each in charge(known, "em", [OCTOBER], COOKED)[0].taken] == [100]
    known.reductions["em"] = [replace(half, last=date(2026, 7, 31))]
    assert [charge(known, "em", [month], ())[0].state for month in (date(2026, 5, 1), date(2026, 6, 1))] == [
        1_250_000,
        0,
    ]


def test_of_what_is_given_for_paying_ahead_only_the_greatest_is() -> None:
    known = facts(THIRD)
    quarter = e.Reduction("a", "QUY", "school", ("HOCPHI",), OCTOBER, date(2025, 12, 31), percent=3)
    year = e.Reduction("b", "CANAM", "school", ("HOCPHI",), OCTOBER, date(2025, 10, 31), percent=5)
    known.reductions["em"] = [quarter, year]
    months = [OCTOBER, date(2025, 11, 1)]
    assert [charge(known, "em", [month], ())[0].family for month in months] == [2_375_000, 2_425_000]


def test_an_amount_is_given_once_to_who_was_billed_left_and_came_back() -> None:
    known = facts(THIRD, "TIENAN")
    known.reductions["em"] = [
        e.Reduction("b", "HOCBONG", "donor", ("TIENAN",), OCTOBER, date(2025, 10, 31), amount=400_000)
    ]
    first, second = Stay(OCTOBER, [(OCTOBER, "4A")], date(2025, 10, 10)), Stay(date(2025, 10, 20), [(OCTOBER, "4A")])
    given = [
        sum(each.amount for line in charge(known, "em", [OCTOBER], COOKED, *stays) if line.meals for each in line.taken)
        for stays in (([first],), ([second], [first]), ([first, second],))
    ]
    assert given == [8 * 45_000, 400_000 - 8 * 45_000, 400_000]


def test_an_amount_is_given_once_where_a_meal_becomes_dearer_within_the_month() -> None:
    known = facts(THIRD, "TIENAN")
    known.change_price("TIENAN", 47_000, date(2025, 10, 20))
    known.reductions["em"] = [
        e.Reduction("b", "HOCBONG", "donor", ("TIENAN",), OCTOBER, date(2025, 10, 31), amount=600_000)
    ]
    meals = [line for line in charge(known, "em", [OCTOBER], COOKED) if line.meals]
    assert [sum(each.amount for each in line.taken) for line in meals] == [585_000, 15_000]


def test_units_used_times_price_in_force_stays_in_either_order() -> None:
    one, other = (Line("TIENAN", meals=True, half=False, price=30_000, units=20, taken=()) for _ in range(2))
    for line, acts in (
        (one, ((lower_units, 15), (lower_price, 28_000))),
        (other, ((lower_price, 28_000), (lower_units, 15))),
    ):
        for act, value in acts:
            line.family_off += act(line, value)[0]
    assert one.due == other.due == 15 * 28_000
    assert share_of(5, 50) == 3


def book(*dues: int) -> tuple[Book, list[Bill]]:
    made = Book(FIRST)
    lines = [Line("NUOCUONG", meals=False, half=False, price=due, units=1, taken=()) for due in dues]
    bills = [
        Bill(str(number), "", "em", e.MAIN, date(2025, 10, 20), number, [line]) for number, line in enumerate(lines)
    ]
    made.put_out(bills[:1])
    for bill in bills[1:]:
        made.put_out([bill])
    return made, bills


def test_money_pays_the_oldest_first_and_what_is_too_much_the_next_round() -> None:
    made, (old, new) = book(100, 50)
    assert [request.bills for request in made.requests] == [[old], [old, new]]
    made.transfer(e.MAIN, 120, [made.requests[1]])
    assert (old.rest, new.rest) == (0, 30)
    made.transfer(e.MAIN, 45, [made.requests[0]])
    assert made.credit["em", None] == 45, "the request is closed and no bill is of just this sum"
    made.transfer(e.MAIN, 30, [made.requests[0]])
    assert (new.rest, new.money) == (0, 50)
    made.transfer(e.MAIN, 7, [])
    assert (made.suspense, made.bank[e.MAIN]) == (7, 202)
    following = Bill(
        "2",
        "",
        "em",
        e.MAIN,
        date(2025, 11, 20),
        3,
        [Line("NUOCUONG", meals=False, half=False, price=60, units=1, taken=())],
    )
    made.put_out([following])
    assert (following.rest, following.leftover, made.requests[-1].rest) == (15, 45, 15)


def test_two_codes_are_paid_together_by_the_exact_sum_only() -> None:
    made, (bill,) = book(100)
    other = Bill(
        "0",
        "",
        "chị",
        e.MAIN,
        date(2025, 10, 20),
        1,
        [Line("NUOCUONG", meals=False, half=False, price=70, units=1, taken=())],
    )
    made.put_out([other])
    both: list[Request] = [made.requests[0], made.requests[1]]
    made.transfer(e.MAIN, 171, both)
    assert (bill.rest, other.rest, made.suspense, both[0].waiting) == (100, 70, 171, 171)
    made.transfer(e.MAIN, 170, both)
    assert (bill.rest, other.rest, [paid.amount for paid in made.paid]) == (0, 0, [100, 70])


def test_what_falls_comes_off_the_rest_then_becomes_credit_and_is_paid_out_once() -> None:
    made, (bill,) = book(100)
    made.transfer(e.MAIN, 80, [made.requests[0]])
    made.lower(bill, [(bill.lines[0], 50, 0)])
    assert (bill.rest, bill.due, bill.received, made.credit["em", "NUOCUONG"]) == (0, 50, 50, 30)
    wanted: dict[tuple[str, str | None], int] = {("em", "NUOCUONG"): 30}
    made.ask_back(wanted)
    assert made.free("em") == {}
    made.decide(wanted, approved=True)
    made.pay_out(wanted)
    assert (made.credit["em", "NUOCUONG"], made.cash, sum(made.income.values())) == (0, -30, 50)
