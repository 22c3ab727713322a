"""Which plan holds on a day, and what it lets a round collect: over any plans and prices."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.fees.items import Group, Level, Ownership, Unit
from billing.money import Money
from billing.plans.papers import read_paper
from billing.plans.rules import (
    Allowed,
    Approved,
    Asked,
    Audience,
    NotPlanned,
    clash_of,
    in_force,
    needs_plan,
    problem_of,
    refuse_problems,
)

START = date(2025, 9, 1)
days = st.integers(0, 300).map(lambda count: START + timedelta(days=count))
prices = st.integers(1, 1_000_000).map(Money)
LEVELS, GRADES = (Level.PRIMARY, Level.LOWER_SECONDARY), range(1, 8)
audiences = st.builds(Audience, st.frozensets(st.sampled_from(LEVELS)), st.frozensets(st.sampled_from(GRADES)))
allowed = st.builds(Allowed, st.sampled_from(Unit), prices, audiences)
# What a draft lets through: no pupil has two prices of an item.
held = st.lists(allowed, max_size=3).filter(lambda found: clash_of([each.audience for each in found]) is None)
plans = st.lists(
    st.builds(Approved, st.integers(1, 9), days, st.dictionaries(st.sampled_from("ABC"), held)),
    max_size=4,
    unique_by=lambda plan: plan.version,
)
asked = st.builds(
    Asked, st.sampled_from("ABC"), st.just("Tiền ăn"), st.sampled_from(Unit), prices, days, st.sampled_from(LEVELS),
    st.sampled_from(GRADES),
)  # fmt: skip


@given(plans, days)
def test_the_newest_version_that_has_begun_holds(found: list[Approved], day: date) -> None:
    holding = in_force(found, day)
    begun = [plan.version for plan in found if plan.valid_from <= day]
    assert (None if holding is None else holding.version) == max(begun, default=None)


@given(plans, asked)
def test_a_round_may_collect_exactly_what_the_plan_of_the_day_holds_for_the_pupil_at_its_price_or_less(
    found: list[Approved], wanted: Asked
) -> None:
    plan = in_force(found, wanted.day)
    fitting = [
        each
        for each in (() if plan is None else plan.items.get(wanted.code, ()))
        if (wanted.level in each.audience.levels or not each.audience.levels)
        and (wanted.grade in each.audience.grades or not each.audience.grades)
    ]
    assert len(fitting) <= 1
    may = any(each.unit is wanted.unit and wanted.price <= each.price for each in fitting)
    assert (problem_of(wanted, found) is None) == may
    if may:
        refuse_problems([wanted], found)
    else:
        with pytest.raises(NotPlanned, match="Tiền ăn"):
            refuse_problems([wanted], found)


@given(st.lists(audiences, max_size=4))
def test_two_audiences_clash_exactly_when_a_pupil_of_any_level_and_grade_is_in_both(found: list[Audience]) -> None:
    both = any(sum(each.holds(level, grade) for each in found) > 1 for level in LEVELS for grade in GRADES)
    assert (clash_of(found) is not None) == both


@given(st.sampled_from(Ownership), st.sampled_from(Group), days, st.none() | days)
def test_only_services_and_agreed_items_of_public_schools_need_a_plan_from_the_day(
    ownership: Ownership, group: Group, day: date, since: date | None
) -> None:
    expected = (
        since is not None and since <= day and ownership is Ownership.PUBLIC and group in {Group.SERVICE, Group.AGREED}
    )
    assert needs_plan(ownership, group, day, since) == expected


@given(st.text(max_size=40), st.binary(max_size=40))
def test_a_file_is_what_its_first_bytes_say_whatever_its_name(name: str, content: bytes) -> None:
    known = content.startswith((b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
    if not known:
        with pytest.raises(Refused):
            read_paper(name, content)
        return
    read = read_paper(name, content)
    assert read.name.endswith((".pdf", ".jpg", ".png"))
    assert "/" not in read.name
