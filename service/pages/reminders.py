"""Reminders in the office: on how many days before and after the due day families are reminded, and what came of it."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from billing.errors import Refused
from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to

PATH = "/van-phong/nhac-nop"
router = APIRouter(prefix=PATH, max_body_size=MAX_FORM_BYTES)

Days = Annotated[str, Form(max_length=60)]


@router.get("")
def reminders(request: Request, visit: StaffVisit, desk: OpenDesk, da: str = "") -> Response:
    """Show on which days the school reminds."""
    found = desk.reminders(visit.who, visit.place)
    sets = bool(MATRIX["POST", PATH] & visit.roles)
    return page(request, "reminders.html", visit=visit, found=found, saved=da == "luu", sets=sets)


@router.post("")
def save(request: Request, visit: StaffVisit, desk: OpenDesk, truoc: Days = "", sau: Days = "") -> Response:
    """Set the days; nothing in both fields reminds nobody."""
    days = [*(-day for day in read_days(truoc)), *read_days(sau)]
    desk.set_reminders(visit.who, visit.place, days, parts_of(request).clock())
    return go_to(visit.place, PATH, da="luu")


def read_days(typed: str) -> list[int]:
    """Return the numbers of days of a field such as ``3, 10``; raises ``Refused`` for anything else."""
    words = [word for word in re.split(r"[,;\s]+", typed) if word]
    if not all(re.fullmatch(r"[0-9]{1,2}", word) for word in words):
        raise Refused(f"“{typed.strip()}” không phải số ngày. Hãy ghi các số cách nhau bằng dấu phẩy, ví dụ “3, 10”.")
    return [int(word) for word in words]
