"""Pupils' health insurance: who buys at school, lists for the insurer, the money passed on, double cover."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access import limits
from service.access.roles import MATRIX
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, Visit, parts_of
from service.pages.insurance_views import PAYOUT_STATES, TypedCard, TypedClassCards, TypedPayout
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.typed import clean

INSURANCE = "/van-phong/bhyt"
REFUNDS = "/van-phong/hoan-tien"
router = APIRouter(prefix=INSURANCE, max_body_size=MAX_FORM_BYTES)

Short = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=300)]
Key = Annotated[str, Query(max_length=40)]
_SAID = {
    "mo": ("Đã mở khoản BHYT. Giờ ghi thẻ của từng lớp.", "The item is open. Now enter the cards, class by class."),
    "ghi": ("Đã ghi thẻ.", "Stored."),
    "gui": ("Đã chốt danh sách. Tải tệp để gửi.", "The list is frozen. Download it to send it."),
    "trung": (
        "Đã ghi thẻ kia. Phần trùng chờ người khác duyệt ghi giảm.",
        "The other card is stored. What is doubled waits for another person's approval.",
    ),
    "chuyen": ("Đã ghi lần chuyển tiền; người khác duyệt.", "Stored; another person approves it."),
    "xong": ("Đã xong.", "Done."),
}


def _may(visit: Visit, *paths: str) -> bool:
    return any(MATRIX["POST", f"{INSURANCE}{path}"] & visit.roles for path in paths)


@router.get("")
def overview(request: Request, visit: StaffVisit, desk: OpenDesk, nam: Key = "", da: Key = "") -> Response:
    """Show a year: classes, lists, money."""
    found = desk.insurance(visit.who, visit.place, nam, parts_of(request).clock())
    may = {"makes": _may(visit, "/mo"), "decides": _may(visit, "/chuyen-tien/{payout_id}/duyet")}
    return page(request, "insurance.html", visit=visit, found=found, states=PAYOUT_STATES, said=_SAID.get(da), **may)


@router.post("/mo")
def open_item(request: Request, visit: StaffVisit, desk: OpenDesk, tai_khoan: Short = "") -> Response:
    """Open the item."""
    desk.open_insurance(visit.who, visit.place, tai_khoan, parts_of(request).clock())
    return go_to(visit.place, INSURANCE, da="mo")


@router.get("/lop/{class_id}")
def class_page(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, class_id: UUID, nam: Key = "", da: Key = ""
) -> Response:
    """Show the pupils of a class."""
    found = desk.class_cards(visit.who, visit.place, class_id, nam, parts_of(request).clock())
    makes, sees = _may(visit, "/lop/{class_id}"), _sees(visit)
    return page(request, "insurance_class.html", visit=visit, found=found, makes=makes, sees=sees, said=_SAID.get(da))


@router.post("/lop/{class_id}")
def enter_class(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    class_id: UUID,
    em: Annotated[list[str], Form()],
    nam: Short = "",
    het_han: Short = "",
    moi_lan: Short = "",
    thang: Short = "",
    tre: Short = "",
) -> Response:
    """Let the ticked pupils buy at school."""
    typed = TypedClassCards(nam, tuple(em), het_han, moi_lan, thang, small=bool(tre))
    desk.enter_class_cards(visit.who, visit.place, class_id, typed, parts_of(request).clock())
    return go_to(visit.place, f"{INSURANCE}/lop/{class_id}", nam=nam, da="ghi")


@router.get("/hoc-sinh/{pupil_id}")
def pupil_page(  # noqa: PLR0913, PLR0917  as above
    request: Request, visit: StaffVisit, desk: OpenDesk, pupil_id: UUID, nam: Key = "", da: Key = ""
) -> Response:
    """Show one pupil's card, with the reason."""
    found = desk.pupil_card(visit.who, visit.place, pupil_id, nam, parts_of(request).clock())
    makes = _may(visit, "/hoc-sinh/{pupil_id}")
    return page(request, "insurance_pupil.html", visit=visit, found=found, makes=makes, said=_SAID.get(da))


@router.post("/hoc-sinh/{pupil_id}")
def enter_card(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    pupil_id: UUID,
    nam: Short = "",
    nguon: Short = "",
    dien: Short = "",
    het_han: Short = "",
    so_the: Short = "",
    moi_lan: Short = "",
    thang: Short = "",
) -> Response:
    """Write one pupil's card down."""
    typed = TypedCard(nam, nguon, dien, het_han, so_the, moi_lan, thang)
    desk.enter_card(visit.who, visit.place, pupil_id, typed, parts_of(request).clock())
    return go_to(visit.place, f"{INSURANCE}/hoc-sinh/{pupil_id}", nam=nam, da="ghi")


@router.post("/hoc-sinh/{pupil_id}/trung")
def double(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    pupil_id: UUID,
    nam: Short = "",
    dien: Short = "",
    tu: Short = "",
    so_the: Short = "",
) -> Response:
    """Ask for the months that another card covers to be given back."""
    typed = TypedCard(nam, "other", dien, tu, so_the)
    desk.show_other_card(visit.who, visit.place, pupil_id, typed, parts_of(request).clock())
    return go_to(visit.place, f"{INSURANCE}/hoc-sinh/{pupil_id}", nam=nam, da="trung")


@router.post("/hoc-sinh/{pupil_id}/hoan")
def give_back(request: Request, visit: StaffVisit, desk: OpenDesk, pupil_id: UUID) -> Response:
    """Ask for the credit to be given back."""
    made = desk.refund_insurance(visit.who, visit.place, pupil_id, parts_of(request).clock())
    return go_to(visit.place, f"{REFUNDS}/{made}")


@router.get("/danh-sach")
def next_list(request: Request, visit: StaffVisit, desk: OpenDesk, nam: Key = "") -> Response:
    """Show the list as it would be sent now."""
    found = desk.next_insurance_list(visit.who, visit.place, nam, parts_of(request).clock())
    makes = _may(visit, "/danh-sach")
    return page(request, "insurance_list.html", visit=visit, found=found, makes=makes, takes=False, said=None)


@router.post("/danh-sach")
def send(request: Request, visit: StaffVisit, desk: OpenDesk, nam: Short = "", digest: Text = "") -> Response:
    """Freeze the list as it was shown."""
    made = desk.send_insurance_list(visit.who, visit.place, nam, digest, parts_of(request).clock())
    return go_to(visit.place, f"{INSURANCE}/danh-sach/{made}", da="gui")


@router.get("/danh-sach/{list_id}")
def sent_list(request: Request, visit: StaffVisit, desk: OpenDesk, list_id: UUID, da: Key = "") -> Response:
    """Show a list that was sent."""
    found = desk.insurance_list(visit.who, visit.place, list_id)
    takes = bool(MATRIX["GET", f"{INSURANCE}/danh-sach/{{list_id}}/tep.xlsx"] & visit.roles)
    return page(request, "insurance_list.html", visit=visit, found=found, makes=False, takes=takes, said=_SAID.get(da))


@router.get("/danh-sach/{list_id}/tep.xlsx")
def sheet(request: Request, visit: StaffVisit, desk: OpenDesk, list_id: UUID) -> Response:
    """Hand out a list that was sent, with the cards' numbers."""
    parts = parts_of(request)
    parts.limiter.spend(limits.PAPERS, str(visit.who.user_id))
    return file_answer(desk.insurance_list_sheet(visit.who, visit.place, list_id, parts.clock()))


@router.post("/chuyen-tien")
def pass_on(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    danh_sach: Short = "",
    so_tien: Short = "",
    ngay: Short = "",
    chung_tu: Text = "",
) -> Response:
    """Write down what was passed on to the insurer."""
    typed = TypedPayout(danh_sach, so_tien, ngay, clean(chung_tu))
    year = desk.enter_insurance_payout(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, INSURANCE, nam=str(year), da="chuyen")


@router.post("/chuyen-tien/{payout_id}/duyet")
def approve(request: Request, visit: StaffVisit, desk: OpenDesk, payout_id: UUID) -> Response:
    """Approve a payout."""
    return _decide(request, visit, desk, payout_id, "duyet")


@router.post("/chuyen-tien/{payout_id}/tu-choi")
def reject(request: Request, visit: StaffVisit, desk: OpenDesk, payout_id: UUID, ly_do: Text = "") -> Response:
    """Reject a payout, with a reason."""
    return _decide(request, visit, desk, payout_id, "tu-choi", ly_do)


@router.post("/chuyen-tien/{payout_id}/huy")
def undo(request: Request, visit: StaffVisit, desk: OpenDesk, payout_id: UUID, ly_do: Text = "") -> Response:
    """Undo an approved payout, with a reason."""
    return _decide(request, visit, desk, payout_id, "huy", ly_do)


def _decide(  # noqa: PLR0913, PLR0917  a deed and its reason
    request: Request, visit: Visit, desk: OpenDesk, payout_id: UUID, deed: str, reason: str = ""
) -> Response:
    now = parts_of(request).clock()
    desk.decide_insurance_payout(visit.who, visit.place, payout_id, deed, clean(reason), now)
    return go_to(visit.place, INSURANCE, da="xong")


def _sees(visit: Visit) -> bool:
    """Tell whether the reader may open one pupil's card."""
    return bool(MATRIX["GET", f"{INSURANCE}/hoc-sinh/{{pupil_id}}"] & visit.roles)
