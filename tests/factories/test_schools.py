"""The makers make what the database accepts."""

from sqlmodel import select

from billing.people.tables import Enrolment, Guardianship
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from tests.factories.schools import (
    make_account,
    make_class,
    make_guardian,
    make_pupil,
    make_school,
    make_user,
)


def test_a_school_with_a_class_two_siblings_and_their_father(database: Database, vault: Vault) -> None:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        other = make_school(session)
        make_account(session, school)
        group = make_class(session, school)
        first = make_pupil(session, group, province_id=school.province_id)
        second = make_pupil(session, group, "Nguyễn An", province_id=school.province_id)
        make_guardian(session, vault, first, second)
        assert make_user(session, school).user_id is not None
    with database.transaction(Scope.of(school.id)) as session:
        assert {each.pupil_id for each in session.exec(select(Enrolment))} == {first.id, second.id}
        assert len(session.exec(select(Guardianship)).all()) == 2
    with database.transaction(Scope.of(other.id)) as session:
        assert session.exec(select(Enrolment)).all() == []
