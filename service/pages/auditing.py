"""The auditor's page with its report, and the province's roll-up."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from billing.errors import Refused
from service.access import limits
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import file_answer

router = APIRouter(max_body_size=MAX_FORM_BYTES)

MAX_DAYS = 400
FIRST_YEAR = 2000
_LOCAL = timezone(timedelta(hours=7))

Day = Annotated[date | None, Query()]


def period(first: date | None, last: date | None, now: datetime) -> tuple[date, date]:
    """Return the asked period (both days included), or this month up to today.

    Raises ``Refused`` when it ends before it begins, is longer than 400 days, or lies where no books are.
    """
    today = now.astimezone(_LOCAL).date()
    end = last or today
    begin = first or end.replace(day=1)
    if begin.year < FIRST_YEAR or end.year > today.year + 1:
        raise Refused(f"Kỳ phải nằm trong các năm {FIRST_YEAR} đến {today.year + 1}. Xin chọn lại kỳ.")
    if begin > end:
        raise Refused("Ngày bắt đầu sau ngày kết thúc. Xin chọn lại kỳ.")
    if (end - begin).days >= MAX_DAYS:
        raise Refused(f"Kỳ dài nhất là {MAX_DAYS} ngày. Xin chọn kỳ ngắn hơn.")
    return begin, end


@router.get("/kiem-toan")
def audit(request: Request, visit: StaffVisit, desk: OpenDesk, tu: Day = None, den: Day = None) -> Response:
    """Show a period's totals, differences and exceptions."""
    now = parts_of(request).clock()
    first, last = period(tu, den, now)
    view = desk.audit(visit.who, visit.place, first, last, now)
    return page(request, "audit.html", visit=visit, audit=view)


@router.get("/kiem-toan/bao-cao.xlsx")
def report(request: Request, visit: StaffVisit, desk: OpenDesk, tu: Day = None, den: Day = None) -> Response:
    """Hand out the reconciliation report of a period."""
    parts = parts_of(request)
    parts.limiter.spend(limits.EXPORTS, str(visit.who.user_id))
    now = parts.clock()
    first, last = period(tu, den, now)
    return file_answer(desk.audit_report(visit.who, visit.place, first, last, now))


@router.get("/tinh")
def province(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show the sums of each school: no pupil, no name."""
    view = desk.province(visit.who, visit.place, parts_of(request).clock())
    return page(request, "province.html", visit=visit, province=view)
