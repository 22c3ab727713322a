"""The desk of the pages of attendance on rows."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from billing.attendance import closing, teaching
from billing.attendance.days import month_from
from billing.attendance.reading import class_of
from billing.attendance.sheet import export_month, import_month
from billing.rounds.by_days import propose_attendance
from service.access.roles import Actor, Place, SignedIn
from service.pages import attendance_rows, roll_rows, settle_rows
from service.pages.attendance_views import (
    DayOff,
    GridPage,
    KitchenPage,
    MonthsPage,
    RollPage,
    SettlePage,
    TeachersPage,
    TypedMarks,
    TypedRoll,
)
from service.pages.round_rows import round_of
from service.pages.typed import read_id, school_day
from service.pages.views import Download
from service.pages.within import RowsWithin

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class AttendanceRows(RowsWithin):
    """The teacher's roll and the office's months, grid, days off, teachers, kitchen and settling."""

    # A teacher sees and does only what concerns the classes given to that very person.

    def roll(self, who: SignedIn, place: Place, class_id: str, day: date | None, now: datetime) -> RollPage:
        """Return a class of the teacher on a day."""
        session = self._within(place)
        return roll_rows.roll_page(session, place.id, who.user_id, class_id, day or school_day(now), now)

    def take_roll(self, who: SignedIn, place: Place, typed: TypedRoll, now: datetime) -> bool:
        """Write down who is absent; say whether somebody was told too late for the kitchen."""
        session, actor = self._within(place), self._actor(who, Actor.CLASS_TEACHER)
        return bool(roll_rows.take_roll(session, place.id, actor, typed, now).too_late)

    def close_own_month(self, who: SignedIn, place: Place, class_id: UUID, month: str, now: datetime) -> None:
        """Close a month of an own class."""
        session, actor = self._within(place), self._actor(who, Actor.CLASS_TEACHER)
        roll_rows.close_own_month(session, place.id, actor, class_id, month, now)

    # The office.

    def attendance_months(self, who: SignedIn, place: Place, now: datetime) -> MonthsPage:
        """Return classes by month."""
        del who
        return attendance_rows.months_page(self._within(place), place.id, now)

    def close_month(self, who: SignedIn, place: Place, class_id: UUID, month: str, now: datetime) -> None:
        """Close a class's month."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        closing.close_month(session, place.id, actor, class_id, month_from(month), now)

    def attendance_grid(self, who: SignedIn, place: Place, class_id: UUID, month: str, now: datetime) -> GridPage:
        """Return a class's month, pupil by day."""
        del who
        return attendance_rows.grid_page(self._within(place), place.id, class_id, month, now)

    def mark_attendance(self, who: SignedIn, place: Place, typed: TypedMarks, now: datetime) -> int:
        """Write one mark into cells."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return attendance_rows.mark_cells(session, place.id, actor, typed, now)

    def month_file(self, who: SignedIn, place: Place, class_id: UUID, month: str, now: datetime) -> Download:
        """Return a class's month as XLSX."""
        del who
        session = self._within(place)
        content = export_month(session, place.id, class_id, month_from(month), now)
        code = class_of(session, place.id, class_id).code
        return Download(content, _XLSX, f"Điểm danh {code} {month}.xlsx")

    def take_month_file(  # noqa: PLR0913, PLR0917  whose month, which file
        self, who: SignedIn, place: Place, class_id: UUID, month: str, data: bytes, now: datetime
    ) -> int:
        """Bring a class's month back."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        done = import_month(session, place.id, actor, class_id, month_from(month), data, now)
        return done.entered + done.withdrawn

    def days_off(self, who: SignedIn, place: Place, now: datetime) -> tuple[DayOff, ...]:
        """Return the days off, latest first."""
        del who
        return attendance_rows.days_off_rows(self._within(place), place.id, now)

    def add_day_off(self, who: SignedIn, place: Place, day: date, reason: str, now: datetime) -> bool:
        """Enter a day off of the whole school."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return closing.set_day_off(session, place.id, actor, day, reason, now)

    def drop_day_off(self, who: SignedIn, place: Place, day: date, now: datetime) -> None:
        """Take a day off back."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        closing.cancel_day_off(session, place.id, actor, day, now)

    def set_cutoff(self, who: SignedIn, place: Place, hour: str, now: datetime) -> bool:
        """Set the hour until which the kitchen can be told."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return closing.set_cutoff(session, place.id, actor, attendance_rows.read_hour(hour), now)

    def class_teachers(self, who: SignedIn, place: Place, now: datetime) -> TeachersPage:
        """Return who teaches which class."""
        del who
        return attendance_rows.teachers_page(self._within(place), place.id, now)

    def give_class(  # noqa: PLR0913, PLR0917  who teaches what from when
        self, who: SignedIn, place: Place, class_id: str, user_id: str, since: date, now: datetime
    ) -> bool:
        """Let somebody tick a class from a day on."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return attendance_rows.give_class(session, place.id, actor, class_id, user_id, since, now)

    def take_class(self, who: SignedIn, place: Place, class_id: str, user_id: str, now: datetime) -> None:
        """End it."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        teaching.take_class(session, place.id, actor, read_id(class_id), read_id(user_id), now)

    def kitchen(self, who: SignedIn, place: Place, day: date | None, now: datetime) -> KitchenPage:
        """Return the portions of a day."""
        del who
        return attendance_rows.kitchen_page(self._within(place), place.id, place.name, day or school_day(now), now)

    def meals_to_settle(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> SettlePage:
        """Return what settling a round's meals would do."""
        session = self._within(place)
        found = round_of(session, place.id, round_id)
        return settle_rows.settle_page(session, found, self._actor(who, Actor.ACCOUNTANT), now)

    def settle_meals(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> UUID:
        """Ask for a round's meals to be settled."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return propose_attendance(session, actor, round_of(session, place.id, round_id).id, now).id
