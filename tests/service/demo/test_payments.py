"""Tests of what families do: every story is there, the sums fit, and the plan is a function of seed and requests."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from billing.money import ZERO, Money, total
from billing.payments.reference import find, is_valid, reference_for
from reconciliation.matching import Direction
from service.demo.payments import OCTOBER, SEPTEMBER, Asked, LastMonth, Month, PlannedPayment, Story, plan
from service.demo.schools import Told

KEY = bytes(range(32))
SEED = "thử"
MEMO_SCHOOLS = (("A", Told.SEPAY_HMAC), ("B", Told.SEPAY_API_KEY), ("C", Told.STATEMENT))


def asked_of(count: int, *, draw: int = 1) -> list[Asked]:
    """Make requests of four schools: every fourth by virtual account; siblings, and September left open by some."""
    made = []
    for n in range(count):
        virtual = n % 4 == 3
        school, told_by = ("D", Told.SEPAY_HMAC) if virtual else MEMO_SCHOOLS[n % 4]
        before = Money(500_000 + n % 7 * 10_000)
        carried = before if n % 9 == 0 else ZERO
        made.append(
            Asked(
                reference=reference_for(draw * 1_000_000 + n, KEY),
                school=school,
                pupil=f"75{n:08}",
                family=f"75{n - n % 8 if n % 8 in {0, 4} else n:08}",
                account=f"1000{school}",
                told_by=told_by,
                due=Money(700_000 + n % 11 * 25_000) + carried,
                virtual_account=f"963{n:06}" if virtual else None,
                last=LastMonth(reference_for(draw * 1_000_000 + 500_000 + n, KEY), before, carried),
            )
        )
    return made


def by_story(payments: list[PlannedPayment]) -> dict[Story, list[PlannedPayment]]:
    found = defaultdict(list)
    for payment in payments:
        found[payment.story].append(payment)
    return dict(found)


ASKED = asked_of(480)
BY_REFERENCE = {each.reference: each for each in ASKED}
OCTOBERS = plan(ASKED, OCTOBER, SEED)
TOLD = by_story(OCTOBERS)


def only_named(payment: PlannedPayment) -> Asked:
    (reference,) = find(payment.memo).exact
    return BY_REFERENCE[reference]


def test_every_story_of_october_happens() -> None:
    assert set(TOLD) == set(Story) - {Story.NOT_AT_ALL}


def test_a_small_school_sees_every_story_as_well() -> None:
    assert set(by_story(plan(asked_of(60), OCTOBER, SEED))) == set(Story) - {Story.NOT_AT_ALL}


@pytest.mark.parametrize("month", [SEPTEMBER, OCTOBER])
def test_the_plan_depends_on_nothing_but_seed_and_requests(month: Month) -> None:
    assert plan(ASKED, month, SEED) == plan(reversed(ASKED), month, SEED)
    assert plan(ASKED, month, SEED) != plan(ASKED, month, "another seed")


def test_other_references_lead_to_the_same_payments() -> None:
    def without_memo(payments: list[PlannedPayment]) -> list[PlannedPayment]:
        return [replace(payment, memo="") for payment in payments]

    assert without_memo(plan(asked_of(480, draw=7), OCTOBER, SEED)) == without_memo(OCTOBERS)


def test_keys_never_repeat_and_the_order_is_that_of_time() -> None:
    assert len({payment.key for payment in OCTOBERS}) == len(OCTOBERS)
    assert [payment.at for payment in OCTOBERS] == sorted(payment.at for payment in OCTOBERS)
    assert {OCTOBER.day_of(payment.at).isoformat() for payment in OCTOBERS} == {"2025-10-06"}


def paying_families(payments: list[PlannedPayment]) -> int:
    pairs = sum(payment.story in {Story.SIBLINGS, Story.SIBLINGS_WRONG_SUM} for payment in payments)
    return pairs + len({payment.key.rsplit("/", 1)[0] for payment in payments if payment.direction is Direction.IN})


def test_most_families_pay_in_october_and_nearly_all_in_september() -> None:
    assert 0.8 <= paying_families(OCTOBERS) / len(ASKED) <= 0.9
    assert 0.92 <= paying_families(plan(ASKED, SEPTEMBER, SEED)) / len(ASKED) <= 0.98


def test_in_september_some_pay_nothing_and_some_a_part() -> None:
    stories = Counter(payment.story for payment in plan(ASKED, SEPTEMBER, SEED))

    assert set(stories) == {Story.EXACT, Story.IN_PART, Story.MONEY_OUT}
    assert stories[Story.IN_PART] >= 1
    assert stories[Story.EXACT] + stories[Story.IN_PART] < len(ASKED)


def test_sums_fit_their_story() -> None:
    exact = [payment for payment in TOLD[Story.EXACT] if not payment.virtual_account]
    assert all(payment.amount == only_named(payment).due for payment in exact)
    assert all(
        payment.amount > only_named(payment).due for payment in TOLD[Story.TOO_MUCH] if payment.virtual_account is None
    )
    assert all(
        ZERO < payment.amount < only_named(payment).due
        for payment in TOLD[Story.IN_PART]
        if payment.virtual_account is None
    )
    assert all(payment.amount > Money(20_000_000) for payment in TOLD[Story.VERY_LARGE])
    assert {BY_REFERENCE[payment.memo].told_by for payment in TOLD[Story.VERY_LARGE]} == {Told.SEPAY_API_KEY}


def test_two_parts_and_twice_add_up() -> None:
    for story, times in ((Story.IN_TWO_PARTS, 1), (Story.TWICE, 2)):
        sums: dict[str, list[Money]] = defaultdict(list)
        for payment in TOLD[story]:
            sums[payment.key.split("/")[2]].append(payment.amount)
        due = {each.pupil: each.due for each in ASKED}
        assert sums
        assert all(len(paid) == 2 and total(paid) == due[pupil] * times for pupil, paid in sums.items())


def test_the_rest_comes_later_and_nothing_else_does() -> None:
    rest = [payment for payment in OCTOBERS if payment.later]

    assert sorted(payment.key for payment in rest) == sorted(
        payment.key for payment in TOLD[Story.IN_TWO_PARTS] if payment.key.endswith("/2")
    )
    told_by = {each.account: each.told_by for each in ASKED}
    assert all(told_by[payment.account] is not Told.STATEMENT for payment in rest)


def test_siblings_are_of_one_family_and_one_account_and_only_one_sum_is_right() -> None:
    for story, right in ((Story.SIBLINGS, True), (Story.SIBLINGS_WRONG_SUM, False)):
        for payment in TOLD[story]:
            both = [BY_REFERENCE[reference] for reference in find(payment.memo).exact]
            assert len(both) == 2
            assert {each.account for each in both} == {payment.account}
            assert len({each.family for each in both}) == 1
            assert (total(each.due for each in both) == payment.amount) is right


def test_without_siblings_a_neighbour_pays_for_two() -> None:
    alone = [replace(each, family=each.pupil) for each in ASKED]

    assert len(by_story(plan(alone, OCTOBER, SEED))[Story.SIBLINGS]) == 1


def test_last_months_code_is_paid_by_who_left_it_open_and_by_who_had_paid() -> None:
    before = {each.last.reference: each.last for each in ASKED if each.last}
    for story, is_open in ((Story.LAST_MONTH_OPEN, True), (Story.LAST_MONTH_PAID, False)):
        for payment in TOLD[story]:
            last = before[payment.memo]
            assert payment.amount == last.due
            assert (last.carried == last.due) is is_open


def test_codes_that_must_not_be_believed() -> None:
    wrong = [find(payment.memo) for payment in TOLD[Story.WRONG_CHARACTER]]
    assert all(not found.exact and set(found.corrected) & set(BY_REFERENCE) for found in wrong)
    assert all(is_valid(payment.memo) and payment.memo not in BY_REFERENCE for payment in TOLD[Story.UNKNOWN_CODE])
    assert all(find(payment.memo) == ((), ()) for payment in TOLD[Story.WITHOUT_CODE])
    assert all(only_named(payment).account != payment.account for payment in TOLD[Story.OTHER_SCHOOL])


def test_virtual_accounts_get_no_useful_memo() -> None:
    virtual = [payment for payment in OCTOBERS if payment.virtual_account]

    assert virtual
    assert all(find(payment.memo).exact == () for payment in virtual)


def test_memos_come_in_every_shape() -> None:
    routes = {payment.route for payment in TOLD[Story.EXACT]}

    assert {"from Vietcombank", "from MoMo", "napas", "plain"} <= routes
    assert any(payment.memo.islower() for payment in TOLD[Story.EXACT])


def test_money_goes_out_of_every_account() -> None:
    assert {payment.account for payment in TOLD[Story.MONEY_OUT]} == {each.account for each in ASKED}
    assert all(payment.direction is Direction.OUT for payment in TOLD[Story.MONEY_OUT])


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_few_requests_are_no_trouble(count: int) -> None:
    for month in (SEPTEMBER, OCTOBER):
        assert all(payment.amount > ZERO for payment in plan(asked_of(count), month, SEED))


@pytest.mark.proof
def test_two_hundred_thousand_requests_are_planned() -> None:
    asked = asked_of(200_000)

    assert 0.8 <= paying_families(plan(asked, OCTOBER, SEED)) / len(asked) <= 0.9
