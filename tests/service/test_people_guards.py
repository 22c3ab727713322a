"""A code alone opens no child: the database asks for proof, and lets only the school that has a child change it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from billing.people.tables import Authority, School
from service.database import EVERYTHING, Database, Scope
from tests.factories.schools import Enrolled, make_class, make_guardian, make_pupil, make_school
from tests.factories.sheets import VAULT
from tests.standing import standing

BORN = date(2019, 3, 14)


@pytest.fixture
@standing
def there(database: Database) -> Enrolled:
    """A child with a guardian at a school of the province."""
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        child = make_pupil(session, make_class(session, school), province_id=school.province_id, born=BORN)
        make_guardian(session, VAULT, child)
    return child


@pytest.fixture
def other(database: Database, there: Enrolled) -> School:
    """Another school of the same province, which has nothing to do with the child."""
    with database.transaction(EVERYTHING) as session:
        return make_school(session, province=session.get_one(Authority, there.pupil.province_id))


ENROL = text(
    "INSERT INTO enrolments (id, school_id, pupil_id, school_year, state, started_on, stated_birth_date) "
    "VALUES (gen_random_uuid(), :school, :pupil, :year, 'studying', '2025-09-05', :born)"
)


def enrol(database: Database, school_id: UUID, pupil_id: UUID, born: date | None, year: str = "2025-2026") -> None:
    """Enrol a child as a school."""
    with database.transaction(Scope.of(school_id)) as session:
        session.execute(ENROL, {"school": school_id, "pupil": pupil_id, "born": born, "year": year})


def changed(database: Database, school_id: UUID) -> dict[str, int]:
    """Return how many rows of each table a school could change, in a transaction that is kept."""
    with database.transaction(Scope.of(school_id)) as session:
        statements = {
            "pupils": "UPDATE pupils SET full_name = full_name || ' X'",
            "guardians": "UPDATE guardians SET full_name = full_name || ' X'",
            "guardianships": "UPDATE guardianships SET may_see_bills = false",
            "contacts": "UPDATE contacts SET masked = 'X'",
        }
        return {table: session.connection().execute(text(each)).rowcount for table, each in statements.items()}


def seen(database: Database, school_id: UUID) -> list[int]:
    """Return how many rows of each table a school sees."""
    with database.transaction(Scope.of(school_id)) as session:
        return [
            session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  names are ours
            for table in ("pupils", "guardians", "guardianships", "contacts")
        ]


def leave(database: Database, child: Enrolled) -> None:
    """Let the first school write down that the child has gone."""
    with database.transaction(Scope.of(child.enrolment.school_id)) as session:
        session.execute(text("UPDATE enrolments SET state = 'transferred_out', ended_on = '2025-10-01'"))


NOTHING_CHANGED = {"pupils": 0, "guardians": 0, "guardianships": 0, "contacts": 0}
ALL_CHANGED = {"pupils": 1, "guardians": 1, "guardianships": 1, "contacts": 1}


@pytest.mark.parametrize("born", [None, date(2019, 3, 15)])
def test_an_id_from_the_open_codes_enrols_nobody(
    database: Database, there: Enrolled, other: School, born: date | None
) -> None:
    with database.transaction(Scope.of(other.id)) as session:
        found = session.execute(text("SELECT pupil_id FROM pupil_codes")).scalar_one()
    assert found == there.id  # the code is open, as decided
    with pytest.raises(IntegrityError, match="an enrolment proves that the school knows the child") as refused:
        enrol(database, other.id, found, born)
    assert getattr(refused.value.orig, "diag").constraint_name == "enrolment_is_known"  # noqa: B009  psycopg's error
    assert seen(database, other.id) == [0, 0, 0, 0]


def test_the_right_birth_date_opens_the_child(database: Database, there: Enrolled, other: School) -> None:
    enrol(database, other.id, there.id, BORN)
    assert seen(database, other.id) == [1, 1, 1, 1]


def test_a_child_once_enrolled_needs_no_second_proof(database: Database, there: Enrolled, other: School) -> None:
    enrol(database, other.id, there.id, BORN)
    enrol(database, other.id, there.id, None, year="2026-2027")
    enrol(database, there.enrolment.school_id, there.id, None, year="2026-2027")  # entered there


def test_the_proof_leaves_the_scope_as_it_was(database: Database, there: Enrolled, other: School) -> None:
    """The function looks through all schools; nothing of that may stay behind, nor after a refusal."""
    with database.transaction(Scope.of(other.id)) as session:
        values = {"school": other.id, "pupil": there.id, "year": "2025-2026", "born": None}
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(ENROL, values)
        assert session.execute(text("SELECT current_setting('app.schools')")).scalar_one() == str(other.id)
        session.execute(ENROL, {**values, "born": BORN})
        assert session.execute(text("SELECT current_setting('app.schools')")).scalar_one() == str(other.id)
        assert session.execute(text("SELECT count(*) FROM schools")).scalar_one() == 1


def test_the_school_of_a_child_may_correct_it_and_a_stranger_not(
    database: Database, there: Enrolled, other: School
) -> None:
    assert changed(database, there.enrolment.school_id) == ALL_CHANGED
    assert changed(database, other.id) == NOTHING_CHANGED


def test_a_school_that_the_child_has_left_for_another_changes_nothing_more(
    database: Database, there: Enrolled, other: School
) -> None:
    leave(database, there)
    assert changed(database, there.enrolment.school_id) == ALL_CHANGED  # it entered the child; nobody else has it
    enrol(database, other.id, there.id, BORN)
    assert changed(database, there.enrolment.school_id) == NOTHING_CHANGED
    assert seen(database, there.enrolment.school_id) == [1, 1, 1, 1]
    assert changed(database, other.id) == ALL_CHANGED


def test_a_school_that_only_had_the_child_does_not_correct_it(
    database: Database, there: Enrolled, other: School
) -> None:
    enrol(database, other.id, there.id, BORN)
    with database.transaction(Scope.of(other.id)) as session:
        session.execute(text("UPDATE enrolments SET state = 'left', ended_on = '2025-10-01'"))
    assert changed(database, other.id) == NOTHING_CHANGED
    assert changed(database, there.enrolment.school_id) == ALL_CHANGED


def test_a_sibling_who_stays_keeps_the_guardian_in_hand(database: Database, there: Enrolled, other: School) -> None:
    with database.transaction(EVERYTHING) as session:
        sibling = make_pupil(session, there.class_group, "Nguyễn Văn Em", province_id=there.pupil.province_id)
        session.execute(
            text(
                "INSERT INTO guardianships "
                "(guardian_id, pupil_id, relation, may_see_bills, receives_notices, valid_from) "
                "SELECT id, :pupil, 'cha', true, true, '2025-09-01' FROM guardians"
            ),
            {"pupil": sibling.id},
        )
        session.execute(
            text("UPDATE enrolments SET state = 'transferred_out', ended_on = '2025-10-01' WHERE pupil_id = :pupil"),
            {"pupil": there.id},
        )
    enrol(database, other.id, there.id, BORN)
    assert changed(database, there.enrolment.school_id) == {**ALL_CHANGED}


TIE = text(
    "INSERT INTO guardianships (guardian_id, pupil_id, relation, may_see_bills, receives_notices, valid_from) "
    "VALUES (:guardian, :pupil, 'bà', true, true, '2025-09-01')"
)
NUMBER = text(
    "INSERT INTO contacts (guardian_id, kind, sealed, blind, masked, valid_from) "
    "VALUES (:guardian, 'phone', '\\x00', '\\x00', 'X', '2025-10-01')"
)


def guardian_of(database: Database) -> UUID:
    """Return the one guardian there is."""
    with database.transaction(EVERYTHING) as session:
        return UUID(str(session.execute(text("SELECT id FROM guardians")).scalar_one()))


def test_a_guardian_of_others_cannot_be_tied_to_an_own_child(
    database: Database, there: Enrolled, other: School
) -> None:
    guardian = guardian_of(database)
    with database.transaction(EVERYTHING) as session:
        own = make_pupil(session, make_class(session, other), province_id=other.province_id)
    with (
        pytest.raises(ProgrammingError, match="not known to the school"),
        database.transaction(Scope.of(other.id)) as s,
    ):
        s.execute(TIE, {"guardian": guardian, "pupil": own.id})
    assert seen(database, other.id)[1:] == [0, 0, 0]
    assert there.id != own.id


def test_the_former_school_slips_in_no_guardian_and_no_number(
    database: Database, there: Enrolled, other: School
) -> None:
    leave(database, there)
    enrol(database, other.id, there.id, BORN)
    former, guardian = there.enrolment.school_id, guardian_of(database)
    stranger = (
        "INSERT INTO guardians (id, province_id, entered_by_school_id, full_name, language) "
        "VALUES (gen_random_uuid(), :province, :school, 'Người Lạ', 'vi') RETURNING id"
    )
    with database.transaction(Scope.of(former)) as session:
        made = session.execute(text(stranger), {"province": there.pupil.province_id, "school": former}).scalar_one()
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        database.transaction(Scope.of(former)) as session,
    ):
        session.execute(TIE, {"guardian": made, "pupil": there.id})
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        database.transaction(Scope.of(former)) as session,
    ):
        session.execute(NUMBER, {"guardian": guardian})
    with database.transaction(Scope.of(other.id)) as session:
        session.execute(NUMBER, {"guardian": guardian})


def test_a_guardian_ties_herself_to_no_child(database: Database, there: Enrolled, other: School) -> None:
    guardian = guardian_of(database)
    with database.transaction(EVERYTHING) as session:
        stranger = make_pupil(session, make_class(session, other), province_id=other.province_id)
        session.execute(
            text("UPDATE enrolments SET state = 'left', ended_on = '2025-10-01' WHERE pupil_id = :pupil"),
            {"pupil": stranger.id},
        )
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        database.transaction(Scope(guardians=(guardian,))) as session,
    ):
        session.execute(TIE, {"guardian": guardian, "pupil": stranger.id})
    assert there.id != stranger.id
