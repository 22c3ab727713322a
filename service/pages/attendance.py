"""Attendance in the office: months to close, the grid and its sheet, days off, teachers, the kitchen, settling."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from billing.attendance.days import month_from
from service.access.errors import TooLarge
from service.access.roles import MATRIX
from service.pages.attendance_views import TypedMarks
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.typed import read_day, school_day
from service.pages.uploading import MAX_BODY_BYTES, MAX_FILE_BYTES

OFFICE = "/van-phong"
ROOT = f"{OFFICE}/diem-danh"
router = APIRouter(prefix=OFFICE, max_body_size=MAX_FORM_BYTES)
# A class's sheet may be as large as any other upload.
sheets = APIRouter(prefix=ROOT, max_body_size=MAX_BODY_BYTES)

SAID = {
    "chot": ("Đã chốt tháng của lớp.", "The class's month is closed."),
    "ghi": ("Đã ghi vào bảng điểm danh.", "The marks are stored."),
    "nhu-cu": ("Bảng đã như vậy, không có gì thay đổi.", "It was so already; nothing changed."),
    "nghi": ("Đã ghi ngày nghỉ của cả trường.", "The day off is stored."),
    "bo": ("Đã bỏ ngày nghỉ.", "The day off is taken back."),
    "gio": ("Đã đổi giờ báo suất ăn.", "The hour is changed."),
    "lop": ("Đã phân lớp.", "The class is assigned."),
    "thoi": ("Đã ghi thôi phụ trách lớp.", "The assignment has ended."),
}

Said = Annotated[str, Query(max_length=20)]
Month = Annotated[str, Query(max_length=7)]
TypedMonth = Annotated[str, Form(max_length=7)]
Reason = Annotated[str, Form(max_length=200)]
Short = Annotated[str, Form(max_length=40)]


def _may(visit: StaffVisit, path: str) -> bool:
    return bool(MATRIX["POST", OFFICE + path] & visit.roles)


@router.get("/diem-danh")
def months(request: Request, visit: StaffVisit, desk: OpenDesk, xong: Said = "") -> Response:
    """Show classes by month, and what is not closed yet."""
    view = desk.attendance_months(visit.who, visit.place, parts_of(request).clock())
    closes = _may(visit, "/diem-danh/lop/{class_id}/chot")
    return page(request, "attendance.html", visit=visit, found=view, closes=closes, said=SAID.get(xong))


@router.post("/diem-danh/lop/{class_id}/chot")
def close(request: Request, visit: StaffVisit, desk: OpenDesk, class_id: uuid.UUID, thang: TypedMonth) -> Response:
    """Close a class's month."""
    desk.close_month(visit.who, visit.place, class_id, thang, parts_of(request).clock())
    return go_to(visit.place, ROOT, xong="chot")


@router.get("/diem-danh/lop/{class_id}")
def grid(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, class_id: uuid.UUID, thang: Month = "", xong: Said = ""
) -> Response:
    """Show a class's month, pupil by day."""
    view = desk.attendance_grid(visit.who, visit.place, class_id, thang, parts_of(request).clock())
    writes = _may(visit, "/diem-danh/lop/{class_id}")
    return page(request, "attendance_grid.html", visit=visit, grid=view, writes=writes, said=SAID.get(xong))


@router.post("/diem-danh/lop/{class_id}")
def mark(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    class_id: uuid.UUID,
    thang: TypedMonth,
    dau: Short = "",
    ly_do: Reason = "",
    o: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Write one mark into the ticked cells."""
    typed = TypedMarks(str(class_id), thang, tuple(o or ()), dau, ly_do)
    changed = desk.mark_attendance(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/lop/{class_id}", thang=thang, xong="ghi" if changed else "nhu-cu")


@router.get("/diem-danh/lop/{class_id}/bang.xlsx")
def month_file(request: Request, visit: StaffVisit, desk: OpenDesk, class_id: uuid.UUID, thang: Month = "") -> Response:
    """Hand out a class's month to edit and bring back."""
    now = parts_of(request).clock()
    month = f"{month_from(thang) if thang else school_day(now):%Y-%m}"
    return file_answer(desk.month_file(visit.who, visit.place, class_id, month, now))


@sheets.post("/lop/{class_id}/bang")
def take_month_file(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    class_id: uuid.UUID,
    thang: TypedMonth,
    tep: Annotated[UploadFile, File()],
) -> Response:
    """Bring a class's month back; every bad cell is listed, and then nothing is stored."""
    data = tep.file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TooLarge("Tệp lớn hơn 10 MB.")
    changed = desk.take_month_file(visit.who, visit.place, class_id, thang, data, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/lop/{class_id}", thang=thang, xong="ghi" if changed else "nhu-cu")


@router.get("/diem-danh/ngay-nghi")
def days_off(request: Request, visit: StaffVisit, desk: OpenDesk, xong: Said = "") -> Response:
    """Show the days off of the whole school, and the hour for the kitchen."""
    now = parts_of(request).clock()
    rows = desk.days_off(visit.who, visit.place, now)
    cutoff = desk.attendance_months(visit.who, visit.place, now).cutoff
    writes = _may(visit, "/diem-danh/ngay-nghi")
    said = SAID.get(xong)
    return page(request, "days_off.html", visit=visit, rows=rows, cutoff=cutoff, writes=writes, said=said)


@router.post("/diem-danh/ngay-nghi")
def add_day_off(
    request: Request, visit: StaffVisit, desk: OpenDesk, ngay: Annotated[date, Form()], ly_do: Reason = ""
) -> Response:
    """Enter a day off."""
    new = desk.add_day_off(visit.who, visit.place, ngay, ly_do, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/ngay-nghi", xong="nghi" if new else "nhu-cu")


@router.post("/diem-danh/ngay-nghi/bo")
def drop_day_off(request: Request, visit: StaffVisit, desk: OpenDesk, ngay: Annotated[date, Form()]) -> Response:
    """Take a day off back."""
    desk.drop_day_off(visit.who, visit.place, ngay, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/ngay-nghi", xong="bo")


@router.post("/diem-danh/gio-bao")
def set_cutoff(request: Request, visit: StaffVisit, desk: OpenDesk, gio: Short = "") -> Response:
    """Set the hour until which the kitchen can be told."""
    new = desk.set_cutoff(visit.who, visit.place, gio, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/ngay-nghi", xong="gio" if new else "nhu-cu")


@router.get("/diem-danh/giao-vien")
def teachers(request: Request, visit: StaffVisit, desk: OpenDesk, xong: Said = "") -> Response:
    """Show who teaches which class."""
    now = parts_of(request).clock()
    view = desk.class_teachers(visit.who, visit.place, now)
    writes, today = _may(visit, "/diem-danh/giao-vien"), school_day(now)
    said = SAID.get(xong)
    return page(request, "class_teachers.html", visit=visit, found=view, writes=writes, today=today, said=said)


@router.post("/diem-danh/giao-vien")
def give_class(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    lop: Short = "",
    giao_vien: Short = "",
    tu: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Let somebody tick a class from a day on."""
    now = parts_of(request).clock()
    new = desk.give_class(visit.who, visit.place, lop, giao_vien, read_day(tu) or school_day(now), now)
    return go_to(visit.place, f"{ROOT}/giao-vien", xong="lop" if new else "nhu-cu")


@router.post("/diem-danh/giao-vien/thoi")
def take_class(request: Request, visit: StaffVisit, desk: OpenDesk, lop: Short = "", giao_vien: Short = "") -> Response:
    """End it."""
    desk.take_class(visit.who, visit.place, lop, giao_vien, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/giao-vien", xong="thoi")


@router.get("/suat-an")
def kitchen(
    request: Request, visit: StaffVisit, desk: OpenDesk, ngay: Annotated[str, Query(max_length=10)] = ""
) -> Response:
    """Show a day's portions, on screen and on paper."""
    view = desk.kitchen(visit.who, visit.place, read_day(ngay), parts_of(request).clock())
    return page(request, "kitchen.html", visit=visit, count=view)


@router.get("/dot-thu/{round_id}/quyet-toan")
def settling(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID) -> Response:
    """Show what settling a round's meals would do; classes that are not closed stand first."""
    view = desk.meals_to_settle(visit.who, visit.place, round_id, parts_of(request).clock())
    asks = _may(visit, "/dot-thu/{round_id}/quyet-toan")
    return page(request, "settle.html", visit=visit, settle=view, asks=asks)


@router.post("/dot-thu/{round_id}/quyet-toan")
def settle(request: Request, visit: StaffVisit, desk: OpenDesk, round_id: uuid.UUID) -> Response:
    """Ask for a round's meals to be settled; another person approves it."""
    made = desk.settle_meals(visit.who, visit.place, round_id, parts_of(request).clock())
    return go_to(visit.place, f"{OFFICE}/dieu-chinh/{made}", xong="de-nghi")
