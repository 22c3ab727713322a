"""The roll of a school: who is there, in which class, registered for what, which child of the family."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from billing.fees.items import Span
from billing.fees.pupils import Roll, _enrolled, _families, read_roll
from billing.fees.tables import Reduction
from billing.money import Money
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.factories.fees import OCTOBER
from tests.factories.rounds import BillingSchool, make_billing_school, register
from tests.factories.schools import SCHOOL_YEAR, make_guardian, make_pupil, make_school
from tests.standing import standing


@pytest.fixture
@standing
def billing(database: Database, vault: Vault) -> BillingSchool:
    with database.transaction(EVERYTHING) as session:
        return make_billing_school(session, vault, pupils=2)


def roll_of(database: Database, billing: BillingSchool) -> Roll:
    with database.transaction(EVERYTHING) as session:
        return read_roll(session, billing.id, SCHOOL_YEAR, OCTOBER)


def places(roll: Roll) -> dict[UUID, int]:
    return {each.facts.pupil_id: each.facts.sibling_order for each in roll.pupils}


def test_no_plan_compares_each_enrolment_with_each_placement(database: Database, billing: BillingSchool) -> None:
    """A worker keeps one plan for all schools: a join took 400 ms a school once it was made for few pupils."""
    roll = _enrolled(billing.id, SCHOOL_YEAR, OCTOBER)
    with database.transaction(EVERYTHING) as session:
        query = roll.compile(session.connection(), compile_kwargs={"literal_binds": True})
        plan = "\n".join(session.execute(text(f"EXPLAIN {query}")).scalars())
    assert "SubPlan" in plan
    assert not {word for word in ("Join", "Nested Loop") if word in plan}, plan


def test_facts_come_with_class_registrations_and_reductions(database: Database, billing: BillingSchool) -> None:
    first, second = billing.pupils
    with database.transaction(EVERYTHING) as session:
        register(session, first, "BANTRU", since=date(2025, 10, 13))
        session.add(
            Reduction(
                school_id=billing.id,
                enrolment_id=second.enrolment.id,
                title="Học bổng",
                item_codes=["NUOCUONG"],
                kind="amount",
                amount=Money(5_000),
                payer="donor",
                reason_class="học bổng",
                legal_basis="Quyết định 12/QĐ",
                evidence="QĐ ngày 01/9",
                valid_from=date(2025, 9, 1),
                approved_by=new_id(),
            )
        )
    facts = {each.facts.pupil_id: each.facts for each in roll_of(database, billing).pupils}
    (registration,) = facts[first.id].registrations
    assert (registration.item, registration.days, registration.quantity) == ("BANTRU", Span(date(2025, 10, 13)), 1)
    (reduction,) = facts[second.id].reductions
    assert (reduction.amount, reduction.items, reduction.evidence) == (
        Money(5_000),
        frozenset({"NUOCUONG"}),
        "QĐ ngày 01/9",
    )
    assert facts[first.id].class_name == "1A"
    assert not facts[first.id].reductions
    assert not facts[second.id].registrations


@pytest.mark.parametrize(
    ("started", "ended", "there"),
    [
        (date(2025, 9, 1), date(2025, 9, 30), False),
        (date(2025, 9, 1), date(2025, 10, 1), True),
        (date(2025, 10, 31), None, True),
        (date(2025, 11, 1), None, False),
    ],
)
def test_the_roll_holds_who_is_enrolled_on_any_day(
    database: Database, billing: BillingSchool, started: date, ended: date | None, *, there: bool
) -> None:
    with database.transaction(EVERYTHING) as session:
        group = billing.pupils[0].class_group
        child = make_pupil(session, group, province_id=billing.school.province_id, started_on=started, ended_on=ended)
    roll = roll_of(database, billing)
    assert (child.id in places(roll)) is there
    assert len(roll.pupils) == 2 + there


def test_siblings_are_counted_by_age_through_either_parent(
    database: Database, vault: Vault, billing: BillingSchool
) -> None:
    with database.transaction(EVERYTHING) as session:
        group = billing.pupils[0].class_group
        province = billing.school.province_id
        eldest = make_pupil(session, group, "Cả", province_id=province, born=date(2015, 1, 1))
        middle = make_pupil(session, group, "Hai", province_id=province, born=date(2017, 1, 1))
        youngest = make_pupil(session, group, "Út", province_id=province, born=date(2019, 1, 1))
        make_guardian(session, vault, middle, eldest, name="Cha")
        make_guardian(session, vault, youngest, middle, name="Mẹ")
    found = places(roll_of(database, billing))
    assert [found[child.id] for child in (eldest, middle, youngest)] == [1, 2, 3]
    assert [found[child.id] for child in billing.pupils] == [1, 1]


def test_a_brother_at_another_school_does_not_count(database: Database, vault: Vault, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        group = billing.pupils[0].class_group
        province = billing.school.province_id
        other = make_billing_school(session, vault, pupils=1)
        eldest = make_pupil(session, other.pupils[0].class_group, "Cả", province_id=province, born=date(2015, 1, 1))
        younger = make_pupil(session, group, "Em", province_id=province)
        make_guardian(session, vault, eldest, younger)
        assert make_school(session).id != other.id
    assert places(roll_of(database, billing))[younger.id] == 1


def test_pupils_alike_share_their_registrations_and_days(database: Database, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        for child in billing.pupils:
            register(session, child, "BANTRU", since=date(2025, 10, 13))
    first, second = (each.facts for each in roll_of(database, billing).pupils)
    assert first.registrations
    assert first.registrations is second.registrations, "so they are charged by one calculation, without a comparison"
    assert first.enrolled is second.enrolled


def test_who_has_no_live_contact_cannot_be_told(database: Database, vault: Vault, billing: BillingSchool) -> None:
    with database.transaction(EVERYTHING) as session:
        child = make_pupil(session, billing.pupils[0].class_group, province_id=billing.school.province_id)
    assert roll_of(database, billing).without_contact == {child.id}
    with database.transaction(EVERYTHING) as session:
        make_guardian(session, vault, child)
    assert roll_of(database, billing).without_contact == set()


@given(st.lists(st.lists(st.integers(0, 12).map(lambda number: UUID(int=number)), min_size=1, max_size=4)))
def test_families_are_disjoint_and_keep_every_group_together(groups: list[list[UUID]]) -> None:
    families = _families(groups)
    everybody = [child for family in families for child in family]
    assert len(everybody) == len(set(everybody))
    assert set(everybody) == {child for group in groups for child in group}
    for group in groups:
        assert sum(bool(family & set(group)) for family in families) == 1
