"""The page of where a school lies, from rows of one school."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.fees.items import Span
from billing.fees.place_tables import SchoolPlace
from billing.fees.places import ZONE_NAMES, Located, cut_by_place, located_on
from billing.fees.placing import earliest_day, known_areas, located, places_asked, read_places
from billing.fees.standings import Measure, read_measure, standing_of
from billing.fees.tables import FeeItem, FeePrice
from billing.people.tables import School
from service.access.tables import User
from service.pages.place_views import AskedPlace, HeldRow, PlacesPage

_EVER = date(1, 1, 1)
_AREA_NAMES = {"": "không", "binh_phuoc": "Bình Phước", "dong_nai": "Đồng Nai", "ho_chi_minh": "TP. Hồ Chí Minh"}


def places_page(session: Session, school_id: UUID, user_id: UUID, today: date) -> PlacesPage:
    """Return where a school lies by day, and the change that waits for another person."""
    school = session.exec(select(School).where(School.id == school_id)).one()
    asked, places = places_asked(session, school_id), read_places(session, school_id)
    waiting = next((each for each in asked if each.valid_from and not (each.approved_at or each.withdrawn_at)), None)
    return PlacesPage(
        held=_held(places, asked, today),
        waiting=_waiting(session, school, waiting, user_id, today) if waiting is not None else None,
        zones=tuple(ZONE_NAMES.items()),
        areas=tuple((area, area_name(area)) for area in known_areas(session, school)),
        earliest=earliest_day(session, school, today),
        area=located_on(places, today).area,
    )


def area_name(area: str) -> str:
    """Return a former area in words; one that only the province's own file names stands as it is written there."""
    return _AREA_NAMES.get(area, area)


def _held(places: Sequence[Located], asked: Sequence[SchoolPlace], today: date) -> tuple[HeldRow, ...]:
    """Return the places with their days, the newest first."""
    parts = list(cut_by_place(places, Span(_EVER)))
    decisions = {row.valid_from: row.decision_number for row in reversed(asked) if row.approved_at is not None}
    return tuple(
        HeldRow(
            zone=ZONE_NAMES[here.zone],
            area=area_name(here.area),
            first=None if days.start == _EVER else days.start,
            last=days.end,
            decision=decisions.get(days.start, ""),
            now=days.holds(today),
        )
        for days, here in reversed(parts)
    )


def _waiting(session: Session, school: School, row: SchoolPlace, user_id: UUID, today: date) -> AskedPlace:
    asked_by = session.exec(select(User.full_name).where(User.id == row.made_by)).one()
    since = row.valid_from or today
    return AskedPlace(
        place_id=str(row.id),
        zone=ZONE_NAMES[row.zone],
        area=area_name(row.legacy_area),
        since=since,
        decision=row.decision_number,
        asked_by=asked_by,
        asked_at=row.made_at,
        mine=row.made_by == user_id,
        refused=_refused(session, school, located(row), max(since, today)),
    )


def _refused(session: Session, school: School, there: Located, since: date) -> tuple[tuple[str, str], ...]:
    """Return the prices that hold on or after a day and may not be charged at the other place, with the reason."""
    measure = read_measure(session, school)
    moved = Measure(measure.school, measure.rules, _with(measure.places, there))
    rows = session.exec(
        select(FeePrice, FeeItem)
        .join(FeeItem, col(FeeItem.id) == col(FeePrice.item_id))
        .where(
            FeePrice.school_id == school.id,
            col(FeePrice.withdrawn_at).is_(None),
            col(FeePrice.valid_to).is_(None) | (col(FeePrice.valid_to) >= since),
        )
        .order_by(col(FeeItem.position), col(FeePrice.valid_from), col(FeePrice.id))
    ).all()
    return tuple(
        (item.legal_name, each.reason)
        for price, item in rows
        for each in standing_of(price, item, moved, max(since, price.valid_from))
        if each.refused
    )


def _with(places: Sequence[Located], there: Located) -> tuple[Located, ...]:
    """Return the places as they would be by day if another one were approved now."""
    first, *later = places
    return (first, *sorted([*later, there], key=lambda each: each.since or _EVER))
