"""Messages to families in the office: by which channel they went, what became of them; and the school's SMS."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from starlette.responses import PlainTextResponse, Response

from billing.errors import Refused
from service.access.roles import MATRIX
from service.channels import SMS_NEWS
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.message_views import CHANNEL_NAMES
from service.pages.rendering import page
from service.pages.responses import go_to

PATH = "/van-phong/tin-nhan"
router = APIRouter(max_body_size=MAX_FORM_BYTES)


@router.get(PATH)
def messages(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    kenh: Annotated[str, Query(max_length=10)] = "",
    da: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show the newest messages and the month's SMS."""
    channel = kenh if kenh in CHANNEL_NAMES else ""
    found = desk.messages(visit.who, visit.place, channel, parts_of(request).clock())
    sets = bool(MATRIX["POST", PATH] & visit.roles)
    return page(
        request, "messages.html", visit=visit, found=found, channels=CHANNEL_NAMES, saved=da == "luu", sets=sets
    )


@router.post(PATH)
def save(
    request: Request, visit: StaffVisit, desk: OpenDesk, moi_thang: Annotated[str, Form(max_length=12)] = ""
) -> Response:
    """Set how many SMS a month the school pays for; an empty field means none."""
    desk.set_sms(visit.who, visit.place, read_number(moi_thang), parts_of(request).clock())
    return go_to(visit.place, PATH, da="luu")


@router.get(SMS_NEWS + "/{key}")
def news(
    request: Request,
    desk: OpenDesk,
    key: Annotated[str, Path(max_length=64)],
    request_id: Annotated[str, Query(alias="RequestId", max_length=50)] = "",
) -> Response:
    """Hear from eSMS that there is news of a text. It signs nothing, so this only makes us ask; all get one answer."""
    desk.sms_news(key, request_id, parts_of(request).clock())
    return PlainTextResponse("ok\n")


def read_number(typed: str) -> int:
    """Return a whole number such as ``1.500``; nothing is 0. Raises ``Refused`` for anything else."""
    plain = typed.strip()
    if not plain:
        return 0
    if not re.fullmatch(r"[0-9]{1,6}|[0-9]{1,3}\.[0-9]{3}", plain):
        raise Refused(f"“{plain}” không phải số tin. Hãy ghi một số, ví dụ 500; 0 là không dùng SMS.")
    return int(plain.replace(".", ""))
