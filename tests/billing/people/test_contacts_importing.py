"""A contact sheet becomes guardians once: sealed, reused within the school, never across schools, never half."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from billing.audit.tables import AuditDetail, AuditEntry
from billing.errors import BadRows
from billing.people.contact_sheet import ContactRow, Relation
from billing.people.importing import Imported, masked_contact
from billing.people.tables import Authority, Contact, Enrolment, Guardian, Guardianship, School
from service.database import EVERYTHING, Database, Scope
from tests.factories.schools import make_class, make_school
from tests.factories.sheets import TODAY, VAULT, bring, bring_contacts, contact_row, roster_row, stored
from tests.standing import standing

TABLES = (Guardian, Guardianship, Contact, AuditEntry)
SIBLING = "7500000003"
FIRST_DAY = date(2025, 9, 1)


@pytest.fixture
@standing
def school(database: Database) -> School:
    """A school with three pupils, numbers 2 to 4."""
    return new_school(database)


def new_school(database: Database, beside: School | None = None) -> School:
    """Make a school with the pupils 2 to 4, in the province of another if one is given."""
    with database.transaction(EVERYTHING) as session:
        province = session.get(Authority, beside.province_id) if beside else None
        made = make_school(session, province=province)
        make_class(session, made)
        bring(session, made, *(roster_row(n, full_name=f"Lò Thị Sao {'ABC'[n - 2]}") for n in (2, 3, 4)))
    return made


def imported(database: Database, school: School, *rows: ContactRow, today: date = TODAY) -> Imported:
    """Import in a transaction of its own, as the school."""
    with database.transaction(Scope.of(school.id)) as session:
        return bring_contacts(session, school, *rows, today=today)


def counts(database: Database) -> list[int]:
    """Count the rows of all tables that an import writes."""
    with database.transaction(EVERYTHING) as session:
        return stored(session, *TABLES)


def faults(database: Database, school: School, *rows: ContactRow) -> list[tuple[int, str]]:
    """Import rows that must be refused; return where the faults are, after checking that nothing was stored."""
    before = counts(database)
    with database.transaction(Scope.of(school.id)) as session:
        with pytest.raises(BadRows) as refused:
            bring_contacts(session, school, *rows)
        assert all(each.reason and each.remedy for each in refused.value.problems)
    assert counts(database) == before
    return [(each.line, each.column) for each in refused.value.problems]


def ways(database: Database) -> list[tuple[str, date, date | None]]:
    """Return all stored ways, opened, in the order of their coming."""
    with database.transaction(EVERYTHING) as session:
        rows = session.exec(select(Contact).order_by(col(Contact.id))).all()
        return [(VAULT.open(row.sealed, f"contacts.{row.kind}"), row.valid_from, row.valid_to) for row in rows]


def test_a_mother_is_entered_with_what_she_may_be_told_and_how(database: Database, school: School) -> None:
    assert imported(database, school, contact_row(notices=False)) == Imported(new=1)

    with database.transaction(Scope.of(school.id)) as session:
        guardian = session.exec(select(Guardian)).one()
        tie = session.exec(select(Guardianship)).one()
        phone, email = session.exec(select(Contact).order_by(col(Contact.kind).desc())).all()
    assert (guardian.full_name, guardian.entered_by_school_id) == ("Lê Thị Bình", school.id)
    assert (tie.relation, tie.receives_notices, tie.may_see_bills) == ("mother", False, True)
    assert (tie.valid_from, tie.valid_to) == (FIRST_DAY, None)
    assert (phone.masked, email.masked) == ("09•• ••• 567", "b•••@mail.example")
    assert phone.blind == VAULT.blind("84901234567", "contacts.phone")
    assert VAULT.open(email.sealed, "contacts.email") == "binh@mail.example"
    assert b"84901234567" not in phone.sealed


def test_the_same_sheet_again_writes_no_row(database: Database, school: School) -> None:
    father = contact_row(3, guardian_name="Trần An", relation=Relation.FATHER)  # the parents share one telephone
    rows = [contact_row(2), father, contact_row(4, pupil_code=SIBLING)]

    assert imported(database, school, *rows) == Imported(new=3)
    before = counts(database)
    assert before == [2, 3, 4, 2]
    assert imported(database, school, *rows) == Imported(unchanged=3)
    assert counts(database) == before


def test_the_deed_holds_counts_and_no_names(database: Database, school: School) -> None:
    imported(database, school, contact_row())

    with database.transaction(Scope.of(school.id)) as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "contacts_imported")).one()
        detail = session.get(AuditDetail, entry.id)
    assert detail is not None
    assert detail.details == {"new": 1, "changed": 0, "unchanged": 0}


def test_a_changed_telephone_closes_the_old_one_and_leaves_the_mail(database: Database, school: School) -> None:
    imported(database, school, contact_row(), today=date(2025, 9, 10))
    changed = contact_row(phone="84907654321", email=None)

    assert imported(database, school, changed) == Imported(changed=1)
    assert imported(database, school, changed) == Imported(unchanged=1)

    assert ways(database) == [
        ("84901234567", date(2025, 9, 10), TODAY - timedelta(days=1)),
        ("binh@mail.example", date(2025, 9, 10), None),
        ("84907654321", TODAY, None),
    ]


def test_the_old_telephone_again_is_a_new_row(database: Database, school: School) -> None:
    for phone in ("84901234567", "84907654321", "84901234567"):
        imported(database, school, contact_row(phone=phone, email=None))

    assert [(text, end is None) for text, _, end in ways(database)] == [
        ("84901234567", False),
        ("84907654321", False),
        ("84901234567", True),
    ]


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"relation": Relation.GUARDIAN}, {"relation": "guardian"}),
        ({"notices": False}, {"receives_notices": False}),
        ({"guardian_name": "Lê Thị Bính"}, {"relation": "mother"}),
    ],
)
def test_relation_notices_and_name_are_corrected(
    database: Database, school: School, change: dict[str, Any], kept: dict[str, Any]
) -> None:
    imported(database, school, contact_row())

    assert imported(database, school, contact_row(**change)) == Imported(changed=1)
    assert imported(database, school, contact_row(**change)) == Imported(unchanged=1)

    with database.transaction(Scope.of(school.id)) as session:
        guardian, tie = session.exec(select(Guardian)).one(), session.exec(select(Guardianship)).one()
    assert guardian.full_name == change.get("guardian_name", "Lê Thị Bình")
    assert {name: getattr(tie, name) for name in kept} == kept


def test_the_mother_of_two_is_one_guardian_also_in_a_later_sheet(database: Database, school: School) -> None:
    imported(database, school, contact_row(2))

    assert imported(database, school, contact_row(3, pupil_code=SIBLING)) == Imported(new=1)

    with database.transaction(Scope.of(school.id)) as session:
        assert stored(session, Guardian, Guardianship, Contact) == [1, 2, 2]


@pytest.mark.parametrize("change", [{"guardian_name": "Lê Thị Bính"}, {"phone": "84907654321", "email": None}])
def test_another_name_or_another_number_is_another_person(
    database: Database, school: School, change: dict[str, Any]
) -> None:
    imported(database, school, contact_row(2), contact_row(3, pupil_code=SIBLING, **change))

    with database.transaction(Scope.of(school.id)) as session:
        assert stored(session, Guardian, Guardianship) == [2, 2]


def test_guardians_are_never_shared_by_schools_though_the_child_is(database: Database, school: School) -> None:
    imported(database, school, contact_row())
    second = new_school(database, beside=school)

    assert imported(database, second, contact_row()) == Imported(new=1)

    with database.transaction(EVERYTHING) as session:
        owners = session.exec(select(col(Guardian.entered_by_school_id))).all()
        pupils = set(session.exec(select(col(Guardianship.pupil_id))).all())
    assert sorted(owners) == sorted([school.id, second.id])
    assert len(pupils) == 1


def test_a_school_sees_no_guardian_of_a_child_it_does_not_have(database: Database, school: School) -> None:
    imported(database, school, contact_row())
    elsewhere = new_school(database)

    with database.transaction(Scope.of(elsewhere.id)) as session:
        assert stored(session, Guardian, Guardianship, Contact) == [0, 0, 0]


def test_nothing_is_stored_when_one_row_is_bad(database: Database, school: School) -> None:
    good = contact_row(2)

    unknown = contact_row(7, pupil_code="7599999999")
    assert faults(database, school, good, unknown) == [(7, "Mã định danh Bộ GD&ĐT")]
    assert faults(database, school, good, contact_row(9)) == [(9, "Họ tên người liên hệ")]
    assert faults(database, new_school(database), contact_row(3, pupil_code="7500000009"), unknown) == [
        (3, "Mã định danh Bộ GD&ĐT"),
        (7, "Mã định danh Bộ GD&ĐT"),
    ]


def test_a_pupil_of_another_school_is_unknown(database: Database, school: School) -> None:
    with database.transaction(EVERYTHING) as session:
        second = make_school(session, province=session.get(Authority, school.province_id))

    assert faults(database, second, contact_row()) == [(2, "Mã định danh Bộ GD&ĐT")]


def test_who_is_no_longer_a_guardian_is_not_brought_back_by_an_old_sheet(database: Database, school: School) -> None:
    imported(database, school, contact_row())
    with database.transaction(Scope.of(school.id)) as session:
        tie = session.exec(select(Guardianship)).one()
        tie.valid_to = TODAY - timedelta(days=1)
        session.add(tie)

    assert faults(database, school, contact_row()) == [(2, "Họ tên người liên hệ")]


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("phone", "84912345123", "09•• ••• 123"),
        ("phone", "84356789000", "03•• ••• 000"),
        ("email", "nga@mail.vn", "n•••@mail.vn"),
        ("email", "x@y.vn", "x•••@y.vn"),
    ],
)
def test_screens_show_little(kind: str, text: str, shown: str) -> None:
    assert masked_contact(kind, text) == shown


ROWS = st.lists(
    st.builds(
        lambda code, name, relation, phone, email, notices: {
            "pupil_code": code, "guardian_name": name, "relation": relation,
            "phone": phone, "email": email, "notices": notices,
        },
        st.sampled_from(["7500000002", "7500000003"]),
        st.sampled_from(["Lê Hoà", "Lê Hòa", "Trần An"]),
        st.sampled_from([Relation.MOTHER, Relation.FATHER]),
        st.sampled_from([None, "84901234567", "84907654321"]),
        st.sampled_from([None, "a@mail.example", "b@mail.example"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


class _UndoError(Exception):
    """Ends a transaction without keeping it."""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sheets=st.lists(ROWS, min_size=1, max_size=3))
def test_any_sheet_twice_is_the_sheet_once(
    database: Database, school: School, sheets: list[list[dict[str, Any]]]
) -> None:
    with contextlib.suppress(_UndoError), database.transaction(Scope.of(school.id)) as session:
        for sheet in sheets:
            check_repeat(session, school, [contact_row(line, **each) for line, each in enumerate(sheet, start=2)])
        raise _UndoError


def check_repeat(session: Session, school: School, rows: list[ContactRow]) -> None:
    """Import rows twice; the second time, and a refusal, write nothing."""
    before = stored(session, *TABLES)
    try:
        first = bring_contacts(session, school, *rows)
    except BadRows:
        assert stored(session, *TABLES) == before
        return
    assert first.new + first.changed + first.unchanged == len(rows)
    after = stored(session, *TABLES)
    assert bring_contacts(session, school, *rows) == Imported(unchanged=len(rows))
    assert stored(session, *TABLES) == after


def test_the_contacts_of_a_child_who_went_to_another_school_are_that_schools_business(
    database: Database, school: School
) -> None:
    imported(database, school, contact_row(2))
    with database.transaction(Scope.of(school.id)) as session:
        for enrolment in session.exec(select(Enrolment)).all():
            enrolment.state, enrolment.ended_on = "transferred_out", TODAY
            session.add(enrolment)
    assert imported(database, school, contact_row(2, phone="84901234568")) == Imported(changed=1)  # nobody else has it

    new_school(database, beside=school)
    assert faults(database, school, contact_row(7, phone="84901234569")) == [(7, "Mã định danh Bộ GD&ĐT")]
