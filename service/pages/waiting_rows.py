"""Transfers that wait for a person, with the matcher's reasons in words, from rows of one school."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money, total
from billing.payments.balances import request_balances, rest_of
from billing.payments.tables import PaymentRequest, PaymentRequestBill
from billing.people.tables import ClassGroup, Pupil
from reconciliation.tables import Match, Transfer, TransferStep
from service.pages.office_rows import WAITING_STATES
from service.pages.sign_words import AMOUNT_FITS, in_words
from service.pages.views import Candidate, WaitingList, WaitingRow

MAX_ROWS = 200

# The matcher's names for its rules, as the office reads them.
_RULES = {
    "nothing_found": "Không có mã nộp trong nội dung chuyển khoản.",
    "several_references": "Nội dung có nhiều mã nộp và số tiền không bằng tổng các mã.",
    "corrected_reference": "Mã nộp sai hoặc thiếu ký tự: cần người xem lại.",
    "another_account": "Mã nộp đúng nhưng tiền vào tài khoản khác.",
    "another_school": "Mã nộp thuộc trường khác.",
    "several_pupils": "Mã này chỉ hơn một học sinh.",
    "weaker_signs": "Không có mã nộp; có dấu hiệu khác để người xem chọn.",
    "virtual_account_disagrees": "Mã nộp và tài khoản định danh chỉ hai học sinh khác nhau.",
}
_UNKNOWN_RULE = "Chưa đủ căn cứ để tự ghi nhận: cần người xem lại."


def waiting_list(session: Session, school_id: UUID) -> WaitingList:
    """Return the transfers that wait for a person, oldest first, at most 200; the sum is over all of them."""
    rows = session.exec(
        select(Transfer, BankAccount)
        .join(BankAccount, col(BankAccount.id) == col(Transfer.bank_account_id))
        .where(Transfer.school_id == school_id, col(Transfer.state).in_(WAITING_STATES), Transfer.direction == "in")
        .order_by(col(Transfer.recorded_at), col(Transfer.id))
    ).all()
    shown = rows[:MAX_ROWS]
    matches = _newest_matches(session, school_id, [transfer.id for transfer, _ in shown])
    reasons = _step_reasons(session, school_id, [transfer.id for transfer, _ in shown])
    candidates = _candidates(session, school_id, matches)
    return WaitingList(
        rows=tuple(
            _row(transfer, account, matches.get(transfer.id), reasons.get(transfer.id, ""), candidates)
            for transfer, account in shown
        ),
        amount=total(transfer.amount for transfer, _ in rows),
    )


def _row(
    transfer: Transfer, account: BankAccount, match: Match | None, step: str, candidates: dict[str, Candidate]
) -> WaitingRow:
    found = [candidates[reference] for reference in suggested(match) if reference in candidates]
    return WaitingRow(
        transfer=f"{transfer.provider}-{transfer.provider_id}",
        value_date=transfer.value_date,
        amount=transfer.amount,
        memo=transfer.memo,
        account=f"…{account.number[-4:]}",
        reason=reason_in_words(match, step),
        since=transfer.recorded_at,
        candidates=tuple(_with_reasons(candidate, transfer, _kept(match, candidate.reference)) for candidate in found),
    )


def suggested(match: Match | None) -> list[str]:
    """Return the references that the matcher suggests, best first."""
    bills = match.evidence.get("bills", []) if match else []
    return [str(bill["reference"]) for bill in bills if isinstance(bill, dict) and "reference" in bill]


def rule_of(match: Match | None) -> str:
    """Return the name of the deciding rule."""
    return str(match.evidence.get("rule", "")) if match else ""


def reason_in_words(match: Match | None, step: str) -> str:
    """Return why a transfer waits, as the office reads it."""
    return _RULES.get(rule_of(match)) or _RULES.get(step) or _UNKNOWN_RULE


def _kept(match: Match | None, reference: str) -> dict[str, Any]:
    """Return what the matcher kept about a candidate: its rank, whether another is as good, and its signs."""
    notes = match.evidence.get("notes", []) if match else []
    listed = [each for note in notes if isinstance(note, dict) for each in note.get("candidates", [])]
    mine: dict[str, Any] = next((each for each in listed if each["reference"] == reference), {})
    return {**mine, "equal": sum(each["rank"] == mine.get("rank") for each in listed) > 1}


def _with_reasons(candidate: Candidate, transfer: Transfer, kept: dict[str, Any]) -> Candidate:
    """Add why a bill is suggested: the signs as decided, and the sum as it is now."""
    told = [words for words in in_words(kept.get("signs")) if words != AMOUNT_FITS]
    if not told:
        exact = candidate.reference in transfer.memo.upper().replace(" ", "")
        told.append(f"Mã {candidate.reference} đúng" if exact else f"Mã gần giống {candidate.reference}")
    if candidate.rest == transfer.amount:
        told.append(AMOUNT_FITS)
    elif not candidate.rest:
        told.append("Đã nộp đủ")
    return replace(candidate, reasons=tuple(told), equal=bool(kept["equal"]))


def _newest_matches(session: Session, school_id: UUID, transfers: list[UUID]) -> dict[UUID, Match]:
    rows = session.exec(
        select(Match).where(Match.school_id == school_id, col(Match.transfer_id).in_(transfers)).order_by(col(Match.id))
    ).all()
    return {row.transfer_id: row for row in rows}


def _step_reasons(session: Session, school_id: UUID, transfers: list[UUID]) -> dict[UUID, str]:
    rows = session.exec(
        select(TransferStep)
        .where(TransferStep.school_id == school_id, col(TransferStep.transfer_id).in_(transfers))
        .order_by(col(TransferStep.id))
    ).all()
    return {row.transfer_id: row.reason for row in rows}


def _candidates(session: Session, school_id: UUID, matches: dict[UUID, Match]) -> dict[str, Candidate]:
    """Return the suggested requests of this school by reference; those of others stay unseen."""
    wanted = {reference for match in matches.values() for reference in suggested(match)}
    rows = session.exec(
        select(PaymentRequest, Pupil)
        .join(Pupil, col(Pupil.id) == col(PaymentRequest.pupil_id))
        .where(PaymentRequest.school_id == school_id, col(PaymentRequest.reference).in_(wanted))
    ).all()
    rests = _rests(session, school_id, [request.id for request, _ in rows])
    classes = _classes(session, school_id, [request.id for request, _ in rows])
    return {
        request.reference: Candidate(
            request.reference, pupil.full_name, classes.get(request.id, ""), rests.get(request.id, ZERO), ()
        )
        for request, pupil in rows
    }


def _rests(session: Session, school_id: UUID, requests: list[UUID]) -> dict[UUID, Money]:
    balances = request_balances(session, school_id, requests)
    return {request_id: rest_of(bills) for request_id, bills in balances.items()}


def _classes(session: Session, school_id: UUID, requests: list[UUID]) -> dict[UUID, str]:
    rows = session.exec(
        select(PaymentRequestBill.request_id, ClassGroup.code)
        .join(Bill, col(Bill.id) == col(PaymentRequestBill.bill_id))
        .join(ClassGroup, col(ClassGroup.id) == col(Bill.class_id))
        .where(PaymentRequestBill.school_id == school_id, col(PaymentRequestBill.request_id).in_(requests))
    ).all()
    return dict(rows)
