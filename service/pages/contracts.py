"""Contracts of private schools in the office: versions, applicants, deposits, withdrawal, prepaid income, lateness."""

from __future__ import annotations

import unicodedata
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from billing.contracts.wording import PLAN_NAMES
from billing.plans.papers import MOST_BYTES
from service.access.errors import TooLarge
from service.access.roles import MATRIX
from service.pages.contract_views import STATES, TypedContract, TypedEnd, TypedTerm, TypedVersion
from service.pages.guards import OpenDesk, StaffVisit, parts_of
from service.pages.plan_views import TypedFile
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to

CONTRACTS = "/van-phong/hop-dong"
ONE = f"{CONTRACTS}/so/{{contract_id}}"
MAX_BODY_BYTES = MOST_BYTES + 64 * 1024
router = APIRouter(max_body_size=MAX_BODY_BYTES)

Short = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=300)]
Body = Annotated[str, Form(max_length=20_000)]
Words = Annotated[str, Query(max_length=100)]
Key = Annotated[str, Query(max_length=40)]
Column = Annotated[list[Annotated[str, Form(max_length=100)]], Form(default_factory=list, max_length=20)]
Given = Annotated[UploadFile, File()]


def _clean(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())


def _file(given: UploadFile) -> TypedFile:
    content = given.file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise TooLarge("Tệp lớn hơn 5 MB. Hãy quét lại ở độ phân giải thấp hơn.")
    return TypedFile(given.filename or "", content)


def _makes(visit: StaffVisit) -> bool:
    return bool(MATRIX["POST", CONTRACTS] & visit.roles)


@router.get(CONTRACTS)
def contracts(request: Request, visit: StaffVisit, desk: OpenDesk, q: Words = "", em: Key = "") -> Response:
    """List contracts and versions, with the form of a new contract."""
    found = desk.contracts(visit.who, visit.place, _clean(q), parts_of(request).clock())
    makes, plans = _makes(visit), PLAN_NAMES
    return page(request, "contracts.html", visit=visit, found=found, plans=plans, states=STATES, chosen=em, makes=makes)


@router.post(CONTRACTS)
def draft(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    mau: Short = "",
    cach: Short = "",
    tu: Short = "",
    so_thang: Short = "",
    em: Short = "",
    ho_ten: Text = "",
    ngay_sinh: Short = "",
    gioi_tinh: Short = "",
    nguoi_lon: Text = "",
    quan_he: Short = "",
    dien_thoai: Short = "",
) -> Response:
    """Draft the contract of a child that applies, or of a pupil."""
    typed = TypedContract(
        mau, cach, tu, so_thang, em, _clean(ho_ten), ngay_sinh, gioi_tinh, _clean(nguoi_lon), quan_he, dien_thoai
    )
    made = desk.draft_contract(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/so/{made}")


@router.get(f"{CONTRACTS}/mau-moi")
def new_version(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show the form of a new version, and of an item for paying ahead."""
    found = desk.new_contract_version(visit.who, visit.place, parts_of(request).clock())
    return page(request, "contract_new.html", visit=visit, found=found, plans=PLAN_NAMES)


@router.post(f"{CONTRACTS}/mau-moi")
def draft_version(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    moc_ngay: Column,
    moc_giu: Column,
    khoan: Column,
    giam: Column,
    thay: Column,
    rut_thang: Column,
    rut_tra: Column,
    ma: Short = "",
    ten: Text = "",
    noi_dung: Body = "",
    tu: Short = "",
    giu_cho: Short = "",
    truoc: Short = "",
    tru_coc: Short = "",
    an_han: Short = "",
    phi: Short = "",
    tran: Short = "",
) -> Response:
    """Write a new version."""
    typed = TypedVersion(
        ma,
        _clean(ten),
        unicodedata.normalize("NFC", noi_dung).strip(),
        tu,
        giu_cho,
        tuple(moc_ngay),
        tuple(moc_giu),
        tuple(khoan),
        tuple(giam),
        tuple(thay),
        truoc,
        tru_coc,
        tuple(rut_thang),
        tuple(rut_tra),
        an_han,
        phi,
        tran,
    )
    made = desk.draft_contract_version(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/mau/{made}")


@router.post(f"{CONTRACTS}/ky-moi")
def open_term(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    thang: Column,
    so_thang: Column,
    ma: Short = "",
    ten: Text = "",
    khoan: Short = "",
    so_tien: Short = "",
) -> Response:
    """Make an item for paying ahead."""
    typed = TypedTerm(ma, _clean(ten), khoan, so_tien, tuple(thang), tuple(so_thang))
    desk.open_contract_term(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/mau-moi")


@router.get(f"{CONTRACTS}/mau/{{version_id}}")
def version(request: Request, visit: StaffVisit, desk: OpenDesk, version_id: UUID) -> Response:
    """Show a version with its terms."""
    found = desk.contract_version(visit.who, visit.place, version_id, parts_of(request).clock())
    checks = bool(MATRIX["POST", f"{CONTRACTS}/mau/{{version_id}}/duyet"] & visit.roles)
    return page(request, "contract_version.html", visit=visit, found=found, checks=checks)


@router.post(f"{CONTRACTS}/mau/{{version_id}}/duyet")
def approve_version(request: Request, visit: StaffVisit, desk: OpenDesk, version_id: UUID) -> Response:
    """Approve a version that somebody else made."""
    desk.approve_contract_version(visit.who, visit.place, version_id, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/mau/{version_id}")


@router.get(ONE)
def contract(request: Request, visit: StaffVisit, desk: OpenDesk, contract_id: UUID, ngay: Key = "") -> Response:
    """Show a contract and, for a day, what its end would do."""
    typed = TypedEnd(ngay) if ngay else None
    found = desk.contract(visit.who, visit.place, contract_id, typed, parts_of(request).clock())
    makes, plans = _makes(visit), PLAN_NAMES
    return page(request, "contract.html", visit=visit, found=found, plans=plans, states=STATES, makes=makes)


@router.post(f"{ONE}/ky")
def sign(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    contract_id: UUID,
    tep: Given,
    ngay: Short = "",
    han: Short = "",
) -> Response:
    """Keep the signed contract, and bill the deposit."""
    now = parts_of(request).clock()
    desk.agree_to_contract(visit.who, visit.place, contract_id, ngay, han, _file(tep), now)
    return go_to(visit.place, f"{CONTRACTS}/so/{contract_id}")


@router.post(f"{ONE}/duong-dan")
def open_link(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, contract_id: UUID, tra_loi: Short = "", han: Short = ""
) -> Response:
    """Make the link with which the family agrees."""
    desk.open_contract_link(visit.who, visit.place, contract_id, tra_loi, han, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/so/{contract_id}")


@router.post(f"{ONE}/gui")
def send_link(request: Request, visit: StaffVisit, desk: OpenDesk, contract_id: UUID) -> Response:
    """Send the link to the family once more."""
    desk.send_contract_link(visit.who, visit.place, contract_id, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/so/{contract_id}")


@router.post(f"{ONE}/nhap-hoc")
def admit(request: Request, visit: StaffVisit, desk: OpenDesk, contract_id: UUID, lop: Short = "") -> Response:
    """Enrol the child."""
    desk.admit_by_contract(visit.who, visit.place, contract_id, lop, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/so/{contract_id}")


@router.post(f"{ONE}/khong-nhap-hoc")
def decline(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, contract_id: UUID, ngay: Short = "", ly_do: Text = ""
) -> Response:
    """Close the contract of a child that does not come."""
    typed = TypedEnd(ngay, _clean(ly_do))
    desk.decline_contract(visit.who, visit.place, contract_id, typed, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/so/{contract_id}")


@router.post(f"{ONE}/hoan-coc")
def refund(request: Request, visit: StaffVisit, desk: OpenDesk, contract_id: UUID) -> Response:
    """Ask for what comes back of the deposit to be paid out."""
    made = desk.refund_contract_deposit(visit.who, visit.place, contract_id, parts_of(request).clock())
    return go_to(visit.place, f"/van-phong/hoan-tien/{made}")


@router.post(f"{ONE}/rut")
def withdraw(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    contract_id: UUID,
    tep: Annotated[UploadFile | None, File()] = None,
    ngay: Short = "",
    ly_do: Text = "",
    da_xem: Short = "",
) -> Response:
    """Let the child leave by its contract."""
    typed, file = TypedEnd(ngay, _clean(ly_do), da_xem), None if tep is None else _file(tep)
    made = desk.withdraw_from_contract(visit.who, visit.place, contract_id, typed, file, parts_of(request).clock())
    return go_to(visit.place, f"/van-phong/chuyen-di/lan/{made}")


@router.post(f"{ONE}/de-nghi-lai")
def ask_again(request: Request, visit: StaffVisit, desk: OpenDesk, contract_id: UUID) -> Response:
    """Ask again for what the withdrawal gives back and somebody rejected."""
    desk.ask_contract_back_again(visit.who, visit.place, contract_id, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/so/{contract_id}")


@router.get(f"{ONE}/tep/{{paper_id}}")
def paper(request: Request, visit: StaffVisit, desk: OpenDesk, contract_id: UUID, paper_id: UUID) -> Response:
    """Hand out a file; the opening is recorded."""
    return file_answer(desk.contract_paper(visit.who, visit.place, contract_id, paper_id, parts_of(request).clock()))


@router.get(f"{CONTRACTS}/doanh-thu")
def income(request: Request, visit: StaffVisit, desk: OpenDesk, thang: Key = "") -> Response:
    """Show what closing a month would release."""
    found = desk.prepaid_income(visit.who, visit.place, thang, parts_of(request).clock())
    return page(request, "contract_income.html", visit=visit, found=found, makes=_makes(visit))


@router.post(f"{CONTRACTS}/doanh-thu")
def release(request: Request, visit: StaffVisit, desk: OpenDesk, thang: Short = "") -> Response:
    """Close a month."""
    desk.release_income(visit.who, visit.place, thang, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/doanh-thu", thang=thang)


@router.get(f"{CONTRACTS}/cham-nop")
def late(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """List the late bills whose contract has the clause."""
    found = desk.late_charges(visit.who, visit.place, parts_of(request).clock())
    return page(request, "contract_late.html", visit=visit, found=found, makes=_makes(visit))


@router.post(f"{CONTRACTS}/cham-nop")
def add_late(request: Request, visit: StaffVisit, desk: OpenDesk, thong_bao: Column, thang: Short = "") -> Response:
    """Add the charges of the chosen bills to the round of a month."""
    desk.add_late_charges(visit.who, visit.place, thong_bao, thang, parts_of(request).clock())
    return go_to(visit.place, f"{CONTRACTS}/cham-nop")
