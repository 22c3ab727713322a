"""A class's month as a table, pupil by day (pure): what stands in each cell, and why something else may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from billing.attendance.days import MOST_DAYS_AHEAD, last_of
from billing.visible import is_blank

_SATURDAY = 5


class Mark(StrEnum):
    """What schools write into their attendance sheets."""

    PRESENT = "x"
    ABSENT = "v"  # vắng: the meal was cooked
    EXCUSED = "p"  # vắng có phép: called off in time, or the office says so


MARK_NAMES: Mapping[Mark, str] = {
    Mark.PRESENT: "có mặt",
    Mark.ABSENT: "vắng, không trừ suất ăn",
    Mark.EXCUSED: "vắng có phép, trừ suất ăn",
}


class Problem(NamedTuple):
    """Why a mark is not taken, and what to do about it (Vietnamese, for the accountant)."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Away:
    """A live absence: its row, what it counts as, and whether the office wrote it."""

    absence_id: int
    mark: Mark
    by_office: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MonthPupil:
    """A pupil who belonged to the class in the month: on which days (both ends included), and when absent."""

    enrolment_id: UUID
    full_name: str
    code: str
    spans: tuple[tuple[date, date], ...]
    away: Mapping[date, Away]

    def belongs(self, day: date) -> bool:
        """Say whether the pupil was of this class on a day."""
        return any(first <= day <= last for first, last in self.spans)


@dataclass(frozen=True, slots=True)
class MonthSheet:
    """A class's month: who was in it, days off with their reasons, whether it is closed; ``today`` is a school day."""

    class_code: str
    month: date
    today: date
    pupils: tuple[MonthPupil, ...]
    days_off: Mapping[date, str]
    closed: bool

    @property
    def days(self) -> tuple[date, ...]:
        """Every day of the month."""
        return tuple(self.month.replace(day=number) for number in range(1, last_of(self.month).day + 1))

    def mark_on(self, pupil: MonthPupil, day: date) -> Mark | None:
        """Return what stands in a cell; nothing on days off and weekends, outside the class, and for days to come."""
        if not pupil.belongs(day) or day in self.days_off:
            return None
        if day in pupil.away:
            return pupil.away[day].mark
        return Mark.PRESENT if day <= self.today and day.weekday() < _SATURDAY else None

    def is_news(self, pupil: MonthPupil, day: date, wanted: Mark) -> bool:
        """Say whether a mark would change something; who is not absent is present, also on days to come."""
        away = pupil.away.get(day)
        return wanted is not (away.mark if away else Mark.PRESENT)

    def problem(self, pupil: MonthPupil, day: date, wanted: Mark, reason: str) -> Problem | None:
        """Return why a mark is refused, if it is; what stands there already is no news and needs no reason."""
        if day in self.days_off:
            return Problem(
                f"Ngày {day:%d/%m/%Y} toàn trường nghỉ ({self.days_off[day]}).",
                "Xóa dấu ở ô này; nếu hôm đó có học thì bỏ ngày nghỉ trước.",
            )
        if not pupil.belongs(day):
            return self._not_there(pupil, day)
        if not self.is_news(pupil, day, wanted):
            return None
        if day > self.today + timedelta(days=MOST_DAYS_AHEAD):
            return Problem(
                f"Ngày {day:%d/%m/%Y} còn quá xa.", f"Chỉ báo vắng trước tối đa {MOST_DAYS_AHEAD} ngày; xóa dấu."
            )
        return self._closed_problem(pupil, day, wanted, reason) if self.closed else None

    def _closed_problem(self, pupil: MonthPupil, day: date, wanted: Mark, reason: str) -> Problem | None:
        month = f"Tháng {self.month:%m/%Y} của lớp {self.class_code} đã chốt"
        if day in pupil.away and wanted is not Mark.EXCUSED:
            return Problem(
                f"{month} nên không bỏ được ngày vắng đã ghi ({day:%d/%m}).",
                f"Để nguyên dấu “{pupil.away[day].mark}”; cần thu lại suất ăn đã trừ thì lập khoản thu riêng.",
            )
        if is_blank(reason):
            return Problem(f"{month}; ghi bổ sung phải có lý do.", "Điền lý do, ví dụ “Giấy bác sĩ nộp muộn”.")
        return None

    def _not_there(self, pupil: MonthPupil, day: date) -> Problem:
        first, last = pupil.spans[0][0], pupil.spans[-1][1]
        if day < first:
            said = f"chưa vào lớp {self.class_code} (vào từ {first:%d/%m/%Y})"
        elif day > last:
            said = f"đã rời lớp {self.class_code} (học đến {last:%d/%m/%Y})"
        else:
            said = f"không ở lớp {self.class_code}"
        return Problem(f"Ngày {day:%d/%m/%Y} em {said}.", "Xóa dấu ở ô này.")
