"""What the pages of attendance ask of the house; every desk limits itself to ``place``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from service.access.roles import Place, SignedIn
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
from service.pages.views import Download


class TeacherDesk(Protocol):
    """A class teacher's own classes; anybody else's is not found."""

    def roll(self, who: SignedIn, place: Place, class_id: str, day: date | None, now: datetime) -> RollPage:
        """Return a class of the teacher (the first unless named) on a day (today unless given)."""

    def take_roll(self, who: SignedIn, place: Place, typed: TypedRoll, now: datetime) -> bool:
        """Write down who is absent; say whether somebody was told too late for the kitchen."""

    def close_own_month(self, who: SignedIn, place: Place, class_id: UUID, month: str, now: datetime) -> None:
        """Close a month of an own class."""


class AttendanceDesk(TeacherDesk, Protocol):
    """The office's side: months, the grid, its sheet, days off, teachers, the kitchen, settling."""

    def attendance_months(self, who: SignedIn, place: Place, now: datetime) -> MonthsPage:
        """Return classes by month of the latest school year."""

    def close_month(self, who: SignedIn, place: Place, class_id: UUID, month: str, now: datetime) -> None:
        """Close a class's month; raises ``Refused`` before its end."""

    def attendance_grid(self, who: SignedIn, place: Place, class_id: UUID, month: str, now: datetime) -> GridPage:
        """Return a class's month, pupil by day; raises ``NotFound`` or ``Refused``."""

    def mark_attendance(self, who: SignedIn, place: Place, typed: TypedMarks, now: datetime) -> int:
        """Write one mark into cells; return how many changed."""

    def month_file(self, who: SignedIn, place: Place, class_id: UUID, month: str, now: datetime) -> Download:
        """Return a class's month as XLSX."""

    def take_month_file(  # noqa: PLR0913, PLR0917  whose month, which file
        self, who: SignedIn, place: Place, class_id: UUID, month: str, data: bytes, now: datetime
    ) -> int:
        """Bring a class's month back; return how many cells changed; raises ``BadRows``."""

    def days_off(self, who: SignedIn, place: Place, now: datetime) -> tuple[DayOff, ...]:
        """Return the days off of the school year, latest first."""

    def add_day_off(self, who: SignedIn, place: Place, day: date, reason: str, now: datetime) -> bool:
        """Enter a day off; false if it stood already."""

    def drop_day_off(self, who: SignedIn, place: Place, day: date, now: datetime) -> None:
        """Take a day off back; raises ``Conflict`` once a class closed its month."""

    def set_cutoff(self, who: SignedIn, place: Place, hour: str, now: datetime) -> bool:
        """Set the hour (``08:00``) until which the kitchen can be told; false if it was so."""

    def class_teachers(self, who: SignedIn, place: Place, now: datetime) -> TeachersPage:
        """Return who teaches which class."""

    def give_class(  # noqa: PLR0913, PLR0917  who teaches what from when
        self, who: SignedIn, place: Place, class_id: str, user_id: str, since: date, now: datetime
    ) -> bool:
        """Let somebody tick a class from a day on; false if it was so."""

    def take_class(self, who: SignedIn, place: Place, class_id: str, user_id: str, now: datetime) -> None:
        """End it."""

    def kitchen(self, who: SignedIn, place: Place, day: date | None, now: datetime) -> KitchenPage:
        """Return the portions of a day (today unless given)."""

    def meals_to_settle(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> SettlePage:
        """Return what settling a round's meals would do."""

    def settle_meals(self, who: SignedIn, place: Place, round_id: UUID, now: datetime) -> UUID:
        """Ask for a round's meals to be settled; returns the id of the correction that waits."""
