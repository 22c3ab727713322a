"""The part of the sample desk that answers the pages of attendance."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.attendance_views import (
    ClassMonths,
    ClassState,
    ClosedMonth,
    DayOff,
    FewMeals,
    GridCell,
    GridPage,
    GridRow,
    KitchenClass,
    KitchenPage,
    MonthsPage,
    RollPage,
    RollPupil,
    SettledPupil,
    SettlePage,
    TeacherRow,
    TeachersPage,
    TypedMarks,
    TypedRoll,
)
from service.pages.views import Download
from tests.service.pages.sample_fees import CLASS_ID, SampleFees

OCTOBER = date(2025, 10, 1)
AT = datetime(2025, 11, 1, 2, 0, tzinfo=UTC)
CLASS = str(CLASS_ID)
CORRECTION = uuid.UUID(int=72)
NAMES = ("Nguyễn Thị Minh Ánh", "Điểu Bảo", "Trần Nguyễn Hoàng Phương Quỳnh Như Ngọc", "Trần Đăng Khôi", "Thị Hồng")
OPEN, CLOSED = ClosedMonth(OCTOBER, can_close=True), ClosedMonth(date(2025, 9, 1), "Lê Thị Hoa", AT)
ROLL = RollPage(
    classes=((CLASS, "Lớp 1A"), (str(uuid.UUID(int=9)), "Lớp 1B")),
    class_id=CLASS,
    class_name="Lớp 1A",
    day=date(2025, 10, 7),
    today=date(2025, 10, 7),
    pupils=tuple(
        RollPupil(
            str(uuid.UUID(int=100 + n)), NAMES[n % 5], "7500000001" if n == 4 else "",
            absent=n in {1, 2, 3}, in_time=n == 1, fixed=n == 3,
        )
        for n in range(10)
    ),
    cutoff="8:00",
    in_time=True,
    months=(CLOSED, OPEN),
)  # fmt: skip
DAYS = tuple(date(2025, 10, number) for number in range(1, 32))


def _cell(day: date, line: int) -> GridCell:
    mark = {(2, 7): "p", (3, 8): "v"}.get((line, day.day), "x" if day.day != 6 else "")
    return GridCell(day, mark, open=day.day != 6, told="vắng; văn phòng ghi: Giấy bác sĩ" if mark == "p" else "")


class SampleAttendance(SampleFees):
    """Frozen records for the pages of attendance."""

    def __init__(self) -> None:
        super().__init__()
        self.roll_page = ROLL

    def roll(self, who: SignedIn, place: Place, class_id: str, day: date | None, now: datetime) -> RollPage:
        del who, place, class_id, day, now
        return self.roll_page

    def take_roll(self, who: SignedIn, place: Place, typed: TypedRoll, now: datetime) -> bool:
        del place, now
        self.done.append((f"roll {typed.day} {len(typed.absent)}", who.login))
        return False

    def close_own_month(self, who: SignedIn, place: Place, class_id: uuid.UUID, month: str, now: datetime) -> None:
        del place, class_id, now
        self.done.append((f"close own {month}", who.login))

    def attendance_months(self, who: SignedIn, place: Place, now: datetime) -> MonthsPage:
        del who, place, now
        months = (date(2025, 9, 1), OCTOBER)
        states = (ClassState(months[0], 12, "Lê Thị Hoa", AT), ClassState(months[1], 3))
        empty = (ClassState(months[0], empty=True), ClassState(months[1]))
        classes = (
            ClassMonths(CLASS, "1A", ("Lê Thị Hoa",), states),
            ClassMonths(str(uuid.UUID(int=9)), "1B", (), empty),
        )
        return MonthsPage(months, classes, ((CLASS, "1A", OCTOBER),), "08:00")

    def close_month(self, who: SignedIn, place: Place, class_id: uuid.UUID, month: str, now: datetime) -> None:
        del place, class_id, now
        self.done.append((f"close {month}", who.login))

    def attendance_grid(self, who: SignedIn, place: Place, class_id: uuid.UUID, month: str, now: datetime) -> GridPage:
        del who, place, class_id, month, now
        rows = tuple(
            GridRow(
                str(uuid.UUID(int=100 + n)), name, "", tuple(_cell(day, n) for day in DAYS), int(n == 2), int(n == 3)
            )
            for n, name in enumerate(NAMES)
        )
        others = ((str(uuid.UUID(int=9)), "1B"),)
        return GridPage(CLASS, "1A", OCTOBER, DAYS, ((date(2025, 10, 6), "Nghỉ bão"),), rows, OPEN, others)

    def mark_attendance(self, who: SignedIn, place: Place, typed: TypedMarks, now: datetime) -> int:
        del place, now
        self.done.append((f"mark {typed.mark} {len(typed.cells)}", who.login))
        return 1

    def month_file(self, who: SignedIn, place: Place, class_id: uuid.UUID, month: str, now: datetime) -> Download:
        del who, place, class_id, now
        return Download(b"PK", "application/octet-stream", f"Điểm danh 1A {month}.xlsx")

    def take_month_file(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, class_id: uuid.UUID, month: str, data: bytes, now: datetime
    ) -> int:
        del place, class_id, month, now
        self.done.append((f"sheet {len(data)}", who.login))
        return 0

    def days_off(self, who: SignedIn, place: Place, now: datetime) -> tuple[DayOff, ...]:
        del who, place, now
        return (
            DayOff(date(2025, 10, 6), "Nghỉ bão theo thông báo của Sở", "Lê Thu Hà", AT, kept=False),
            DayOff(date(2025, 9, 2), "Quốc khánh", "Lê Thu Hà", AT, kept=True),
        )

    def add_day_off(self, who: SignedIn, place: Place, day: date, reason: str, now: datetime) -> bool:
        del place, reason, now
        self.done.append((f"day off {day}", who.login))
        return True

    def drop_day_off(self, who: SignedIn, place: Place, day: date, now: datetime) -> None:
        del place, now
        self.done.append((f"day on {day}", who.login))

    def set_cutoff(self, who: SignedIn, place: Place, hour: str, now: datetime) -> bool:
        del place, now
        self.done.append((f"cutoff {hour}", who.login))
        return True

    def class_teachers(self, who: SignedIn, place: Place, now: datetime) -> TeachersPage:
        del who, place, now
        row = TeacherRow(CLASS, "1A", str(uuid.UUID(int=8)), "Lê Thị Hoa", "gvcn.hoa", date(2025, 9, 1), None)
        users = ((str(uuid.UUID(int=8)), "Lê Thị Hoa (gvcn.hoa)"),)
        return TeachersPage((row,), ((CLASS, "1A"),), users, ("1B", "1C"))

    def give_class(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, class_id: str, user_id: str, since: date, now: datetime
    ) -> bool:
        del place, class_id, user_id, now
        self.done.append((f"class since {since}", who.login))
        return True

    def take_class(self, who: SignedIn, place: Place, class_id: str, user_id: str, now: datetime) -> None:
        del place, class_id, user_id, now
        self.done.append(("class taken", who.login))

    def kitchen(self, who: SignedIn, place: Place, day: date | None, now: datetime) -> KitchenPage:
        del who, day, now
        classes = (
            KitchenClass("1A", 35, 3, (31,), ("Điểu Bảo", "Trần Nguyễn Hoàng Phương Quỳnh Như Ngọc")),
            KitchenClass("1B", 34, 0, (33,), ()),
        )
        meals = ("Tiền ăn bán trú",)
        return KitchenPage(place.name, date(2025, 10, 7), AT, False, "8:00", "", meals, classes, (64,))  # noqa: FBT003  final: no

    def meals_to_settle(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> SettlePage:
        del who, place, now
        pupil = SettledPupil(
            str(uuid.UUID(int=71)), "Điểu Bảo", "3A1", "TB2510-000001", 23, 21, Money(736_000), Money(672_000),
            Money(32_000), Money(32_000),
        )  # fmt: skip
        few = (FewMeals(str(uuid.UUID(int=71)), "Thị Hồng", "3A1", 4),)
        open_classes = ((CLASS, "1B", OCTOBER),)
        sums = (Money(32_000), Money(32_000))
        return SettlePage(str(round_id), "Tháng 10/2025", open_classes, (pupil,), *sums, few, 1)

    def settle_meals(self, who: SignedIn, place: Place, round_id: uuid.UUID, now: datetime) -> uuid.UUID:
        del place, round_id, now
        self.done.append(("settle meals", who.login))
        return CORRECTION
