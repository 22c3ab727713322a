"""Which plan holds on a day, and what it lets a round collect: over any plans and prices."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.fees.items import Group, Ownership, Unit
from billing.money import Money
from billing.plans.papers import read_paper
from billing.plans.rules import Allowed, Approved, Asked, NotPlanned, in_force, needs_plan, problem_of, refuse_problems

START = date(2025, 9, 1)
days = st.integers(0, 300).map(lambda count: START + timedelta(days=count))
prices = st.integers(1, 1_000_000).map(Money)
allowed = st.builds(Allowed, st.sampled_from(Unit), prices)
plans = st.lists(
    st.builds(Approved, st.integers(1, 9), days, st.dictionaries(st.sampled_from("ABC"), allowed)),
    max_size=4,
    unique_by=lambda plan: plan.version,
)
asked = st.builds(Asked, st.sampled_from("ABC"), st.just("Tiền ăn"), st.sampled_from(Unit), prices, days)


@given(plans, days)
def test_the_newest_version_that_has_begun_holds(found: list[Approved], day: date) -> None:
    holding = in_force(found, day)
    begun = [plan.version for plan in found if plan.valid_from <= day]
    assert (None if holding is None else holding.version) == max(begun, default=None)


@given(plans, asked)
def test_a_round_may_collect_exactly_what_the_plan_of_the_day_holds_at_its_price_or_less(
    found: list[Approved], wanted: Asked
) -> None:
    plan = in_force(found, wanted.day)
    held = None if plan is None else plan.items.get(wanted.code)
    may = held is not None and held.unit is wanted.unit and wanted.price <= held.price
    assert (problem_of(wanted, found) is None) == may
    if may:
        refuse_problems([wanted], found)
    else:
        with pytest.raises(NotPlanned, match="Tiền ăn"):
            refuse_problems([wanted], found)


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
