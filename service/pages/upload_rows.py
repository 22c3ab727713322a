"""Uploaded sheets become rows of one school: all of a file or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.claims.entitlement_sheet import import_entitlements
from billing.errors import NotFound
from billing.fees.sheets.prices import import_prices
from billing.fees.sheets.reductions import import_reductions
from billing.fees.sheets.registrations import import_registrations
from billing.insurance.card_sheet import import_cards
from billing.people.contact_sheet import read_contacts
from billing.people.imported import Imported
from billing.people.importing import import_contacts, import_roster
from billing.people.roster import read_roster
from billing.people.tables import ClassGroup, Enrolment, Pupil, PupilCode, School
from billing.vault import Vault
from service.pages.upload_views import Upload, UploadChoices, UploadDone, UploadKind

_LOCAL = timezone(timedelta(hours=7))
_Act = Callable[[Session, Vault, Actor, School, Upload, datetime], UploadDone]


def upload_choices(session: Session, school_id: UUID) -> UploadChoices:
    """Return what an upload can be for: the school years with classes, newest first."""
    years = session.exec(select(ClassGroup.school_year).where(ClassGroup.school_id == school_id).distinct()).all()
    return UploadChoices(tuple(sorted(years, reverse=True)))


def take_upload(  # noqa: PLR0913, PLR0917  what an act of a person needs to know
    session: Session, vault: Vault, actor: Actor, school_id: UUID, upload: Upload, now: datetime
) -> UploadDone:
    """Import a file, or only try it (then nothing stays); raises ``BadRows`` with every problem."""
    # Reading 50,000 rows takes Python more than the minute that the server lets an idle transaction live.
    session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '10min'"))
    school = session.get_one(School, school_id)
    with session.begin_nested() as savepoint:
        done = _ACTS[upload.kind](session, vault, actor, school, upload, now)
        if upload.check_only:
            savepoint.rollback()
    return done


def _roster(  # noqa: PLR0913, PLR0917  as above
    session: Session, vault: Vault, actor: Actor, school: School, upload: Upload, now: datetime
) -> UploadDone:
    classes = classes_of(session, school.id, upload.target)
    today = now.astimezone(_LOCAL).date()
    rows = read_roster(upload.data, classes, today)
    done = import_roster(session, vault, actor, school, upload.target, rows, today, now)
    return _done(done)


def classes_of(session: Session, school_id: UUID, school_year: str) -> Sequence[str]:
    """Return the classes of a school year; raises ``NotFound`` when there is none."""
    classes = session.exec(
        select(ClassGroup.code).where(ClassGroup.school_id == school_id, ClassGroup.school_year == school_year)
    ).all()
    if not classes:
        raise NotFound("Năm học này chưa có lớp nào. Hãy tạo lớp ở trang Năm học mới trước.", school_year=school_year)
    return classes


def _contacts(  # noqa: PLR0913, PLR0917  as above
    session: Session, vault: Vault, actor: Actor, school: School, upload: Upload, now: datetime
) -> UploadDone:
    pupils = session.exec(
        select(PupilCode.code, Pupil.full_name)
        .join(Pupil, col(Pupil.id) == col(PupilCode.pupil_id))
        .join(Enrolment, col(Enrolment.pupil_id) == col(Pupil.id))
        .where(Enrolment.school_id == school.id)
    ).all()
    rows = read_contacts(upload.data, dict(pupils))
    done = import_contacts(session, vault, actor, school, rows, now.astimezone(_LOCAL).date(), now)
    return _done(done)


def _prices(  # noqa: PLR0913, PLR0917  as above
    session: Session, vault: Vault, actor: Actor, school: School, upload: Upload, now: datetime
) -> UploadDone:
    del vault
    return _done(import_prices(session, school, upload.data, actor, now))


def _registrations(  # noqa: PLR0913, PLR0917  as above
    session: Session, vault: Vault, actor: Actor, school: School, upload: Upload, now: datetime
) -> UploadDone:
    del vault
    classes_of(session, school.id, upload.target)
    return _done(import_registrations(session, school, upload.target, upload.data, actor, now))


def _reductions(  # noqa: PLR0913, PLR0917  as above
    session: Session, vault: Vault, actor: Actor, school: School, upload: Upload, now: datetime
) -> UploadDone:
    del vault
    classes_of(session, school.id, upload.target)
    return _done(import_reductions(session, school, upload.target, upload.data, actor, now))


def _entitlements(  # noqa: PLR0913, PLR0917  as above
    session: Session, vault: Vault, actor: Actor, school: School, upload: Upload, now: datetime
) -> UploadDone:
    del vault
    classes_of(session, school.id, upload.target)
    return _done(import_entitlements(session, school, upload.target, upload.data, actor, now))


def _insurance(  # noqa: PLR0913, PLR0917  as above
    session: Session, vault: Vault, actor: Actor, school: School, upload: Upload, now: datetime
) -> UploadDone:
    classes_of(session, school.id, upload.target)
    return _done(import_cards(session, vault, school, upload.target, upload.data, actor, now))


def _done(imported: Imported) -> UploadDone:
    return UploadDone(imported.new, imported.changed, imported.unchanged)


_ACTS: dict[UploadKind, _Act] = {
    UploadKind.ROSTER: _roster,
    UploadKind.CONTACTS: _contacts,
    UploadKind.PRICES: _prices,
    UploadKind.REGISTRATIONS: _registrations,
    UploadKind.REDUCTIONS: _reductions,
    UploadKind.ENTITLEMENTS: _entitlements,
    UploadKind.INSURANCE: _insurance,
}
