"""A guardian's session: who is behind a proved contact today, and which children that opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from billing.people.tables import Authority, Guardian
from billing.vault import Vault
from service.access.guardian_sessions import (
    LIFETIME,
    bound_guardians,
    contact_choices,
    end_session,
    may_see,
    read_session,
    start_session,
)
from service.database import EVERYTHING, NOTHING, Database, Scope
from tests.conftest import SCHOOL_DAY
from tests.factories.schools import Enrolled, make_class, make_guardian, make_pupil, make_school
from tests.standing import standing

PHONE = "84912345678"
DIGEST = b"s" * 32


@dataclass
class Family:
    """A mother known to two schools by one phone number, the father, and a child at each school."""

    database: Database
    blind: bytes
    here: Enrolled
    there: Enrolled
    mother_here: Guardian
    mother_there: Guardian
    father: Guardian

    def start(self, now: datetime = SCHOOL_DAY) -> None:
        with self.database.transaction(NOTHING) as session:
            start_session(session, DIGEST, "phone", self.blind, now)

    def behind(self, now: datetime = SCHOOL_DAY) -> set[UUID] | None:
        """Return who is behind the session; nothing when it is not alive."""
        with self.database.transaction(NOTHING) as session:
            found = read_session(session, DIGEST, now)
        return None if found is None else set(found.guardians)

    def change(self, statement: str, **values: object) -> None:
        with self.database.transaction(EVERYTHING) as session:
            assert session.connection().execute(text(statement), values).rowcount == 1

    def sees(self, guardian: UUID, child: Enrolled, now: datetime = SCHOOL_DAY) -> bool:
        scope = Scope(schools=(child.enrolment.school_id,), guardians=(guardian,))
        with self.database.transaction(scope) as session:
            return may_see(session, [guardian], child.id, now)


@pytest.fixture
@standing
def family(database: Database, vault: Vault) -> Family:
    with database.transaction(EVERYTHING) as session:
        first = make_school(session)
        second = make_school(session, province=session.get_one(Authority, first.province_id))
        here = make_pupil(session, make_class(session, first), "Nguyễn An", province_id=first.province_id)
        there = make_pupil(session, make_class(session, second), "Nguyễn Bình", province_id=first.province_id)
        return Family(
            database,
            vault.blind(PHONE, "contacts.phone"),
            here,
            there,
            make_guardian(session, vault, here, phone=PHONE, email="hong@example.com", name="Trần Thị Hồng"),
            make_guardian(session, vault, there, phone=PHONE, name="Trần Thị Hồng"),
            make_guardian(session, vault, here, name="Nguyễn Văn Hòa"),
        )


def test_one_proved_number_joins_what_two_schools_know_of_a_person(family: Family) -> None:
    family.start()
    assert family.behind() == {family.mother_here.id, family.mother_there.id}
    assert family.father.id not in (family.behind() or set())


def test_the_same_text_as_another_kind_proves_nothing(family: Family) -> None:
    with family.database.transaction(NOTHING) as session:
        assert bound_guardians(session, "email", family.blind, SCHOOL_DAY.date()) == frozenset()


def test_half_an_hour_and_not_a_moment_more(family: Family) -> None:
    family.start()
    assert family.behind(SCHOOL_DAY + LIFETIME - timedelta(microseconds=1)) is not None
    assert family.behind(SCHOOL_DAY + LIFETIME) is None
    assert family.behind(SCHOOL_DAY - timedelta(seconds=1)) is None  # a clock that was put back


def test_an_ended_session_stays_ended(family: Family) -> None:
    family.start()
    with family.database.transaction(NOTHING) as session:
        end_session(session, b"x" * 32, SCHOOL_DAY)  # somebody else's: nothing happens
    assert family.behind() is not None
    for at in (1, 2):
        with family.database.transaction(NOTHING) as session:
            end_session(session, DIGEST, SCHOOL_DAY + timedelta(minutes=at))
    assert family.behind() is None
    with family.database.transaction(NOTHING) as session:
        ended = session.execute(text("SELECT ended_at FROM guardian_sessions")).scalar_one()
    assert ended == SCHOOL_DAY + timedelta(minutes=1)


def test_whose_contact_was_taken_away_is_out_at_once(family: Family) -> None:
    family.start()
    family.change(
        "UPDATE contacts SET valid_to = :day WHERE guardian_id = :whose AND kind = 'phone'",
        day=SCHOOL_DAY.date() - timedelta(days=1), whose=family.mother_there.id,
    )  # fmt: skip
    assert family.behind() == {family.mother_here.id}


def test_who_got_the_contact_since_needs_a_code_of_his_own(family: Family, vault: Vault) -> None:
    family.start()
    with family.database.transaction(EVERYTHING) as session:
        make_guardian(session, vault, family.here, phone=PHONE, name="Trần Thị Lan")
    assert family.behind() == {family.mother_here.id, family.mother_there.id}


def test_only_an_own_child_and_only_with_the_right_to_see(family: Family) -> None:
    assert family.sees(family.mother_here.id, family.here)
    assert family.sees(family.father.id, family.here)
    assert not family.sees(family.mother_here.id, family.there)
    assert not family.sees(family.father.id, family.there)
    family.change("UPDATE guardianships SET may_see_bills = false WHERE guardian_id = :who", who=family.father.id)
    assert not family.sees(family.father.id, family.here)
    family.change(
        "UPDATE guardianships SET valid_to = :day WHERE guardian_id = :who",
        day=SCHOOL_DAY.date(), who=family.mother_here.id,
    )  # fmt: skip
    assert family.sees(family.mother_here.id, family.here)
    assert not family.sees(family.mother_here.id, family.here, SCHOOL_DAY + timedelta(days=1))


def test_a_day_begins_at_midnight_in_viet_nam(family: Family) -> None:
    day = SCHOOL_DAY.date()
    family.change("UPDATE guardianships SET valid_to = :day WHERE guardian_id = :who", day=day, who=family.father.id)
    assert family.sees(family.father.id, family.here, SCHOOL_DAY.replace(hour=16, minute=59))
    assert not family.sees(family.father.id, family.here, SCHOOL_DAY.replace(hour=17, minute=0))


def test_a_code_can_go_to_who_may_see_the_bills_each_contact_once(family: Family, vault: Vault) -> None:
    with family.database.transaction(EVERYTHING) as session:
        make_guardian(session, vault, family.here, phone=PHONE, name="Bà Hồng")  # shares the number
    family.change("UPDATE guardianships SET may_see_bills = false WHERE guardian_id = :who", who=family.father.id)
    with family.database.transaction(Scope.of(family.here.enrolment.school_id)) as session:
        found = contact_choices(session, family.here.id, SCHOOL_DAY)
    assert [(each.kind, each.masked) for _, each in found] == [("phone", "…678"), ("email", "…com")]


def test_the_row_holds_no_token_and_no_number(family: Family) -> None:
    family.start()
    with family.database.transaction(NOTHING) as session:
        row = session.execute(text("SELECT g::text FROM guardian_sessions g")).scalar_one()
    assert PHONE not in row
    assert DIGEST.hex() in row
