"""A pupil goes to another school of the province: the person goes along, money and evidence stay where they are."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.credits.reading import credit_of
from billing.fees.registering import class_members
from billing.fees.tables import OptIn, Reduction
from billing.ledger.balances import trial_balance
from billing.money import ZERO, Money, total
from billing.moving.leaving import settle_leaving
from billing.people.tables import Authority, PupilCode
from service.access.roles import MATRIX, Actor
from service.database import EVERYTHING, Scope, metadata
from service.guards import OWN_POLICY, WITHOUT_SCHOOL_POLICY
from tests.billing.credits.credit_world import School
from tests.billing.moving.test_leaving import LATER, approve, cash, go, plan, sums
from tests.factories.rounds import make_billing_school
from tests.factories.schools import make_class, make_pupil

SEEN_THROUGH_THE_CHILD = {"pupils", "guardians", "guardianships", "contacts"}


def another(school: School) -> School:
    """Return a school of the same province with no pupils yet."""
    with school.database.transaction(EVERYTHING) as session:
        province = session.get_one(Authority, school.billing.school.province_id)
        made = make_billing_school(session, school.vault, pupils=0, province=province)
    return School(school.database, made, school.now, school.vault)


def arrive(school: School, other: School, started_on: date) -> None:
    """Enrol the first pupil of a school at another one, as that one: it knows the sector code and the birth date."""
    child = school.billing.pupils[0]
    with other.database.transaction(Scope.of(other.id)) as session:
        assert child.id in session.exec(select(col(PupilCode.pupil_id))).all()
        group = make_class(session, other.billing.school, "1C")
        made = make_pupil(session, group, province_id=child.pupil.province_id, pupil=child.pupil, started_on=started_on)
    other.billing.pupils.append(made)


def told(session: Session, secrets: list[str]) -> dict[str, str]:
    """Return the tables with a row that names one of the secrets, of all that a scope sees."""
    found = {}
    for table in metadata().sorted_tables:
        if table.name in WITHOUT_SCHOOL_POLICY or table.name in SEEN_THROUGH_THE_CHILD:
            continue
        rows = session.execute(text(f"SELECT to_jsonb(t)::text FROM {table.name} t")).scalars()  # noqa: S608  our names
        for row in rows:
            if any(secret in row for secret in secrets):
                found[table.name] = row
    return found


def test_debt_credit_and_evidence_stay_and_the_new_school_sees_none_of_it(school: School) -> None:
    """October is paid, November is open; the child goes after 15 October and no correction is approved yet."""
    with school.open() as session:
        go(school, session, plan(school, state="transferred_out"))
        before = sums(school, session)
        numbers = session.exec(select(col(Bill.number)).where(Bill.pupil_id == school.pupil())).all()
    other = another(school)
    arrive(school, other, date(2025, 10, 16))
    with other.open() as session:
        secrets = [str(school.id), *map(str, numbers)]
        assert len(secrets) == 3
        assert told(session, [str(other.id)]), "the search finds what the school has itself"
        assert told(session, secrets) == {}
        assert set(OWN_POLICY) == {"schools", *SEEN_THROUGH_THE_CHILD}
        assert credit_of(session, other.id) == {}
        assert session.exec(select(OptIn)).all() == []
        assert session.exec(select(Reduction).where(col(Reduction.enrolment_id).is_not(None))).all() == []
        assert other.bill_month(session, 11).bills == 1
    with school.open() as session:
        assert sums(school, session) == before
        assert school.bill(session, 10).number in numbers
        assert told(session, [str(other.id)]) == {}
        assert {"bills", "bill_lines", "payments", "postings", "corrections", "leavings"} <= told(
            session, secrets
        ).keys(), "the same search finds them where they are at home"


def test_transfers_among_three_schools_lose_no_dong(school: School) -> None:
    second, third = another(school), another(school)
    with school.open() as session:
        leaving = go(school, session, plan(school, state="transferred_out"))
        approve(school, session, leaving)
        settle_leaving(session, school.vault, school.billing.accountant, leaving, LATER)
    arrive(school, second, date(2025, 10, 16))
    with second.open() as session:
        second.bill_month(session, 11)
        second.pay(session, 11, over=50_000)
        leaving = go(second, session, plan(second, last_day=date(2025, 10, 31), state="transferred_out"))
        approve(second, session, leaving)
    arrive(second, third, date(2025, 11, 1))
    with third.open() as session:
        third.bill_month(session, 11)
    came, kept, counts = ZERO, ZERO, ZERO
    for each in (school, second, third):
        with each.open() as session:
            now = sums(each, session)
            came, counts = came + cash(each, session), counts + now.counts - now.open
            kept += total(credit_of(session, each.id, [each.pupil()]).values())
            assert total(trial_balance(session, each.id).values()) == ZERO
    assert came == counts + kept
    assert kept > Money(50_000)


def test_exclusion_for_debt_nothing_is_withheld_and_no_teacher_sees_it(school: School) -> None:
    """Nothing is paid; the child goes to the new school all the same, is billed there, and is in its class."""
    other = another(school)
    with school.open() as session:
        school.billing.pupils.insert(0, school.billing.pupils.pop(1))
        go(school, session, plan(school, state="transferred_out"))
        assert sums(school, session).open > ZERO
    arrive(school, other, date(2025, 10, 16))
    with other.open() as session:
        child = other.billing.pupils[0]
        members = class_members(session, other.id, child.class_group.id, date(2025, 10, 17))
        assert [each.pupil_id for each in members] == [child.id]
        assert other.bill_month(session, 11).bills == 1
    paths = [path for _, path in MATRIX if path.startswith(("/van-phong/chuyen-di", "/van-phong/cuoi-cap"))]
    assert len(paths) == 10
    assert all(Actor.CLASS_TEACHER not in who for (_, path), who in MATRIX.items() if path in paths)
