"""Tests that nobody keeps the accounts and the cash of one school at one time: said in words, and by the database."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import CheckViolation
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from billing.errors import Conflict
from billing.people.tables import Authority, School
from service.access.cash_roles import refuse_both
from service.access.operating import Placed, add_by_operator
from service.access.tables import RoleGrant, User
from service.database import EVERYTHING, Database, Scope, libpq_url
from service.preparing import Addresses
from tests.factories.schools import make_authority, make_school, make_user
from tests.standing import standing

FIRST = date(2025, 9, 1)


@dataclass
class Staffed:
    """A school whose accountant is known."""

    database: Database
    school: School
    accountant: UUID

    def grant(self, **more: Any) -> None:  # noqa: ANN401  columns of a row
        facts: dict[str, Any] = {
            "user_id": self.accountant, "role": "cashier", "school_id": self.school.id, "valid_from": FIRST,
        }  # fmt: skip
        with self.database.transaction(EVERYTHING) as session:
            session.add(RoleGrant(**{**facts, **more}))


@pytest.fixture
@standing
def staffed(database: Database) -> Staffed:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        user = make_user(session, school, "accountant").user_id
    assert user
    return Staffed(database, school, user)


def test_an_accountant_is_not_made_cashier_of_the_same_school(staffed: Staffed, now: datetime) -> None:
    with staffed.database.transaction(EVERYTHING) as session:
        with pytest.raises(Conflict, match="vừa là kế toán vừa là thủ quỹ"):
            refuse_both(session, staffed.accountant, "cashier", staffed.school.id, FIRST, None)
        refuse_both(session, staffed.accountant, "auditor", staffed.school.id, FIRST, None)
        other = make_school(session)
        refuse_both(session, staffed.accountant, "cashier", other.id, FIRST, None)
        login = "quy@truong.example"
        accountant = Placed("accountant", "Trường", school_id=staffed.school.id)
        add_by_operator(session, login, "Lê Thị Quỹ", accountant, FIRST, None, now)
        with pytest.raises(Conflict, match="thủ quỹ của một trường"):
            add_by_operator(
                session, login, None, Placed("cashier", "Trường", school_id=staffed.school.id), FIRST, None, now
            )


def test_the_database_refuses_it_too(staffed: Staffed) -> None:
    with pytest.raises(IntegrityError, match="cashier and accountant"):
        staffed.grant()
    with pytest.raises(IntegrityError, match="cashier and accountant"):
        staffed.grant(school_id=None, authority_id=staffed.school.authority_id)
    staffed.grant(role="approver")


def test_a_role_in_an_authority_counts_in_its_schools(staffed: Staffed) -> None:
    with staffed.database.transaction(EVERYTHING) as session:
        cashier = make_user(session, staffed.school, "class_teacher").user_id
        assert cashier
    staffed.grant(user_id=cashier, role="accountant", school_id=None, authority_id=staffed.school.authority_id)
    with pytest.raises(IntegrityError, match="cashier and accountant"):
        staffed.grant(user_id=cashier)
    with staffed.database.transaction(EVERYTHING) as session, pytest.raises(Conflict):
        refuse_both(session, cashier, "cashier", staffed.school.id, FIRST, None)


def test_one_after_the_other_is_allowed(staffed: Staffed) -> None:
    with staffed.database.transaction(EVERYTHING) as session:
        person = make_user(session, staffed.school, "class_teacher").user_id
        assert person
    last = FIRST + timedelta(days=30)
    staffed.grant(user_id=person, role="accountant", valid_to=last)
    with pytest.raises(IntegrityError, match="cashier and accountant"):
        staffed.grant(user_id=person, valid_from=last)
    staffed.grant(user_id=person, valid_from=last + timedelta(days=1))


def moved(addresses: Addresses, table: str, key: UUID, column: str, above: UUID) -> None:
    """Move a school or an authority as the operator does, who owns the tables: no door of ours does."""
    with psycopg.connect(libpq_url(addresses.owner)) as owner:
        owner.execute("SET app.schools TO '*'")
        statement = sql.SQL("UPDATE {} SET {} = %s WHERE id = %s").format(sql.Identifier(table), sql.Identifier(column))
        owner.execute(statement, (above, key))


def test_no_school_moves_below_who_would_keep_both(staffed: Staffed, addresses: Addresses) -> None:
    with staffed.database.transaction(EVERYTHING) as session:
        person = make_user(session, staffed.school, "cashier").user_id
        assert person
        commune = make_authority(session, "commune", session.get_one(Authority, staffed.school.province_id))
        above = make_authority(session, "department")
    staffed.grant(user_id=person, role="accountant", school_id=None, authority_id=above.id)
    with pytest.raises(CheckViolation, match="cashier and accountant"):
        moved(addresses, "schools", staffed.school.id, "authority_id", above.id)
    moved(addresses, "schools", staffed.school.id, "authority_id", commune.id)
    with pytest.raises(CheckViolation, match="cashier and accountant"):
        moved(addresses, "authorities", commune.id, "parent_id", above.id)
    with staffed.database.transaction(EVERYTHING) as session:
        [held] = session.exec(
            select(RoleGrant).where(RoleGrant.user_id == person, RoleGrant.role == "accountant")
        ).all()
        held.valid_to = FIRST + timedelta(days=30)
        session.add(held)
    moved(addresses, "schools", staffed.school.id, "authority_id", above.id)


def test_a_role_in_an_authority_is_judged_by_all_its_schools_whoever_gives_it(staffed: Staffed, now: datetime) -> None:
    above = staffed.school.authority_id
    with pytest.raises(IntegrityError, match="cashier and accountant"):  # noqa: SIM117  the commit is what raises
        with staffed.database.transaction(Scope.of()) as session:
            session.add(RoleGrant(user_id=staffed.accountant, role="cashier", authority_id=above, valid_from=FIRST))
    with staffed.database.transaction(EVERYTHING) as session:
        with pytest.raises(Conflict, match="vừa là kế toán vừa là thủ quỹ"):
            refuse_both(session, staffed.accountant, "cashier", above, FIRST, None)
        login = session.get_one(User, staffed.accountant).login
        placed = Placed("cashier", "Xã", authority_id=above)
        with pytest.raises(Conflict, match="thủ quỹ của một trường"):
            add_by_operator(session, login, None, placed, FIRST, None, now)
