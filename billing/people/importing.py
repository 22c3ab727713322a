"""Rosters and contact sheets become rows: all of a sheet or nothing, and the same sheet twice changes nothing.

Two sheets for one school wait for each other. Two schools that enter the same new child at the same moment are told
apart by the child's code: the slower one looks again and finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict
from billing.people.contact_sheet import ContactRow
from billing.people.enrolling import Enrolling
from billing.people.imported import Imported
from billing.people.reaching import Reaching, masked_contact
from billing.people.roster import RosterRow
from billing.people.tables import School
from billing.vault import Vault

__all__ = ["Imported", "import_contacts", "import_roster", "masked_contact"]

_TRIES = 3
_CODE_TAKEN = "uq_pupil_codes_province_id_kind_code"


def import_roster(  # noqa: PLR0913, PLR0917  what an import needs to know
    session: Session,
    vault: Vault,
    actor: Actor,
    school: School,
    school_year: str,
    rows: Sequence[RosterRow],
    today: date,
    now: datetime,
) -> Imported:
    """Enter and enrol a roster's pupils of one school year; return how many rows were new, changed, unchanged.

    Raises ``BadRows`` with every row that stands against what is stored, and then has written nothing; pupils who
    stand in no row stay as they are. The transaction must see the school.
    """
    _one_at_a_time(session, school)
    done = _whole(session, lambda: Enrolling(session, vault, school, school_year, today).take(rows))
    _note(session, actor, Deed(school.id, "roster_imported", "school_year", school_year), done, now)
    return done


def import_contacts(  # noqa: PLR0913, PLR0917  what an import needs to know
    session: Session,
    vault: Vault,
    actor: Actor,
    school: School,
    rows: Sequence[ContactRow],
    today: date,
    now: datetime,
) -> Imported:
    """Enter the guardians of a contact sheet and how they are reached; return what its rows were.

    Raises ``BadRows`` with every row that stands against what is stored, and then has written nothing; guardians who
    stand in no row stay as they are. The transaction must see the school.
    """
    _one_at_a_time(session, school)
    done = _whole(session, lambda: Reaching(session, vault, school, today).take(rows))
    _note(session, actor, Deed(school.id, "contacts_imported", "school", str(school.id)), done, now)
    return done


def _one_at_a_time(session: Session, school: School) -> None:
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('people ' || :school, 0))")
    session.execute(lock, {"school": str(school.id)})


def _whole(session: Session, work: Callable[[], Imported]) -> Imported:
    """Do the work in a savepoint; do it again when another school was faster with a child's code."""
    for _ in range(_TRIES):
        try:
            with session.begin_nested():
                return work()
        except IntegrityError as error:
            if _CODE_TAKEN not in str(error.orig):
                raise
    raise Conflict("Nhiều trường đang nhập cùng những học sinh này. Xin chờ ít phút rồi nhập lại.")


def _note(session: Session, actor: Actor, deed: Deed, done: Imported, now: datetime) -> None:
    """Write down an import that changed something, with counts and no names."""
    if done.new or done.changed:
        record_deed(session, actor, deed, now, new=done.new, changed=done.changed, unchanged=done.unchanged)
