"""Bank feeds in the office: who tells of the school's money, how fresh that is; held money, decided by two people."""

from __future__ import annotations

import unicodedata
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, Visit, parts_of
from service.pages.rendering import page
from service.pages.responses import go_to

FEEDS = "/van-phong/kenh-ngan-hang"
router = APIRouter(prefix=FEEDS, max_body_size=MAX_FORM_BYTES)

Text = Annotated[str, Form(max_length=300)]
Day = Annotated[str, Form(max_length=10)]
_SAID = {
    "de-nghi": ("Đã ghi đề nghị, chờ người khác duyệt.", "Asked for; another person decides."),
    "duyet": ("Đã duyệt; sổ được ghi lại trong ít giây nữa.", "Agreed; the book follows in a few seconds."),
    "so-lai": ("Đã ghi; danh sách được hỏi lại trong ít phút.", "Noted; the list is asked again within minutes."),
    "khong": ("Đã ghi: giữ nguyên như cũ.", "Stored: it stays as it is."),
}


def _clean(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())


def _may(visit: Visit) -> dict[str, bool]:
    """Return which acts the matrix opens here."""
    acts = {
        "asks": "/giu-lai/{transfer_id}",
        "doubts": "/loai/{transfer_id}",
        "compares": "/so-lai/{feed_id}",
        "decides": "/tha/{release_id}/duyet",
        "refuses": "/tha/{release_id}/tu-choi",
    }
    return {name: bool(MATRIX["POST", f"{FEEDS}{path}"] & visit.roles) for name, path in acts.items()}


@router.get("")
def bank_feeds(
    request: Request, visit: StaffVisit, desk: OpenDesk, da: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Show feeds and held money."""
    now = parts_of(request).clock()
    found = desk.bank_feeds(visit.who, visit.place, now)
    return page(request, "bank_feeds.html", visit=visit, found=found, now=now, said=_SAID.get(da), **_may(visit))


@router.post("/giu-lai/{transfer_id}")
def ask(request: Request, visit: StaffVisit, desk: OpenDesk, transfer_id: UUID, ly_do: Text = "") -> Response:
    """Ask to let held money go."""
    desk.ask_release(visit.who, visit.place, transfer_id, _clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, FEEDS, da="de-nghi")


@router.post("/so-lai/{feed_id}")
def compare_again(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, feed_id: UUID, tu: Day = "", den: Day = ""
) -> Response:
    """Ask to compare days of a provider's list with the book."""
    desk.compare_again(visit.who, visit.place, feed_id, (tu, den), parts_of(request).clock())
    return go_to(visit.place, FEEDS, da="so-lai")


@router.post("/loai/{transfer_id}")
def doubt(request: Request, visit: StaffVisit, desk: OpenDesk, transfer_id: UUID, ly_do: Text = "") -> Response:
    """Ask to put aside held money, or money out that a statement lacks."""
    desk.ask_distrust(visit.who, visit.place, transfer_id, _clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, FEEDS, da="de-nghi")


@router.post("/tha/{release_id}/duyet")
def approve(request: Request, visit: StaffVisit, desk: OpenDesk, release_id: UUID) -> Response:
    """Let go, or put aside, what another person asked for."""
    desk.approve_release(visit.who, visit.place, release_id, parts_of(request).clock())
    return go_to(visit.place, FEEDS, da="duyet")


@router.post("/tha/{release_id}/tu-choi")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, release_id: UUID, ly_do: Text = "") -> Response:
    """Say no, or take one's own back."""
    desk.refuse_release(visit.who, visit.place, release_id, _clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, FEEDS, da="khong")
