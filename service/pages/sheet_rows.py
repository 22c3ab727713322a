"""A school's tables as sheets to edit and bring back: prices, registrations, reductions, rights, the roster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.claims.entitlement_sheet import export_entitlements
from billing.errors import NotFound
from billing.fees.sheets.prices import export_prices
from billing.fees.sheets.reductions import export_reductions
from billing.fees.sheets.registrations import export_registrations
from billing.insurance.card_sheet import export_cards
from billing.people.exporting import export_roster
from billing.people.tables import School
from service.pages.upload_rows import classes_of
from service.pages.upload_views import OF_A_YEAR, UploadKind

_Write = Callable[[Session, School, str], bytes]


def take_sheet(  # noqa: PLR0913, PLR0917  what an act of a person needs to know
    session: Session, actor: Actor, school_id: UUID, kind: UploadKind, year: str, now: datetime
) -> bytes:
    """Return a table as XLSX; of a school year where it is of pupils, and then the taking is written down.

    Raises ``NotFound`` for a year without classes, and for what is not handed out.
    """
    write = _SHEETS.get(kind)
    if write is None:
        raise NotFound("Bảng này không tải về được.", kind=kind.value)
    if kind in OF_A_YEAR:
        classes_of(session, school_id, year)
        record_deed(session, actor, Deed(school_id, "sheet.taken", "sheet", kind.value), now, school_year=year)
    return write(session, session.get_one(School, school_id), year)


def _prices(session: Session, school: School, year: str) -> bytes:
    del year  # items and prices run over the years
    return export_prices(session, school)


_SHEETS: dict[UploadKind, _Write] = {
    UploadKind.ROSTER: export_roster,
    UploadKind.PRICES: _prices,
    UploadKind.REGISTRATIONS: export_registrations,
    UploadKind.REDUCTIONS: export_reductions,
    UploadKind.INSURANCE: export_cards,
    UploadKind.ENTITLEMENTS: export_entitlements,
}
