"""Corrections of issued bills, in the shapes of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.bills.tables import Bill
from billing.errors import HocphiError, NotFound, Refused
from billing.fees.tables import FeeItem
from billing.money import Money
from billing.people.tables import Pupil
from billing.rounds.correcting import (
    CorrectionPreview,
    Lowering,
    find_correction,
    open_corrections,
    preview_correction,
    propose_credit,
    propose_price,
    propose_void,
)
from billing.rounds.tables import BillingRound, Correction
from service.access.tables import User
from service.pages.round_views import CorrectedRow, CorrectionPage, CorrectionRow, TypedCorrection
from service.pages.typed import read_id, read_money

_WHAT = {
    "void": "Thu hồi thông báo",
    "replace": "Thu hồi và phát hành lại thông báo",
    "credit": "Ghi giảm thông báo",
    "price": "Hạ mức thu trong cả đợt",
    "attendance": "Quyết toán tiền ăn theo ngày ăn thực tế",
    "leaving": "Ghi giảm vì học sinh đã nghỉ học, thông báo",
}


def correction_list(session: Session, school_id: UUID, viewer: UUID) -> tuple[CorrectionRow, ...]:
    """Return what waits for a decision, oldest first."""
    return tuple(_row(session, each, viewer) for each in open_corrections(session, school_id))


def correction_page(session: Session, school_id: UUID, correction_id: UUID, viewer: UUID) -> CorrectionPage:
    """Return what a request would do now, or why it cannot be done any more."""
    correction = find_correction(session, correction_id)
    if correction.school_id != school_id:
        raise NotFound("Không tìm thấy đề nghị điều chỉnh này.")
    row = _row(session, correction, viewer)
    try:
        preview = preview_correction(session, correction_id)
    except HocphiError as problem:
        return CorrectionPage(row, problem=problem.message)
    return CorrectionPage(
        row, tuple(_bills(session, preview)), preview.off_rest, preview.to_credit, off_written=preview.off_written
    )


def ask(session: Session, school_id: UUID, actor: Actor, typed: TypedCorrection, now: datetime) -> UUID:
    """Ask for a bill to be voided, replaced or lowered; returns the request's id."""
    bill_id = read_id(typed.bill_id)
    bill = session.exec(select(Bill).where(Bill.school_id == school_id, Bill.id == bill_id)).one_or_none()
    if bill is None:
        raise NotFound("Không tìm thấy thông báo thu này.")
    if typed.kind in ("void", "replace"):
        replace = typed.kind == "replace"
        return propose_void(session, actor, bill_id, typed.reason, now, replace=replace).id
    if typed.kind != "credit":
        raise Refused("Xin chọn thu hồi, phát hành lại hoặc ghi giảm.")
    lines = [Lowering(_line(line), read_money(amount)) for line, amount in typed.amounts if amount.strip()]
    return propose_credit(session, actor, bill_id, lines, typed.reason, now).id


def ask_price(  # noqa: PLR0913, PLR0917  an item of a round, its price, by whom, why
    session: Session, billing_round: BillingRound, actor: Actor, item: str, price: str, reason: str, now: datetime
) -> UUID:
    """Ask for one item to be lowered to a price in all bills of a round; returns the request's id."""
    return propose_price(session, actor, billing_round.id, item, read_money(price), reason, now).id


def _line(text: str) -> int:
    if not text.isdigit():
        raise Refused("Dòng này không còn. Xin tải lại trang rồi chọn lại.")
    return int(text)


def _row(session: Session, correction: Correction, viewer: UUID) -> CorrectionRow:
    billing_round = session.get_one(BillingRound, correction.round_id)
    maker = session.get(User, correction.made_by)
    return CorrectionRow(
        correction_id=str(correction.id),
        round_title=billing_round.name,
        what=_what(session, correction),
        reason=correction.reason,
        maker=maker.full_name if maker else "",
        own=correction.made_by == viewer,
    )


def _what(session: Session, correction: Correction) -> str:
    said = _WHAT[correction.kind]
    if correction.bill_id is not None:
        bill = session.get_one(Bill, correction.bill_id)
        pupil = session.get_one(Pupil, bill.pupil_id)
        return f"{said} {bill.number} của {pupil.full_name}"
    if correction.kind != "price":
        return said
    code = str(correction.content["item"])
    item = session.exec(
        select(FeeItem).where(FeeItem.school_id == correction.school_id, FeeItem.code == code)
    ).one_or_none()
    return f"{said}: {item.legal_name if item else code} còn {Money(int(correction.content['price']))}"


def _bills(session: Session, preview: CorrectionPreview) -> Iterator[CorrectedRow]:
    ids = {bill.pupil_id for bill in preview.bills}
    names = dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(ids))).all())
    for bill in preview.bills:
        yield CorrectedRow(
            number=bill.number,
            pupil=names.get(bill.pupil_id, "?"),
            was=bill.was,
            now=bill.now,
            off_rest=bill.off_rest,
            to_credit=bill.to_credit,
            new_due=bill.new_due,
            off_written=bill.off_written,
        )
