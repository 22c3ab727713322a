"""Money out in the office, classified by a person; and what the feeds of an account tell differently."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.money_out_views import Sought, TypedPurpose
from service.pages.rendering import page
from service.pages.responses import go_to
from service.pages.typed import clean

MONEY_OUT = "/van-phong/tien-ra"
DIFFERENCES = "/van-phong/doi-chieu-nguon"
router = APIRouter(max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=80)]
Text = Annotated[str, Form(max_length=300)]
Keys = Annotated[list[str], Form(max_length=500)]
Key = Annotated[str, Query(max_length=20)]
Id = Annotated[str, Query(max_length=40)]
Words = Annotated[str, Query(max_length=100)]
_SAID = {
    "ghi": ("Đã phân loại.", "Classified."),
    "thu-hoi": (
        "Đã ghi ngân hàng thu hồi: biên lai hết hiệu lực, khoản phải nộp mở lại, gia đình được báo.",
        "Taken back by the bank: the receipt is void, the bill open again, the family told.",
    ),
    "cho-duyet": ("Đã ghi; chờ người khác duyệt.", "Written down; another person must agree."),
    "khong": ("Đã ghi không duyệt. Không có gì thay đổi.", "Refused. Nothing has changed."),
    "huy-thu-hoi": (
        "Đã hủy ghi thu hồi: tiền vào chờ người xử lý, tiền ra lại chưa rõ.",
        "Undone: the money in waits for a person, the money out is not explained again.",
    ),
    "huy": ("Đã hủy phân loại; khoản này lại chưa rõ.", "Taken back; it is not explained again."),
}


@router.get(MONEY_OUT)
def money_out(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, da: Key = "", ra: Id = "", tim: Words = ""
) -> Response:
    """Show money out: what is not explained by age, what is, and sums by kind; of one, the money in that is sought."""
    found = desk.money_out(visit.who, visit.place, Sought(ra, clean(tim)), parts_of(request).clock())
    makes = bool(MATRIX["POST", f"{MONEY_OUT}/{{transfer_id}}"] & visit.roles)
    checks = bool(MATRIX["POST", f"{MONEY_OUT}/thu-hoi/{{reversal_id}}/duyet"] & visit.roles)
    return page(request, "money_out.html", visit=visit, found=found, makes=makes, checks=checks, said=_SAID.get(da))


@router.post(f"{MONEY_OUT}/{{transfer_id}}/thu-hoi")
def taken_by_bank(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, transfer_id: UUID, tien_vao: Short = "", ly_do: Text = ""
) -> Response:
    """Say that the bank took money back by this money out."""
    now = parts_of(request).clock()
    done = desk.ask_reversal(visit.who, visit.place, transfer_id, tien_vao, clean(ly_do), now)
    return go_to(visit.place, MONEY_OUT, da="thu-hoi" if done else "cho-duyet")


@router.post(f"{MONEY_OUT}/thu-hoi/{{reversal_id}}/duyet")
def agree(request: Request, visit: StaffVisit, desk: OpenDesk, reversal_id: UUID) -> Response:
    """Agree that the bank took money back, which reverses payment and receipt; or that this is undone."""
    taken = desk.decide_reversal(visit.who, visit.place, reversal_id, "", parts_of(request).clock(), agreed=True)
    return go_to(visit.place, MONEY_OUT, da="thu-hoi" if taken else "huy-thu-hoi")


@router.post(f"{MONEY_OUT}/thu-hoi/{{reversal_id}}/tu-choi")
def refuse(request: Request, visit: StaffVisit, desk: OpenDesk, reversal_id: UUID, ly_do: Text = "") -> Response:
    """Say no to it, or take one's own back."""
    desk.decide_reversal(visit.who, visit.place, reversal_id, clean(ly_do), parts_of(request).clock(), agreed=False)
    return go_to(visit.place, MONEY_OUT, da="khong")


@router.post(f"{MONEY_OUT}/{{transfer_id}}")
def classify(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    transfer_id: UUID,
    gan: Keys = [],  # noqa: B006  FastAPI copies it
    loai: Short = "",
    so_tien: Short = "",
    khoan: Short = "",
    so_chung_tu: Short = "",
    ly_do: Text = "",
) -> Response:
    """Write down what money out was for."""
    typed = TypedPurpose(tuple(gan), loai, so_tien, khoan, clean(so_chung_tu), clean(ly_do))
    desk.classify_out(visit.who, visit.place, transfer_id, typed, parts_of(request).clock())
    return go_to(visit.place, MONEY_OUT, da="ghi")


@router.post(f"{MONEY_OUT}/muc-dich/{{purpose_id}}/huy")
def take_back(request: Request, visit: StaffVisit, desk: OpenDesk, purpose_id: UUID, ly_do: Text = "") -> Response:
    """Take a purpose back, with a reason."""
    done = desk.take_back_out(visit.who, visit.place, purpose_id, clean(ly_do), parts_of(request).clock())
    return go_to(visit.place, MONEY_OUT, da="huy" if done else "cho-duyet")


@router.get(DIFFERENCES)
def differences(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show what the feeds of each account tell differently, by age."""
    found = desk.feed_differences(visit.who, visit.place, parts_of(request).clock())
    doubts = bool(MATRIX["POST", "/van-phong/kenh-ngan-hang/loai/{transfer_id}"] & visit.roles)
    return page(request, "differences.html", visit=visit, found=found, doubts=doubts)


@router.get("/tinh/doi-chieu-nguon")
def province(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show the sums of each school: no transfer, no name."""
    rows = desk.province_differences(visit.who, visit.place, parts_of(request).clock())
    return page(request, "differences_province.html", visit=visit, rows=rows)
