"""Rows of rosters and contact sheets as the readers give them, and what an import of them stored."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from billing.audit.recording import Actor
from billing.people.contact_sheet import ContactRow, Relation
from billing.people.importing import Imported, import_contacts, import_roster
from billing.people.roster import RosterRow, Sex
from billing.people.tables import School
from billing.storage import Row
from billing.vault import Vault
from tests.factories.schools import SCHOOL_YEAR

OFFICE = Actor(user_id=None, role="accountant")
VAULT = Vault(bytes(range(32)))
MOMENT = datetime.fromisoformat("2025-10-06T08:00:00+07:00")
TODAY = date(2025, 10, 6)


def roster_row(line: int = 2, **changes: Any) -> RosterRow:  # noqa: ANN401  any field of the row
    """Return a pupil of class 1A with a sector code, with changed fields."""
    fields: dict[str, Any] = {
        "line": line,
        "class_code": "1A",
        "moet_code": f"75{line:08}",
        "full_name": "Nguyễn Thị Minh Anh",
        "birth_date": date(2019, 9, 5),
        "sex": Sex.FEMALE,
        "nationality": "Việt Nam",
        "province": "Đồng Nai",
        "commune": "Phường Bình Long",
        "father_name": None,
        "mother_name": None,
        "citizen_number": None,
    }
    return RosterRow(**{**fields, **changes})


def contact_row(line: int = 2, **changes: Any) -> ContactRow:  # noqa: ANN401  as above
    """Return the mother of the pupil ``roster_row(2)``, with changed fields."""
    fields: dict[str, Any] = {
        "line": line,
        "pupil_code": "7500000002",
        "guardian_name": "Lê Thị Bình",
        "relation": Relation.MOTHER,
        "phone": "84901234567",
        "email": "binh@mail.example",
        "notices": True,
    }
    return ContactRow(**{**fields, **changes})


def bring(session: Session, school: School, *rows: RosterRow, today: date = TODAY) -> Imported:
    """Import a roster of the usual school year."""
    return import_roster(session, VAULT, OFFICE, school, SCHOOL_YEAR, rows, today, MOMENT)


def bring_contacts(session: Session, school: School, *rows: ContactRow, today: date = TODAY) -> Imported:
    """Import a contact sheet."""
    return import_contacts(session, VAULT, OFFICE, school, rows, today, MOMENT)


def stored(session: Session, *tables: type[Row]) -> list[int]:
    """Count the rows of tables that this transaction sees."""
    return [session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]
