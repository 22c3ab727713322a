"""A new school year in the office: prices, classes, promotion, what goes on, and the balances that two people sign."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from billing.newyear.promoting import CHOICE_NAMES
from service.access import limits
from service.access.errors import TooLarge
from service.access.roles import MATRIX
from service.pages.guards import OpenDesk, StaffVisit, parts_of
from service.pages.newyear_views import OUT, TypedChoice, TypedClasses, TypedPrices, TypedWays
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.uploading import MAX_BODY_BYTES, MAX_FILE_BYTES

ROOT = "/van-phong/nam-hoc-moi"
router = APIRouter(prefix=ROOT, max_body_size=MAX_BODY_BYTES)

Year = Annotated[str, Query(alias="nam", max_length=9)]
TypedYear = Annotated[str, Form(alias="nam", max_length=9)]
Said = Annotated[str, Query(alias="xong", max_length=8)]
Key = Annotated[str, Query(max_length=40)]
Short = Annotated[str, Form(max_length=40)]
Column = Annotated[list[Annotated[str, Form(max_length=300)]], Form(default_factory=list, max_length=3000)]


def _may(visit: StaffVisit, path: str) -> bool:
    return bool(MATRIX["POST", ROOT + path] & visit.roles)


@router.get("")
def steps(request: Request, visit: StaffVisit, desk: OpenDesk, nam: Year = "") -> Response:
    """Show the steps with what is done and what is next."""
    found = desk.new_year(visit.who, visit.place, nam, parts_of(request).clock())
    return page(request, "newyear.html", visit=visit, found=found)


@router.get("/khoan-thu")
def prices(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, nam: Year = "", tang: Key = "", xong: Said = ""
) -> Response:
    """Show the prices that would go on, with caps and rise."""
    found = desk.year_prices(visit.who, visit.place, nam, tang, parts_of(request).clock())
    makes = _may(visit, "/khoan-thu")
    return page(request, "newyear_prices.html", visit=visit, found=found, makes=makes, stored=xong)


@router.post("/khoan-thu")
def copy(  # noqa: PLR0913, PLR0917  as above
    request: Request, visit: StaffVisit, desk: OpenDesk, dong: Column, muc: Column, nam: TypedYear = ""
) -> Response:
    """Write the prices of the new year."""
    typed = TypedPrices(tuple(dong), tuple(muc))
    new = desk.copy_prices(visit.who, visit.place, nam, typed, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/khoan-thu", nam=nam, xong=str(new))


@router.get("/lop")
def classes(request: Request, visit: StaffVisit, desk: OpenDesk, nam: Year = "", xong: Said = "") -> Response:
    """Show the classes that are proposed and made."""
    found = desk.year_classes(visit.who, visit.place, nam, parts_of(request).clock())
    return page(request, "newyear_classes.html", visit=visit, found=found, makes=_may(visit, "/lop"), stored=xong)


@router.post("/lop")
def make(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    tao: Column,
    ma: Short = "",
    khoi: Short = "",
    cap: Short = "",
    nam: TypedYear = "",
) -> Response:
    """Make the ticked classes, and one more."""
    typed = TypedClasses(tuple(tao), ma, khoi, cap)
    new = desk.make_classes(visit.who, visit.place, nam, typed, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/lop", nam=nam, xong=str(new))


@router.get("/len-lop")
def promotion(  # noqa: PLR0913, PLR0917  as above
    request: Request, visit: StaffVisit, desk: OpenDesk, nam: Year = "", lop: Key = "", xong: Said = ""
) -> Response:
    """Show who becomes what, class by class."""
    found = desk.promotion(visit.who, visit.place, nam, lop, parts_of(request).clock())
    choices = {choice.value: names for choice, names in CHOICE_NAMES.items()}
    makes = _may(visit, "/len-lop")
    return page(
        request, "newyear_promotion.html", visit=visit, found=found, choices=choices, makes=makes, stored=xong, out=OUT
    )


@router.post("/len-lop")
def choose(  # noqa: PLR0913, PLR0917  as above
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    em: Column,
    cu: Column,
    moi: Column,
    ket_qua: Short = "",
    lop_moi: Short = "",
    lop: Short = "",
    nam: TypedYear = "",
) -> Response:
    """Write down what becomes of the ticked pupils, or class by class (``cu`` to ``moi``) of the undecided."""
    now = parts_of(request).clock()
    if cu:
        new = desk.class_ways(visit.who, visit.place, nam, TypedWays(tuple(cu), tuple(moi)), now)
    else:
        new = desk.choose_promotion(visit.who, visit.place, nam, TypedChoice(tuple(em), ket_qua, lop_moi), now)
    return go_to(visit.place, f"{ROOT}/len-lop", nam=nam, lop=lop, xong=str(new))


@router.post("/len-lop/thuong-le")
def usual(request: Request, visit: StaffVisit, desk: OpenDesk, lop: Short = "", nam: TypedYear = "") -> Response:
    """Choose the usual way for everybody undecided."""
    new = desk.usual_promotion(visit.who, visit.place, nam, lop, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/len-lop", nam=nam, lop=lop, xong=str(new))


@router.get("/len-lop/danh-sach.xlsx")
def promotion_file(request: Request, visit: StaffVisit, desk: OpenDesk, nam: Year = "") -> Response:
    """Hand out the list of everybody to edit and bring back."""
    parts = parts_of(request)
    parts.limiter.spend(limits.PAPERS, str(visit.who.user_id))
    return file_answer(desk.promotion_file(visit.who, visit.place, nam, parts.clock()))


@router.post("/len-lop/bang")
def take_file(
    request: Request, visit: StaffVisit, desk: OpenDesk, tep: Annotated[UploadFile, File()], nam: TypedYear = ""
) -> Response:
    """Bring the list back; every bad line is listed, and then nothing is stored."""
    new = desk.take_promotion_file(visit.who, visit.place, nam, content_of(tep), parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/len-lop", nam=nam, xong=str(new))


@router.post("/len-lop/thuc-hien")
def promote(request: Request, visit: StaffVisit, desk: OpenDesk, ngay: Short = "", nam: TypedYear = "") -> Response:
    """Carry out what was chosen."""
    done = desk.promote(visit.who, visit.place, nam, ngay, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/len-lop", nam=nam, xong=str(done))


@router.get("/tiep-noi")
def going_on(request: Request, visit: StaffVisit, desk: OpenDesk, nam: Year = "", xong: Said = "") -> Response:
    """Show what goes on for pupils."""
    found = desk.going_on(visit.who, visit.place, nam, parts_of(request).clock())
    makes = _may(visit, "/tiep-noi")
    return page(request, "newyear_going_on.html", visit=visit, found=found, makes=makes, stored=xong)


@router.post("/tiep-noi")
def carry_on(request: Request, visit: StaffVisit, desk: OpenDesk, khoan: Column, nam: TypedYear = "") -> Response:
    """Write what goes on, with the registrations of the ticked items."""
    new = desk.carry_on(visit.who, visit.place, nam, khoan, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/tiep-noi", nam=nam, xong=str(new))


@router.get("/so-du")
def balances(request: Request, visit: StaffVisit, desk: OpenDesk, nam: Year = "") -> Response:
    """Show what is open and kept at the border, and the list that is signed."""
    found = desk.balances(visit.who, visit.place, nam, parts_of(request).clock())
    may = {"lap": _may(visit, "/so-du"), "ky": _may(visit, "/so-du/{opening_id}/ky")}
    return page(request, "newyear_balances.html", visit=visit, found=found, may=may)


@router.post("/so-du")
def draw_up(request: Request, visit: StaffVisit, desk: OpenDesk, nam: TypedYear = "") -> Response:
    """Draw the list up for signing."""
    desk.draw_up_balances(visit.who, visit.place, nam, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/so-du", nam=nam)


@router.post("/so-du/{opening_id}/ky")
def sign(request: Request, visit: StaffVisit, desk: OpenDesk, opening_id: UUID) -> Response:
    """Sign the list; a second person does this."""
    year = desk.sign_balances(visit.who, visit.place, opening_id, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/so-du", nam=year)


@router.get("/so-du/{opening_id}/danh-sach.xlsx")
def balances_file(request: Request, visit: StaffVisit, desk: OpenDesk, opening_id: UUID) -> Response:
    """Hand out the list as a workbook."""
    parts = parts_of(request)
    parts.limiter.spend(limits.PAPERS, str(visit.who.user_id))
    return file_answer(desk.balances_file(visit.who, visit.place, opening_id, parts.clock()))


def content_of(given: UploadFile) -> bytes:
    """Return an uploaded file; raises ``TooLarge`` above 10 MB."""
    data = given.file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TooLarge("Tệp lớn hơn 10 MB.")
    return data
