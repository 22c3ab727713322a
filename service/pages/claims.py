"""The State's money: what it pays by the month, the lists that ask for it, what came, and what families signed for."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from service.access.roles import MATRIX
from service.pages.claims_views import (
    TypedChoice,
    TypedClaim,
    TypedEntitlement,
    TypedPayment,
    TypedPayout,
    TypedStep,
)
from service.pages.guards import MAX_FORM_BYTES, OpenDesk, StaffVisit, parts_of
from service.pages.rendering import page
from service.pages.responses import file_answer, go_to
from service.pages.typed import read_day, school_day

ROOT = "/van-phong/ngan-sach"
router = APIRouter(prefix=ROOT, max_body_size=MAX_FORM_BYTES)

# What can be done next with a list, by its state; the matrix says by whom.
_STEPS = {"draft": ("tinh", "trinh", "huy"), "submitted": ("duyet", "tinh", "huy"), "approved": ("gui",)}

Short = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=300)]
Words = Annotated[str, Query(max_length=100)]


@router.get("")
def overview(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show rates, lists, and to whom support goes."""
    now = parts_of(request).clock()
    view = desk.state_money(visit.who, visit.place, now)
    return page(request, "claims.html", visit=visit, money=view, today=school_day(now))


@router.post("/danh-sach")
def draft(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    loai: Short = "",
    nam_hoc: Short = "",
    dot: Annotated[int, Form(ge=1, le=2)] = 1,
    tu_thang: Short = "",
    den_thang: Short = "",
    chuong: Short = "",
    khoan: Short = "",
    tieu_muc: Short = "",
) -> Response:
    """Write down a list and work it out."""
    typed = TypedClaim(loai, nam_hoc, dot, tu_thang, den_thang, chuong, khoan, tieu_muc)
    made = desk.draft_claim(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/danh-sach/{made}")


@router.get("/danh-sach/{claim_id}")
def claim(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    claim_id: UUID,
    trang: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Show a list, and the steps that this person may take next."""
    view = desk.claim(visit.who, visit.place, claim_id, trang)
    steps = [step for step in _STEPS.get(view.row.state, ()) if _may(visit, "POST", f"/danh-sach/{{claim_id}}/{step}")]
    if view.changed:
        steps = [step for step in steps if step in {"tinh", "huy"}]
    pays = _may(visit, "POST", "/danh-sach/{claim_id}/tien-ve")
    return page(
        request,
        "claims_list.html",
        visit=visit,
        claim=view,
        steps=steps,
        pays=pays,
        today=school_day(parts_of(request).clock()),
    )


def _may(visit: StaffVisit, method: str, path: str) -> bool:
    return bool(MATRIX[method, ROOT + path] & visit.roles)


def _step(request: Request, visit: StaffVisit, desk: OpenDesk, claim_id: UUID, step: TypedStep) -> Response:
    desk.step_claim(visit.who, visit.place, claim_id, step, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/danh-sach/{claim_id}")


@router.post("/danh-sach/{claim_id}/tinh")
def calculate(request: Request, visit: StaffVisit, desk: OpenDesk, claim_id: UUID) -> Response:
    """Work a list out anew; an earlier submission falls away with it."""
    return _step(request, visit, desk, claim_id, TypedStep("tinh"))


@router.post("/danh-sach/{claim_id}/trinh")
def submit(
    request: Request, visit: StaffVisit, desk: OpenDesk, claim_id: UUID, digest: Annotated[str, Form(max_length=128)]
) -> Response:
    """Hand a list to the approver, exactly as it was shown."""
    return _step(request, visit, desk, claim_id, TypedStep("trinh", digest))


@router.post("/danh-sach/{claim_id}/duyet")
def approve(
    request: Request, visit: StaffVisit, desk: OpenDesk, claim_id: UUID, digest: Annotated[str, Form(max_length=128)]
) -> Response:
    """Approve a list, exactly as it was shown; a second person does this."""
    return _step(request, visit, desk, claim_id, TypedStep("duyet", digest))


@router.post("/danh-sach/{claim_id}/gui")
def send(request: Request, visit: StaffVisit, desk: OpenDesk, claim_id: UUID) -> Response:
    """Note that the list went to the authority."""
    return _step(request, visit, desk, claim_id, TypedStep("gui"))


@router.post("/danh-sach/{claim_id}/huy")
def withdraw(request: Request, visit: StaffVisit, desk: OpenDesk, claim_id: UUID, ly_do: Text = "") -> Response:
    """Give a list up before it is approved."""
    return _step(request, visit, desk, claim_id, TypedStep("huy", reason=ly_do))


@router.get("/danh-sach/{claim_id}/danh-sach.xlsx")
def workbook(request: Request, visit: StaffVisit, desk: OpenDesk, claim_id: UUID) -> Response:
    """Hand out the workbook of an approved list; the opening is recorded."""
    return file_answer(desk.claim_list(visit.who, visit.place, claim_id, parts_of(request).clock()))


@router.post("/danh-sach/{claim_id}/tien-ve")
def record_payment(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    claim_id: UUID,
    so_tien: Short,
    ngay: Annotated[date, Form()],
    ve_dau: Short,
    chung_tu: Text,
) -> Response:
    """Write down money that came on a list."""
    typed = TypedPayment(so_tien, ngay, ve_dau, chung_tu)
    desk.record_state_payment(visit.who, visit.place, claim_id, typed, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/danh-sach/{claim_id}")


@router.post("/danh-sach/{claim_id}/tien-ve/{payment_id}/dao")
def undo_payment(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, claim_id: UUID, payment_id: UUID, ly_do: Text = ""
) -> Response:
    """Take back money that was written down wrongly."""
    now = parts_of(request).clock()
    desk.undo_state_payment(visit.who, visit.place, claim_id, payment_id, ly_do, now)
    return go_to(visit.place, f"{ROOT}/danh-sach/{claim_id}")


@router.get("/chi-tra")
def payout_lists(request: Request, visit: StaffVisit, desk: OpenDesk) -> Response:
    """Show the cashier the lists on which families still have money coming."""
    return page(request, "claims_to_pay.html", visit=visit, lists=desk.payout_lists(visit.who, visit.place))


@router.get("/danh-sach/{claim_id}/chi-tra")
def payouts(request: Request, visit: StaffVisit, desk: OpenDesk, claim_id: UUID) -> Response:
    """Show who has signed for the money and who has not."""
    view = desk.payouts(visit.who, visit.place, claim_id, parts_of(request).clock())
    pays = _may(visit, "POST", "/danh-sach/{claim_id}/chi-tra")
    sees = _may(visit, "GET", "/danh-sach/{claim_id}")
    return page(request, "claims_payouts.html", visit=visit, payouts=view, pays=pays, sees=sees)


@router.post("/danh-sach/{claim_id}/chi-tra")
def pay_out(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    claim_id: UUID,
    em: Short,
    nguoi_nhan: Text,
    ngay: Annotated[date, Form()],
    cach: Short,
) -> Response:
    """Write down a signature."""
    typed = TypedPayout(em, unicodedata.normalize("NFC", nguoi_nhan), ngay, cach)
    desk.pay_out(visit.who, visit.place, claim_id, typed, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/danh-sach/{claim_id}/chi-tra")


@router.post("/danh-sach/{claim_id}/chi-tra/{payout_id}/dao")
def undo_payout(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request, visit: StaffVisit, desk: OpenDesk, claim_id: UUID, payout_id: UUID, ly_do: Text = ""
) -> Response:
    """Take back a payout that was written down wrongly."""
    desk.undo_payout(visit.who, visit.place, claim_id, payout_id, ly_do, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/danh-sach/{claim_id}/chi-tra")


@router.post("/ho-tro")
def choose(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    noi_nhan: Short,
    so_quyet_dinh: Text,
    ngay: Annotated[date, Form()],
    tu: Annotated[date, Form()],
) -> Response:
    """Write down who gets the support of a private school's pupils."""
    typed = TypedChoice(noi_nhan, so_quyet_dinh, ngay, tu)
    desk.choose_support(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, ROOT)


@router.post("/ho-tro/{choice_id}/duyet")
def approve_choice(request: Request, visit: StaffVisit, desk: OpenDesk, choice_id: UUID) -> Response:
    """Approve who gets the support."""
    desk.decide_choice(visit.who, visit.place, choice_id, parts_of(request).clock(), approved=True)
    return go_to(visit.place, ROOT)


@router.post("/ho-tro/{choice_id}/bo")
def drop_choice(request: Request, visit: StaffVisit, desk: OpenDesk, choice_id: UUID) -> Response:
    """Drop a choice that nobody has approved."""
    desk.decide_choice(visit.who, visit.place, choice_id, parts_of(request).clock(), approved=False)
    return go_to(visit.place, ROOT)


@router.get("/doi-tuong")
def entitlements(
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    q: Words = "",
    em: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """List who has a right to learning-cost support; the look is recorded."""
    words = " ".join(unicodedata.normalize("NFC", q).split())
    now = parts_of(request).clock()
    view = desk.entitlements(visit.who, visit.place, words, em, now)
    roles = {
        "enters": _may(visit, "POST", "/doi-tuong"),
        "approves": _may(visit, "POST", "/doi-tuong/{entitlement_id}/duyet"),
        "ends": _may(visit, "POST", "/doi-tuong/{entitlement_id}/ket-thuc"),
    }
    return page(request, "claims_entitlements.html", visit=visit, found=view, today=school_day(now), **roles)


@router.post("/doi-tuong")
def entitle(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    em: Short,
    dien: Short,
    minh_chung: Text,
    tu: Annotated[date, Form()],
    den: Short = "",
) -> Response:
    """Enter a right that waits for another person."""
    typed = TypedEntitlement(em, dien, unicodedata.normalize("NFC", minh_chung), tu, read_day(den))
    desk.entitle(visit.who, visit.place, typed, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/doi-tuong")


@router.post("/doi-tuong/{entitlement_id}/duyet")
def approve_entitlement(request: Request, visit: StaffVisit, desk: OpenDesk, entitlement_id: UUID) -> Response:
    """Approve what another person entered."""
    desk.approve_entitlement(visit.who, visit.place, entitlement_id, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/doi-tuong")


@router.post("/doi-tuong/{entitlement_id}/ket-thuc")
def end_entitlement(  # noqa: PLR0913, PLR0917  FastAPI reads each of them from the request
    request: Request,
    visit: StaffVisit,
    desk: OpenDesk,
    entitlement_id: UUID,
    den: Annotated[date, Form()],
    ly_do: Text = "",
) -> Response:
    """End a right after a day, or drop one that nobody approved."""
    desk.end_entitlement(visit.who, visit.place, entitlement_id, den, ly_do, parts_of(request).clock())
    return go_to(visit.place, f"{ROOT}/doi-tuong")


@router.get("/xac-nhan/{enrolment_id}.pdf")
def proof_of_study(request: Request, visit: StaffVisit, desk: OpenDesk, enrolment_id: UUID) -> Response:
    """Hand out a private pupil's proof of study; that it was given out is recorded."""
    letter = desk.proof_of_study(visit.who, visit.place, enrolment_id, parts_of(request).clock())
    return file_answer(letter, inline=True)
