"""The desk of the page of where a school lies, on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.errors import Refused
from billing.fees import placing
from billing.people.tables import School
from service.access.roles import Actor, Place, SignedIn
from service.pages.place_rows import places_page
from service.pages.place_views import PlacesPage, TypedPlace
from service.pages.typed import school_day
from service.pages.within import RowsWithin


class PlaceRows(RowsWithin):
    """Where a school lies, asked for by one person and approved by another, on rows."""

    def places(self, who: SignedIn, place: Place, now: datetime) -> PlacesPage:
        """Return where the school lies by day, and what was asked for."""
        return places_page(self._within(place), place.id, who.user_id, school_day(now))

    def ask_place(self, who: SignedIn, place: Place, typed: TypedPlace, now: datetime) -> None:
        """Ask for a change."""
        session = self._within(place)
        if typed.since is None:
            raise Refused("Hãy chọn ngày bắt đầu ở địa bàn mới.")
        new = placing.NewPlace(typed.zone, typed.area, typed.decision, typed.since)
        placing.ask_place(session, _school(session, place), self._actor(who, Actor.ACCOUNTANT), new, now)

    def approve_place(self, who: SignedIn, place: Place, place_id: UUID, now: datetime) -> None:
        """Approve a change."""
        session = self._within(place)
        placing.approve_place(session, _school(session, place), place_id, self._actor(who, Actor.APPROVER), now)

    def withdraw_place(self, who: SignedIn, place: Place, place_id: UUID, now: datetime) -> None:
        """Drop a change that waits."""
        session = self._within(place)
        placing.withdraw_place(session, _school(session, place), place_id, self._looks(who, place), now)


def _school(session: Session, place: Place) -> School:
    return session.exec(select(School).where(School.id == place.id)).one()
